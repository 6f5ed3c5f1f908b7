"""What is due: planned when something opens or moves, worked off by the clock's leader.

The rows are the truth (DESIGN part 7): a row is locked, done and marked in one transaction, so
that a second leader, or the same one after a crash, finds it done or does it once.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from models.due import Due
from services.unit import Unit

PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600))  # after a failure


@dataclass(frozen=True, slots=True)
class DueRow:
    """One thing whose moment has come."""

    id: UUID
    kind: str
    object_id: UUID
    details: dict[str, Any]
    due_at: datetime
    attempts: int


Handler = Callable[[Unit, DueRow], Awaitable[None]]


async def plan(
    unit: Unit,
    at: datetime,
    kind: str,
    object_id: UUID,
    *,
    key: str | None = None,
    details: dict[str, Any] | None = None,
) -> bool:
    """Something to be done at this moment, once; False when it was planned (or done) before."""
    planned = await unit.session.execute(
        insert(Due)
        .values(
            id=unit.new_id(),
            due_at=at,
            kind=kind,
            key=key or f"{kind}:{object_id}",
            object_id=object_id,
            details=details or {},
            created_at=unit.now,
        )
        .on_conflict_do_nothing()
        .returning(Due.id)
    )
    return planned.scalar_one_or_none() is not None


async def put_off(unit: Unit, row: DueRow, at: datetime) -> None:
    """The row at hand is not done yet and comes again at this later moment."""
    await unit.session.execute(update(Due).where(Due.id == row.id).values(due_at=at))


async def cancel(unit: Unit, object_id: UUID, kinds: Collection[str]) -> int:
    """What was planned for this object is not done any more; how many rows. One that the clock has
    in hand is left to it: it looks at the object after whoever cancels, who has that locked."""
    planned = (
        select(Due.id)
        .where(Due.object_id == object_id, Due.kind.in_(kinds), Due.done_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    ended = await unit.session.execute(
        update(Due)
        .where(Due.id.in_(planned))
        .values(done_at=unit.now, result="cancelled")
        .returning(Due.id)
    )
    return len(ended.all())


async def take(unit: Unit) -> DueRow | None:
    """The row that is most overdue, locked until the commit; None when nothing is due."""
    found = await unit.session.scalar(
        select(Due)
        .where(Due.done_at.is_(None), Due.due_at <= unit.now)
        .order_by(Due.due_at, Due.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if found is None:
        return None
    return DueRow(
        found.id, found.kind, found.object_id, found.details, found.due_at, found.attempts
    )


async def done(unit: Unit, row: DueRow) -> None:
    """It is done; with the same commit as its effect. One that was put off meanwhile stays."""
    await unit.session.execute(
        update(Due)
        .where(Due.id == row.id, Due.due_at <= unit.now, Due.done_at.is_(None))
        .values(done_at=unit.now, result="done", attempts=Due.attempts + 1)
    )


async def failed(unit: Unit, row: DueRow) -> bool:
    """It could not be done: again after a growing pause; True when it is given up."""
    given_up = row.attempts >= len(PAUSES)
    later = unit.now + PAUSES[min(row.attempts, len(PAUSES) - 1)]
    await unit.session.execute(
        update(Due)
        .where(Due.id == row.id, Due.done_at.is_(None))
        .values(
            attempts=Due.attempts + 1,
            due_at=later,
            done_at=unit.now if given_up else None,
            result="failed" if given_up else None,
        )
    )
    return given_up


async def given_up(unit: Unit) -> int:
    """How many rows were given up in the last thirty days (for `zhiyn doctor`)."""
    count = await unit.session.scalar(
        text("SELECT count(*) FROM due WHERE result = 'failed' AND done_at > :since"),
        {"since": unit.now - timedelta(days=30)},
    )
    return count or 0


async def overdue(unit: Unit, by: timedelta) -> int:
    """How many rows should have been done so long ago and are not: is nobody leading?"""
    count = await unit.session.scalar(
        text("SELECT count(*) FROM due WHERE done_at IS NULL AND due_at < :moment"),
        {"moment": unit.now - by},
    )
    return count or 0
