"""Measuring, cutting and splitting text so that it fits a messenger; nothing is lost in a split."""

import re

_BORDERS = (re.compile(r"\n\s*\n\s*"), re.compile(r"\n\s*"), re.compile(r"\s+"))
_ELLIPSIS = "…"


def units(text: str) -> int:
    """Length in UTF-16 code units: Telegram counts so, and nobody counts an emoji for more."""
    return len(text) + sum(character > "\uffff" for character in text)


def fits(text: str, limit: int) -> bool:
    """Whether the text has at most so many UTF-16 units."""
    return units(text) <= limit


def shorten(text: str, limit: int) -> str:
    """The text in at most `limit` UTF-16 units, with "…" where it was cut."""
    if fits(text, limit):
        return text
    return text[: _within(text, 0, limit - 1)].rstrip() + _ELLIPSIS


def one_line(text: str) -> str:
    """The text without line breaks, tabs and runs of spaces."""
    return " ".join(text.split())


def spans(text: str, limit: int) -> list[tuple[int, int]]:
    """Where to cut the text: pieces of at most `limit` UTF-16 units, no piece empty.

    Cuts at the last paragraph's border that fits, else the line's, else the word's, else
    anywhere. White space at the borders falls away, every other character is kept.
    """
    found = []
    start = _skip_space(text, 0)
    while start < len(text):
        reach = _within(text, start, limit)
        end = reach if reach == len(text) else _border(text, start, reach)
        found.append((start, start + len(text[start:end].rstrip())))
        start = _skip_space(text, end)
    return found


def split(text: str, limit: int) -> list[str]:
    """The pieces that `spans` finds."""
    return [text[start:end] for start, end in spans(text, limit)]


def _within(text: str, start: int, limit: int) -> int:
    """How far one comes from `start` with so many units; always at least one character."""
    end = min(len(text), start + limit)
    while end > start + 1 and not fits(text[start:end], limit):
        end -= max(1, (units(text[start:end]) - limit) // 2)
    return end


def _border(text: str, start: int, reach: int) -> int:
    """The best place to cut: a greater border counts only if it does not leave half unused."""
    half, cut = start + (reach - start) // 2, start
    for border in _BORDERS:
        cut = max((match.end() for match in border.finditer(text, start, reach + 1)), default=start)
        if cut > half:
            return cut
    return cut if cut > start else reach


def _skip_space(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    return start
