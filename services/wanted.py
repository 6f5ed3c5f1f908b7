"""Is what lies in the outbox still wanted? A notice may have been paused, cancelled or corrected
since it was put there.

Whoever changes a notice says so to all of it that is free; what was in a process' hands then, or
comes back by a callback, is met where deliveries are leased (`services.outbox.claim`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.outcomes import Outcome
from services.unit import Unit

LOST = "(d.lost > 0 OR d.claimed_until IS NOT NULL)"
# Of a lease that ran out with its process: a call that may have been made, and its answer lost.
DIED = "(d.claimed_until IS NOT NULL)::int"
# Its text was corrected since: there is a newer message (m) in its language.
OLD = """m.revision < (SELECT max(newer.revision) FROM message AS newer
    WHERE newer.notice_id = m.notice_id AND newer.language = m.language)"""
# What may be lost, and is counted: of what is free; of what was leased just now (counted by that).
_FREE = {
    "lost": LOST,
    "died": f",\n       attempts = d.attempts + {DIED}, lost = d.lost + {DIED}",
    "awaited": "CASE WHEN d.claimed_until IS NOT NULL THEN 'unknown' ELSE d.waiting_for END",
}
_IN_HAND = {
    "lost": "d.lost > 0",
    "died": "",
    "awaited": "coalesce(d.waiting_for, CASE WHEN d.lost > 0 THEN 'unknown' END)",
}
_OF_NOTICE = "m.notice_id = $1 AND (d.claimed_until IS NULL OR d.claimed_until < $2)"
_LEASED = "d.id = ANY($1::uuid[]) AND $2::timestamptz IS NOT NULL"
_OPEN = "m.id = d.message_id AND d.outcome IS NULL"

_PAUSE = f"""
UPDATE delivery AS d SET waiting_for = 'paused', detail = {{awaited}},
       claimed_until = NULL{{died}}
FROM message AS m WHERE {_OPEN} AND d.waiting_for IS DISTINCT FROM 'paused' AND """
# Whose answer was lost, or whose lease ran out with its process, may have it: nobody knows, unless
# a callback tells.
_CANCEL = f"""
UPDATE delivery AS d SET outcome = CASE WHEN {{lost}} THEN 'unknown' ELSE 'cancelled' END,
       waiting_for = NULL, claimed_until = NULL, finished_at = $2{{died}}
FROM message AS m WHERE {_OPEN} AND """
# The older text is not sent (again): its correction goes.
_SUPERSEDE = f"""
UPDATE delivery AS d SET outcome = CASE WHEN {{lost}} THEN 'unknown' ELSE 'superseded' END,
       waiting_for = NULL, claimed_until = NULL, finished_at = $2{{died}}
FROM message AS m WHERE {_OPEN} AND {OLD} AND """
_RETURNING = " RETURNING d.address_id, m.notice_id, d.outcome, d.platform_id, m.corrects"
# Who has nothing at all gets the new text alone: nothing has to be corrected for them. It may be
# there already, for another one of the family.
_ALONE = f"""
WITH marked AS (
    SELECT d.id, plain.id AS message_id, o.id AS there
    FROM unnest($1::uuid[], $2::uuid[]) AS t (notice_id, address_id)
    JOIN message AS m ON m.notice_id = t.notice_id AND m.corrects AND NOT {OLD}
    JOIN message AS plain ON plain.notice_id = m.notice_id AND plain.revision = m.revision
     AND plain.language = m.language AND NOT plain.corrects
    JOIN delivery AS d ON d.message_id = m.id AND d.address_id = t.address_id
    LEFT JOIN delivery AS o ON o.message_id = plain.id AND o.address_id = t.address_id
    WHERE d.outcome IS NULL AND d.platform_id IS NULL AND d.lost = 0 AND d.claimed_until IS NULL
    FOR UPDATE OF d
), ended AS (
    UPDATE delivery AS d SET outcome = 'superseded', waiting_for = NULL, finished_at = $3
    FROM marked WHERE d.id = marked.id AND marked.there IS NOT NULL
), alone AS (
    UPDATE delivery AS d SET message_id = marked.message_id
    FROM marked WHERE d.id = marked.id AND marked.there IS NULL
)
UPDATE recipient AS r
SET delivery_id = CASE r.delivery_id WHEN marked.id THEN marked.there ELSE r.delivery_id END,
    second_id = CASE r.second_id WHEN marked.id THEN marked.there ELSE r.second_id END
