""" "I have read it", for as many people at once as have tapped: the hottest effect of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.unit import Unit

# From the notice to its letters, to their deliveries, to those behind them: each by its own key,
# whatever the planner believes of the tables: OFFSET 0 keeps it from joining them in bulk, and of
# an array it expects but a few rows.
_ACKNOWLEDGE = """
WITH letters AS MATERIALIZED (
    SELECT t.n, t.notice_id, t.address_id, t.at, c.current, m.id, m.revision = t.revision AS tapped,
           CASE WHEN c.current THEN t.revision ELSE n.revision END AS revision
    FROM unnest($1::int[], $2::uuid[], $3::uuid[], $4::int[], $5::timestamptz[])
      AS t (n, notice_id, address_id, revision, at)
    CROSS JOIN LATERAL (SELECT revision FROM notice WHERE id = t.notice_id OFFSET 0) AS n
    CROSS JOIN LATERAL (
        SELECT id, revision, max(revision) OVER (PARTITION BY language) AS newest
        FROM message WHERE notice_id = t.notice_id OFFSET 0
    ) AS m
    CROSS JOIN LATERAL (SELECT t.revision BETWEEN m.newest AND n.revision AS current) AS c
), mine AS MATERIALIZED (
    SELECT letters.n, letters.notice_id, letters.at, letters.revision, letters.current,
           letters.tapped, d.id, d.outcome
    FROM letters CROSS JOIN LATERAL (
        SELECT id, outcome FROM delivery
        WHERE message_id = letters.id AND address_id = letters.address_id OFFSET 0
    ) AS d
), people AS MATERIALIZED (
    SELECT mine.n, mine.at, r.notice_id, r.resident_id, r.excluded
    FROM mine CROSS JOIN LATERAL (
        SELECT notice_id, resident_id, excluded FROM recipient WHERE delivery_id = mine.id
        UNION SELECT notice_id, resident_id, excluded FROM recipient WHERE second_id = mine.id
    ) AS r
    WHERE mine.current AND r.notice_id = mine.notice_id
), heard AS (
    UPDATE recipient AS r SET acknowledged_at = p.at
    FROM unnest((SELECT array_agg(n) FROM people), (SELECT array_agg(notice_id) FROM people),
                (SELECT array_agg(resident_id) FROM people), (SELECT array_agg(at) FROM people))
      AS p (n, notice_id, resident_id, at)
    WHERE r.notice_id = p.notice_id AND r.resident_id = p.resident_id
      AND r.acknowledged_at IS NULL
    RETURNING p.n
), full_text AS (
    UPDATE delivery AS d SET outcome = 'sent', sent_at = mine.at FROM mine
    WHERE d.id = mine.id AND mine.outcome = 'announced' AND d.outcome = 'announced'
      AND mine.tapped -- of another text only its announcement has come
)
SELECT n, revision, false AS newly, 0 AS people FROM mine
UNION ALL SELECT n, NULL, true, 0 FROM heard
UNION ALL SELECT n, NULL, false, count(*) FROM people WHERE excluded IS NULL GROUP BY n
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
    """The tapped revision as long as its text stands in the language of this chat, else the
    notice's revision now; whether this tap was the first to acknowledge it; and for how many
    residents it stands: all whom the notice reached by this chat."""

    revision: int
    newly: bool
    people: int


async def acknowledge(receipts: Sequence[Receipt]) -> list[Acknowledged | None]:
    """Acknowledges all of them, whose units share a transaction. Idempotent; one statement. The
    button of a text that was corrected since acknowledges nothing.

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
    newly, people = set(), {}
    for row in rows:
        if row.newly:
            newly.add(row.n)
        elif row.people:
            people[row.n] = row.people
        elif found[row.n] is None or row.revision == receipts[row.n].revision:
            found[row.n] = Acknowledged(row.revision, newly=False, people=0)
    for n in newly | people.keys():
        found[n] = replace(found[n], newly=n in newly, people=people.get(n, 0))
    for n in newly:
        receipts[n].unit.audit("notice-acknowledged", receipts[n].notice)
    return found
