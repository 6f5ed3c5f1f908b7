"""How long a message waits for a person's own: outside WhatsApp's window, where no template
announces it, nothing can be sent before. Months later a notice would be no news any more, and a
reply is no answer after days."""

from collections import Counter
from datetime import timedelta

from core.outcomes import Outcome
from services import rulebook
from services.outbox import WORDS_KEPT
from services.unit import Unit

REPLY_WAITS = WORDS_KEPT  # nor are its words, which may repeat a name or a phone, kept for longer
_FOR_THEM = ", ".join(f"'{why}'" for why in (Outcome.WINDOW_CLOSED, Outcome.TEMPLATE_UNAVAILABLE))
# The first condition is said as ix_delivery_waiting says it.
_WAITS = f"""d.waiting_for IN ('window-closed', 'template-unavailable', 'daily-limit')
    AND d.waiting_for IN ({_FOR_THEM}) AND d.outcome IS NULL"""
_PLACES = f"""
SELECT DISTINCT n.place_code FROM delivery AS d JOIN message AS m ON m.id = d.message_id
JOIN notice AS n ON n.id = m.notice_id WHERE {_WAITS}
"""
_EXPIRE = f"""
WITH over AS (
    SELECT d.id, n.id AS notice_id FROM delivery AS d JOIN message AS m ON m.id = d.message_id
    JOIN notice AS n ON n.id = m.notice_id
    WHERE {_WAITS} AND n.place_code = $1 AND d.created_at <= $2
      AND (d.claimed_until IS NULL OR d.claimed_until < $3)
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery AS d SET outcome = '{Outcome.EXPIRED}', waiting_for = NULL,
       claimed_until = NULL, finished_at = $3
FROM over WHERE d.id = over.id RETURNING over.notice_id
"""
_EXPIRE_REPLIES = f"""
WITH over AS (
    SELECT d.id FROM delivery AS d JOIN message AS m ON m.id = d.message_id
    WHERE {_WAITS} AND m.notice_id IS NULL AND d.created_at <= $1
      AND (d.claimed_until IS NULL OR d.claimed_until < $2)
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery AS d SET outcome = '{Outcome.EXPIRED}', waiting_for = NULL,
       claimed_until = NULL, finished_at = $2
FROM over WHERE d.id = over.id
"""


async def end(unit: Unit) -> int:
    """What has waited for its reader for too long is not sent any more; how many. A notice: the
    rulebook's `notice_waits` (calendar days, by the office's place); anything else:
    `REPLY_WAITS`."""
    return await _end_notices(unit) + await _end_replies(unit)


async def _end_replies(unit: Unit) -> int:
    connection = await unit.connection()
    ended = await connection.exec_driver_sql(_EXPIRE_REPLIES, (unit.now - REPLY_WAITS, unit.now))
    return ended.rowcount


async def _end_notices(unit: Unit) -> int:
    connection = await unit.connection()
    ended: Counter[object] = Counter()
    for place in (await connection.exec_driver_sql(_PLACES)).scalars().all():
        rules = await rulebook.of(unit.session, place)
        since = unit.now - timedelta(days=rules.notice_waits)
        rows = await connection.exec_driver_sql(_EXPIRE, (place, since, unit.now))
        ended.update(row.notice_id for row in rows)
    for notice, deliveries in ended.items():
        unit.audit("notice-expired", notice, deliveries=deliveries)
    return ended.total()
