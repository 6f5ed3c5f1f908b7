"""WhatsApp's daily quota: how many different people an account may write to outside the window.

Meta counts unique people in a moving 24 hours (messaging limits); a new sender has 250. A
broadcast is planned over days by it (services.reach), and every announcement asks here before
it is sent, so that processes, broadcasts and a restart share one count.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from core.pace import DAY, WINDOW
from services.unit import Unit

_WHY = "coalesce(CASE d.waiting_for WHEN 'paused' THEN d.detail ELSE d.waiting_for END, '')"
# A delivery d, held or not, that waits neither for another day nor for the person's own message:
# outside the window it opens a conversation, and what follows it to that chat costs nothing more.
PROMISED = (
    f"d.priority >= 2 AND d.outcome IS NULL AND {_WHY} NOT IN ('daily-limit', 'window-closed')"
)
_TAKEN = f"""
SELECT a.id, (SELECT count(*) FROM opened_conversation AS o
              WHERE o.account_id = a.id AND o.opened_at > $1) AS opened,
       (SELECT count(DISTINCT d.address_id) FROM delivery AS d
        JOIN address AS chat ON chat.id = d.address_id
        WHERE d.account_id = a.id AND d.outcome IS NULL AND d.priority >= 2
          AND chat.stopped_at IS NULL
          AND ({_WHY} = 'daily-limit'
               OR {PROMISED} AND coalesce(chat.last_inbound_at <= $2, true)
                  AND NOT EXISTS (SELECT 1 FROM opened_conversation AS o WHERE o.account_id = a.id
                                  AND o.address_id = d.address_id AND o.opened_at > $1))) AS ahead
FROM account AS a WHERE a.channel = 'whatsapp' AND a.active
"""
# In a statement of its own: one that waited for the lock would count what stood before it waited.
_LOCK = "SELECT 1 FROM account WHERE id = $1 FOR NO KEY UPDATE"
_RESERVE = """
WITH account AS (SELECT quota_closed_until FROM account WHERE id = $1),
known AS (SELECT 1 FROM opened_conversation
          WHERE account_id = $1 AND address_id = $2 AND opened_at > $3),
used AS (SELECT count(*) AS people FROM opened_conversation
         WHERE account_id = $1 AND opened_at > $3),
opened AS (
    INSERT INTO opened_conversation (account_id, address_id, opened_at)
    SELECT $1, $2, $4 FROM account, used
    WHERE NOT EXISTS (SELECT 1 FROM known) AND used.people < $5
      AND coalesce(account.quota_closed_until, $4) <= $4
    ON CONFLICT (account_id, address_id) DO UPDATE SET opened_at = excluded.opened_at
    RETURNING 1
)
SELECT EXISTS (SELECT 1 FROM known) AS known, EXISTS (SELECT 1 FROM opened) AS opened,
       greatest((SELECT quota_closed_until FROM account),
                (SELECT opened_at + $6 FROM opened_conversation
                 WHERE account_id = $1 AND opened_at > $3
                 ORDER BY opened_at DESC OFFSET greatest($5 - 1, 0) LIMIT 1)) AS free_at
"""


async def taken(unit: Unit, *, urgent: bool) -> Mapping[UUID, int]:
    """How many of today's new conversations each account has used, or promised to messages that
    are still to go today or wait for their day; what is urgent goes before those."""
    connection = await unit.connection()
    rows = await connection.exec_driver_sql(_TAKEN, (unit.now - DAY, unit.now - WINDOW))
    return {row.id: row.opened + (0 if urgent else row.ahead) for row in rows}


async def reserve(
    connection: AsyncConnection, account: UUID, address: UUID, now: datetime, limit: int
) -> tuple[bool, datetime | None]:
    """(is this person newly counted?, when to come again). No moment: the announcement may go.
    Holds the account until the commit, so that nobody counts beside it.

    Somebody who was written to in the last 24 hours costs nothing more.
    """
    await connection.exec_driver_sql(_LOCK, (account,))
    row = (
        await connection.exec_driver_sql(_RESERVE, (account, address, now - DAY, now, limit, DAY))
    ).one()
    if row.known or row.opened:
        return row.opened, None
    return False, row.free_at or now + DAY


async def give_back(connection: AsyncConnection, account: UUID, address: UUID) -> None:
    """The announcement was not accepted: the person does not count."""
    await connection.exec_driver_sql(
        "DELETE FROM opened_conversation WHERE account_id = $1 AND address_id = $2",
        (account, address),
    )


async def close(connection: AsyncConnection, account: UUID, now: datetime) -> datetime:
    """WhatsApp says that the quota is used up, whatever we counted: no announcement of this
    account before the first of those conversations is a day old, and none for an hour at least.

    Returns that moment. What waits goes then, in its order.
    """
    row = (
        await connection.exec_driver_sql(
            "UPDATE account SET quota_closed_until = greatest(quota_closed_until,"
            " $2::timestamptz + interval '1 hour', (SELECT min(opened_at) + $3::interval"
            "  FROM opened_conversation WHERE account_id = $1 AND opened_at > $4)) WHERE id = $1"
            " RETURNING quota_closed_until",
            (account, now, DAY, now - DAY),
        )
    ).one()
    until: datetime = row.quota_closed_until
    return until


async def forget(connection: AsyncConnection, now: datetime) -> None:
    """Forgets conversations that no longer count."""
    await connection.exec_driver_sql(
        "DELETE FROM opened_conversation WHERE opened_at < $1", (now - 2 * DAY,)
    )
