"""The first and the last statement of a turn: what came in is recognised, what came of it stored.

Both are single statements (DESIGN part 2, "shape"): three round trips make a whole hot turn.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.crypto import Keyring
from services.unit import AuditRow, Unit

TARGET = "address.target"
STATE = "address.state"
ALIAS = "address_alias.value"
MEMORY = timedelta(days=3)  # how long a duplicate is recognised
SILENCE = timedelta(minutes=10)  # after which a chat with nobody behind it is forgotten

_INTAKE = """
WITH seen AS (
    INSERT INTO intake (account_id, key, received_at)
    SELECT $1, key, $4 FROM unnest($2::bytea[]) AS key ORDER BY key
    ON CONFLICT DO NOTHING RETURNING key
)
SELECT (SELECT count(*) FROM seen) AS fresh, a.id, a.language, a.speaker_id, a.state, a.turn,
       a.stopped_at IS NOT NULL AS stopped, a.last_inbound_at, a.target IS NULL AS forgotten
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (
    SELECT * FROM address
    WHERE id = (SELECT address_id FROM address_alias
                WHERE account_id = $1 AND hash = ANY($3::bytea[])
                ORDER BY array_position($3::bytea[], hash) LIMIT 1)
    FOR NO KEY UPDATE -- a notice that is being queued for this address holds up no turn
) AS a ON true
"""

_FINISH = """
WITH kept AS (
    UPDATE address SET state = $2, turn = $3, language = $4, speaker_id = $5,
           last_inbound_at = greatest(last_inbound_at, $6),
           stopped_at = CASE WHEN $20 THEN coalesce(stopped_at, $6) END,
           stop_reason = CASE WHEN $20 THEN coalesce(stop_reason, 'asked') END
    WHERE id = $1
), woken AS (
    UPDATE delivery SET not_before = $6, waiting_for = NULL
    WHERE address_id = $1
      AND waiting_for IN ('window-closed', 'template-unavailable', 'daily-limit')
), said AS (
    INSERT INTO message (id, language, content, created_at)
    SELECT id, language, content, $6
    FROM unnest($7::uuid[], $8::text[], $9::bytea[]) AS m (id, language, content)
), sent AS (
    INSERT INTO delivery (id, message_id, address_id, account_id, priority, not_before,
                          claimed_by, claimed_until, created_at)
    SELECT id, message_id, $1, $11, 0, $6, $12, $13, $6
    FROM unnest($10::uuid[], $7::uuid[]) AS d (id, message_id)
)
INSERT INTO audit (at, actor_id, channel, action, object_id, details)
SELECT at, actor, channel, action, object_id, details::jsonb
FROM unnest($14::timestamptz[], $15::uuid[], $16::text[], $17::text[], $18::text[], $19::text[])
  AS r (at, actor, channel, action, object_id, details)
"""

_FORGET_CHATS = """
WITH empty AS (
    SELECT a.id FROM address AS a
    WHERE a.target IS NOT NULL AND coalesce(a.last_inbound_at, a.created_at) < :until
      AND NOT EXISTS (SELECT 1 FROM resident_address AS r WHERE r.address_id = a.id)
      AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.address_id = a.id AND d.outcome IS NULL)
    LIMIT 1000 FOR UPDATE OF a SKIP LOCKED
), unnamed AS (
    UPDATE address_alias AS l SET value = NULL FROM empty WHERE l.address_id = empty.id
)
UPDATE address AS a SET target = NULL FROM empty WHERE a.id = empty.id
"""


@dataclass(frozen=True, slots=True)
class AddressRow:
    """The locked address of a turn."""

    id: UUID
    language: str | None
    speaker: UUID | None
    state: str | None
    turn: int
    stopped: bool
    last_inbound_at: datetime | None
    forgotten: bool = False  # nobody was behind it: who writes now is not known by number


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A reply ready to be stored: its delivery's id, its content sealed under the message's."""

    delivery: UUID
    message: UUID
    language: str
    content: bytes


