"""A notice as it was typed: its title and what it is about."""

import re

from core.texts import Named

LONGEST_TITLE = 100  # characters: one line on a phone, and safe in WhatsApp's template
LISTED_TITLE = 56  # characters: with its day it goes into a line of WhatsApp's list
LONGEST_BODY = 3000  # characters: one message on Telegram, two or three on WhatsApp
_SENTENCE = re.compile(r"(.{3,99}?[.!?])\s+(\S.*)", re.DOTALL)


def split_title(typed: str) -> tuple[str, str]:
    """The first line and what follows it; of one paragraph the first sentence and the rest. The
    title may be too long, the rest empty."""
    title, _, body = typed.partition("\n") if "\n" in typed else _first_sentence(typed)
    return " ".join(title.split()), body.strip()


def shortened(title: str, most: int = LISTED_TITLE) -> str:
    """The beginning of a title, to the end of a word."""
    if len(title) <= most:
        return title
    head = title[: most - 1]
    end = head.rfind(" ")
    return head[: end if end > most // 2 else None].rstrip(" ,;:—–-") + "…"


def within(title: str) -> str:
    """A title inside a sentence: without its own full stop, after which another would follow."""
    return title.rstrip(" .!…") or title


def listed(title: Named) -> Named:
    """A title as a list has room for it."""
    return Named(shortened(title.kk), shortened(title.ru))


def _first_sentence(typed: str) -> tuple[str, str, str]:
    """Of a notice in one paragraph the first sentence is the title; the preview shows it."""
    found = _SENTENCE.fullmatch(typed)
    return (found[1], "", found[2]) if found else (typed, "", "")
