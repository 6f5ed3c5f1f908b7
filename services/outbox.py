"""The outbox: claimed by leases, sent in order per address, every row ends in a written outcome."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.crypto import Keyring
from core.outcomes import ARRIVED, STOPS_ADDRESS, WAITING, Outcome, SendResult
from core.pace import WINDOW
from services import content_templates, quiet, quota, second_messenger
from services.intake import TARGET
from services.unit import Unit

CONTENT = "message.content"
REPLY, REMINDER, NOTICE = 0, 1, 2
LEASE = timedelta(seconds=30)
# PLATFORMS 9: only what can succeed, with growing pauses. An answer is soon worth nothing, a
# notice is worth an outage of over an hour.
TRIES, NOTICE_TRIES = 3, 6
PAUSES = tuple(timedelta(seconds=s) for s in (2, 15, 60, 600, 3600))
UNKNOWN_PAUSE = timedelta(seconds=60)  # time for a status callback to settle it
QUOTA_PAUSE = timedelta(hours=24)
APPROVAL_PAUSE = timedelta(minutes=10)  # WhatsApp approves a template when it likes
WORDS_KEPT = timedelta(days=3)  # of a reply, which may repeat a name or a phone
UNTIL_THEY_WRITE = timedelta(days=3650)  # the person's next message brings it forward

AGAIN = frozenset({Outcome.THROTTLED, Outcome.TRANSIENT})  # of a callback: accepted, then failed
_LONG_WAITS = [outcome.value for outcome in WAITING]  # these hold nobody else up

# Nothing goes while something for the same address is in flight, or while something of the same
# priority and older, or of a better priority, waits there.
_CLAIM = """
WITH due AS (
    SELECT d.id FROM delivery AS d
    WHERE d.account_id = $1 AND d.outcome IS NULL AND d.not_before <= $2
      AND (d.claimed_until IS NULL OR d.claimed_until < $2)
      AND d.waiting_for IS DISTINCT FROM 'paused'
      AND d.priority BETWEEN $6 AND $7 AND d.priority >= 0 -- by ix_delivery_pending
      AND NOT EXISTS (
          SELECT 1 FROM delivery AS o
          WHERE o.address_id = d.address_id AND o.outcome IS NULL AND o.id <> d.id
            AND (o.claimed_until >= $2 OR (o.priority, o.seq) < (d.priority, d.seq))
            AND coalesce(o.waiting_for, '') <> ALL($8::text[]))
    ORDER BY d.priority, d.seq LIMIT $5
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery AS d SET claimed_by = $3, claimed_until = $4
FROM due, message AS m, address AS a
WHERE d.id = due.id AND m.id = d.message_id AND a.id = d.address_id
RETURNING d.id, d.message_id, d.address_id, d.account_id, d.priority, d.seq, d.attempts,
          d.parts_sent, d.announced_at, m.content, m.notice_id, a.target, a.last_inbound_at,
          a.stopped_at IS NOT NULL AS stopped
"""
_OWN = """
SELECT d.id, d.message_id, d.address_id, d.account_id, d.priority, d.seq, d.attempts,
       d.parts_sent, d.announced_at, m.content, m.notice_id, a.target, a.last_inbound_at,
       a.stopped_at IS NOT NULL AS stopped
FROM delivery AS d JOIN message AS m ON m.id = d.message_id JOIN address AS a ON a.id = d.address_id
WHERE d.id = ANY($1::uuid[]) AND d.claimed_by = $2 AND d.outcome IS NULL
  AND NOT EXISTS (SELECT 1 FROM delivery AS o WHERE o.address_id = d.address_id
                  AND o.outcome IS NULL AND o.id <> ALL($1::uuid[])
                  AND coalesce(o.waiting_for, '') <> ALL($4::text[])
                  AND (o.claimed_until >= $3 OR (o.priority, o.seq) < (d.priority, d.seq)))
ORDER BY d.seq
"""


_BEHIND = """
UPDATE delivery AS d SET claimed_by = $3, claimed_until = $5
FROM message AS m, address AS a
WHERE d.address_id = ANY($1::uuid[]) AND d.id <> ALL($2::uuid[]) AND d.outcome IS NULL
  AND d.priority = 0 AND d.parts_sent = 0 AND (d.claimed_until IS NULL OR d.claimed_until < $4)
  AND coalesce(d.waiting_for, '') <> ALL($6::text[])
  AND m.id = d.message_id AND a.id = d.address_id
RETURNING d.id, d.message_id, d.address_id, d.account_id, d.priority, d.seq, d.attempts,
          d.parts_sent, d.announced_at, m.content, m.notice_id, a.target, a.last_inbound_at,
          a.stopped_at IS NOT NULL AS stopped
"""
# What was accepted is over, though the answer may be on its way still, or lost with the process
# that waited for it; but a late word about an earlier try says nothing of the one under way. Of
# several parts only the last one ends the delivery: $5 is the number of one that others follow.
_REPORTED = """
UPDATE delivery AS d SET
    platform_id = CASE WHEN was.accepted THEN coalesce(d.platform_id, $2) ELSE d.platform_id END,
    delivered_at = CASE WHEN was.last AND $3::text IN ('delivered', 'read')
                        THEN coalesce(d.delivered_at, $4) ELSE d.delivered_at END,
    read_at = CASE WHEN was.last AND $3::text = 'read' THEN coalesce(d.read_at, $4)
                   ELSE d.read_at END,
    parts_sent = CASE WHEN was.accepted AND d.outcome IS NULL
                      THEN greatest(d.parts_sent, coalesce($5::int, 0)) ELSE d.parts_sent END,
    outcome = CASE WHEN was.over THEN $6::text ELSE d.outcome END,
    waiting_for = CASE WHEN was.over THEN NULL ELSE d.waiting_for END,
    claimed_until = CASE WHEN was.over THEN NULL ELSE d.claimed_until END,
    finished_at = CASE WHEN was.over THEN $4 ELSE d.finished_at END,
    sent_at = CASE WHEN was.accepted AND was.last AND $6::text = 'sent'
                   THEN coalesce(d.sent_at, $4) ELSE d.sent_at END,
    announced_at = CASE WHEN was.accepted AND was.last AND $6::text = 'announced'
                        THEN coalesce(d.announced_at, $4) ELSE d.announced_at END
FROM (
    SELECT id, accepted, $5::int IS NULL AS last, accepted AND $5::int IS NULL AND (
               outcome = 'unknown' OR outcome IS NULL AND (waiting_for = 'unknown'
               OR claimed_until < $4
               OR claimed_until IS NOT NULL AND platform_id IS DISTINCT FROM $2)) AS over
    FROM delivery, (SELECT $3::text IN ('sent', 'delivered', 'read')) AS says (accepted)
    WHERE id = $1 FOR NO KEY UPDATE OF delivery
) AS was
WHERE d.id = was.id RETURNING d.address_id, d.account_id
"""

# A failure that can pass is tried again, as often as one that the platform answers at once; but
# an earlier try's callback says nothing of the one under way, nor a later one's of what is over.
_FAILED = """
UPDATE delivery SET
    outcome = CASE WHEN $3::bool AND attempts < coalesce($7::int, attempts + 1) THEN NULL
                   WHEN $3::bool THEN 'unreachable' ELSE $2::text END,
    waiting_for = CASE WHEN $3::bool AND attempts < coalesce($7::int, attempts + 1)
                       THEN $2::text END,
    detail = $4, claimed_until = NULL, platform_id = coalesce($8, platform_id),
    not_before = CASE WHEN $3::bool THEN $5::timestamptz + $6::interval ELSE not_before END,
    finished_at = $5
WHERE id = $1 AND delivered_at IS NULL
  AND (NOT $3::bool OR attempts = 0 OR $8::text IS NULL
       OR (platform_id = $8) <> (outcome IS NULL AND coalesce(claimed_until >= $5, false)))
"""


_SLOTS = """
WITH free AS (
    SELECT id, greatest(coalesce(next_slot, $2), $2) AS first FROM account WHERE id = $1
    FOR NO KEY UPDATE
), taken AS (
    SELECT id, first, CASE WHEN first > $7 THEN 0 ELSE greatest($4::int, least(
        $5::int, ceil(extract(epoch FROM $6::timestamptz - first)
                      / extract(epoch FROM $3::interval))::int)) END AS many
    FROM free
)
UPDATE account AS a SET next_slot = taken.first + taken.many * $3::interval
FROM taken WHERE a.id = taken.id RETURNING taken.first, taken.many
"""
# A failure that a status callback has told before the response came, stands: the lease is gone
# and it says why it waits.
_SETTLE = """
UPDATE delivery AS d SET outcome = t.outcome, detail = t.detail,
    platform_id = coalesce(t.platform_id, d.platform_id), rendered = t.rendered,
    attempts = d.attempts + 1, waiting_for = NULL, claimed_until = NULL, finished_at = t.at,
    sent_at = CASE WHEN t.outcome = 'sent' THEN t.at ELSE d.sent_at END,
    announced_at = CASE WHEN t.outcome = 'announced' THEN t.at ELSE d.announced_at END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[])
  AS t (id, outcome, detail, platform_id, rendered, at)
