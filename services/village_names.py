"""Names that are like what somebody typed, by letters and by sound.

Edits are counted as OSA distance: insertion, deletion, replacement, two neighbours swapped. Half
of the likeness is that of the letters, half that of the sounds (`core.names.sound`), so that a
slip which sounds right costs half of one that does not.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from core.names import sound

ENOUGH = 55.0  # below this likeness nothing is offered
EXACT = 100.0
_BEGUN = 85.0  # the likeness of a name whose first words were typed
_MOST_SLIPS = 4
_POOL = 40  # names looked at closer


class Names:
    """Folded names with the codes that carry them, ready to be compared."""

    def __init__(self, codes: Mapping[str, list[str]]) -> None:
        self._codes = codes
        self._letters = list(codes)
        self._sounds = [sound(name) for name in self._letters]
        self._beginning = self._by_first_words()

    def called(self, name: str) -> list[str]:
        """The codes of the places called exactly so."""
        return self._codes.get(name, [])

    def like(self, name: str, enough: float = ENOUGH) -> Iterator[tuple[float, list[str]]]:
        """The names most like this one, with their likeness from 0 to 100."""
        if not name:
            return
        heard = sound(name)
        near = {*self._nearest(name, self._letters), *self._nearest(heard, self._sounds)}
        near.update(self._beginning.get(name, ()))
        for position in near:
            likeness = self._likeness(name, heard, position)
            if likeness >= enough:
                yield likeness, self._codes[self._letters[position]]

    def _likeness(self, name: str, heard: str, position: int) -> float:
        letters = OSA.normalized_similarity(name, self._letters[position])
        sounds = OSA.normalized_similarity(heard, self._sounds[position])
        begun = _BEGUN if self._letters[position].startswith(f"{name} ") else 0.0
        return max(50 * (letters + sounds), begun)

    def _by_first_words(self) -> dict[str, list[int]]:
        """ "кабанбай" for "кабанбай батыр": what begins with these whole words."""
        begun: dict[str, list[int]] = defaultdict(list)
        for position, name in enumerate(self._letters):
            words = name.split()
            for count in range(1, len(words)):
                begun[" ".join(words[:count])].append(position)
        return begun

    def _nearest(self, name: str, names: Sequence[str]) -> Iterator[int]:
        allowed = min(max(2, len(name) // 3), _MOST_SLIPS)
        found = process.extract(
            name, names, scorer=OSA.distance, processor=None, score_cutoff=allowed, limit=_POOL
        )
        for _, _, position in found:
            yield position
