"""Villages of an audience as an akim types them: by name, or by the numbers on the page shown."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from conversation.payload import decode
from conversation.state import Offered
from conversation.turn import Turn
from core.texts import Joined, T
from handlers.forms import shown
from services.village_names import EXACT
from services.village_search import VillageIndex

VILLAGE = "n-village"  # the choice of one: its code, the page that it stands on
_BETWEEN = re.compile(r"[,;\n]|\s(?:и|және|мен)\s", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"(\d{1,2})[.)]?")
_SURE = 80.0  # what a name scores beside words that were passed over: they are not to get lost
_NEAR = 5.0  # as much less like what was typed, and it may as well be meant


@dataclass(slots=True)
class Meant:
    """The codes of the villages that were meant; what means none, and what means several."""

    codes: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    several: list[str] = field(default_factory=list)

    @property
    def clear(self) -> bool:
        """Was all of it understood?"""
        return bool(self.codes) and not self.unknown and not self.several

    def told(self) -> Joined | None:
        """What was not understood, by its own words; None where all was."""
        lines = [
            T(key, typed=shown(", ".join(f"«{one}»" for one in words)))
            for key, words in (
                ("audience-unknown", self.unknown),
                ("audience-several", self.several),
            )
            if words
        ]
        return Joined(lines, "\n") if lines else None


def page_shown(turn: Turn) -> int:
    """The page of villages that the person looks at."""
    pages = (decode(one.payload) for one in turn.state.offered)
    return next((int(p.ids[1]) for p in pages if p.code == VILLAGE and len(p.ids) > 1), 0)


async def typed_villages(turn: Turn, text: str, within: str, among: Collection[str]) -> Meant:
    """What these words mean `among` the villages of the place `within`: names and numbers between
    commas, lines, or only spaces."""
    index = await turn.finder.index(turn.unit.session)
    meant = Meant()
    for part in filter(None, (one.strip() for one in _BETWEEN.split(text))):
        found = _read(turn.state.offered, index, part, within, among)
        words = [_read(turn.state.offered, index, one, within, among) for one in part.split()]
        if all(len(one) == 1 for one in words):
            meant.codes.update(code for one in words for code in one)
        elif len(found) == 1:
            meant.codes.update(found)
        else:
            (meant.several if found else meant.unknown).append(part)
    return meant


def _read(
    offered: Sequence[Offered], index: VillageIndex, part: str, within: str, among: Collection[str]
) -> list[str]:
    """The villages that one number or name may mean."""
    if number := _PAGE_NUMBER.fullmatch(part):
        chosen = [decode(one.payload) for one in offered if one.number == int(number[1])]
        return [one.ids[0] for one in chosen if one.code == VILLAGE]
    found = [m for m in index.find(part, within) if m.code in among and m.score > _SURE]
    best = found[0].score if found else 0.0
    least = best if best == EXACT else best - _NEAR
    return [one.code for one in found if one.score >= least]
