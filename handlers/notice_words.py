"""A notice's text in one language, also in several goes: what was typed is never typed again.

A title that is too long, a text without one, a text over the limit: what was written is kept as
a `Part`, and only what is missing is asked for.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from conversation.message import Choice
from conversation.state import Answers
from core.languages import Language
from core.names import fold
from core.texts import T
from handlers.notice_text import LONGEST_BODY, LONGEST_TITLE, split_title
from services.notices import NoticeText

SHOWN_LAST, SHOWN_REST = 80, 300  # characters of a cut text that are shown
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

    def stored(self) -> Answers:
        """As the form keeps it."""
        return asdict(self)


def stored_part(answers: Answers, language: Language) -> Part | None:
    """What was written so far in this language."""
    kept = answers.get(part_key(language))
    return Part(Missing(kept["why"]), kept["title"], kept["body"], kept["length"]) if kept else None


def part_key(language: Language) -> str:
    """Where the form keeps it."""
    return f"part_{language}"


def hear(typed: str, part: Part | None = None) -> NoticeText | Part:
    """The whole text, or what there is of it. `typed` holds more than spaces."""
    typed = typed.strip()
    if part is None or (part.why is Missing.TITLE_LONG and "\n" in typed):
        return _first(typed)
    if part.why is Missing.TITLE_LONG:
        title = " ".join(typed.split())
        if len(title) <= LONGEST_TITLE:
            return _whole(title, part.body)
        return Part(Missing.TITLE_LONG, _cut_title(title), part.body, len(title))
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
        return Part(Missing.TITLE_LONG, _cut_title(title), typed, len(title))
    return _whole(title, body)


def _whole(title: str, body: str) -> NoticeText | Part:
    if not body:
        return Part(Missing.NO_BODY, title, "")
    if len(body) > LONGEST_BODY:
        return Part(Missing.BODY_LONG, title, body, len(body))
    return NoticeText(title, body)


def _cut_title(title: str) -> str:
    """The beginning of it, to the end of a word."""
    head = title[: LONGEST_TITLE - 1]
    end = head.rfind(" ")
    return head[: end if end > LONGEST_TITLE // 2 else None].rstrip(" ,;:—–-") + "…"