WHERE d.id = t.id AND (
    d.outcome IS NULL AND (d.claimed_until IS NOT NULL OR d.waiting_for IS NULL)
    OR d.outcome = t.outcome AND d.rendered IS NULL -- a callback was faster: what was sent is new
)
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process has leased, with what it needs to be sent."""

    id: UUID
    message: UUID
    address: UUID
    account: UUID
    priority: int
    attempts: int
    parts_sent: int
    content: dict[str, Any]
    notice: UUID | None
    target: str | None  # None: nobody is behind this chat any more
    window_open: bool  # WhatsApp: may be written to freely
    stopped: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a call, when, and what was sent."""

    claimed: Claimed
    result: SendResult
    at: datetime
    rendered: bytes | None = None  # digest; None when nothing was


async def claim(
    connection: AsyncConnection,
    keyring: Keyring,
    account: UUID,
    process: UUID,
    now: datetime,
    *,
    limit: int,
    priorities: tuple[int, int] = (REPLY, NOTICE),
) -> list[Claimed]:
    """Leases due deliveries of the account, best priority first, oldest first; at night, of
    notices, only what is urgent."""
    found = await connection.exec_driver_sql(
        _CLAIM, (account, now, process, now + LEASE, limit, *priorities, _LONG_WAITS)
    )
    rows = found.all()
    late = await quiet.put_off(connection, rows, now)
    return _claimed(keyring, [row for row in rows if row.id not in late], now)


