""" "I have read it", for as many people at once as have tapped: the hottest effect of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.unit import Unit

# The recipients of a delivery are found by its id alone, whatever the planner believes of the
# tables: as the person's first messenger, or as the other one.
_ACKNOWLEDGE = """
WITH asked AS MATERIALIZED (
    SELECT t.n, t.notice_id, t.address_id, t.at, n.revision, n.revision = t.revision AS current
    FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::int[], $5::timestamptz[])
      AS t (n, notice_id, address_id, revision, at)
    JOIN notice AS n ON n.id = t.notice_id
), mine AS MATERIALIZED (
    SELECT asked.n, asked.notice_id, asked.at, asked.current, d.id, d.outcome
    FROM asked JOIN message AS m ON m.notice_id = asked.notice_id
    JOIN delivery AS d ON d.message_id = m.id AND d.address_id = asked.address_id
), people AS MATERIALIZED (
    SELECT mine.n, mine.at, r.notice_id, r.resident_id
    FROM mine CROSS JOIN LATERAL (
        SELECT notice_id, resident_id FROM recipient WHERE delivery_id = mine.id
        UNION SELECT notice_id, resident_id FROM recipient WHERE second_id = mine.id
    ) AS r
    WHERE mine.current AND r.notice_id = mine.notice_id
), heard AS (
    UPDATE recipient AS r SET acknowledged_at = people.at FROM people
    WHERE r.notice_id = people.notice_id AND r.resident_id = people.resident_id
      AND r.acknowledged_at IS NULL
    RETURNING people.n
), full_text AS (
    UPDATE delivery AS d SET outcome = 'sent', sent_at = mine.at FROM mine
    WHERE d.id = mine.id AND mine.outcome = 'announced' AND d.outcome = 'announced'
)
SELECT asked.n, asked.revision, EXISTS (SELECT 1 FROM heard WHERE heard.n = asked.n) AS newly
FROM asked WHERE EXISTS (SELECT 1 FROM mine WHERE mine.n = asked.n)
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A tap of "I have read it": of which notice, at which revision, from which address."""

    unit: Unit
    notice: UUID
    address: UUID
    revision: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The notice's revision now, and whether this tap was the first to acknowledge it."""

    revision: int
    newly: bool


async def acknowledge(receipts: Sequence[Receipt]) -> list[Acknowledged | None]:
    """Acknowledges all of them, whose units share a transaction. Idempotent; one statement. The
    button of an older revision acknowledges nothing.

    None for a notice that did not go to that address: a forged tap. It is for the caller to note.
    """
    found: list[Acknowledged | None] = [None] * len(receipts)
    if not receipts:
        return found
    connection = await receipts[0].unit.connection()
    rows = await connection.exec_driver_sql(
        _ACKNOWLEDGE,
        (
            list(range(len(receipts))),
            [one.notice for one in receipts],
            [one.address for one in receipts],
            [one.revision for one in receipts],
            [one.unit.now for one in receipts],
        ),
    )
    for row in rows:
        found[row.n] = Acknowledged(row.revision, row.newly)
        if row.newly:
            receipts[row.n].unit.audit("notice-acknowledged", receipts[row.n].notice)
    return found
