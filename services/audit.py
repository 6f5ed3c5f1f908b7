"""The audit trail: written with the turn, sealed into a hash chain right after the commit.

Sealing inside the turn would make every turn wait for the one before (DESIGN invariant 10), so
one process chains the committed rows every second.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.intake import audit_columns
from services.unit import Unit

SEALER = 7_100_002  # advisory lock: one sealer at a time
GENESIS = b"\x00" * 32
BATCH = 5_000
LATE = 50_000  # rows: a transaction that took its number and commits seconds later is found
EVER = 2**62

_WRITE = """
INSERT INTO audit (at, actor_id, channel, action, object_id, details)
SELECT at, actor, channel, action, object_id, details::jsonb
FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
  AS r (at, actor, channel, action, object_id, details)
"""
_ROWS = """
SELECT a.id, a.at, a.actor_id, a.channel, a.action, a.object_id, a.details
"""


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What a walk along the chain found."""

    sealed: int
    waiting: int
    broken_at: int | None  # seq of the first link that does not fit


async def write(unit: Unit) -> None:
    """Writes the unit's audit rows now (turns do it with their last statement)."""
    if unit.audit_rows:
        connection = await unit.connection()
        await connection.exec_driver_sql(_WRITE, tuple(audit_columns(unit.audit_rows)))
        unit.audit_rows.clear()


async def seal(connection: AsyncConnection, late: int = LATE) -> int:
    """Chains committed rows that are not chained yet; how many. Does nothing while another does.

    Looks no further back than `late` rows behind the newest link, so that a second's work does
    not grow with the trail; `EVER` looks through all of it.
    """
    if not await connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({SEALER})")):
        return 0
    last = (
        await connection.execute(text("SELECT seq, hash FROM audit_seal ORDER BY seq DESC LIMIT 1"))
    ).one_or_none()
    seq, link = (last.seq, last.hash) if last else (0, GENESIS)
    rows = (
        await connection.execute(
            text(
                _ROWS + "FROM audit AS a LEFT JOIN audit_seal AS s ON s.audit_id = a.id"
                " WHERE s.audit_id IS NULL AND a.id >"
                " coalesce((SELECT max(audit_id) FROM audit_seal), 0) - :late"
                " ORDER BY a.id LIMIT :batch"
            ),
            {"batch": BATCH, "late": late},
        )
    ).all()
    links = []
    for row in rows:
        seq, link = seq + 1, _link(link, row)
        links.append((seq, row.id, link))
    if links:
        await connection.exec_driver_sql(
            "INSERT INTO audit_seal (seq, audit_id, hash)"
            " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])",
            tuple(list(column) for column in zip(*links, strict=True)),
        )
    return len(links)


async def verify(session: AsyncSession) -> ChainCheck:
    """Walks the whole chain: a changed, removed or inserted row breaks it."""
    seq, link, broken = 0, GENESIS, None
    result = await session.stream(
        text(
            _ROWS + ", s.seq, s.hash FROM audit_seal AS s"
            " LEFT JOIN audit AS a ON a.id = s.audit_id ORDER BY s.seq"
        )
    )
    async for row in result:
        seq, link = seq + 1, _link(link, row)
        if row.seq != seq or row.hash != link:
            broken = row.seq
            break
    waiting = await session.scalar(
        text("SELECT count(*) FROM audit WHERE id NOT IN (SELECT audit_id FROM audit_seal)")
    )
    return ChainCheck(seq, waiting or 0, broken)


def _link(before: bytes, row: Any) -> bytes:
    at = row.at.isoformat() if row.at else None
    fields: Sequence[Any] = (
        row.id, at, str(row.actor_id), row.channel, row.action, row.object_id, row.details
    )  # fmt: skip
    canonical = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(before + canonical.encode()).digest()
