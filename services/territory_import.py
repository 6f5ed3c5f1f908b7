"""Imports an edition of КАТО: all of it or nothing, as often as one likes.

What is new is added; what is called otherwise, lies elsewhere or is of another kind is changed,
with what it was in the history; what the file no longer has, within the oblasts whose own row it
carries, is abolished and kept; what is back is revived. A second import changes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core.place_names import PlaceKind, place_name
from models.territory import (
    Place,
    PlaceChange,
    PlaceHistory,
    PlaceLevel,
    TerritoryRevision,
)
from services.territory_codes import above, may_skip, oblast_of
from services.territory_file import Problem, Reason, Row, TerritoryFile, read_territory

DEMO_PLACES = Path(__file__).with_name("demo_places.csv")
MAY_VANISH = 0.2  # of the known places of the file's oblasts
BATCH = 1000

Progress = Callable[[int, int], None]
_ORDER = list(PlaceLevel)
# Without statistics the settlements of an oblast take 750 ms, with them 8 (measured); autovacuum
# comes a minute late.
_ANALYZE = text("ANALYZE place")


class TerritoryRefused(Exception):
    """The file is not imported, nothing of it; `problems` says why, line by line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems, the first: {problems[0]}")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many places the import touched, and how. A place may be both renamed and moved."""

    new: int = 0
    renamed: int = 0
    moved: int = 0
    reclassified: int = 0
    abolished: int = 0
    merged: int = 0
    revived: int = 0
    unchanged: int = 0

    @property
    def changed(self) -> bool:
        """Whether the territory is another one than before."""
        counts = asdict(self)
        return any(counts[name] for name in counts if name != "unchanged")


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the table holds, or shall hold, of a place."""

    code: str
    level: PlaceLevel
    kind: PlaceKind
    type_code: str
    parent_code: str | None
    name_ru: str
    name_kk: str
    classifier: str | None
    abolished_at: datetime | None
    replaced_by: str | None

    @property
    def living(self) -> bool:
        return self.abolished_at is None


_COLUMNS = tuple(_Stored.__dataclass_fields__)


@dataclass(slots=True)
class _Plan:
    """What an import would write, before it writes anything."""

    writes: list[_Stored] = field(default_factory=list)
    history: list[tuple[_Stored, PlaceChange]] = field(default_factory=list)
    new: int = 0
    unchanged: int = 0

    def report(self) -> ImportReport:
        counts = Counter(change.value for _, change in self.history)
        return ImportReport(new=self.new, unchanged=self.unchanged, **counts)


async def import_territory(
    session: AsyncSession,
    path: Path,
    now: datetime,
    *,
    progress: Progress | None = None,
    force: bool = False,
    partial: bool = False,
) -> ImportReport:
    """Imports a .csv or .xlsx in the session's transaction, which the caller commits.

    `force` accepts that more than a fifth of the known places vanish; `partial` abolishes nothing
    (the demo's few places beside a whole КАТО). Raises TerritoryRefused, before any write.
    """
    file = await asyncio.to_thread(read_territory, path)
    revision = await _locked_revision(session, now)
    known = await _known(session)
    vanishing = set() if partial else _vanishing(file.rows, known)
    problems = [*file.problems, *_misplaced(file, known, vanishing)]
    problems += [] if force else _guarded(file.rows, known, vanishing)
    if problems:
        raise TerritoryRefused(sorted(problems, key=lambda problem: problem.line))
    plan = _planned(file.rows, known, vanishing, now)
    await _write(session, plan, now, progress or _silent, len(file.rows))
    report = plan.report()
    if report.changed:
        await _count_up(session, revision, now)
        await session.execute(_ANALYZE)
    return report


def _silent(done: int, total: int) -> None:
    """No progress is shown."""


async def _locked_revision(session: AsyncSession, now: datetime) -> int:
    """The revision so far; two imports at once follow one another here."""
    first = upsert(TerritoryRevision).values(id=1, revision=0, changed_at=now)
    await session.execute(first.on_conflict_do_nothing())
    locked = select(TerritoryRevision.revision).with_for_update()
    return (await session.execute(locked)).scalar_one()


async def _count_up(session: AsyncSession, revision: int, now: datetime) -> None:
    values = {"revision": revision + 1, "changed_at": now}
    await session.execute(update(TerritoryRevision).values(values))


async def _known(session: AsyncSession) -> dict[str, _Stored]:
    columns = [getattr(Place, name) for name in _COLUMNS]
    rows = await session.execute(select(*columns))
    return {row[0]: _Stored(*row) for row in rows}


def _vanishing(rows: Iterable[Row], known: Mapping[str, _Stored]) -> set[str]:
    """Known living places that the file lacks, in the oblasts whose own row the file has."""
    here = {row.code for row in rows}
    return {
        code
        for code, place in known.items()
        if place.living and code not in here and oblast_of(code) in here
    }


def _guarded(
    rows: Iterable[Row], known: Mapping[str, _Stored], vanishing: set[str]
) -> Iterator[Problem]:
    oblasts = {row.code for row in rows if row.level is PlaceLevel.OBLAST}
    living = sum(place.living and oblast_of(code) in oblasts for code, place in known.items())
    if len(vanishing) > MAY_VANISH * living:
        yield Problem(0, Reason.TOO_MANY_VANISH, f"{len(vanishing)} of {living}")


def _misplaced(
    file: TerritoryFile, known: Mapping[str, _Stored], vanishing: set[str]
) -> Iterator[Problem]:
    """Living places without a living place above them, merged ones without a living successor.

    A row that is itself broken still stands for its place here: one mistake, one problem.
    """
    standing = _standing(file.rows, known, vanishing)
    named = standing | file.broken
    for row in file.rows:
        if row.replaced_by is not None:
            if row.replaced_by not in standing:
                yield Problem(row.line, Reason.BAD_SUCCESSOR, f"{row.code}: {row.replaced_by}")
        elif not _has_parent(row, named):
            yield Problem(row.line, Reason.ORPHAN, f"{row.code} {row.name_ru}")


def _standing(rows: Iterable[Row], known: Mapping[str, _Stored], vanishing: set[str]) -> set[str]:
    """The codes that will be alive after the import."""
    merged = {row.code for row in rows if row.replaced_by is not None}
    alive = {code for code, place in known.items() if place.living}
    return (alive - vanishing - merged) | {row.code for row in rows if row.replaced_by is None}


def _has_parent(row: Row, standing: set[str]) -> bool:
    codes = above(row.code)
    if not codes:
        return True
    return any(c in standing for c in codes) if may_skip(row.type_code) else codes[0] in standing


def _planned(
    rows: Sequence[Row], known: Mapping[str, _Stored], vanishing: set[str], now: datetime
) -> _Plan:
    plan = _Plan()
    standing = _standing(rows, known, vanishing)
    all_codes = standing | set(known) | {row.code for row in rows}
    for row in rows:
        among = standing if row.replaced_by is None else all_codes
        parent = next((code for code in above(row.code) if code in among), None)
        before = known.get(row.code)
        _plan_place(plan, before, _wanted(row, parent, before, now))
    for code in sorted(vanishing):
        place = known[code]
        plan.history.append((place, PlaceChange.ABOLISHED))
        plan.writes.append(_Stored(**{**asdict(place), "abolished_at": now}))
    plan.writes.sort(key=lambda place: (not place.living, _ORDER.index(place.level), place.code))
    return plan


def _wanted(row: Row, parent: str | None, before: _Stored | None, now: datetime) -> _Stored:
    abolished = None
    if row.replaced_by is not None:
        abolished = before.abolished_at if before and before.abolished_at else now
    return _Stored(
        code=row.code,
        level=row.level,
        kind=place_name(row.name_kk, row.name_ru).kind,
        type_code=row.type_code,
        parent_code=parent,
        name_ru=row.name_ru,
        name_kk=row.name_kk,
        classifier=row.classifier or (before.classifier if before else None),
        abolished_at=abolished,
        replaced_by=row.replaced_by,
    )


def _plan_place(plan: _Plan, before: _Stored | None, after: _Stored) -> None:
    if before is None:
        plan.new += 1
        plan.writes.append(after)
        return
    changes = list(_changes(before, after))
    plan.history += [(before, change) for change in changes]
    plan.unchanged += not changes
    if before != after:
        plan.writes.append(after)


def _changes(before: _Stored, after: _Stored) -> Iterator[PlaceChange]:
    if after.living and not before.living:
        yield PlaceChange.REVIVED
    if after.replaced_by is not None and after.replaced_by != before.replaced_by:
        yield PlaceChange.MERGED
    if (before.name_ru, before.name_kk) != (after.name_ru, after.name_kk):
        yield PlaceChange.RENAMED
    if before.parent_code != after.parent_code:
        yield PlaceChange.MOVED
    if (before.kind, before.type_code) != (after.kind, after.type_code):
        yield PlaceChange.RECLASSIFIED


async def _write(
    session: AsyncSession, plan: _Plan, now: datetime, progress: Progress, total: int
) -> None:
    """Parents before children; the rows that changed nothing are done from the start."""
    to_write = len(plan.writes)
    done = max(total - to_write, 0)
    progress(done, max(total, to_write))
    for start in range(0, to_write, BATCH):
        batch = plan.writes[start : start + BATCH]
        await session.execute(_UPSERT, [{**asdict(place), "updated_at": now} for place in batch])
        progress(done + start + len(batch), max(total, to_write))
    if plan.history:
        await session.execute(insert(PlaceHistory), [_past(*item, now) for item in plan.history])


def _upsert() -> Any:
    statement = upsert(Place.__table__)  # type: ignore[arg-type]
    changed = {name: statement.excluded[name] for name in (*_COLUMNS[1:], "updated_at")}
    return statement.on_conflict_do_update(index_elements=["code"], set_=changed)


_UPSERT = _upsert()


def _past(before: _Stored, change: PlaceChange, now: datetime) -> dict[str, Any]:
    return {
        "place_code": before.code,
        "changed_at": now,
        "change": change,
        "old_name_ru": before.name_ru,
        "old_name_kk": before.name_kk,
        "old_parent_code": before.parent_code,
        "old_level": before.level,
        "old_type_code": before.type_code,
        "classifier": before.classifier,
    }
