"""What a messenger reports of a message later, by a status callback: late, twice, in any order,
before the answer to the call itself.

Every callback says which try and which part it is about: what is told of an earlier try says
nothing of the one after it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.outcomes import ARRIVED, STOPS_ADDRESS, WAITING, Outcome
from services import content_templates, outbox, quota, second_messenger
from services.wanted import OLD

AGAIN = frozenset({Outcome.THROTTLED, Outcome.TRANSIENT})  # accepted, then failed: may go yet
HELD = timedelta(seconds=5)  # too fast, says the platform, and names no time
_ENDED_UNSURE = frozenset({*ARRIVED, Outcome.UNKNOWN})

# What was accepted is over, though the answer may be on its way still, or lost with the process
# that waited for it; but a late word about an earlier try says nothing of the one under way. What
# has come to the person has come, whatever was believed of it. Of several parts only the last one
# ends the delivery: $5 is the number of one that others follow.
_ACCEPTED = """
UPDATE delivery AS d SET
    platform_id = CASE WHEN was.accepted THEN coalesce(d.platform_id, $2) ELSE d.platform_id END,
    delivered_at = CASE WHEN was.proof THEN coalesce(d.delivered_at, $4) ELSE d.delivered_at END,
    read_at = CASE WHEN was.proof AND $3::text = 'read' THEN coalesce(d.read_at, $4)
                   ELSE d.read_at END,
    parts_sent = CASE WHEN was.accepted AND d.outcome IS NULL
                      THEN greatest(d.parts_sent, coalesce($5::int, 0)) ELSE d.parts_sent END,
    outcome = CASE WHEN was.over THEN $6::text ELSE d.outcome END,
    attempts = d.attempts + (was.over AND d.claimed_until IS NOT NULL)::int,
    waiting_for = CASE WHEN was.over THEN NULL ELSE d.waiting_for END,
    claimed_until = CASE WHEN was.over THEN NULL ELSE d.claimed_until END,
    finished_at = CASE WHEN was.over THEN $4 ELSE d.finished_at END,
    sent_at = CASE WHEN was.accepted AND was.last AND $6::text = 'sent'
                   THEN coalesce(d.sent_at, $4) ELSE d.sent_at END,
    announced_at = CASE WHEN was.accepted AND was.last AND $6::text = 'announced'
                        THEN coalesce(d.announced_at, $4) ELSE d.announced_at END
FROM (
    SELECT id, accepted, last, proof, accepted AND last AND (
               proof AND coalesce(outcome, '') NOT IN ('sent', 'announced')
               OR outcome IS NOT DISTINCT FROM 'unknown' AND coalesce($7 = attempts - 1, true)
                  AND platform_id IS DISTINCT FROM $2 -- of that one it is known that it failed
               OR outcome IS NULL AND CASE
                   WHEN $7::int IS NULL -- sent before callbacks named their try
                   THEN platform_id IS DISTINCT FROM $2 AND (lost > 0 OR claimed_until IS NOT NULL)
                   WHEN claimed_until IS NOT NULL THEN $7 >= attempts
                   ELSE $7 = attempts - 1 AND 'unknown' = coalesce(
                       CASE waiting_for WHEN 'paused' THEN detail ELSE waiting_for END, '') END
           ) AS over
    FROM (SELECT *, $3::text IN ('sent', 'delivered', 'read') AS accepted, $5::int IS NULL AS last,
                 $5::int IS NULL AND $3::text IN ('delivered', 'read') AS proof
          FROM delivery WHERE id = $1 FOR NO KEY UPDATE) AS delivery
) AS was
WHERE d.id = was.id RETURNING d.address_id
"""
_LOCK = f"""
SELECT d.id, d.address_id, d.account_id, d.priority, d.outcome, d.claimed_until,
       CASE d.waiting_for WHEN 'paused' THEN d.detail ELSE d.waiting_for END AS waiting_for,
       d.attempts, d.failures, d.parts_sent, d.platform_id, d.delivered_at,
       coalesce(d.sent_at, d.announced_at, d.created_at) AS tried_at, m.notice_id,
       m.content <> '' AS readable, n.status, {OLD} AS old,
       EXISTS (SELECT 1 FROM recipient AS r WHERE d.id IN (r.delivery_id, r.second_id))
       AND NOT EXISTS (
           SELECT 1 FROM recipient AS r JOIN resident AS who ON who.id = r.resident_id
           WHERE d.id IN (r.delivery_id, r.second_id) AND r.excluded IS NULL
             AND who.deleted_at IS NULL) AS for_nobody
FROM delivery AS d JOIN message AS m ON m.id = d.message_id
LEFT JOIN notice AS n ON n.id = m.notice_id
WHERE d.id = $1 FOR NO KEY UPDATE OF d
"""
_FAIL = """
UPDATE delivery SET outcome = $2, waiting_for = $3, detail = $4, not_before = $5,
    failures = failures + $6, attempts = attempts + (claimed_until IS NOT NULL)::int,
    lost = greatest(lost - $9::int, 0), -- of that call it is known now what became of it
    parts_sent = CASE WHEN outcome IN ('sent', 'announced') AND rendered IS NOT NULL
                      THEN greatest(parts_sent - 1, 0) ELSE parts_sent END, rendered = NULL,
    platform_id = coalesce($7, platform_id), claimed_until = NULL, finished_at = $8
