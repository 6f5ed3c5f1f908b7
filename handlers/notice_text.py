"""A notice as it was typed: its title and what it is about."""

import re

LONGEST_TITLE = 100  # characters: one line on a phone, and safe in WhatsApp's template
LONGEST_BODY = 3000  # characters: one message on Telegram, two or three on WhatsApp
_SENTENCE = re.compile(r"(.{3,99}?[.!?])\s+(\S.*)", re.DOTALL)


def split_title(typed: str) -> tuple[str, str]:
    """The first line and what follows it; of one paragraph the first sentence and the rest. The
    title may be too long, the rest empty."""
    title, _, body = typed.partition("\n") if "\n" in typed else _first_sentence(typed)
    return " ".join(title.split()), body.strip()


def _first_sentence(typed: str) -> tuple[str, str, str]:
    """Of a notice in one paragraph the first sentence is the title; the preview shows it."""
    found = _SENTENCE.fullmatch(typed)
    return (found[1], "", found[2]) if found else (typed, "", "")
