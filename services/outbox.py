"""The outbox: claimed by leases, sent in order per address, every row ends in a written outcome."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.crypto import Keyring, SealBroken
from core.outcomes import ARRIVED, STOPS_ADDRESS, WAITING, Outcome, SendResult
from core.pace import WINDOW
from services import quiet, second_messenger, wanted
from services.intake import TARGET
from services.unit import Unit
from services.wanted import OLD

CONTENT = "message.content"
REPLY, REMINDER, URGENT, NOTICE = 0, 1, 2, 3
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
REDRAWN = timedelta(seconds=5)  # the window is closed after all: the template, if there is one
_LONG_WAITS = [outcome.value for outcome in WAITING]  # these hold nobody else up

_LEASED = f"""d.id, d.message_id, d.address_id, d.account_id, d.priority, d.seq, d.attempts,
          d.failures, d.lost, d.parts_sent, d.waiting_for, d.claimed_by,
          m.content, m.notice_id, n.status, {OLD} AS old, a.target,
          a.last_inbound_at, a.stopped_at IS NOT NULL AS stopped"""
# Another process' lease that ran out was a call that may have been made, and whose answer is lost:
# a try of its own, so that callbacks about it are not taken for the next one's.
_LOST = "(d.claimed_until IS NOT NULL AND d.claimed_by IS DISTINCT FROM $3::uuid)::int"
_TAKE = f"claimed_by = $3, attempts = d.attempts + {_LOST}, lost = d.lost + {_LOST}"
# Nothing goes while something for the same address is in flight, or while something of the same
# priority and older, or of a better priority, waits there; what waits for long does not count
# until its moment has come.
_CLAIM = f"""
WITH due AS (
    SELECT d.id FROM delivery AS d
    WHERE d.account_id = $1 AND d.outcome IS NULL AND d.not_before <= $2
      AND (d.claimed_until IS NULL OR d.claimed_until < $2)
      AND d.waiting_for IS DISTINCT FROM 'paused'
      AND d.priority BETWEEN $6 AND $7 AND d.priority >= 0 -- by ix_delivery_pending
      AND NOT EXISTS (
          SELECT 1 FROM delivery AS o
          WHERE o.address_id = d.address_id AND o.outcome IS NULL AND o.id <> d.id
            AND (o.claimed_until >= $2 OR (o.priority, o.seq) < (d.priority, d.seq)
                 AND (coalesce(o.waiting_for, '') <> ALL($8::text[])
                      OR o.not_before <= $2 AND o.waiting_for <> 'paused')))
    ORDER BY d.priority, d.seq LIMIT $5
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery AS d SET {_TAKE}, claimed_until = $4
FROM due, message AS m LEFT JOIN notice AS n ON n.id = m.notice_id, address AS a
WHERE d.id = due.id AND m.id = d.message_id AND a.id = d.address_id
RETURNING {_LEASED}
"""
_OWN = f"""
SELECT {_LEASED}
FROM delivery AS d JOIN message AS m ON m.id = d.message_id JOIN address AS a ON a.id = d.address_id
LEFT JOIN notice AS n ON n.id = m.notice_id
WHERE d.id = ANY($1::uuid[]) AND d.claimed_by = $2 AND d.outcome IS NULL
  AND NOT EXISTS (SELECT 1 FROM delivery AS o WHERE o.address_id = d.address_id
                  AND o.outcome IS NULL AND o.id <> ALL($1::uuid[])
                  AND coalesce(o.waiting_for, '') <> ALL($4::text[])
                  AND (o.claimed_until >= $3 OR (o.priority, o.seq) < (d.priority, d.seq)))
ORDER BY d.seq
"""
_BEHIND = f"""
UPDATE delivery AS d SET {_TAKE}, claimed_until = $5
FROM message AS m LEFT JOIN notice AS n ON n.id = m.notice_id, address AS a
WHERE d.address_id = ANY($1::uuid[]) AND d.id <> ALL($2::uuid[]) AND d.outcome IS NULL
  AND d.priority = 0 AND d.parts_sent = 0 AND (d.claimed_until IS NULL OR d.claimed_until < $4)
  AND coalesce(d.waiting_for, '') <> ALL($6::text[])
  AND m.id = d.message_id AND a.id = d.address_id
RETURNING {_LEASED}
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
# Only the try that was made: a callback may have ended it. What arrived has arrived, though another
# process may have begun the next try, or the lease may have run out and been given up.
_SETTLE = """
UPDATE delivery AS d SET outcome = t.outcome, waiting_for = NULL,
    detail = coalesce(t.detail, CASE WHEN t.arrived AND d.detail LIKE 'part %' THEN d.detail END),
    platform_id = coalesce(t.platform_id, d.platform_id), rendered = t.rendered,
    attempts = greatest(d.attempts, t.attempts + 1),
    parts_sent = greatest(d.parts_sent, t.parts_sent), claimed_until = NULL, finished_at = t.at,
    sent_at = CASE WHEN t.outcome = 'sent' THEN t.at ELSE d.sent_at END,
    announced_at = CASE WHEN t.outcome = 'announced' THEN t.at ELSE d.announced_at END
FROM (
    SELECT *, outcome IN ('sent', 'announced') AS arrived
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::timestamptz[],
                $7::int[], $8::int[], $9::uuid[])
      AS t (id, outcome, detail, platform_id, rendered, at, attempts, parts_sent, process)
) AS t
WHERE d.id = t.id AND (
    d.outcome IS NULL AND (
        d.attempts = t.attempts
        OR t.arrived AND d.claimed_until IS NOT NULL AND d.claimed_by <> t.process)
    OR d.outcome = 'unknown' AND t.arrived AND d.attempts = t.attempts + 1
    OR d.outcome = t.outcome AND d.rendered IS NULL -- a callback was faster: what was sent is new
)
"""
_TRY_AGAIN = """
UPDATE delivery SET not_before = $2, attempts = attempts + $3, failures = failures + $4,
       lost = lost + $5, parts_sent = greatest(parts_sent, $6), waiting_for = $7, detail = $8,
       claimed_until = NULL
WHERE id = $1 AND outcome IS NULL AND attempts = $9
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
    failures: int
    lost: int
    parts_sent: int
    content: dict[str, Any]
    notice: UUID | None
    target: str | None  # None: nobody is behind this chat any more
    window_open: bool  # WhatsApp: may be written to freely
    stopped: bool
    at: datetime  # when it was leased
    process: UUID  # by whom


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a call, when, and what was sent."""

    claimed: Claimed
    result: SendResult
    at: datetime
    rendered: bytes | None = None  # digest; None when nothing was
    parts_sent: int = 0  # how many are accepted by now, from the first one on


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
    out = await wanted.put_right(connection, rows, now)
    rows = [row for row in rows if row.id not in out]
    late = await quiet.put_off(connection, rows, now)
    return await _claimed(connection, keyring, [row for row in rows if row.id not in late], now)


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
    return await _claimed(connection, keyring, rows.all(), now)


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
    return await _claimed(connection, keyring, rows.all(), now)


async def release(connection: AsyncConnection, deliveries: Sequence[UUID], process: UUID) -> None:
    """Gives leases back unsent."""
    await connection.exec_driver_sql(
        "UPDATE delivery SET claimed_until = NULL WHERE id = ANY($1::uuid[]) AND claimed_by = $2",
        (list(deliveries), process),
    )


async def renew(
    connection: AsyncConnection, deliveries: Collection[UUID], process: UUID, now: datetime
) -> None:
    """Leases of what this process is still sending go on from now. Waits for nobody: a row that
    is locked is being settled, or it is renewed the next time, before its lease runs out."""
    await connection.exec_driver_sql(
        "UPDATE delivery SET claimed_until = $3 WHERE id = ANY(ARRAY("
        "SELECT id FROM delivery WHERE id = ANY($1::uuid[]) AND claimed_by = $2"
        " AND claimed_until IS NOT NULL AND outcome IS NULL FOR UPDATE SKIP LOCKED))",
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
    """This part went out, as those before it had: a crash from here on does not repeat them."""
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
            await _try_again(connection, one, one.at + pause)
        else:
            over.append((one, outcome))
    if over:
        await _write_outcomes(connection, over)
    return [outcome for outcome, _ in verdicts]


async def _write_outcomes(
    connection: AsyncConnection, over: Sequence[tuple[Settled, Outcome]]
) -> None:
    """Locks as turns do: addresses first, then notices, then deliveries, all in their order."""
    for one, outcome in sorted(over, key=lambda one: one[0].claimed.address):
        if outcome in STOPS_ADDRESS:
            claimed = one.claimed
            await stop_address(connection, claimed.address, outcome.value, one.at, claimed.at)
    over = sorted(over, key=lambda one: one[0].claimed.id)
    lost = [
        one.claimed.id
        for one, outcome in over
        if one.claimed.notice is not None and outcome not in ARRIVED
    ]
    if lost:
        await second_messenger.hold(connection, lost)
    await connection.exec_driver_sql(
        _SETTLE,
        (
            [one.claimed.id for one, _ in over],
            [outcome.value for _, outcome in over],
            [one.result.detail for one, _ in over],
            [one.result.platform_id for one, _ in over],
            [one.rendered for one, _ in over],
            [one.at for one, _ in over],
            [one.claimed.attempts for one, _ in over],
            [one.parts_sent for one, _ in over],
            [one.claimed.process for one, _ in over],
        ),
    )
    if lost:
        await second_messenger.turn_to(connection, lost, max(one.at for one, _ in over))


async def stop_address(
    connection: AsyncConnection, address: UUID, reason: str, now: datetime, tried_at: datetime
) -> None:
    """The address wants, or takes, no more messages; unless the person has written since."""
    await connection.exec_driver_sql(
        "UPDATE address SET stopped_at = coalesce(stopped_at, $2), stop_reason = $3"
        " WHERE id = $1 AND coalesce(last_inbound_at, '-infinity') <= $4",
        (address, now, reason, tried_at),
    )


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


async def _claimed(
    connection: AsyncConnection, keyring: Keyring, rows: Sequence[Any], now: datetime
) -> list[Claimed]:
    """Opened; one that cannot be read any more (its words were erased) is over, and keeps
    nothing else from being sent."""
    contents: dict[UUID, dict[str, Any] | None] = {}  # a notice says the same to all of them
    for row in rows:
        if row.message_id not in contents:
            contents[row.message_id] = _opened(keyring, row)
    if unreadable := [row.id for row in rows if contents[row.message_id] is None]:
        await connection.exec_driver_sql(
            "UPDATE delivery SET outcome = $2, detail = 'unreadable', finished_at = $3,"
            " waiting_for = NULL, claimed_until = NULL WHERE id = ANY($1::uuid[])",
            (unreadable, Outcome.REFUSED.value, now),
        )
    return [
        Claimed(
            row.id,
            row.message_id,
            row.address_id,
            row.account_id,
            row.priority,
            row.attempts,
            row.failures,
            row.lost,
            row.parts_sent,
            content,
            row.notice_id,
            keyring.open(TARGET, row.address_id, row.target) if row.target else None,
            _window_open(row, now),
            row.stopped,
            now,
            row.claimed_by,
        )
        for row in sorted(rows, key=lambda row: (row.priority, row.seq))
        if (content := contents[row.message_id]) is not None
    ]


def _opened(keyring: Keyring, row: Any) -> dict[str, Any] | None:
    try:
        opened: dict[str, Any] = json.loads(keyring.open(CONTENT, row.message_id, row.content))
    except SealBroken:
        return None
    return opened


def _window_open(row: Any, now: datetime) -> bool:
    """By our count, unless the platform has just said otherwise of this very message."""
    recent = row.last_inbound_at is not None and now - row.last_inbound_at < WINDOW
    return recent and row.waiting_for != Outcome.WINDOW_CLOSED


def tries(priority: int) -> int:
    """How often what can succeed is tried."""
    return TRIES if priority == REPLY else NOTICE_TRIES


def _verdict(claimed: Claimed, result: SendResult) -> tuple[Outcome | None, timedelta]:
    """The final outcome, or None and the pause after which it is tried again. Waiting uses up no
    tries."""
    outcome = result.outcome
    if outcome is Outcome.THROTTLED:
        return None, timedelta(seconds=result.retry_after or 1)
    if outcome is Outcome.DAILY_LIMIT:
        return None, timedelta(seconds=result.retry_after) if result.retry_after else QUOTA_PAUSE
    if outcome is Outcome.TEMPLATE_UNAVAILABLE:
        return None, APPROVAL_PAUSE
    if outcome is Outcome.WINDOW_CLOSED and claimed.window_open:
        return None, REDRAWN
    if outcome in WAITING:
        return None, UNTIL_THEY_WRITE
    if outcome is Outcome.UNKNOWN:
        return (None, UNKNOWN_PAUSE) if claimed.lost == 0 else (outcome, timedelta())
    if outcome is Outcome.TRANSIENT:
        if claimed.failures + 1 >= tries(claimed.priority):
            return Outcome.UNREACHABLE, timedelta()
        return None, PAUSES[claimed.failures]
    return outcome, timedelta()


async def _try_again(connection: AsyncConnection, one: Settled, at: datetime) -> None:
    claimed, result = one.claimed, one.result
    await connection.exec_driver_sql(
        _TRY_AGAIN,
        (
            claimed.id,
            at,
            int(result.outcome is not Outcome.THROTTLED),
            int(result.outcome is Outcome.TRANSIENT),
            int(result.outcome is Outcome.UNKNOWN),
            one.parts_sent,
            result.outcome.value,
            result.detail,
            claimed.attempts,
        ),
    )
