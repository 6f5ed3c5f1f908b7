"""What a benchmark is given and what it gives back."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


class Skipped(Exception):
    """This benchmark cannot run here; the text says what it lacks."""


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    full: bool
    repeat: int
    seconds: float


@dataclass
class Made:
    """One table: the first column names, the others measure."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[object]] = field(default_factory=list)
    note: str = ""

    def add(self, *cells: object) -> None:
        """One more row."""
        self.rows.append(cells)

    def as_dict(self) -> dict[str, object]:
        """For the file of figures."""
        rows = [dict(zip(self.columns, map(str, row), strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "note": self.note}


Tables = list[Made]


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of all lies; nan of nothing."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def median(values: Sequence[float]) -> float:
    """The middle one; nan of nothing."""
    return statistics.median(values) if values else float("nan")
