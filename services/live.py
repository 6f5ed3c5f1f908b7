"""The author's live message: one message that shows how a notice goes, while it goes."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from core.languages import Language
from services.notices import LIVE_PAUSE
from services.unit import Unit

LIVE_AFTER = timedelta(minutes=1)  # once everything is sent, only receipts change it
LIVE_ENDS = timedelta(hours=48)
LIVE_FAILED = timedelta(minutes=5)  # after one that could not be shown
LIVE_LONGEST = timedelta(days=30)  # a quota may spread a notice over so many days


@dataclass(frozen=True, slots=True)
class LiveDue:
    """A live message that may change now."""

    notice: UUID
    address: UUID
    account: UUID
    channel: str
    language: Language
    first: UUID | None  # the delivery that the next ones edit, if it was sent
    shown: bytes | None
    age: timedelta
    was_finished: bool
    status: str
    listens: bool  # does the author's chat still take messages?


@dataclass(frozen=True, slots=True)
class Shown:
    """A message that has shown a notice to its author until now."""

    delivery: UUID
    platform_id: str


async def live_due(unit: Unit) -> LiveDue | None:
    """The live message whose time came first; it belongs to one process until its commit. None
    where nothing is to be shown."""
    connection = await unit.connection()
    found = await connection.exec_driver_sql(
        "SELECT n.id, n.author_address_id, a.account_id, c.channel, a.language, f.id AS first,"
        " n.live_shown, n.queued_at, n.status,"
        " c.active AND coalesce(a.stopped_at < n.created_at, true) AND a.target IS NOT NULL"
        " AS listens"
        " FROM notice AS n"
        " JOIN address AS a ON a.id = n.author_address_id JOIN account AS c ON c.id = a.account_id"
        " LEFT JOIN delivery AS f ON f.id = n.live_message AND f.platform_id IS NOT NULL"
        " WHERE n.live_at <= $1 AND NOT EXISTS (SELECT 1 FROM delivery AS d"
        "  WHERE d.address_id = a.id AND d.outcome IS NULL AND d.priority = 0"
        "  AND coalesce(d.waiting_for, '') NOT IN"
        "   ('window-closed', 'template-unavailable', 'daily-limit'))"  # that may take days
        " ORDER BY n.live_at LIMIT 1 FOR UPDATE OF n SKIP LOCKED",
        (unit.now,),
    )
    row = found.one_or_none()
    return row and LiveDue(
        row.id,
        row.author_address_id,
        row.account_id,
        row.channel,
        Language(row.language or "kk"),
        row.first,
        row.live_shown,
        unit.now - row.queued_at,
        row.status == "finished",
        row.status,
        row.listens,
    )


async def live_placed(unit: Unit, due: LiveDue, content: dict[str, Any]) -> UUID:
    """Makes this content edit the first one; where that was not sent, it takes its place. Returns
    the delivery to send it by."""
    delivery = unit.new_id()
    if due.first is not None:
        content["replaces"] = str(due.first)
        return delivery
    content["delivery"] = str(delivery)
    connection = await unit.connection()
    await connection.exec_driver_sql(
        "UPDATE notice SET live_message = $2 WHERE id = $1", (due.notice, delivery)
    )
    return delivery


async def moved(unit: Unit, notice: UUID, address: UUID, delivery: UUID) -> Shown | None:
    """What shows the notice to its author from now on is this delivery; returns what did before,
    if that was sent. Nothing for anybody else's chat, and none the less of a look when the notice
    is being changed at this moment: it is not waited for."""
    connection = await unit.connection()
    found = await connection.exec_driver_sql(
        "WITH one AS ("
        " SELECT n.id, d.id AS delivery, d.platform_id FROM notice AS n"
        " LEFT JOIN delivery AS d ON d.id = n.live_message"
        " WHERE n.id = $1 AND n.author_address_id = $2 FOR NO KEY UPDATE OF n SKIP LOCKED)"
        " UPDATE notice AS n SET live_message = $3, live_shown = NULL,"
        " live_at = greatest(live_at, CASE WHEN live_at IS NOT NULL THEN $4::timestamptz END)"
        " FROM one WHERE n.id = one.id RETURNING one.delivery, one.platform_id",
        (notice, address, delivery, unit.now + LIVE_PAUSE),
    )
    before = found.one_or_none()
    if before is None or before.platform_id is None:
        return None
    return Shown(before.delivery, before.platform_id)


async def live_shown(unit: Unit, due: LiveDue, words: str, *, finished: bool) -> None:
    """Notes what the live message shows now, and when it may change next."""
    over = due.age > (LIVE_ENDS if finished else LIVE_LONGEST)
    pause = LIVE_AFTER if finished and due.age > LIVE_AFTER * 10 else LIVE_PAUSE
    connection = await unit.connection()
    await connection.exec_driver_sql(
        "UPDATE notice SET live_shown = $2,"
        " live_at = CASE WHEN $3 THEN NULL ELSE $4::timestamptz END,"
        " status = CASE WHEN $5 AND status = 'sending' THEN 'finished' ELSE status END,"
        " finished_at = CASE WHEN $5 THEN coalesce(finished_at, $6) ELSE finished_at END"
        " WHERE id = $1",
        (due.notice, shown_digest(words), over, unit.now + pause, finished, unit.now),
    )


async def live_failed(unit: Unit, notice: UUID) -> None:
    """It could not be shown: not again before `LIVE_FAILED`."""
    connection = await unit.connection()
    await connection.exec_driver_sql(
        "UPDATE notice SET live_at = $2 WHERE id = $1 AND live_at IS NOT NULL",
        (notice, unit.now + LIVE_FAILED),
    )


def shown_digest(words: str) -> bytes:
    """By which a live message is known not to have changed."""
    return hashlib.sha256(words.encode()).digest()
