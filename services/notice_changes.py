"""What an author does with a notice that is on its way: pause, resume, cancel, correct.

What a process has in its hands at that moment still goes out; a row that is due a minute later
catches what came back from there (`SETTLE_DUE`).
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.languages import Language
from core.outcomes import Outcome
from core.pace import WINDOW
from models.delivery import Notice
from rules.notices import NoticeKind
from rules.rulebook import Rulebook
from services import due, files, roles, rulebook, wanted
from services.notices import (
    MANY,
    SEND_DUE,
    SILENT_DUE,
    NoticeText,
    add_messages,
    check_languages,
    digest_of,
    opened,
    plan_silent,
    power_for,
    priority_of,
    sealed_texts,
)
from services.outbox import LEASE
from services.reach import begins
from services.unit import Refused, Unit

SETTLE_DUE = "notice-settle"
# What concerns very many people takes longer than a turn's statements may, and walks whole tables:
# of rows that it is just making the planner believes that they are few.
FOR_MANY = (
    "SET LOCAL statement_timeout = '120s'",
    "SET LOCAL enable_seqscan = on",
    "SET LOCAL enable_nestloop = off",
)
_MINE = "d.message_id = m.id AND m.notice_id = $1 AND d.outcome IS NULL"

# What waited for something else waits for it on ($4: unless the person has written since then);
# the rest goes at $3: now, or in the morning.
_RESUME = f"""
WITH held AS (
    SELECT d.id, d.not_before > $2 AND coalesce(a.last_inbound_at <= $4, true)
           AND d.detail IN ('window-closed', 'template-unavailable', 'daily-limit') AS waits
    FROM delivery AS d JOIN address AS a ON a.id = d.address_id, message AS m
    WHERE {_MINE} AND d.waiting_for = 'paused'
)
UPDATE delivery AS d SET detail = NULL,
       waiting_for = CASE WHEN held.waits THEN d.detail WHEN $3::timestamptz > $2
                          THEN '{Outcome.QUIET_HOURS}' END,
       not_before = CASE WHEN held.waits THEN d.not_before ELSE $3 END
FROM held WHERE d.id = held.id
"""
_LEFT = f"SELECT count(*) FROM delivery AS d, message AS m WHERE {_MINE}"
# Who has nothing yet gets the corrected text alone; who waits for a correction gets the newer.
_REPLACE = f"""
UPDATE delivery AS d SET message_id = new.id
FROM message AS m JOIN unnest($2::text[], $3::bool[], $4::uuid[]) AS new (language, corrects, id)
  ON new.language = m.language AND new.corrects = m.corrects
WHERE {_MINE} AND d.claimed_until IS NULL AND d.platform_id IS NULL AND d.lost = 0
"""
# Who got an older version in these languages, or may be getting it this moment, gets the
# correction: as long as the person, or whom the record was joined with since, is there and still
# behind that chat.
_CORRECT = f"""
WITH mine AS (
    SELECT resident_id, delivery_id, false AS second FROM recipient
    WHERE notice_id = $1 AND excluded IS NULL
    UNION ALL
    SELECT resident_id, second_id, true FROM recipient
    WHERE notice_id = $1 AND excluded IS NULL AND second_id IS NOT NULL
), had AS (
    SELECT mine.resident_id, mine.second, d.address_id, d.account_id, m.language
    FROM mine JOIN delivery AS d ON d.id = mine.delivery_id
    JOIN message AS m ON m.id = d.message_id
    JOIN resident AS was ON was.id = mine.resident_id
    JOIN resident AS who ON who.id = coalesce(was.merged_into, was.id) AND who.deleted_at IS NULL
    JOIN resident_address AS ra ON ra.resident_id = who.id AND ra.address_id = d.address_id
    WHERE m.revision < $5 AND m.language = ANY($3)
      AND (d.outcome IN ('sent', 'announced', 'unknown') OR d.outcome IS NULL)
), made AS (
    INSERT INTO delivery (id, message_id, address_id, account_id, priority, not_before, created_at,
                          waiting_for)
    SELECT gen_random_uuid(), new.id, one.address_id, one.account_id, $8, $7, $2,
           CASE WHEN $6 THEN 'paused' WHEN $7::timestamptz > $2 THEN '{Outcome.QUIET_HOURS}' END
    FROM (SELECT DISTINCT address_id, account_id, language FROM had) AS one
    JOIN unnest($3::text[], $4::uuid[]) AS new (language, id) USING (language)
    ON CONFLICT (message_id, address_id) DO UPDATE SET message_id = excluded.message_id
    RETURNING id, address_id -- also of one that waited there for another of the family
), again AS (
    SELECT had.resident_id, (array_agg(made.id) FILTER (WHERE NOT had.second))[1] AS first,
           (array_agg(made.id) FILTER (WHERE had.second))[1] AS second
    FROM had JOIN made USING (address_id) GROUP BY had.resident_id
)
UPDATE recipient AS r SET delivery_id = coalesce(again.first, r.delivery_id),
       second_id = coalesce(again.second, r.second_id), acknowledged_at = NULL