FROM marked WHERE marked.there IS NOT NULL AND marked.id IN (r.delivery_id, r.second_id)
"""

# What came before the correction that was cancelled: the latest that is known to have come.
_CAME = """
UPDATE recipient AS r SET {column} = came.id FROM (
    SELECT DISTINCT ON (d.id) d.id AS cancelled, o.id
    FROM message AS m JOIN delivery AS d ON d.message_id = m.id
    JOIN message AS older ON older.notice_id = m.notice_id AND older.revision < m.revision
    JOIN delivery AS o ON o.message_id = older.id AND o.address_id = d.address_id
    WHERE m.notice_id = $1 AND m.corrects AND (
        o.outcome IN ('sent', 'announced') AND d.outcome IN ('cancelled', 'unknown')
        OR o.outcome = 'unknown' AND d.outcome = 'cancelled')
    ORDER BY d.id, o.outcome = 'unknown', older.revision DESC
) AS came WHERE r.notice_id = $1 AND r.{column} = came.cancelled
"""
# Whom it was for is gone, perhaps while it was being queued, or has it as another one since.
_FOR_NOBODY = f"""
{_CANCEL.format(**_IN_HAND)} {_LEASED}
  AND EXISTS (SELECT 1 FROM recipient AS r WHERE d.id IN (r.delivery_id, r.second_id))
  AND NOT EXISTS (SELECT 1 FROM recipient AS r JOIN resident AS who ON who.id = r.resident_id
                  WHERE d.id IN (r.delivery_id, r.second_id) AND r.excluded IS NULL
                    AND who.deleted_at IS NULL)
RETURNING d.id
"""


async def pause(unit: Unit, notice: UUID) -> None:
    """All of this notice that is in nobody's hands waits; what it waited for is kept."""
    statement = _PAUSE.format(**_FREE) + _OF_NOTICE
    await (await unit.connection()).exec_driver_sql(statement, (notice, unit.now))


async def cancel(unit: Unit, notice: UUID) -> None:
    """All of this notice that is in nobody's hands is over. Whose correction that was has the older
    text, and counts by that again."""
    connection = await unit.connection()
    statement = _CANCEL.format(**_FREE) + _OF_NOTICE
    await connection.exec_driver_sql(statement, (notice, unit.now))
    for column in ("delivery_id", "second_id"):
        await connection.exec_driver_sql(_CAME.format(column=column), (notice,))


async def supersede(unit: Unit, notice: UUID) -> None:
    """What is free of this notice's older texts is over; who has none of them gets the new one."""
    connection = await unit.connection()
    statement = _SUPERSEDE.format(**_FREE) + _OF_NOTICE + _RETURNING
    rows = await connection.exec_driver_sql(statement, (notice, unit.now))
    await _alone(connection, rows.all(), unit.now)


async def put_right(connection: AsyncConnection, leased: Sequence[Any], now: datetime) -> set[UUID]:
    """Takes out what may not go of these leased rows (id, status of the notice, `old`: its text
    was corrected); which."""
    out: set[UUID] = set()
    if of_notices := [row.id for row in leased if row.notice_id is not None]:
        for_nobody = await connection.exec_driver_sql(_FOR_NOBODY, (of_notices, now))
        out.update(row.id for row in for_nobody)
    cancelling = _CANCEL.format(**_IN_HAND)
    for status, statement in (("paused", _PAUSE.format(**_IN_HAND)), ("cancelled", cancelling)):
        if unwanted := [row.id for row in leased if row.status == status]:
            await connection.exec_driver_sql(statement + _LEASED, (unwanted, now))
            out.update(unwanted)
    old = [row.id for row in leased if row.old and row.id not in out]
    if old:
        statement = _SUPERSEDE.format(**_IN_HAND) + _LEASED + _RETURNING
        rows = await connection.exec_driver_sql(statement, (old, now))
        await _alone(connection, rows.all(), now)
    return out.union(old)


async def _alone(connection: AsyncConnection, ended: Sequence[Any], now: datetime) -> None:
    none = [
        row
        for row in ended
        if row.outcome == Outcome.SUPERSEDED and row.platform_id is None and not row.corrects
    ]
    if none:
        notices, addresses = [row.notice_id for row in none], [row.address_id for row in none]
        await connection.exec_driver_sql(_ALONE, (notices, addresses, now))
