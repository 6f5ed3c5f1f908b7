"""A notice's text in one language, also in several goes: what was typed is never typed again.

A title that is too long, a text without one, a text over the limit: what was written is kept as
a `Part`, and only what is missing is asked for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from conversation.forms import Given, Stay
from conversation.message import Choice, Reply
from conversation.state import Answers
from core.clock import local_date
from core.languages import Language, may_be
from core.names import fold
from core.texts import Joined, T, Words, texts
from handlers.notice_text import LONGEST_BODY, LONGEST_TITLE, shortened, split_title
from rules.moments import days_said
from services.notices import NoticeText

_TYPED = "typed"  # where the form keeps the texts that were typed before they were asked for
MOST_TYPED = 5  # of them; one more pushes the oldest out
A_TEXT = 40  # characters: longer than what any button says
_BUTTONS = (
    "notice-only-kk",
    "notice-only-ru",
    "notice-both",
    "audience-some",
    "audience-done",
    "attach-skip",
    "correct-keep",
    "correct-send",
    "notice-send",
    "notice-plan",
    "preview-when",
)  # that stand at other questions of the same form
SHOWN_LAST, SHOWN_REST = 80, 300  # characters of a cut text that are shown
CUT_FROM, CUT_AT = 3700, 4096  # a long text leaves Telegram's apps in pieces of such a length
CUT_WITHIN = timedelta(seconds=10)  # between two pieces of it
_SENTENCE_END = re.compile(r"[.!?…](?=\s)|\n")


class Missing(StrEnum):
    """What keeps a text from being whole."""

    TITLE_LONG = "title-long"
    NO_BODY = "no-body"
    BODY_LONG = "body-long"


@dataclass(frozen=True, slots=True)
class Part:
    """What was written so far; of a title that is too long, `title` is how it could be."""

    why: Missing
    title: str
    body: str
    length: int = 0  # of what is too long
    cut: str = ""  # when a piece came that may go on in the next message

    def goes_on(self, now: datetime) -> bool:
        """Is a message of this moment the next piece of the text?"""
        return bool(self.cut) and now - datetime.fromisoformat(self.cut) <= CUT_WITHIN

    def stored(self) -> Answers:
        """As the form keeps it."""
        return asdict(self)

    @property
    def whole(self) -> str:
        """All that was written."""
        return "\n".join(piece for piece in (self.title, self.body) if piece)


def stored_part(answers: Answers, language: Language) -> Part | None:
    """What was written so far in this language."""
    kept = answers.get(part_key(language))
    return Part(**{**kept, "why": Missing(kept["why"])}) if kept else None


def part_key(language: Language) -> str:
    """Where the form keeps it."""
    return f"part_{language}"


def all_written(answers: Answers) -> list[str]:
    """All texts of these answers, whole or begun, as they are shown to be copied."""
    kept = ("\n".join(answers[f"text_{one}"]) for one in Language if answers.get(f"text_{one}"))
    begun = (part.whole for one in Language if (part := stored_part(answers, one)))
    return [*kept, *begun, *typed_before(answers)]


def begun_anew(answers: Answers) -> bool:
    """Drops what was begun in any language, to be written anew; was there anything?"""
    gone = [answers.pop(part_key(one), None) for one in Language]
    return any(gone)


def doubts(written: Mapping[Language, NoticeText]) -> list[Words]:
    """What to look at again: a text that seems to stand in the other language's place."""
    return [
        T(f"words-not-{language}")
        for language, words in written.items()
        if not may_be(f"{words.title}\n{words.body}", language)
    ]


def days_named(
    written: Mapping[Language, NoticeText], begins: datetime, now: datetime
) -> list[Words]:
    """What to look at again in what does not go today: words like "tomorrow" are of another day
    for its readers; which."""
    day = local_date(begins)
    if day == local_date(now):
        return []
    found: dict[int, dict[str, None]] = {}  # the words in their order, each once
    for text in written.values():
        for word, ahead in days_said(f"{text.title}\n{text.body}"):
            found.setdefault(ahead, {})[f"«{word}»"] = None
    return [
        T("words-day", words=", ".join(words), day=day + timedelta(days=ahead))
        for ahead, words in sorted(found.items())
    ]


@lru_cache(maxsize=1)
def _labels() -> frozenset[str]:
    return frozenset(fold(texts().say(one, T(key))) for one in Language for key in _BUTTONS)


def is_a_button(typed: str) -> bool:
    """Are these the words of a button that stands at another question, in either language?"""
    return fold(typed) in _labels()


def too_early(answers: Answers, given: Given) -> Stay | None:
    """A text that was typed at a question before it: kept, to be offered when it is asked for."""
    typed = given.text.strip()
    if given.chosen or given.files or not ("\n" in typed or len(typed) > A_TEXT):
        return None
    kept = [one for one in typed_before(answers) if one != typed]
    return Stay({_TYPED: [*kept, typed][-MOST_TYPED:]}, T("notice-typed-kept"))


