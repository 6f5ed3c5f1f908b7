"""Which of the offered choices typed words mean: its number, its label, its label with mistakes."""

import re
from collections.abc import Sequence

from rapidfuzz import fuzz, process

from conversation.state import Offered
from core.names import fold

_CLOSE = 82  # of 100: "тиркелуу" for "Тіркелу", "согласна" for "Согласен(на)" still pass
_SHORTEST = 4  # letters; shorter words are too alike
_MORE = 1  # letters that a slip of the thumb adds; "не отправить" adds three to "Отправить"
# "Келіспеймін" (I do not agree) is two letters away from "Келісемін" (I agree).
_DENIAL = re.compile(r"[мбп][ае]|\b(?:не|нет|жок|емес)\b")
_ANSWERS = (
    {fold(yes) for yes in ("иә", "ия", "да", "дұрыс", "верно", "yes", "ок", "ok")}
    | {fold(agreed) for agreed in ("келісемін", "согласен", "согласна")},
    {fold(no) for no in ("жоқ", "нет", "no")},
)  # in either language, whatever the buttons say


def choose(text: str, offered: Sequence[Offered], *, free_text: bool) -> Offered | None:
    """The choice that is meant, or None. Where free text is asked for, only an exact one.

    A plain yes or no of either language is the choice that begins so, if there is just one.
    """
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
    if answer := _answer(wanted, offered):
        return answer
    if free_text or len(wanted) < _SHORTEST:
        return None
    return _closest(wanted, labels, offered)


def agrees(text: str) -> bool:
    """Is it a plain yes, in either language?"""
    return fold(text) in _ANSWERS[0]


def _answer(wanted: str, offered: Sequence[Offered]) -> Offered | None:
    for words in _ANSWERS:
        if wanted in words:
            alike = [o for o in offered if _begins(o.label) in words]
            return alike[0] if len(alike) == 1 else None
    return None


def _begins(label: str) -> str:
    """Of "Иә, дұрыс" and "Согласен(на)" the answer itself; of a name like "Ия П." all of it."""
    return fold(re.split("[,(]", label, maxsplit=1)[0])


def _closest(wanted: str, labels: Sequence[str], offered: Sequence[Offered]) -> Offered | None:
    """The likeliest choice. Words that may deny it are never taken for it: better to ask again."""
    found = process.extract(wanted, labels, scorer=fuzz.ratio, score_cutoff=_CLOSE, limit=2)
    if not found or (len(found) > 1 and found[0][1] == found[1][1]):
        return None
    label = labels[found[0][2]]
    if len(wanted) > len(label) + _MORE or _denials(wanted) > _denials(label):
        return None
    return offered[found[0][2]]


def _denials(folded: str) -> int:
    return len(_DENIAL.findall(folded))
