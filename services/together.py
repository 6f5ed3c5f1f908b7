"""The first and the last statement of a group of turns: the same as services.intake's, for many.

A group takes in only what is simple: an address that is known by all its names, has chosen a
language and is in nobody's hands; whoever is not is left out and goes alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake import Outgoing, audit_columns, digest
from services.unit import Unit

# Look-ups are scalar or lateral, so that no plan made for small tables walks large ones. Locks
# are only tried: a group waits for no single address, and no two groups for each other.
_TAKE_IN = """
WITH named AS MATERIALIZED (
    SELECT t.n, (SELECT l.address_id FROM address_alias AS l
                 WHERE l.account_id = t.account_id AND l.hash = t.hash) AS address_id
    FROM unnest($1::int[], $2::uuid[], $3::bytea[]) AS t (n, account_id, hash)
), known AS MATERIALIZED (
    SELECT n, (array_agg(address_id))[1] AS address_id FROM named
    GROUP BY n HAVING count(*) = count(address_id) AND count(DISTINCT address_id) = 1
), mine AS MATERIALIZED (
    SELECT known.n, a.id, a.language, a.speaker_id, a.turn, a.stopped_at IS NOT NULL AS stopped
    FROM known CROSS JOIN LATERAL (
        SELECT * FROM address WHERE id = known.address_id AND language IS NOT NULL
          AND target IS NOT NULL
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS a
), seen AS (
    INSERT INTO intake (account_id, key, received_at)
    SELECT k.account_id, k.key, k.at
    FROM unnest($4::int[], $5::uuid[], $6::bytea[], $7::timestamptz[]) AS k (n, account_id, key, at)
    WHERE k.n IN (SELECT n FROM mine) ORDER BY k.account_id, k.key
    ON CONFLICT DO NOTHING RETURNING account_id, key
)
SELECT n, id, language, speaker_id, turn, stopped, NULL::bytea AS key FROM mine
UNION ALL SELECT NULL, account_id, NULL, NULL, NULL, NULL, key FROM seen
"""
_FINISH = """
WITH kept AS (
    UPDATE address AS a SET last_inbound_at = greatest(a.last_inbound_at, t.at)
    FROM unnest($1::uuid[], $2::timestamptz[]) AS t (id, at) WHERE a.id = t.id
), woken AS (
    UPDATE delivery AS d SET waiting_for = NULL,
           not_before = (SELECT t.at FROM unnest($1::uuid[], $2::timestamptz[]) AS t (id, at)
                         WHERE t.id = d.address_id)
    WHERE d.address_id = ANY($1::uuid[])
      AND d.waiting_for IN ('window-closed', 'template-unavailable', 'daily-limit')
), said AS (
    INSERT INTO message (id, language, content, created_at)
    SELECT id, language, content, at
    FROM unnest($3::uuid[], $4::text[], $5::bytea[], $6::timestamptz[])
      AS m (id, language, content, at)
), sent AS (
    INSERT INTO delivery (id, message_id, address_id, account_id, priority, not_before,
                          claimed_by, claimed_until, created_at)
    SELECT id, message_id, address_id, account_id, 0, at, claimed_by, claimed_until, at
    FROM unnest($7::uuid[], $3::uuid[], $8::uuid[], $9::uuid[], $6::timestamptz[], $10::uuid[],
                $11::timestamptz[])
      AS d (id, message_id, address_id, account_id, at, claimed_by, claimed_until)
)
INSERT INTO audit (at, actor_id, channel, action, object_id, details)
SELECT at, actor, channel, action, object_id, details::jsonb
FROM unnest($12::timestamptz[], $13::uuid[], $14::text[], $15::text[], $16::text[], $17::text[])
  AS r (at, actor, channel, action, object_id, details)
"""
_FORGET = """
DELETE FROM intake AS i USING unnest($1::uuid[], $2::bytea[]) AS k (account_id, key)
WHERE i.account_id = k.account_id AND i.key = k.key
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An update as the group takes it in: the names of its address, the keys of what it is."""

    account: UUID
    hashes: Sequence[bytes]
    external_ids: Sequence[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """Its locked address; `fresh` False when this update was seen before."""

    fresh: bool
    address: UUID
    language: str
    speaker: UUID | None
    turn: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What a turn of the group leaves behind."""

    unit: Unit
    address: UUID
    account: UUID
    replies: Sequence[Outgoing]


class HalfSeen(Exception):
    """An update of which only a part is new: the group is done one by one."""


async def take_in(connection: AsyncConnection, arrivals: Sequence[Arrival]) -> list[Taken | None]:
    """What is known of each; None for one that is left out. One statement; locks what it takes."""
    names = [(n, one.account, name) for n, one in enumerate(arrivals) for name in one.hashes]
    keys = [
        (n, one.account, digest(external_id), one.at)
        for n, one in enumerate(arrivals)
        for external_id in one.external_ids
    ]
    rows = await connection.exec_driver_sql(_TAKE_IN, (*_columns(names), *_columns(keys)))
    found, fresh = {}, set()
    for row in rows:
        if row.key is None:
            found[row.n] = row
        else:
            fresh.add((row.id, row.key))
    new = [0] * len(arrivals)
    for n, account, key, _ in keys:
        new[n] += (account, key) in fresh
    return [
        _taken(found[n], new[n], len(one.external_ids)) if n in found else None
        for n, one in enumerate(arrivals)
    ]


def _taken(row: Any, new: int, keys: int) -> Taken:
    if new not in (0, keys):
        raise HalfSeen
    return Taken(new > 0, row.id, row.language, row.speaker_id, row.turn, row.stopped)


async def leave_out(connection: AsyncConnection, arrivals: Sequence[Arrival]) -> None:
    """Forgets that these came: they were taken in and are dealt with alone after all."""
    keys = [(one.account, digest(each)) for one in arrivals for each in one.external_ids]
    await connection.exec_driver_sql(_FORGET, tuple(_columns(keys)))


async def finish(
    connection: AsyncConnection,
    done: Sequence[Done],
    claimed_by: UUID,
    claimed_until: Sequence[datetime | None],
) -> None:
    """Stores the replies, claimed until these moments or not at all, and the audit rows, and that
    these people wrote. One statement. Their state and language stay as they are."""
    said = [
        (reply, one, until)
        for one, until in zip(done, claimed_until, strict=True)
        for reply in one.replies
    ]
    audited = [row for one in done for row in one.unit.audit_rows]
    await connection.exec_driver_sql(
        _FINISH,
        (
            [one.address for one in done],
            [one.unit.now for one in done],
            [reply.message for reply, _, _ in said],
            [reply.language for reply, _, _ in said],
            [reply.content for reply, _, _ in said],
            [one.unit.now for _, one, _ in said],
            [reply.delivery for reply, _, _ in said],
            [one.address for _, one, _ in said],
            [one.account for _, one, _ in said],
            [claimed_by if until else None for _, _, until in said],
            [until for _, _, until in said],
            *audit_columns(audited),
        ),
    )


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