WHERE id = $1
"""
_PART_LOST = "UPDATE delivery SET detail = $2 WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Report:
    """What a status callback says of a delivery."""

    delivery: UUID
    platform_id: str | None
    status: str
    failure: Outcome | None = None
    detail: str | None = None
    attempt: int | None = None  # how many calls had ended before the one that it is about
    part: int | None = None  # the number, from 1, of one that others follow
    template: str | None = None  # the announcement that was sent


async def take(connection: AsyncConnection, report: Report, now: datetime) -> None:
    """Writes what the callback says.

    An answer that was lost is settled by it; a failure overrules "sent" unless the message is
    known to have arrived; a closed window lets the message wait for the person's next one, the
    day's limit for tomorrow; what can succeed is tried again, unless nobody wants it any more.
    """
    if report.failure is not None:
        return await _failed(connection, report, report.failure, now)
    outcome = Outcome.ANNOUNCED if report.template else Outcome.SENT
    await connection.exec_driver_sql(
        _ACCEPTED,
        (
            report.delivery,
            report.platform_id,
            report.status,
            now,
            report.part,
            outcome.value,
            report.attempt,
        ),
    )


async def _failed(
    connection: AsyncConnection, report: Report, failure: Outcome, now: datetime
) -> None:
    if failure in STOPS_ADDRESS:  # locks as turns do: addresses, notices, deliveries
        await connection.exec_driver_sql(
            "SELECT 1 FROM address WHERE id = (SELECT address_id FROM delivery WHERE id = $1)"
            " FOR NO KEY UPDATE",
            (report.delivery,),
        )
    await second_messenger.hold(connection, [report.delivery])
    row = (await connection.exec_driver_sql(_LOCK, (report.delivery,))).one_or_none()
    if row is None:
        return
    if report.part is not None:
        return await _part_failed(connection, row, report.part, report, failure)
    if not _is_news(row, report):
        return
    outcome, later = _verdict(row, report, failure)
    waits = None if outcome else failure.value
    paused = waits is not None and row.status == "paused"
    await connection.exec_driver_sql(
        _FAIL,
        (
            row.id,
            outcome and outcome.value,
            Outcome.PAUSED.value if paused else waits,
            waits if paused else report.detail,
            now + later,
            int(failure in AGAIN),
            report.platform_id,
            now,
            not _under_way(row) and Outcome.UNKNOWN in (row.outcome, row.waiting_for),
        ),
    )
    await _consequences(connection, row, report, failure, now)
    if outcome is not None and row.notice_id is not None:
        await second_messenger.turn_to(connection, [row.id], now)


def _is_news(row: Any, report: Report) -> bool:
    """Is it about the latest try, and is that one not known to have failed, or arrived, yet?"""
    if row.delivered_at is not None:
        return False
    if row.outcome is not None and row.outcome not in _ENDED_UNSURE:
        return False
    if row.outcome is None and not _under_way(row) and row.waiting_for != Outcome.UNKNOWN:
        return False
    if report.attempt is None:  # sent before callbacks named their try
        return row.platform_id in (None, report.platform_id)
    return report.attempt == _latest(row)


def _latest(row: Any) -> int:
    """The number of the latest try: of the one under way, else of the last that has ended."""
    number: int = row.attempts if _under_way(row) else row.attempts - 1
    return number


def _under_way(row: Any) -> bool:
    """Is it in a process' hands, or was it until that one died?"""
    return row.outcome is None and row.claimed_until is not None


def _verdict(row: Any, report: Report, failure: Outcome) -> tuple[Outcome | None, timedelta]:
    """The final outcome, or None and the pause after which it is tried again."""
    again = failure in AGAIN and row.failures + 1 < outbox.tries(row.priority)
    if failure in AGAIN and not again:
        return Outcome.UNREACHABLE, timedelta()
    if failure not in AGAIN and failure not in WAITING:
        return failure, timedelta()
    if row.status == "cancelled" or row.for_nobody:
        return Outcome.CANCELLED, timedelta()
    if row.old:
        return Outcome.SUPERSEDED, timedelta()
    if not row.readable:  # its words are erased
        return Outcome.UNREACHABLE, timedelta()
    if again:
        return None, _pause(row)
    return None, _until(report, failure)


def _pause(row: Any) -> timedelta:
    number: int = min(row.failures + 1, len(outbox.PAUSES) - 1)
    return outbox.PAUSES[number]


def _until(report: Report, failure: Outcome) -> timedelta:
    """How long what waits waits at least."""
    match failure:
        case Outcome.DAILY_LIMIT:
            return outbox.QUOTA_PAUSE
        case Outcome.TEMPLATE_UNAVAILABLE:
            return outbox.APPROVAL_PAUSE
        case Outcome.WINDOW_CLOSED if report.template is None:
            return outbox.REDRAWN
    return outbox.UNTIL_THEY_WRITE


async def _consequences(
    connection: AsyncConnection, row: Any, report: Report, failure: Outcome, now: datetime
) -> None:
    """What a failure means for others than this delivery."""
    if failure in STOPS_ADDRESS:
        await outbox.stop_address(connection, row.address_id, failure.value, now, row.tried_at)
    if failure is Outcome.THROTTLED:
        await outbox.hold_account(connection, row.account_id, now + HELD)
    if failure is Outcome.DAILY_LIMIT:
        await quota.close(connection, row.account_id, now)
    if failure is Outcome.TEMPLATE_UNAVAILABLE and report.template:
        await content_templates.refused(
            connection, row.account_id, report.template, report.detail or failure, now
        )


async def _part_failed(
    connection: AsyncConnection, row: Any, part: int, report: Report, failure: Outcome
) -> None:
    """A picture, a first half. What is about the person will be said of the last part as well;
    what is about this part alone is noted beside what becomes of the rest: the letter is read
    again, with its files, from the list of notices."""
    if failure not in WAITING and failure not in STOPS_ADDRESS:
        why = Outcome.UNREACHABLE if failure in AGAIN else failure
        note = f"part {part} {why}: {report.detail or failure}"
        await connection.exec_driver_sql(_PART_LOST, (row.id, note))
