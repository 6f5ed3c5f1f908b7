"""Files that are sent in one go: an album, or several within seconds.

Telegram sends an album as several updates, WhatsApp one medium each. Whoever sends five pictures
is answered once: on Telegram the answer is edited, on WhatsApp, which cannot edit, the others are
taken without a word (the next question says how many there are). Each reason to refuse one is said
once, and what is taken after that is answered again.
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
    """Notes the file at hand; does it belong to those just before it, which were answered? After
    a refusal it does not: what can be taken has an answer of its own."""
    last = answers.get(_GOING)
    same = last if last is not None and _same_go(turn, last) else None
    kept = same or {"reply": None, "said": []}
    now = {"album": turn.incoming.album, "at": turn.unit.now.isoformat(), "refused": False}
    answers[_GOING] = {**kept, **now}
    return same is not None and not same.get("refused")


def to_be_told(answers: Answers, refused: str) -> bool:
    """Is this the first time in this go that this has to be said against a file? That is said
    in a new message: nobody looks for it in an edited one."""
    going = answers[_GOING]
    said = going.get("said", [])
    going |= {"said": [*said, refused], "reply": None, "refused": True}
    return refused not in said


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
        return replace(reply, replaces=UUID(going["reply"]), screen=False, offers=True)
    delivery = turn.unit.new_id()
    going["reply"] = str(delivery)
    return replace(reply, delivery=delivery)


def _same_go(turn: Turn, last: Answers) -> bool:
    if turn.incoming.album is not None and turn.incoming.album == last["album"]:
        return True
    return turn.unit.now - datetime.fromisoformat(last["at"]) <= IN_ONE_GO
