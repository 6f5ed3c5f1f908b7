""" "I have read it", for as many people at once as have tapped: the hottest effect of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.unit import Unit

# From the notice to its letters, to their deliveries, to those behind them: each by its own key,
# whatever the planner believes of the tables.
_ACKNOWLEDGE = """
WITH letters AS MATERIALIZED (
    SELECT t.n, t.notice_id, t.address_id, t.at, n.revision, n.revision = t.revision AS current,
           m.id
    FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::int[], $5::timestamptz[])
      AS t (n, notice_id, address_id, revision, at)
    JOIN notice AS n ON n.id = t.notice_id JOIN message AS m ON m.notice_id = n.id
), mine AS MATERIALIZED (
    SELECT letters.n, letters.notice_id, letters.at, letters.revision, letters.current, d.id,
           d.outcome
    FROM letters JOIN delivery AS d
      ON d.message_id = letters.id AND d.address_id = letters.address_id
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
SELECT n, revision, false AS newly FROM mine UNION ALL SELECT n, NULL, true FROM heard
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
    newly = set()
    for row in rows:
        if row.newly:
            newly.add(row.n)
        else:
            found[row.n] = Acknowledged(row.revision, newly=False)
    for n in newly:
        found[n] = replace(found[n], newly=True)
        receipts[n].unit.audit("notice-acknowledged", receipts[n].notice)
    return found
