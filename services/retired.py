"""What an account leaves behind that is not ours any more: nobody sends for it.

Its messages have an outcome all the same (invariant 3), and a notice goes to the other messenger
of whoever has one.
"""

from core.outcomes import Outcome
from services import second_messenger, wanted
from services.unit import Unit

DETAIL = "account-retired"
AT_ONCE = 1_000  # deliveries: of those of a notice, so many people are looked up in one statement

# What is in a process' hands is its own until the lease is over. What may have arrived stays
# unknown, without another try.
_END = f"""
WITH left_ AS (
    SELECT d.id, d.message_id FROM delivery AS d JOIN account AS a ON a.id = d.account_id
    WHERE NOT a.active AND d.outcome IS NULL AND d.priority >= 0 -- by ix_delivery_pending
      AND (d.claimed_until IS NULL OR d.claimed_until < $1)
    LIMIT $2 FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery AS d SET detail = '{DETAIL}', claimed_until = NULL, finished_at = $1,
       outcome = CASE WHEN {wanted.LOST} THEN '{Outcome.UNKNOWN}'
                      ELSE '{Outcome.UNREACHABLE}' END, waiting_for = NULL
FROM left_ JOIN message AS m ON m.id = left_.message_id
WHERE d.id = left_.id RETURNING d.id, m.notice_id
"""


async def end(unit: Unit) -> int:
    """Writes an outcome for whatever accounts that are not active have not sent; how many."""
    connection = await unit.connection()
    ended = 0
    while rows := (await connection.exec_driver_sql(_END, (unit.now, AT_ONCE))).all():
        ended += len(rows)
        if lost := [row.id for row in rows if row.notice_id is not None]:
            await second_messenger.turn_to(connection, lost, unit.now)
    return ended