def typed_before(answers: Answers) -> list[str]:
    """The texts that were typed before they were asked for, and not taken yet."""
    kept = answers.get(_TYPED, [])
    return [kept] if isinstance(kept, str) else list(kept)  # there was room for one


def _offered(answers: Answers, language: Language) -> str | None:
    """Of what was typed before, the latest that can be in this language."""
    return next((one for one in typed_before(answers)[::-1] if may_be(one, language)), None)


def offered(answers: Answers, question: T, language: Language, choices: Sequence[Choice]) -> Reply:
    """The question for a text; where one was typed before, it can be taken."""
    typed = _offered(answers, language)
    if typed is None:
        return Reply(question, choices)
    begin = typed if len(typed) <= SHOWN_REST else f"{typed[:SHOWN_REST].rstrip()}…"
    said = Joined([question, T("notice-typed", typed=begin)], "\n\n")
    return Reply(said, [Choice("n-typed", T("notice-typed-take")), *choices])


def taken(answers: Answers, given: Given, language: Language) -> Given:
    """What was typed before, where the person takes it now."""
    typed = _offered(answers, language)
    if given.chosen is None or given.chosen.code != "n-typed" or typed is None:
        return given
    answers[_TYPED] = [one for one in typed_before(answers) if one != typed]
    return Given(text=typed)


def heard(given: Given, part: Part | None, now: datetime) -> NoticeText | Part | None:
    """What the words make, or a tap on what was offered instead; None: it was neither."""
    if given.chosen is not None:
        return take(part) if part is not None and given.chosen.code == "n-take" else None
    return hear(given.text, part, now) if given.text.strip() else None


def hear(typed: str, part: Part | None, now: datetime) -> NoticeText | Part:
    """The whole text, or what there is of it. `typed` holds more than spaces.

    Telegram's apps cut what is longer than 4,096 characters and send it in pieces, one at once
    after the other: such a piece goes on where the one before it ended.
    """
    typed = typed.strip()
    found = _longer(part, typed) if part and part.goes_on(now) else _told(typed, part)
    if isinstance(found, Part) and CUT_FROM <= len(typed) <= CUT_AT:
        return replace(found, cut=now.isoformat())
    return found


def _longer(part: Part, more: str) -> NoticeText | Part:
    """Where it was cut, a space or a line break fell away; after a sentence it is taken for one
    of the latter."""
    body = part.body + ("\n" if part.body.endswith((".", "!", "?", "…", ":")) else " ") + more
    return _first(body) if part.why is Missing.TITLE_LONG else _whole(part.title, body)


def _told(typed: str, part: Part | None) -> NoticeText | Part:
    if part is None or (part.why is Missing.TITLE_LONG and "\n" in typed):
        return _first(typed)
    if part.why is Missing.TITLE_LONG:
        title = " ".join(typed.split())
        if len(title) <= LONGEST_TITLE:
            return _whole(title, part.body)
        return Part(Missing.TITLE_LONG, shortened(title, LONGEST_TITLE), part.body, len(title))
    first, _, rest = typed.partition("\n")
    return _whole(part.title, rest.strip() if rest and fold(first) == fold(part.title) else typed)


def take(part: Part) -> NoticeText | Part:
    """What is offered: the shortened title, or as much of the text as goes in."""
    if part.why is Missing.BODY_LONG:
        return NoticeText(part.title, cut(part.body)[0])
    return _whole(part.title, part.body)


def cut(body: str) -> tuple[str, str]:
    """As much as goes into a notice, to the end of a sentence, else of a word; and the rest."""
    head = body[:LONGEST_BODY]
    end = max((found.end() for found in _SENTENCE_END.finditer(head)), default=0)
    if end < LONGEST_BODY // 2:
        end = head.rfind(" ")
    end = end if end >= LONGEST_BODY // 2 else LONGEST_BODY
    return body[:end].rstrip(), body[end:].strip()


def ask(part: Part) -> tuple[T, Sequence[Choice]]:
    """What is missing, in words, and what can be taken instead."""
    match part.why:
        case Missing.NO_BODY:
            return T("words-no-body", title=part.title), ()
        case Missing.TITLE_LONG:
            said = T("words-title-long", length=part.length, title=part.title)
            return said, [Choice("n-take", T("words-take-title"))]
        case Missing.BODY_LONG:
            kept, rest = cut(part.body)
            said = T(
                "words-body-long",
                length=part.length,
                last=kept[-SHOWN_LAST:].strip(),
                rest=rest if len(rest) <= SHOWN_REST else f"{rest[:SHOWN_REST].rstrip()}…",
            )
            return said, [Choice("n-take", T("words-take-body"))]


def _first(typed: str) -> NoticeText | Part:
    title, body = split_title(typed)
    if len(title) > LONGEST_TITLE:
        return Part(Missing.TITLE_LONG, shortened(title, LONGEST_TITLE), typed, len(title))
    return _whole(title, body)


def _whole(title: str, body: str) -> NoticeText | Part:
    if not body:
        return Part(Missing.NO_BODY, title, "")
    if len(body) > LONGEST_BODY:
        return Part(Missing.BODY_LONG, title, body, len(body))
    return NoticeText(title, body)
