"""Whom a notice reaches, by which messenger, and how long that takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.clock import local
from core.pace import PER_SECOND, WINDOW
from rules.notices import NoticeKind, quiet_until
from rules.rulebook import Rulebook
from services import quota, rulebook
from services.unit import Unit

_REGISTERED = """r.place_code = ANY($1::text[]) AND r.registered_at IS NOT NULL
      AND r.deleted_at IS NULL AND r.merged_into IS NULL"""
# $1 places, $2 the kind (empty where it cannot be muted), $3 the moment from which a person's
# last message keeps WhatsApp's window open.
REACH = f"""
    SELECT r.id AS resident_id, best.id AS address_id, best.account_id, best.channel,
           coalesce(best.language, r.language) AS language, best.last_inbound_at,
           r.muted @> to_jsonb($2::text) AS muted,
           best.channel = 'whatsapp' AND coalesce(best.last_inbound_at <= $3, true) AS outside,
           best.channel = 'whatsapp' AND coalesce(best.last_inbound_at <= $3, true)
             AND NOT EXISTS (SELECT 1 FROM opened_conversation AS o
                             WHERE o.account_id = best.account_id AND o.address_id = best.id
                               AND o.opened_at > $3)
             AND NOT EXISTS (SELECT 1 FROM delivery AS d
                             WHERE d.address_id = best.id AND {quota.PROMISED}) AS opens
    FROM resident AS r LEFT JOIN LATERAL (
        SELECT a.id, a.account_id, c.channel, a.language, a.last_inbound_at
        FROM resident_address AS ra JOIN address AS a ON a.id = ra.address_id
        JOIN account AS c ON c.id = a.account_id
        WHERE ra.resident_id = r.id AND a.stopped_at IS NULL AND c.active
        ORDER BY c.channel = r.preferred_channel DESC NULLS LAST,
                 a.last_inbound_at DESC NULLS LAST, a.id
        LIMIT 1
    ) AS best ON true
    WHERE {_REGISTERED}
"""
_COUNT = f"""
SELECT CASE WHEN reach.muted THEN 'muted' ELSE reach.channel END AS way, account_id,
       count(*) AS people, count(DISTINCT address_id) FILTER (WHERE opens) AS opens,
       count(DISTINCT address_id) FILTER (WHERE outside) AS outside
FROM ({REACH}) AS reach GROUP BY 1, 2
"""
_SOME = f"SELECT count(*) FROM (SELECT 1 FROM resident AS r WHERE {_REGISTERED} LIMIT $2) AS one"


@dataclass(frozen=True, slots=True)
class Reach:
    """Residents by the messenger that would be used, and those that get nothing, and why."""

    by_channel: Mapping[str, int]
    unreachable: int  # with no chat that may be written to
    muted: int  # do not want this kind
    opens: Mapping[UUID, int]  # account → chats that need one of the day's new conversations
    outside: int  # chats that WhatsApp lets us write to only with an announcement

    @property
    def people(self) -> int:
        """All registered residents of the audience."""
        return sum(self.by_channel.values()) + self.unreachable + self.muted


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a notice would begin, and how long it would take."""

    begins: datetime
    quiet: bool  # put off to the end of the quiet hours
    seconds: int  # for what can go at once
    days: int  # 1: all of it at once; more: WhatsApp's quota spreads it
    first_day: int  # residents' chats reached on the first of these days


def kind_to_mute(kind: NoticeKind, rules: Rulebook) -> str:
    """The kind as residents may have muted it; empty for what they cannot."""
    return "" if kind in rules.urgent_kinds else kind.value


def begins(kind: NoticeKind, rules: Rulebook, at: datetime) -> datetime:
    """The first moment, not before `at`, at which this kind may be sent (DESIGN part 7)."""
    if kind in rules.urgent_kinds:
        return at
    return quiet_until(local(at), rules.quiet_from, rules.quiet_until) or at


async def more_than(unit: Unit, audience: Sequence[str], people: int) -> bool:
    """Have these places more registered residents than so many? Counts no further than that."""
    connection = await unit.connection()
    found = await connection.exec_driver_sql(_SOME, (list(audience), people + 1))
    return bool(found.scalar_one() > people)


async def reach(unit: Unit, place_code: str, audience: Sequence[str], kind: NoticeKind) -> Reach:
    """How many residents these places have, by the messenger that would be used now; under the
    rules of the office's place."""
    rules = await rulebook.of(unit.session, place_code)
    connection = await unit.connection()
    rows = await connection.exec_driver_sql(
        _COUNT, (list(audience), kind_to_mute(kind, rules), unit.now - WINDOW)
    )
    by_channel: dict[str, int] = {}
    opens: dict[UUID, int] = {}
    unreachable = muted = outside = 0
    for row in rows:
        if row.way is None:
            unreachable += row.people
        elif row.way == "muted":
            muted += row.people
        else:
            by_channel[row.way] = by_channel.get(row.way, 0) + row.people
            outside += row.outside
            if row.opens:
                opens[row.account_id] = opens.get(row.account_id, 0) + row.opens
    return Reach(by_channel, unreachable, muted, opens, outside)


async def forecast(
    unit: Unit, place_code: str, reached: Reach, kind: NoticeKind, at: datetime | None = None
) -> Forecast:
    """How it would go if it were sent at this moment (now): not in the quiet hours, at the
    messengers' pace, within the day's quota."""
    rules = await rulebook.of(unit.session, place_code)
    wanted = max(at or unit.now, unit.now)
    first = begins(kind, rules, wanted)
    used = await quota.taken(unit, urgent=kind in rules.urgent_kinds)
    limit = rules.whatsapp_people_a_day
    waits = {
        account: max(people - max(limit - used.get(account, 0), 0), 0)
        for account, people in reached.opens.items()
    }
    days = 1 + max((math.ceil(rest / limit) for rest in waits.values()), default=0)
    at_once = {
        channel: people - (sum(waits.values()) if channel == "whatsapp" else 0)
        for channel, people in reached.by_channel.items()
    }
    seconds = max((math.ceil(n / PER_SECOND[c]) for c, n in at_once.items()), default=0)
    return Forecast(first, first > wanted, seconds, days, max(sum(at_once.values()), 0))
