"""The other messenger of a person: used when the first one fails, or is silent for long.

A recipient has at most one second delivery, so that nobody is chased from chat to chat.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.unit import Unit
from services.wanted import OLD

# A correction under way is waited for: it decides what this person gets, and where.
_HOLD = """
SELECT 1 FROM notice WHERE id IN (
    SELECT m.notice_id FROM delivery AS d JOIN message AS m ON m.id = d.message_id
    WHERE d.id = ANY($1::uuid[])) ORDER BY id FOR SHARE
"""
# The same message may have a row for that chat already: one that was cancelled, when two records
# became one person, goes after all; one that has failed helps nobody.
_TURN_TO = f"""
WITH lost AS (
    SELECT r.notice_id, r.resident_id, d.message_id, d.address_id, d.priority,
           CASE n.status WHEN 'paused' THEN 'paused' END AS waiting_for
    FROM recipient AS r JOIN delivery AS d ON d.id = r.delivery_id
    JOIN notice AS n ON n.id = r.notice_id
    WHERE r.delivery_id = ANY($1::uuid[]) AND r.second_id IS NULL AND r.excluded IS NULL
      AND n.status IN ('sending', 'finished', 'paused')
    FOR UPDATE OF r
), other AS (
    SELECT lost.notice_id, lost.resident_id, best.id AS address_id, best.account_id,
           lost.priority, lost.waiting_for, new.id AS message_id, there.id AS there
    FROM lost
    JOIN resident AS was ON was.id = lost.resident_id
    JOIN resident AS who ON who.id = coalesce(was.merged_into, was.id) AND who.deleted_at IS NULL
    CROSS JOIN LATERAL (
        SELECT a.id, a.account_id, coalesce(a.language, who.language) AS language
        FROM resident_address AS ra JOIN address AS a ON a.id = ra.address_id
        JOIN account AS c ON c.id = a.account_id
        WHERE ra.resident_id = who.id AND a.id <> lost.address_id
          AND a.stopped_at IS NULL AND c.active
        ORDER BY a.last_inbound_at DESC NULLS LAST, a.id LIMIT 1
    ) AS best
    JOIN message AS old ON old.id = lost.message_id
    CROSS JOIN LATERAL ( -- the newest in its language; a correction for who gets one, if there is
        SELECT id FROM message
        WHERE notice_id = lost.notice_id AND language = best.language AND corrects <= old.corrects
        ORDER BY revision DESC, corrects DESC LIMIT 1
    ) AS new
    LEFT JOIN LATERAL ( -- this text is on its way to that chat, or there, for another of the family
        SELECT d.id FROM message AS m JOIN delivery AS d ON d.message_id = m.id
        WHERE m.notice_id = lost.notice_id AND NOT {OLD} AND d.address_id = best.id
          AND (d.outcome IS NULL OR d.outcome IN ('sent', 'announced', 'unknown'))
        ORDER BY d.seq LIMIT 1
    ) AS there ON true
), made AS (
    INSERT INTO delivery (id, message_id, address_id, account_id, priority, waiting_for,
                          not_before, created_at)
    SELECT gen_random_uuid(), message_id, address_id, account_id, priority, waiting_for, $2, $2
    FROM (SELECT DISTINCT message_id, address_id, account_id, priority, waiting_for FROM other
          WHERE there IS NULL) AS one
    ON CONFLICT (message_id, address_id) DO UPDATE SET message_id = excluded.message_id
    WHERE delivery.outcome IS NULL OR delivery.outcome IN ('sent', 'announced', 'unknown')
    RETURNING id, message_id, address_id -- also of one that another of the family made just now
), revived AS (
    UPDATE delivery AS d SET outcome = NULL, waiting_for = other.waiting_for, detail = NULL,
           failures = 0, not_before = $2, finished_at = NULL
    FROM other
    WHERE d.message_id = other.message_id AND d.address_id = other.address_id
      AND other.there IS NULL AND d.outcome = 'cancelled'
    RETURNING d.id, d.message_id, d.address_id
), going AS (
    SELECT id, message_id, address_id FROM made
    UNION ALL
    SELECT id, message_id, address_id FROM revived
)
UPDATE recipient AS r SET second_id = coalesce(other.there, going.id)
FROM other LEFT JOIN going USING (message_id, address_id)
WHERE r.notice_id = other.notice_id AND r.resident_id = other.resident_id
  AND coalesce(other.there, going.id) IS NOT NULL
"""
_SILENT = """
SELECT r.delivery_id FROM recipient AS r JOIN delivery AS d ON d.id = r.delivery_id
JOIN notice AS n ON n.id = r.notice_id AND n.status <> 'paused' -- asked again after the pause
WHERE r.notice_id = $1 AND r.acknowledged_at IS NULL
  AND (d.read_at IS NULL OR d.outcome = 'announced') -- who saw one line has read nothing
  AND r.second_id IS NULL AND r.excluded IS NULL
  AND $3::int = ('x' || left(md5(r.resident_id::text), 7))::bit(28)::int % $2::int
"""
PORTION = 5_000  # recipients: what is turned to is locked, and whoever taps meanwhile waits


async def hold(connection: AsyncConnection, deliveries: Sequence[UUID]) -> None:
    """Keeps the notices of these deliveries as they are until the commit; before the deliveries
    are locked, as whoever changes a notice does. To be asked for before `turn_to`."""
    await connection.exec_driver_sql(_HOLD, (list(deliveries),))


async def turn_to(connection: AsyncConnection, deliveries: Sequence[UUID], now: datetime) -> int:
    """Sends the same notice to the other messenger of the people behind these deliveries; how
    many there are that have one. Once for each person."""
    result = await connection.exec_driver_sql(_TURN_TO, (list(deliveries), now))
    return result.rowcount


async def portions(unit: Unit, notice: UUID) -> int:
    """In how many portions the people of this notice are turned to."""
    connection = await unit.connection()
    count = "SELECT count(*) FROM recipient WHERE notice_id = $1"
    people: int = (await connection.exec_driver_sql(count, (notice,))).scalar_one()
    return max(1, -(-people // PORTION))


async def for_the_silent(unit: Unit, notice: UUID, *, part: int = 0, of: int = 1) -> int:
    """For everybody (of one of so many portions) who has not read this notice by now and has
    another messenger; how many."""
    connection = await unit.connection()
    rows = await connection.exec_driver_sql(_SILENT, (notice, of, part))
    silent = [row.delivery_id for row in rows]
    if silent:
        await hold(connection, silent)
    reached = await turn_to(connection, silent, unit.now) if silent else 0
    if reached:
        unit.audit("notice-second-messenger", notice, people=reached)
    return reached
