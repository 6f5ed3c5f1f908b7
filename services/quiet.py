"""The quiet hours at the last moment: what is not urgent and about to leave waits for the morning.

Whoever queues, resumes or corrects asks `reach.begins` first. What comes to its turn at night all
the same (the tail of a long notice, another try, a template that was approved, the turn to the
other messenger) is met here, where deliveries are leased.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from core.outcomes import Outcome
from rules.notices import NoticeKind
from services import rulebook, wanted
from services.reach import begins

AT_ONCE = 1000  # of a notice's tail, so that what is urgent is soon behind it no longer

_ABOUT = "SELECT id, kind, place_code FROM notice WHERE id = ANY($1::uuid[])"
# Others' leases are theirs. What was begun is finished: a second part, an answer that was lost.
_DIED = f"CASE WHEN d.id = ANY($4::uuid[]) THEN 0 ELSE {wanted.DIED} END"
_PUT_OFF = f"""
WITH tail AS (
    SELECT d.id FROM delivery AS d JOIN message AS m ON m.id = d.message_id
    WHERE m.notice_id = $1 AND d.outcome IS NULL AND d.not_before < $2 AND d.parts_sent = 0
      AND coalesce(d.waiting_for, '') NOT IN ('unknown', 'paused')
      AND (d.claimed_until IS NULL OR d.claimed_until < $3 OR d.id = ANY($4::uuid[]))
    ORDER BY d.id = ANY($4::uuid[]) DESC LIMIT {AT_ONCE}
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery AS d SET not_before = $2, claimed_until = NULL,
    attempts = d.attempts + {_DIED}, lost = d.lost + {_DIED}, waiting_for = CASE
    WHEN d.waiting_for IN ('template-unavailable', 'daily-limit') THEN d.waiting_for
    ELSE '{Outcome.QUIET_HOURS}' END
FROM tail WHERE d.id = tail.id RETURNING d.id
"""


async def put_off(connection: AsyncConnection, leased: Sequence[Any], now: datetime) -> set[UUID]:
    """Gives back what may not go now of these leased rows (id, notice_id), and with it what is
    behind them of the same notices; which."""
    notices = {row.notice_id for row in leased} - {None}
    if not notices:
        return set()
    late: set[UUID] = set()
    for notice, morning in await _waiting(connection, notices, now):
        mine = [row.id for row in leased if row.notice_id == notice]
        put = await connection.exec_driver_sql(_PUT_OFF, (notice, morning, now, mine))
        late |= {row.id for row in put}
    return late


async def _waiting(
    connection: AsyncConnection, notices: Collection[UUID], now: datetime
) -> list[tuple[UUID, datetime]]:
    """Those that have to wait, and until when; under the rules of the office's place."""
    found = []
    for row in (await connection.exec_driver_sql(_ABOUT, (list(notices),))).all():
        rules = await rulebook.of(AsyncSession(connection), row.place_code)
        morning = begins(NoticeKind(row.kind), rules, now)
        if morning > now:
            found.append((row.id, morning))
    return found