def digest(external_id: str) -> bytes:
    """The key under which an update's identifier is remembered."""
    return hashlib.blake2b(external_id.encode(), digest_size=16).digest()


def alias_hash(keyring: Keyring, kind: str, value: str) -> bytes:
    """The keyed hash by which an address is found."""
    return keyring.index(f"alias:{kind}", value)


async def take_in(
    connection: AsyncConnection,
    keyring: Keyring,
    account: UUID,
    external_ids: Sequence[str],
    hashes: Sequence[bytes],
    received_at: datetime,
) -> tuple[bool, AddressRow | None]:
    """(is it new?, the locked address if it is known). One statement.

    A second delivery of the same update waits here for the first to end, and is then no news.
    """
    keys = [digest(external_id) for external_id in external_ids]
    row = (
        await connection.exec_driver_sql(_INTAKE, (account, keys, list(hashes), received_at))
    ).one()
    fresh = row.fresh == len(set(keys))
    if row.id is None:
        return fresh, None
    state = keyring.open(STATE, row.id, row.state) if row.state else None
    return fresh, AddressRow(
        row.id,
        row.language,
        row.speaker_id,
        state,
        row.turn,
        row.stopped,
        row.last_inbound_at,
        row.forgotten,
    )


async def state_of(unit: Unit, address: UUID) -> tuple[str, int, UUID | None] | None:
    """(stored state, turn, speaker) of an address, locked; None while a turn of it is under
    way."""
    connection = await unit.connection()
    found = await connection.exec_driver_sql(
        "SELECT state, turn, speaker_id FROM address WHERE id = $1 AND state IS NOT NULL"
        " FOR NO KEY UPDATE SKIP LOCKED",
        (address,),
    )
    row = found.one_or_none()
    return row and (unit.keyring.open(STATE, address, row.state), row.turn, row.speaker_id)


async def keep_state(unit: Unit, address: UUID, state: str) -> None:
    """Stores the state of an address that `state_of` has locked."""
    connection = await unit.connection()
    await connection.exec_driver_sql(
        "UPDATE address SET state = $2 WHERE id = $1",
        (address, unit.keyring.seal(STATE, address, state)),
    )


async def new_address(
    unit: Unit, account: UUID, aliases: Sequence[tuple[str, str]]
) -> AddressRow | None:
    """A first contact. None when another process was faster: take in again."""
    address, keyring = unit.new_id(), unit.keyring
    (_, target), *_ = aliases
    await unit.session.execute(
        text(
            "INSERT INTO address (id, account_id, target, last_inbound_at, created_at)"
            " VALUES (:id, :account, :target, :now, :now)"
        ),
        {
            "id": address,
            "account": account,
            "target": keyring.seal(TARGET, address, target),
            "now": unit.now,
        },
    )
    if await add_aliases(unit, account, address, aliases) < len(set(aliases)):
        return None
    return AddressRow(address, None, None, None, 0, False, None)


async def know_again(unit: Unit, address: UUID, aliases: Sequence[tuple[str, str]]) -> None:
    """Who writes from a chat that was forgotten is answered there."""
    keyring, (_, target) = unit.keyring, aliases[0]
    await unit.session.execute(
        text("UPDATE address SET target = :target WHERE id = :id"),
        {"target": keyring.seal(TARGET, address, target), "id": address},
    )
    for kind, value in aliases:
        await unit.session.execute(
            text(
                "UPDATE address_alias SET value = :value"
                " WHERE address_id = :id AND hash = :hash AND kind = :kind"
            ),
            {
                "value": keyring.seal(ALIAS, address, value),
                "id": address,
                "hash": alias_hash(keyring, kind, value),
                "kind": kind,
            },
        )


async def seed_language(unit: Unit, address: UUID, language: str, *, last_inbound: bool) -> None:
    """Language and last message of an address that was made without a conversation (demo)."""
    await unit.session.execute(
        text(
            "UPDATE address SET language = :language, last_inbound_at ="
            " CASE WHEN :heard THEN CAST(:now AS timestamptz) END WHERE id = :id"
        ),
        {"id": address, "language": language, "heard": last_inbound, "now": unit.now},
    )


