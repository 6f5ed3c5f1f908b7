"""Files that are sent in one go: an album, or several within seconds.

Telegram sends an album as several updates, WhatsApp one medium each. Whoever sends five pictures
is answered once: on Telegram the answer is edited, on WhatsApp, which cannot edit, the others are
taken without a word (the next question says how many there are).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from conversation.message import ChannelName, Reply
from conversation.state import Answers
from conversation.turn import Turn

IN_ONE_GO = timedelta(seconds=10)  # between files that somebody picked together
_GOING = "~gathering"


def arrives(turn: Turn, answers: Answers) -> bool:
    """Notes the file at hand; does it belong to those that came just before it?"""
    last = answers.get(_GOING)
    together = last is not None and _same_go(turn, last)
    kept = last if together and last else {"reply": None, "told": False}
    answers[_GOING] = {**kept, "album": turn.incoming.album, "at": turn.unit.now.isoformat()}
    return together


def to_be_told(answers: Answers) -> bool:
    """Is this the first time in this go that something has to be said against a file? That is
    said in a new message: nobody looks for it in an edited one."""
    first = not answers[_GOING]["told"]
    answers[_GOING] |= {"told": True, "reply": None if first else answers[_GOING]["reply"]}
    return first


def over(answers: Answers) -> None:
    """Something else was done: the next file begins anew."""
    answers.pop(_GOING, None)


def quiet(turn: Turn, together: bool) -> bool:
    """Is a file taken without a word?"""
    return together and turn.incoming.channel is ChannelName.WHATSAPP


def counting(turn: Turn, answers: Answers, reply: Reply) -> Reply:
    """The reply that shows what there is: for files of one go the same message, edited. It is
    the same screen, too: whoever taps "Done" as it changes means what it says now."""
    going = answers.get(_GOING)
    if going is None or not turn.incoming.files:
        return reply
    if going["reply"] is not None:
        return replace(reply, replaces=UUID(going["reply"]), screen=False)
    delivery = turn.unit.new_id()
    going["reply"] = str(delivery)
    return replace(reply, delivery=delivery)


def _same_go(turn: Turn, last: Answers) -> bool:
    if turn.incoming.album is not None and turn.incoming.album == last["album"]:
        return True
    return turn.unit.now - datetime.fromisoformat(last["at"]) <= IN_ONE_GO
