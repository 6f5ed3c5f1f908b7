"""A notice as it was typed: its title and what it is about."""

import re

from conversation.forms import Given, Problem
from core.texts import T
from services.notices import NoticeText

LONGEST_TITLE = 100  # characters: one line on a phone, and safe in WhatsApp's template
LONGEST_BODY = 3000  # characters: one message on Telegram, two or three on WhatsApp
_SENTENCE = re.compile(r"(.{3,99}?[.!?])\s+(\S.*)", re.DOTALL)


def read_text(given: Given) -> NoticeText | Problem:
    """Title and text, or what is wrong. The first line is the title; of a notice in one
    paragraph it is the first sentence."""
    typed = given.text.strip()
    if given.files or not typed:
        return Problem(T("notice-words-only"), repeats=True)
    title, body = split_title(typed)
    if len(title) > LONGEST_TITLE:
        return Problem(T("notice-title-long", length=len(title)))
    if not body:
        return Problem(T("notice-needs-body"))
    if len(body) > LONGEST_BODY:
        return Problem(T("notice-body-long", length=len(body)))
    return NoticeText(title, body)


def split_title(typed: str) -> tuple[str, str]:
    """The first line and what follows it; of one paragraph the first sentence and the rest. The
    title may be too long, the rest empty."""
    title, _, body = typed.partition("\n") if "\n" in typed else _first_sentence(typed)
    return " ".join(title.split()), body.strip()


def _first_sentence(typed: str) -> tuple[str, str, str]:
    """Of a notice in one paragraph the first sentence is the title; the preview shows it."""
    found = _SENTENCE.fullmatch(typed)
    return (found[1], "", found[2]) if found else (typed, "", "")