FROM again WHERE r.notice_id = $1 AND r.resident_id = again.resident_id
"""


async def pause(unit: Unit, notice: UUID) -> bool:
    """Nothing more of it goes out until `resume`; False when it is not under way.

    Raises Refused without the role and, for a clerk, the power to correct.
    """
    found = await _mine(unit, notice)
    if found.status == "paused" or not await _may_still_go(unit, found):
        return False
    found.status = "paused"
    await _settle_now(unit, found, wanted.pause)
    unit.audit("notice-paused", notice)
    return True


async def resume(unit: Unit, notice: UUID) -> bool:
    """It goes on where it was paused; False when it is not paused. Raises Refused.

    One that had not begun is due at its moment again; files of it that could not be fetched are
    left out.
    """
    found = await _mine(unit, notice)
    if found.status != "paused":
        return False
    if found.queued_at is None:
        await _leave_out_failed(unit, found)
        await _schedule(unit, found, found.send_at or unit.now)
    else:
        found.status, found.live_at = "sending", unit.now
        connection = await unit.connection()
        await unit.session.flush()
        first = await _first_moment(unit, found)
        await connection.exec_driver_sql(_RESUME, (notice, unit.now, first, unit.now - WINDOW))
        await plan_silent(unit, notice, await rulebook.of(unit.session, found.place_code))
    unit.audit("notice-resumed", notice)
    return True


async def cancel(unit: Unit, notice: UUID) -> bool:
    """Whoever has not got it yet does not get it; False when it was over. Raises Refused."""
    found = await _mine(unit, notice)
    if not await _may_still_go(unit, found):
        return False
    found.status, found.finished_at = "cancelled", unit.now
    await due.cancel(unit, notice, {SEND_DUE, SILENT_DUE})
    await _settle_now(unit, found, wanted.cancel)
    unit.audit("notice-cancelled", notice)
    return True


async def reschedule(unit: Unit, notice: UUID, at: datetime) -> datetime | None:
    """Another moment for a notice that has not begun, not in the quiet hours; that moment, or
    None when it has begun or is over. Raises Refused."""
    found = await _mine(unit, notice)
    if found.queued_at is not None or found.status not in ("scheduled", "paused"):
        return None
    moment = await _schedule(unit, found, at)
    unit.audit("notice-rescheduled", notice)
    return moment


async def correct(
    unit: Unit,
    notice: UUID,
    *,
    texts: Mapping[Language, NoticeText],
    monolingual: Language | None,
    revision: int,
    plain: Mapping[Language, dict[str, Any]],
    correction: Mapping[Language, dict[str, Any]],
) -> bool:
    """The notice says something else from now on: whoever has it gets the correction, marked as
    such; whoever has not gets the new text alone. Nothing comes to those in whose language the
    text is the same, and what they acknowledged counts.

    `revision` is the one that the new contents name; False when the notice is at another by now,
    was cancelled, or says all this already. Receipts of the older text stay in the trail and do
    not count for the new. Raises Refused.
    """
    found = await _mine(unit, notice)
    if found.status == "cancelled" or revision != found.revision + 1:
        return False
    await _may_send(unit, found)  # other words to everybody are as good as another notice
    check_languages(texts, monolingual)
    changed = opened(unit, found).changed(texts)
    if not changed:
        return False
    await wanted.supersede(unit, notice)  # what came back since the last correction
    found.released_by, found.digest = unit.actor, digest_of(unit, texts)
    found.revision, found.monolingual, found.corrected_at = revision, monolingual, unit.now
    for column, sealed in sealed_texts(unit, notice, texts).items():
        setattr(found, column, sealed)
    if found.queued_at is not None:
        await _send_correction(
            unit,
            found,
            {one: plain[one] for one in changed},
            {one: correction[one] for one in changed},
        )
    await unit.session.flush()
    unit.audit("notice-corrected", notice, revision=revision)
    return True


async def settle(unit: Unit, notice: UUID) -> bool:
    """Catches what was in a process' hands when the notice was paused, cancelled or corrected;
    True while something that was cancelled still is."""
    found = await unit.session.get(Notice, notice, with_for_update=True, populate_existing=True)
    if found is None:
        return False
    await wanted.supersede(unit, notice)
    if found.status == "paused":
        await wanted.pause(unit, notice)
    if found.status != "cancelled":
        return False
    await wanted.cancel(unit, notice)
    connection = await unit.connection()
    left = await connection.exec_driver_sql(_LEFT, (notice,))
    return bool(left.scalar_one())


async def withdraw(unit: Unit, notice: UUID, why: str) -> None:
    """Ends a scheduled notice without its author: the role ended."""
    found = await unit.session.get_one(Notice, notice)
    found.status, found.finished_at = "cancelled", unit.now
    unit.audit("notice-withdrawn", notice, why=why)


async def hold(unit: Unit, notice: UUID) -> None:
    """Pauses a scheduled notice without its author: one of its files could not be fetched."""
    found = await unit.session.get_one(Notice, notice)
    found.status = "paused"
    unit.audit("notice-held", notice)


async def _mine(unit: Unit, notice: UUID) -> Notice:
    """The notice, locked, for somebody of its own office who may change it."""
    found = await unit.session.get(Notice, notice, with_for_update=True, populate_existing=True)
    if found is None:
        unit.audit("tap-refused", notice)
        raise Refused("refused-role")
    await roles.require(
        unit,
        unit.actor,
        roles.MAY_SEND_NOTICES,
        found.place_code,
        roles.Power.CORRECT,
        own_office=True,
    )
    if found.recipients > MANY:
        for setting in FOR_MANY:
            await unit.session.execute(text(setting))
    return found


async def _may_send(unit: Unit, found: Notice) -> Rulebook:
    """The rules of its place, for somebody who may send its kind there. Raises Refused."""
    rules = await rulebook.of(unit.session, found.place_code)
    power = power_for(NoticeKind(found.kind), rules)
    await roles.require(
        unit, unit.actor, roles.MAY_SEND_NOTICES, found.place_code, power, own_office=True
    )
    return rules


async def _may_still_go(unit: Unit, found: Notice) -> bool:
    """Is there anything to be stopped: not begun, held, or without its outcome for somebody,
    whatever it waits for?"""
    if found.status == "cancelled":
        return False
    if found.queued_at is None or found.status == "paused":
        return True
    connection = await unit.connection()
    return bool((await connection.exec_driver_sql(_LEFT, (found.id,))).scalar_one())


async def _leave_out_failed(unit: Unit, found: Notice) -> None:
    cards = await files.described(unit, [UUID(file) for file in found.files])
    found.files = [str(card.id) for card in cards if card.failure is None]


async def _schedule(unit: Unit, found: Notice, at: datetime) -> datetime:
    rules = await _may_send(unit, found)
    moment = begins(NoticeKind(found.kind), rules, max(at, unit.now))
    found.status, found.send_at, found.released_by = "scheduled", moment, unit.actor
    await unit.session.flush()
    await due.cancel(unit, found.id, {SEND_DUE})
    key = f"{SEND_DUE}:{found.id}:{unit.new_id()}"
    await due.plan(unit, moment, SEND_DUE, found.id, key=key)
    return moment


async def _first_moment(unit: Unit, found: Notice) -> datetime:
    """When what is free to go may go: now, or in the morning."""
    rules = await rulebook.of(unit.session, found.place_code)
    return begins(NoticeKind(found.kind), rules, unit.now)


async def _settle_now(
    unit: Unit, found: Notice, act: Callable[[Unit, UUID], Awaitable[None]]
) -> None:
    found.live_at = unit.now if found.queued_at else None
    await unit.session.flush()
    await act(unit, found.id)
    await _settle_later(unit, found.id)


async def _settle_later(unit: Unit, notice: UUID) -> None:
    """What is in a process' hands now is back by then."""
    key = f"{SETTLE_DUE}:{unit.new_id()}"
    await due.plan(unit, unit.now + 2 * LEASE, SETTLE_DUE, notice, key=key)


async def _send_correction(
    unit: Unit,
    found: Notice,
    plain: Mapping[Language, dict[str, Any]],
    correction: Mapping[Language, dict[str, Any]],
) -> None:
    alone = await add_messages(unit, found.id, found.revision, plain)
    again = await add_messages(unit, found.id, found.revision, correction, corrects=True)
    new = [(language, False, one) for language, one in alone.items()]
    new += [(language, True, one) for language, one in again.items()]
    connection = await unit.connection()
    columns = [list(column) for column in zip(*new, strict=True)]
    await connection.exec_driver_sql(_REPLACE, (found.id, *columns))
    await unit.session.flush()
    paused, first = found.status == "paused", await _first_moment(unit, found)
    languages, messages = list(again), list(again.values())
    rules = await rulebook.of(unit.session, found.place_code)
    priority = priority_of(NoticeKind(found.kind), rules)
    await connection.exec_driver_sql(
        _CORRECT,
        (found.id, unit.now, languages, messages, found.revision, paused, first, priority),
    )
    await wanted.supersede(unit, found.id)
    await _settle_later(unit, found.id)
    if not paused:
        found.status, found.finished_at = "sending", None
    found.live_at = unit.now
    await plan_silent(unit, found.id, rules)