async def behind(
    connection: AsyncConnection,
    keyring: Keyring,
    first: Sequence[Claimed],
    process: UUID,
    now: datetime,
) -> list[Claimed]:
    """Leases the replies that wait behind these of the same addresses, to be said together."""
    rows = await connection.exec_driver_sql(
        _BEHIND,
        ([one.address for one in first], [one.id for one in first], process, now, now + LEASE,
         _LONG_WAITS),
    )  # fmt: skip
    return _claimed(keyring, rows.all(), now)


async def say_together(
    connection: AsyncConnection,
    keyring: Keyring,
    older: Sequence[Claimed],
    newest: Claimed,
    content: dict[str, Any],
    now: datetime,
) -> None:
    """The newest reply says what the older ones would have said; these are superseded."""
    await connection.exec_driver_sql(
        "UPDATE message SET content = $2 WHERE id = $1",
        (newest.message, seal_content(keyring, newest.message, content)),
    )
    await connection.exec_driver_sql(
        "UPDATE delivery SET outcome = $2, finished_at = $3, waiting_for = NULL,"
        " claimed_until = NULL WHERE id = ANY($1::uuid[])",
        ([one.id for one in older], Outcome.SUPERSEDED.value, now),
    )


async def own(
    connection: AsyncConnection,
    keyring: Keyring,
    deliveries: Sequence[UUID],
    process: UUID,
    now: datetime,
) -> list[Claimed]:
    """The replies that this process has just stored, unless older ones of the address wait."""
    rows = await connection.exec_driver_sql(_OWN, (list(deliveries), process, now, _LONG_WAITS))
    return _claimed(keyring, rows.all(), now)


async def release(connection: AsyncConnection, deliveries: Sequence[UUID], process: UUID) -> None:
    """Gives leases back unsent."""
    await connection.exec_driver_sql(
        "UPDATE delivery SET claimed_until = NULL WHERE id = ANY($1::uuid[]) AND claimed_by = $2",
        (list(deliveries), process),
    )


async def renew(
    connection: AsyncConnection, deliveries: Sequence[UUID], process: UUID, now: datetime
) -> None:
    """Leases of what this process is still sending go on from now."""
    await connection.exec_driver_sql(
        "UPDATE delivery SET claimed_until = $3 WHERE id = ANY($1::uuid[]) AND claimed_by = $2"
        " AND claimed_until IS NOT NULL AND outcome IS NULL",
        (list(deliveries), process, now + LEASE),
    )


async def reserve_slots(
    connection: AsyncConnection,
    account: UUID,
    now: datetime,
    interval: timedelta,
    at_once: int,
    wanted: int,
    until: datetime,
) -> tuple[datetime, int]:
    """(first, how many) sending slots of the account, shared by all processes: `at_once` in any
    case, as many of `wanted` as lie before `until`; none when the first is far off."""
    row = (
        await connection.exec_driver_sql(
            _SLOTS, (account, now, interval, at_once, wanted, until, now + LEASE / 3)
        )
    ).one()
    return row.first, row.many


