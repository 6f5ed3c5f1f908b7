"""Which of the offered choices typed words mean: its number, its label, its label with mistakes."""

import re
from collections.abc import Sequence

from rapidfuzz import fuzz, process

from conversation.state import Offered
from core.names import fold

_CLOSE = 82  # of 100: "казакша" for "Қазақша", "соглсен" for "Согласен(на)" still pass
_SHORTEST = 4  # letters; shorter words are too alike


def choose(text: str, offered: Sequence[Offered], *, free_text: bool) -> Offered | None:
    """The choice that is meant, or None. Where free text is asked for, only an exact one."""
    number = re.fullmatch(r"\s*(\d{1,2})\s*[.)]?\s*", text)
    if number:
        return next((o for o in offered if o.number == int(number[1])), None)
    wanted = fold(text)
    if not wanted:
        return None
    labels = [fold(o.label) for o in offered]
    exact = [o for o, label in zip(offered, labels, strict=True) if label == wanted]
    if exact:
        return exact[0] if len(exact) == 1 else None
    if free_text or len(wanted) < _SHORTEST:
        return None
    return _closest(wanted, labels, offered)


def _closest(wanted: str, labels: Sequence[str], offered: Sequence[Offered]) -> Offered | None:
    found = process.extract(wanted, labels, scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=2)
    if not found or (len(found) > 1 and found[0][1] == found[1][1]):
        return None
    return offered[found[0][2]]