async def add_aliases(
    unit: Unit, account: UUID, address: UUID, aliases: Sequence[tuple[str, str]]
) -> int:
    """Remembers identifiers of an address; how many were new. One that belongs to another
    address stays there: joining two addresses is offered, never done silently."""
    added = 0
    for kind, value in dict.fromkeys(aliases):
        result = await unit.session.execute(
            text(
                "INSERT INTO address_alias"
                " (account_id, hash, address_id, kind, value, first_seen_at)"
                " VALUES (:account, :hash, :address, :kind, :value, :now)"
                " ON CONFLICT DO NOTHING RETURNING 1"
            ),
            {
                "account": account,
                "hash": alias_hash(unit.keyring, kind, value),
                "address": address,
                "kind": kind,
                "value": unit.keyring.seal(ALIAS, address, value),
                "now": unit.now,
            },
        )
        added += len(result.all())
    return added


async def meet_aliases(
    unit: Unit, account: UUID, address: UUID, aliases: Sequence[tuple[str, str]]
) -> tuple[UUID, ...]:
    """Remembers identifiers of this address that are new; the other addresses that the rest
    belong to: the messenger says that they are the same sender's."""
    found = await unit.session.execute(
        text(
            "SELECT hash, address_id FROM address_alias"
            " WHERE account_id = :account AND hash = ANY(:hashes)"
        ),
        {"account": account, "hashes": [alias_hash(unit.keyring, *one) for one in aliases]},
    )
    known = {bytes(row.hash): row.address_id for row in found}
    fresh = [one for one in aliases if alias_hash(unit.keyring, *one) not in known]
    if fresh:
        await add_aliases(unit, account, address, fresh)
    return tuple(sorted({*known.values()} - {address}))


async def finish(
    connection: AsyncConnection,
    unit: Unit,
    address: UUID,
    account: UUID,
    *,
    state: str,
    turn: int,
    language: str | None,
    speaker: UUID | None,
    stopped: bool,
    replies: Sequence[Outgoing],
    claimed_by: UUID,
    claimed_until: datetime | None,
) -> None:
    """Stores the new state, the replies (claimed by this process, or not at all) and audit rows.

    One statement. `stopped` says whether the person wants no messages but answers.
    """
    rows = unit.audit_rows
    await connection.exec_driver_sql(
        _FINISH,
        (
            address,
            unit.keyring.seal(STATE, address, state),
            turn,
            language,
            speaker,
            unit.now,
            [reply.message for reply in replies],
            [reply.language for reply in replies],
            [reply.content for reply in replies],
            [reply.delivery for reply in replies],
            account,
            claimed_by if claimed_until else None,
            claimed_until,
            *audit_columns(rows),
            stopped,
        ),
    )
    rows.clear()


def audit_columns(rows: Sequence[AuditRow]) -> tuple[list[object], ...]:
    """The rows as columns for unnest: at, actor, channel, action, object, details."""
    return (
        [row.at for row in rows],
        [row.actor for row in rows],
        [row.channel for row in rows],
        [row.action for row in rows],
        [row.object_id for row in rows],
        [json.dumps(row.details, ensure_ascii=False) for row in rows],
    )


async def forget_old(connection: AsyncConnection, now: datetime) -> int:
    """Forgets what was seen over three days ago; how many."""
    result = await connection.execute(
        text("DELETE FROM intake WHERE received_at < :until"), {"until": now - MEMORY}
    )
    return result.rowcount


async def forget_chats(connection: AsyncConnection, now: datetime) -> int:
    """Forgets the numbers of chats that nobody is behind, once they have been answered; how many.
    By keyed hashes they are known again when somebody writes from there."""
    result = await connection.execute(text(_FORGET_CHATS), {"until": now - SILENCE})
    return result.rowcount