async def hold_account(connection: AsyncConnection, account: UUID, until: datetime) -> None:
    """The platform said 429: nobody of this account sends before then."""
    await connection.exec_driver_sql(
        "UPDATE account SET next_slot = greatest(coalesce(next_slot, $2), $2) WHERE id = $1",
        (account, until),
    )


async def part_sent(
    connection: AsyncConnection, delivery: UUID, number: int, platform_id: str | None
) -> None:
    """So many parts went out: a crash from here on does not repeat them."""
    await connection.exec_driver_sql(
        "UPDATE delivery SET parts_sent = greatest(parts_sent, $2), platform_id = $3 WHERE id = $1",
        (delivery, number, platform_id),
    )


async def settle(
    connection: AsyncConnection,
    claimed: Claimed,
    result: SendResult,
    now: datetime,
    rendered: bytes | None = None,
) -> Outcome | None:
    """Writes what came of it: an outcome, or when and why it is tried again (then None)."""
    (outcome,) = await settle_all(connection, [Settled(claimed, result, now, rendered)])
    return outcome


async def settle_all(
    connection: AsyncConnection, settled: Sequence[Settled]
) -> list[Outcome | None]:
    """The same for many at once: one statement for all that are over."""
    verdicts = [_verdict(one.claimed, one.result) for one in settled]
    over: list[tuple[Settled, Outcome]] = []
    for one, (outcome, pause) in zip(settled, verdicts, strict=True):
        if outcome is None:
            await _try_again(connection, one.claimed, one.result, one.at + pause)
        else:
            over.append((one, outcome))
    if over:
        await _write_outcomes(connection, over)
    return [outcome for outcome, _ in verdicts]


async def _write_outcomes(
    connection: AsyncConnection, over: Sequence[tuple[Settled, Outcome]]
) -> None:
    """Locks as turns do: addresses first, then deliveries, both in their order."""
    for one, outcome in sorted(over, key=lambda one: one[0].claimed.address):
        if outcome in STOPS_ADDRESS:
            await stop_address(connection, one.claimed.address, outcome.value, one.at)
    over = sorted(over, key=lambda one: one[0].claimed.id)
    await connection.exec_driver_sql(
        _SETTLE,
        (
            [one.claimed.id for one, _ in over],
            [outcome.value for _, outcome in over],
            [one.result.detail for one, _ in over],
            [one.result.platform_id for one, _ in over],
            [one.rendered for one, _ in over],
            [one.at for one, _ in over],
        ),
    )
    lost = [
        one for one, outcome in over if one.claimed.notice is not None and outcome not in ARRIVED
    ]
    if lost:
        await second_messenger.turn_to(
            connection, [one.claimed.id for one in lost], max(one.at for one in lost)
        )


async def stop_address(
    connection: AsyncConnection, address: UUID, reason: str, now: datetime
) -> None:
    """The address wants, or takes, no more messages."""
    await connection.exec_driver_sql(
        "UPDATE address SET stopped_at = coalesce(stopped_at, $2), stop_reason = $3 WHERE id = $1",
        (address, now, reason),
    )


async def status_reported(
    connection: AsyncConnection,
    delivery: UUID,
    platform_id: str | None,
    status: str,
    failure: Outcome | None,
    detail: str | None,
    now: datetime,
    *,
    template: str | None = None,
    part: int | None = None,
) -> None:
    """What a status callback says; it may come late, twice, or before the response.

    `template`: the announcement that was sent. `part`: the number of one that others follow.

    An answer that was lost is settled by it; a failure overrules "sent" unless the message is
    known to have arrived; a closed window lets the message wait for the person's next one, the
    day's limit for tomorrow; what can succeed is tried again.
    """
    known = (
        await connection.exec_driver_sql(
            _REPORTED,
            (
                delivery,
                platform_id,
                status,
                now,
                part,
                Outcome.ANNOUNCED.value if template else Outcome.SENT.value,
            ),
        )
    ).one_or_none()
    if known is None or failure is None:
        return
    address, account = known.address_id, known.account_id
    await connection.exec_driver_sql(
        _FAILED,
        (
            delivery,
            failure.value,
            failure in WAITING or failure in AGAIN,
            detail,
            now,
            _later(failure),
            TRIES if failure in AGAIN else None,
            platform_id,
        ),
    )
    if failure in STOPS_ADDRESS:
        await stop_address(connection, address, failure.value, now)
    if failure is Outcome.DAILY_LIMIT:
        await quota.close(connection, account, now)
    if failure is Outcome.TEMPLATE_UNAVAILABLE and template:
        await content_templates.refused(connection, account, template, detail or failure, now)
    if failure not in WAITING and failure not in AGAIN:
        await second_messenger.turn_to(connection, [delivery], now)


