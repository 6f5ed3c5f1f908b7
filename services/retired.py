"""What an account leaves behind that is not ours any more: nobody sends for it.

Its messages have an outcome all the same (invariant 3), and a notice goes to the other messenger
of whoever has one.
"""

from core.outcomes import Outcome
from services import second_messenger, wanted
from services.unit import Unit

DETAIL = "account-retired"
END_DUE = "account-retired"  # a portion is ended, until nothing is left
AT_ONCE = 1_000  # deliveries: of those of a notice, so many people are looked up in one statement

# What is in a process' hands is its own until the lease is over.
_PORTION = """
SELECT d.id FROM delivery AS d JOIN account AS a ON a.id = d.account_id
WHERE NOT a.active AND d.outcome IS NULL AND d.priority >= 0 -- by ix_delivery_pending
  AND (d.claimed_until IS NULL OR d.claimed_until < $1)
LIMIT $2
"""
# What may have arrived stays unknown, without another try.
_END = f"""
WITH left_ AS (
    SELECT d.id, d.message_id FROM delivery AS d
    WHERE d.id = ANY($2::uuid[]) AND d.outcome IS NULL
      AND (d.claimed_until IS NULL OR d.claimed_until < $1)
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery AS d SET detail = '{DETAIL}', claimed_until = NULL, finished_at = $1,
       attempts = d.attempts + {wanted.DIED},
       outcome = CASE WHEN {wanted.LOST} THEN '{Outcome.UNKNOWN}'
                      ELSE '{Outcome.UNREACHABLE}' END, waiting_for = NULL
FROM left_ JOIN message AS m ON m.id = left_.message_id
WHERE d.id = left_.id RETURNING d.id, m.notice_id
"""
_LEFT = """
SELECT EXISTS (SELECT 1 FROM delivery AS d JOIN account AS a ON a.id = d.account_id
               WHERE NOT a.active AND d.outcome IS NULL AND d.priority >= 0)
"""


async def end(unit: Unit) -> bool:
    """Writes an outcome for a portion of what accounts that are not active have not sent; False
    when nothing is left."""
    connection = await unit.connection()
    found = await connection.exec_driver_sql(_PORTION, (unit.now, AT_ONCE))
    portion = [row.id for row in found]
    await second_messenger.hold(connection, portion)  # notices before deliveries, as everywhere
    rows = (await connection.exec_driver_sql(_END, (unit.now, portion))).all()
    if lost := [row.id for row in rows if row.notice_id is not None]:
        await second_messenger.turn_to(connection, lost, unit.now)
    return bool((await connection.exec_driver_sql(_LEFT)).scalar_one())