async def enqueue(
    unit: Unit,
    address: UUID,
    account: UUID,
    language: str,
    content: dict[str, Any],
    priority: int,
    *,
    delivery: UUID | None = None,
    notice: UUID | None = None,
) -> UUID:
    """Puts one message for one address into the outbox; the delivery's id."""
    message, delivery = unit.new_id(), delivery or unit.new_id()
    connection = await unit.connection()
    await connection.exec_driver_sql(
        "WITH said AS (INSERT INTO message (id, notice_id, language, content, created_at)"
        "  VALUES ($1, $8, $2, $3, $4))"
        " INSERT INTO delivery (id, message_id, address_id, account_id, priority, not_before,"
        "  created_at) VALUES ($5, $1, $6, $7, $9, $4, $4)",
        (
            message,
            language,
            seal_content(unit.keyring, message, content),
            unit.now,
            delivery,
            address,
            account,
            notice,
            priority,
        ),
    )
    return delivery


async def forget_words(connection: AsyncConnection, now: datetime) -> int:
    """Erases the words of replies that were settled three days ago; how many. Their outcomes
    stay. Notices keep theirs: they are read again."""
    result = await connection.exec_driver_sql(
        "UPDATE message AS m SET content = '' FROM delivery AS d"
        " WHERE d.message_id = m.id AND m.notice_id IS NULL AND m.content <> ''"
        " AND d.priority = 0 AND d.outcome IS NOT NULL"
        " AND d.finished_at < $1",
        (now - WORDS_KEPT,),
    )
    return result.rowcount


def seal_content(keyring: Keyring, message: UUID, content: dict[str, Any]) -> bytes:
    """The stored form of a message's content."""
    words = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return keyring.seal(CONTENT, message, words)


def _claimed(keyring: Keyring, rows: Sequence[Any], now: datetime) -> list[Claimed]:
    contents: dict[UUID, dict[str, Any]] = {}  # a notice says the same to all of them
    for row in rows:
        if row.message_id not in contents:
            opened = keyring.open(CONTENT, row.message_id, row.content)
            contents[row.message_id] = json.loads(opened)
    return [
        Claimed(
            row.id,
            row.message_id,
            row.address_id,
            row.account_id,
            row.priority,
            row.attempts,
            row.parts_sent,
            contents[row.message_id],
            row.notice_id,
            keyring.open(TARGET, row.address_id, row.target) if row.target else None,
            bool(row.last_inbound_at and now - row.last_inbound_at < WINDOW),
            row.stopped,
        )
        for row in sorted(rows, key=lambda row: (row.priority, row.seq))
    ]


def _later(failure: Outcome) -> timedelta:
    """How long after a failure that a callback reports the message is tried again."""
    if failure is Outcome.DAILY_LIMIT:
        return QUOTA_PAUSE
    if failure is Outcome.TEMPLATE_UNAVAILABLE:
        return APPROVAL_PAUSE
    return PAUSES[1] if failure in AGAIN else UNTIL_THEY_WRITE


def _verdict(claimed: Claimed, result: SendResult) -> tuple[Outcome | None, timedelta]:
    """The final outcome, or None and the pause after which it is tried again."""
    outcome = result.outcome
    if outcome is Outcome.THROTTLED:
        return None, timedelta(seconds=result.retry_after or 1)
    if outcome is Outcome.DAILY_LIMIT:
        return None, timedelta(seconds=result.retry_after) if result.retry_after else QUOTA_PAUSE
    if outcome is Outcome.TEMPLATE_UNAVAILABLE:
        return None, APPROVAL_PAUSE
    if outcome in WAITING:
        return None, UNTIL_THEY_WRITE
    if outcome is Outcome.UNKNOWN:
        return (None, UNKNOWN_PAUSE) if claimed.attempts == 0 else (outcome, timedelta())
    if outcome is Outcome.TRANSIENT:
        if claimed.attempts + 1 >= (TRIES if claimed.priority == REPLY else NOTICE_TRIES):
            return Outcome.UNREACHABLE, timedelta()
        return None, PAUSES[claimed.attempts]
    return outcome, timedelta()


async def _try_again(
    connection: AsyncConnection, claimed: Claimed, result: SendResult, at: datetime
) -> None:
    counted = result.outcome is not Outcome.THROTTLED
    await connection.exec_driver_sql(
        "UPDATE delivery SET not_before = $2, attempts = attempts + $3, waiting_for = $4,"
        " detail = $5, claimed_until = NULL WHERE id = $1 AND outcome IS NULL",
        (claimed.id, at, int(counted), result.outcome.value, result.detail),
    )
