"""Notices: an akim's message to every registered resident of an okrug or of chosen villages."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.languages import Language
from core.outcomes import ARRIVED, WAITING, Outcome
from core.pace import DAY, PER_SECOND, WINDOW
from core.texts import Named
from models.delivery import Delivery, Message, Notice, Recipient
from models.files import File
from models.people import Resident
from rules.notices import NoticeKind
from rules.rulebook import Rulebook
from services import due, outbox, quota, receipts, roles, rulebook
from services.outbox import seal_content
from services.reach import REACH, begins, kind_to_mute, more_than
from services.receipts import Acknowledged, Receipt
from services.territory import codes_inside
from services.unit import Refused, Unit
from services.wanted import OLD

TITLE, BODY = "notice.title", "notice.text"
_MOMENT = func.coalesce(Notice.send_at, Notice.created_at)  # when it went, or is to go
LIVE_PAUSE = timedelta(seconds=3)  # between edits of the author's live message
# More people are not queued inside a turn, of which a statement may take five seconds: a hundred
# thousand take about four where nothing else is done (benchmarks, audience).
MANY = 5_000
SEND_DUE, SILENT_DUE = "notice-send", "notice-silent"  # kinds of what is due

_QUEUE = f"""
WITH reach AS MATERIALIZED ({REACH}), one AS (
    SELECT DISTINCT ON (address_id) address_id, account_id, language, last_inbound_at, opens
    FROM reach WHERE address_id IS NOT NULL AND NOT muted ORDER BY address_id, language
), placed AS (
    SELECT one.*, CASE WHEN one.opens THEN greatest(0, ceil((row_number() OVER (
                           PARTITION BY one.account_id, one.opens
                           ORDER BY one.last_inbound_at DESC NULLS LAST, one.address_id)
                       + coalesce(used.people, 0) - $9)::numeric / $9))::int ELSE 0 END AS day
    FROM one LEFT JOIN unnest($7::uuid[], $8::int[]) AS used (account_id, people) USING (account_id)
), sent AS (
    INSERT INTO delivery (id, message_id, address_id, account_id, priority, not_before,
                          waiting_for, created_at)
    SELECT gen_random_uuid(), m.id, placed.address_id, placed.account_id, $12,
           $10::timestamptz + placed.day * $11::interval,
           CASE WHEN placed.day > 0 THEN 'daily-limit' END, $10
    FROM placed JOIN unnest($5::text[], $6::uuid[]) AS m (language, id)
      ON m.language = placed.language
    ORDER BY placed.day, placed.opens, placed.last_inbound_at DESC NULLS LAST, placed.address_id
    RETURNING id, address_id
), told AS (
    INSERT INTO recipient (notice_id, resident_id, delivery_id, excluded)
    SELECT $4, reach.resident_id, sent.id, CASE WHEN reach.muted THEN 'muted' END
    FROM reach LEFT JOIN sent ON sent.address_id = reach.address_id AND NOT reach.muted
    RETURNING delivery_id, excluded
)
SELECT count(*) FILTER (WHERE excluded IS NULL) AS recipients,
       count(*) FILTER (WHERE delivery_id IS NULL AND excluded IS NULL) AS unreachable,
       count(excluded) AS muted FROM told
"""
# A resident counts by the better of two messengers: what arrived, then what still waits. Whose chat
# was there already and got nothing had stopped it then, also if they have come back since.
STATE = """CASE WHEN r.excluded IS NOT NULL THEN 'excluded:' || r.excluded
     WHEN r.delivery_id IS NULL THEN CASE WHEN EXISTS (
         SELECT 1 FROM resident_address AS ra JOIN address AS a ON a.id = ra.address_id
         JOIN account AS c ON c.id = a.account_id JOIN notice AS n ON n.id = r.notice_id
         WHERE ra.resident_id = r.resident_id AND ra.created_at <= n.queued_at
           AND (a.stopped_at IS NOT NULL OR c.active))
       THEN 'blocked' ELSE 'no-address' END
     WHEN 'sent' IN (d.outcome, s.outcome) THEN 'sent'
     WHEN 'announced' IN (d.outcome, s.outcome) THEN 'announced'
     WHEN d.outcome IS NULL THEN 'pending:' || coalesce(d.waiting_for, '')
     WHEN s.id IS NOT NULL AND s.outcome IS NULL THEN 'pending:' || coalesce(s.waiting_for, '')
     ELSE d.outcome END"""
# The text has come, and a picture before it has not: nor did the other messenger bring it whole.
IN_PART = """coalesce(s.outcome, '') NOT IN ('sent', 'announced') AND d.outcome = 'sent'
       AND coalesce(d.detail LIKE 'part %', false)"""
_COUNTS = f"""
SELECT {STATE} AS state, CASE WHEN r.excluded IS NULL AND {IN_PART} THEN coalesce(
           substring(d.detail FROM '^part [0-9]+ ([a-z-]+):'), '{Outcome.UNREACHABLE}')
       END AS part_lost, count(*) AS people, count(r.acknowledged_at) AS acknowledged,
       count(*) FILTER (WHERE coalesce(d.delivered_at, s.delivered_at) IS NOT NULL) AS delivered,
       count(*) FILTER (WHERE 'sent' IN (CASE WHEN d.read_at IS NOT NULL THEN d.outcome END,
                                         CASE WHEN s.read_at IS NOT NULL THEN s.outcome END))
         AS read,
       count(*) FILTER (WHERE d.id IS NOT NULL AND d.outcome IS NULL
                           OR s.id IS NOT NULL AND s.outcome IS NULL) AS unsettled,
       max(CASE WHEN d.outcome IS NULL THEN d.not_before ELSE s.not_before END) AS last_due
FROM recipient AS r LEFT JOIN delivery AS d ON d.id = r.delivery_id
LEFT JOIN delivery AS s ON s.id = r.second_id
WHERE r.notice_id = $1 {{read}} GROUP BY 1, 2
"""
# One tap stands for all whom the notice reached by the same chat, and is of one moment.
SHARED = "coalesce(r.second_id, r.delivery_id), r.acknowledged_at"
_SHARED = f"""
SELECT coalesce(sum(people), 0)::int FROM (
    SELECT count(*) AS people FROM recipient AS r
    WHERE r.notice_id = $1 AND r.acknowledged_at IS NOT NULL AND r.excluded IS NULL
    GROUP BY {SHARED} HAVING count(*) > 1) AS tap
"""
_UNCORRECTED = """
SELECT count(*)::int FROM recipient AS r JOIN delivery AS d ON d.id = r.delivery_id
JOIN message AS m ON m.id = d.message_id
WHERE r.notice_id = $1 AND r.excluded IS NULL AND d.outcome IS NULL AND m.corrects
"""
# Nothing newer has come to them, on either messenger.
_OLDER = f"""
SELECT count(*)::int FROM (
    SELECT r.resident_id FROM notice AS n JOIN recipient AS r ON r.notice_id = n.id
    CROSS JOIN LATERAL unnest(ARRAY[r.delivery_id, r.second_id]) AS way (id)
    JOIN delivery AS d ON d.id = way.id AND d.outcome IN ('sent', 'announced')
    JOIN message AS m ON m.id = d.message_id
    WHERE n.id = $1 AND n.status = 'cancelled' AND n.revision > 1 AND r.excluded IS NULL
    GROUP BY r.resident_id HAVING bool_and({OLD})) AS one
"""
_IN = """AND ARRAY[d.message_id, s.message_id] && ARRAY(
    SELECT id FROM message WHERE notice_id = $1 AND language = ANY($2::text[]))"""
# What goes as fast as each account may speak; what waits for something else has no end to foretell.
_ON_THEIR_WAY = """
SELECT c.channel, count(*) AS deliveries FROM delivery AS d JOIN message AS m ON m.id = d.message_id
JOIN account AS c ON c.id = d.account_id
WHERE m.notice_id = $1 AND d.outcome IS NULL AND coalesce(d.waiting_for, '') <> ALL($2::text[])
GROUP BY c.id
"""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A title of one line, and what it is about."""

    title: str
    body: str


def _read_in(language: Language, texts: Mapping[Language, NoticeText]) -> NoticeText:
    return texts.get(language) or next(iter(texts.values()))


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice, opened."""

    id: UUID
    author: UUID
    author_address: UUID
    place_code: str
    kind: NoticeKind
    texts: Mapping[Language, NoticeText]
    files: Sequence[UUID]
    audience: Sequence[str]
    revision: int
    created_at: datetime
    send_at: datetime | None
    queued_at: datetime | None
    status: str

    def text(self, language: Language) -> NoticeText:
        """In this language, or in the only one that its author declared."""
        return _read_in(language, self.texts)

    def changed(self, texts: Mapping[Language, NoticeText]) -> list[Language]:
        """The languages whose readers read something else if these were its texts."""
        return [one for one in Language if self.text(one) != _read_in(one, texts)]

    @property
    def title(self) -> Named:
        """Its title in each reader's language."""
        return Named(self.text(Language.KK).title, self.text(Language.RU).title)

    @property
    def monolingual(self) -> Language | None:
        """The only language, where its author declared one."""
        return next(iter(self.texts)) if len(self.texts) == 1 else None


@dataclass(frozen=True, slots=True)
class SameBefore:
    """The same notice as one that was sent already."""

    notice: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a notice has come, in residents."""

    total: int
    sent: int  # accepted in full by the messenger
    announced: int  # WhatsApp: the template went, the full text waits for the tap
    pending: int  # on their way now, or held by the author's pause
    acknowledged: int
    delivered: int
    read: int
    failed: Mapping[str, int] = field(default_factory=dict)  # outcome → residents
    in_part: Mapping[str, int] = field(default_factory=dict)  # of `sent`, without a file: as above
    waiting: Mapping[str, int] = field(default_factory=dict)
    muted: int = 0
    unsettled: int = 0  # to whom something may still go, on either messenger, whenever
    last_due: datetime | None = None  # when the last of those who wait for their day gets it
    quiet_until: datetime | None = None  # when those get it who are left in peace at night
    seconds_left: int = 0  # until the slowest account has sent what is on its way
    shared: int = 0  # of the acknowledged: by a tap that stands for a family on one phone
    older: int = 0  # of `sent` and `announced`: by a text whose correction was cancelled

    @property
    def finished(self) -> bool:
        """Nothing is left to be sent, now, in the morning or by the plan over days; what waits
        for a person's own message may still go."""
        return self.pending == 0 and not self.waiting.keys() & {
            Outcome.DAILY_LIMIT,
            Outcome.QUIET_HOURS,
        }


async def same_before(
    unit: Unit,
    place_code: str,
    texts: Mapping[Language, NoticeText],
    audience: Sequence[str],
) -> SameBefore | None:
    """The guard against sending the same twice: the latest notice of this office with the same
    words to some of the same places, within the rulebook's hours before now or planned. Other
    files make no other notice; one that was cancelled counts if somebody has got it."""
    rules = await rulebook.of(unit.session, place_code)
    at = func.coalesce(Notice.queued_at, Notice.send_at, Notice.created_at)
    found = await unit.session.scalars(
        select(Notice)
        .where(
            Notice.place_code == place_code,
            Notice.digest == digest_of(unit, texts),
            or_(Notice.status != "cancelled", _somebody_got_it()),
            at > unit.now - timedelta(hours=rules.same_notice_within),
        )
        .order_by(at.desc())
    )
    for one in found:
        if set(one.audience) & set(audience):
            return SameBefore(one.id, one.queued_at or one.send_at or one.created_at)
    return None


def _somebody_got_it() -> ColumnElement[bool]:
    got = (
        select(Delivery.id)
        .join(Message, Message.id == Delivery.message_id)
        .where(Message.notice_id == Notice.id, Delivery.outcome.in_(ARRIVED))
    )
    return got.exists()


async def announce(
    unit: Unit,
    *,
    notice: UUID,
    author_address: UUID,
    place_code: str,
    audience: Sequence[str],
    texts: Mapping[Language, NoticeText],
    monolingual: Language | None,
    kind: NoticeKind = NoticeKind.ANNOUNCEMENT,
    files: Sequence[UUID] = (),
    send_at: datetime | None = None,
    live_message: UUID | None = None,
    again: bool = False,
) -> str | None:
    """Takes the notice on: 'sending' (to be queued now), or 'scheduled': for its moment, the end
    of the quiet hours, until its files are here, or, to more than `MANY` people, for now: the
    clock queues it. None when it was taken on before.

    `again`: the same was sent before, and its author wants it once more.

    Both languages are needed unless the author declares the only one (invariant 8). Raises
    Refused without the role (and, for a clerk, the power) at that place, with a text missing, for
    places outside it, or when the office has just sent the same.
    """
    rules = await rulebook.of(unit.session, place_code)
    await roles.require(
        unit, unit.actor, roles.MAY_SEND_NOTICES, place_code, power_for(kind, rules)
    )
    check_languages(texts, monolingual)
    if outside := set(audience) - set(await codes_inside(unit.session, place_code)):
        unit.audit("audience-outside", notice, place=place_code, codes=sorted(outside))
        raise Refused("refused-role")
    await _check_same(unit, notice, place_code, texts, audience, again=again)
    first = begins(kind, rules, max(send_at or unit.now, unit.now))
    at_once = (
        first <= unit.now
        and not await _files_missing(unit, files)
        and not await more_than(unit, audience, MANY)
    )
    row = _row(unit, notice, place_code, audience, texts, monolingual) | {
        "author_address_id": author_address,
        "live_message": live_message,
        "kind": kind.value,
        "files": [str(file) for file in files],
        "send_at": None if at_once else first,
        "status": "sending" if at_once else "scheduled",
    }
    made = await unit.session.execute(
        insert(Notice).values(row).on_conflict_do_nothing().returning(Notice.id)
    )
    if made.scalar_one_or_none() is None:
        return None
    unit.audit(
        "notice-announced",
        notice,
        place=place_code,
        villages=len(audience),
        kind=kind.value,
        status=row["status"],
    )
    if not at_once:
        await due.plan(unit, first, SEND_DUE, notice)
    return str(row["status"])


async def _check_same(
    unit: Unit,
    notice: UUID,
    place_code: str,
    texts: Mapping[Language, NoticeText],
    audience: Sequence[str],
    *,
    again: bool,
) -> None:
    """Two of an office who send the same at once: the second one is told. One after the other."""
    await unit.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:office, 0))"),
        {"office": f"notice:{place_code}"},
    )
    before = None if again else await same_before(unit, place_code, texts, audience)
    if before is not None and before.notice != notice:
        unit.audit("notice-same-refused", notice, before=str(before.notice))
        raise Refused("refused-same")


def power_for(kind: NoticeKind, rules: Rulebook) -> roles.Power:
    """What a clerk must have been given to send this kind."""
    return roles.Power.URGENT if kind in rules.urgent_kinds else roles.Power.SEND


def priority_of(kind: NoticeKind, rules: Rulebook) -> int:
    """What is urgent goes before what is not, however long that has waited."""
    return outbox.URGENT if kind in rules.urgent_kinds else outbox.NOTICE


async def power_at(unit: Unit, notice: NoticeView) -> roles.Power:
    """What a clerk must have been given to send this notice, or other words in its place."""
    return power_for(notice.kind, await rulebook.of(unit.session, notice.place_code))


class Readiness(Enum):
    """Can a scheduled notice be queued now?"""

    READY = "ready"
    EARLY = "early"  # its moment was moved, or is at night by now: `send_at` says until when
    FILES_AWAITED = "files-awaited"
    FILES_FAILED = "files-failed"
    ROLE_ENDED = "role-ended"  # its author may not send any more
    GONE = "gone"  # cancelled, paused or queued meanwhile


async def readiness(unit: Unit, notice: UUID) -> Readiness:
    """Looks at a scheduled notice whose moment has come, and locks it."""
    found = await unit.session.get(Notice, notice, with_for_update=True, populate_existing=True)
    if found is None or found.status != "scheduled" or found.queued_at is not None:
        return Readiness.GONE
    kind, rules = NoticeKind(found.kind), await rulebook.of(unit.session, found.place_code)
    first = begins(kind, rules, max(found.send_at or unit.now, unit.now))
    if first > unit.now:
        found.send_at = first
        await unit.session.flush()
        return Readiness.EARLY
    try:
        await roles.require(
            unit,
            found.released_by or found.author_id,
            roles.MAY_SEND_NOTICES,
            found.place_code,
            power_for(kind, rules),
        )
    except Refused:
        return Readiness.ROLE_ENDED
    missing = await _files_missing(unit, [UUID(file) for file in found.files])
    if any(failure for failure in missing.values()):
        return Readiness.FILES_FAILED
    return Readiness.FILES_AWAITED if missing else Readiness.READY


async def queue(unit: Unit, notice: UUID, contents: Mapping[Language, dict[str, Any]]) -> bool:
    """Puts the notice into the outbox for everybody in its audience as it is now; False when
    that was done before. Who is beyond WhatsApp's quota of today gets the day that is theirs."""
    found = await unit.session.get(Notice, notice, with_for_update=True, populate_existing=True)
    if found is None or found.queued_at is not None or found.status not in ("sending", "scheduled"):
        return False
    kind, rules = NoticeKind(found.kind), await rulebook.of(unit.session, found.place_code)
    used = await quota.taken(unit, urgent=kind in rules.urgent_kinds)
    messages = await add_messages(unit, notice, found.revision, contents)
    connection = await unit.connection()
    counts = (
        await connection.exec_driver_sql(
            _QUEUE,
            (
                found.audience,
                kind_to_mute(kind, rules),
                unit.now - WINDOW,
                notice,
                list(messages),
                list(messages.values()),
                list(used),
                list(used.values()),
                rules.whatsapp_people_a_day,
                unit.now,
                DAY,
                priority_of(kind, rules),
            ),
        )
    ).one()
    found.recipients, found.muted = counts.recipients, counts.muted
    found.unreachable = counts.unreachable
    found.queued_at, found.status, found.live_at = unit.now, "sending", unit.now + LIVE_PAUSE
    await unit.session.flush()
    await plan_silent(unit, notice, rules)
    unit.audit("notice-sent", notice, place=found.place_code, people=found.recipients)
    return True


async def plan_silent(unit: Unit, notice: UUID, rules: Rulebook) -> None:
    """Who has not read it so long after it began to go out, or went on, gets it on the other
    messenger as well; once for each time."""
    await due.cancel(unit, notice, {SILENT_DUE})
    at = unit.now + timedelta(hours=rules.other_messenger_after)
    await due.plan(unit, at, SILENT_DUE, notice, key=f"{SILENT_DUE}:{notice}:{unit.new_id()}")


async def add_messages(
    unit: Unit,
    notice: UUID,
    revision: int,
    contents: Mapping[Language, dict[str, Any]],
    *,
    corrects: bool = False,
) -> dict[Language, UUID]:
    """The notice's message in each language, sealed; their ids."""
    messages = {language: unit.new_id() for language in contents}
    unit.session.add_all(
        Message(
            id=message,
            notice_id=notice,
            revision=revision,
            corrects=corrects,
            language=language,
            content=seal_content(unit.keyring, message, contents[language]),
            created_at=unit.now,
        )
        for language, message in messages.items()
    )
    await unit.session.flush()
    return messages


async def view(unit: Unit, notice: UUID) -> NoticeView | None:
    """The notice, opened."""
    found = await unit.session.get(Notice, notice)
    return opened(unit, found) if found else None


async def hold_still(unit: Unit, notice: UUID) -> None:
    """What is read of this notice from now on stays so until the unit ends: whoever changes it
    this moment is waited for, and whoever comes after waits."""
    await unit.session.get(Notice, notice, with_for_update=True, populate_existing=True)


async def addressed_to(unit: Unit, notice: UUID, address: UUID) -> bool:
    """Is this notice for somebody at this address? If not, the tap was forged: noted."""
    found = await unit.session.scalar(
        text(
            "SELECT 1 FROM message AS m JOIN delivery AS d ON d.message_id = m.id"
            " WHERE m.notice_id = :notice AND d.address_id = :address AND EXISTS ("
            "  SELECT 1 FROM recipient AS r WHERE r.delivery_id = d.id"
            "  UNION ALL SELECT 1 FROM recipient AS r WHERE r.second_id = d.id)"
            " UNION ALL SELECT 1 FROM resident_address AS ra"
            " JOIN resident AS who ON who.id = ra.resident_id OR who.merged_into = ra.resident_id"
            " JOIN recipient AS r ON r.notice_id = :notice AND r.resident_id = who.id"
            " WHERE ra.address_id = :address LIMIT 1"
        ),
        {"notice": notice, "address": address},
    )
    if found is None:
        unit.audit("tap-refused", notice)
    return found is not None


async def had_older(unit: Unit, notice: UUID, address: UUID, resident: UUID | None) -> bool:
    """Did a text that was corrected since go to the address, or to another of the resident's?"""
    found = await unit.session.scalar(
        text(
            "SELECT 1 FROM message AS m JOIN delivery AS d ON d.message_id = m.id"
            f" WHERE m.notice_id = :notice AND {OLD}"
            " AND d.outcome IN ('sent', 'announced', 'unknown') AND (d.address_id = :address"
            "  OR d.address_id IN (SELECT address_id FROM resident_address"
            "                      WHERE resident_id = :resident)) LIMIT 1"
        ),
        {"notice": notice, "address": address, "resident": resident},
    )
    return found is not None


async def came_last(unit: Unit, address: UUID) -> tuple[UUID, int] | None:
    """(notice, revision) of what this chat got last in full."""
    found = await unit.session.execute(
        text(
            "SELECT m.notice_id, m.revision FROM resident_address AS ra"
            " JOIN resident AS who ON who.id = ra.resident_id OR who.merged_into = ra.resident_id"
            " JOIN recipient AS r ON r.resident_id = who.id"
            " JOIN delivery AS d ON d.id IN (r.delivery_id, r.second_id)"
            " JOIN message AS m ON m.id = d.message_id"
            " WHERE ra.address_id = :address AND d.address_id = :address AND d.outcome = 'sent'"
            " ORDER BY d.sent_at DESC LIMIT 1"
        ),
        {"address": address},
    )
    row = found.one_or_none()
    return row and (row.notice_id, row.revision)


async def latest(unit: Unit, resident: UUID, limit: int = 5) -> list[NoticeView]:
    """The newest notices that were for this resident."""
    mine = (
        select(Recipient.notice_id)
        .join(Resident, Resident.id == Recipient.resident_id)
        .where((Resident.id == resident) | (Resident.merged_into == resident))
    )
    found = await unit.session.scalars(
        select(Notice)
        .where(Notice.id.in_(mine), Notice.status != "cancelled")
        .order_by(_MOMENT.desc())
        .limit(limit)
    )
    return [opened(unit, notice) for notice in found]


async def seen_by_office(unit: Unit, notice: UUID, resident: UUID | None) -> NoticeView:
    """The notice for somebody who may see how it goes: its office, the district's supervisor.

    Raises Refused for everybody else.
    """
    found = await view(unit, notice)
    if found is None:
        unit.audit("tap-refused", notice)
        raise Refused("refused-role")
    await roles.require(unit, resident, roles.MAY_SEE_NOTICES, found.place_code)
    return found


async def changed_by(
    unit: Unit, notice: UUID, resident: UUID | None, *powers: roles.Power
) -> NoticeView:
    """The notice for somebody of its own office who may change it, with these powers as well.
    Whoever is above the office sees how it goes and changes nothing. Raises Refused."""
    found = await seen_by_office(unit, notice, resident)
    for power in (roles.Power.CORRECT, *powers):
        await roles.require(
            unit, resident, roles.MAY_SEND_NOTICES, found.place_code, power, own_office=True
        )
    return found


async def seen_as(unit: Unit, notice: NoticeView) -> roles.RoleView | None:
    """The role by which its author may still see how it goes, of several the one held there; None
    for who lost the role or had their data deleted."""
    author = await roles.same_person(unit, notice.author)
    above = await roles.at_or_above(unit, notice.place_code)
    held = [
        one
        for one in await roles.standing(unit, author)
        if one.role in roles.MAY_SEE_NOTICES and one.place_code in above
    ]
    return min(held, key=lambda one: one.place_code != notice.place_code, default=None)


async def of_offices(unit: Unit, places: Collection[str], limit: int = 30) -> list[NoticeView]:
    """The newest notices of these offices, whoever of them wrote them."""
    found = await unit.session.scalars(
        select(Notice).where(Notice.place_code.in_(places)).order_by(_MOMENT.desc()).limit(limit)
    )
    return [opened(unit, notice) for notice in found]


async def acknowledge(
    unit: Unit, notice: UUID, address: UUID, revision: int
) -> Acknowledged | None:
    """ "I have read it", of everybody whom it reached by this chat. Idempotent; one statement. The
    button of a text that was corrected since acknowledges nothing.

    None when this notice did not go to this address: a forged tap, which is noted.
    """
    (found,) = await receipts.acknowledge([Receipt(unit, notice, address, revision)])
    if found is None:
        unit.audit("tap-refused", notice)
    return found


class Newest(Enum):
    """Where a notice's newest text is, for one chat."""

    SHOWN = "shown"  # it is to be said now, and comes in no other way
    HERE = "here"
    IN_HAND = "in-hand"  # a process is sending it


async def take_newest(unit: Unit, notice: UUID, address: UUID, *, in_hand: bool = False) -> Newest:
    """Takes what is on its way to this chat for the answer that says it in full: neither what
    waits, be it paused, nor what was announced comes once more. `in_hand`: the answer says it
    whatever a process is just sending, which may be the announcement that was tapped."""
    taken = await unit.session.execute(
        text(
            "UPDATE delivery AS d SET outcome = 'sent', sent_at = :now, waiting_for = NULL,"
            " claimed_until = NULL, finished_at = coalesce(d.finished_at, :now)"
            " FROM message AS m"
            " WHERE m.notice_id = :notice AND d.message_id = m.id AND d.address_id = :address"
            f" AND (d.outcome = 'announced' OR d.outcome IS NULL AND NOT {OLD}"
            "      AND (:in_hand OR d.claimed_until IS NULL OR d.claimed_until < :now))"
            f" RETURNING NOT {OLD} AS newest"
        ),
        {"now": unit.now, "notice": notice, "address": address, "in_hand": in_hand},
    )
    if any(row.newest for row in taken):
        return Newest.SHOWN
    found = await unit.session.scalars(
        text(
            "SELECT d.outcome FROM delivery AS d JOIN message AS m ON m.id = d.message_id"
            f" WHERE m.notice_id = :notice AND NOT {OLD} AND d.address_id = :address"
        ),
        {"notice": notice, "address": address},
    )
    outcomes = set(found)
    if Outcome.SENT in outcomes:
        return Newest.HERE
    return Newest.IN_HAND if None in outcomes else Newest.SHOWN


async def progress(
    connection: AsyncConnection, notice: UUID, languages: Collection[Language] | None = None
) -> Progress:
    """The counts that the author sees; only of who is reached in these languages, if named."""
    total = sent = announced = pending = acknowledged = delivered = read = muted = unsettled = 0
    failed: dict[str, int] = {}
    in_part: dict[str, int] = {}
    waiting: dict[str, int] = {}
    last_due: datetime | None = None
    quiet_until: datetime | None = None
    statement = _COUNTS.format(read="" if languages is None else _IN)
    asked = (notice,) if languages is None else (notice, list(languages))
    for row in await connection.exec_driver_sql(statement, asked):
        state, _, why = row.state.partition(":")
        if state == "excluded":
            muted += row.people if why == "muted" else 0
            continue
        total += row.people
        acknowledged += row.acknowledged
        delivered += row.delivered
        read += row.read
        unsettled += row.unsettled
        if row.part_lost:
            in_part[row.part_lost] = in_part.get(row.part_lost, 0) + row.people
        if state == "pending" and why in WAITING and why != Outcome.PAUSED:
            waiting[why] = waiting.get(why, 0) + row.people
            last_due = row.last_due if why == Outcome.DAILY_LIMIT else last_due
            quiet_until = row.last_due if why == Outcome.QUIET_HOURS else quiet_until
        elif state == "pending":
            pending += row.people
        elif state == Outcome.SENT:
            sent += row.people
        elif state == Outcome.ANNOUNCED:
            announced += row.people
        else:
            failed[state] = failed.get(state, 0) + row.people
    left = await _seconds_left(connection, notice) if pending or quiet_until else 0
    shared = await _shared(connection, notice) if acknowledged > 1 else 0
    older = (await connection.exec_driver_sql(_OLDER, (notice,))).scalar_one()
    return Progress(
        total, sent, announced, pending, acknowledged, delivered, read, failed, in_part, waiting,
        muted, unsettled, last_due, quiet_until, left, shared, older,
    )  # fmt: skip


async def uncorrected(connection: AsyncConnection, notice: UUID) -> int:
    """How many residents have, or may have, an older text whose correction is still to come."""
    people: int = (await connection.exec_driver_sql(_UNCORRECTED, (notice,))).scalar_one()
    return people


async def _shared(connection: AsyncConnection, notice: UUID) -> int:
    people: int = (await connection.exec_driver_sql(_SHARED, (notice,))).scalar_one()
    return people


async def _seconds_left(connection: AsyncConnection, notice: UUID) -> int:
    """At the pace of the recipients' accounts, which send side by side, once it is morning."""
    others = list(WAITING - {Outcome.QUIET_HOURS})
    rows = await connection.exec_driver_sql(_ON_THEIR_WAY, (notice, others))
    return max((math.ceil(row.deliveries / PER_SECOND[row.channel]) for row in rows), default=0)


def check_languages(texts: Mapping[Language, NoticeText], monolingual: Language | None) -> None:
    """Raises Refused unless the notice is in both languages, or in the one it was declared for."""
    needed = {monolingual} if monolingual else set(Language)
    if set(texts) != needed:
        raise Refused("refused-one-language")


def _row(
    unit: Unit,
    notice: UUID,
    place_code: str,
    audience: Sequence[str],
    texts: Mapping[Language, NoticeText],
    monolingual: Language | None,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": notice,
        "author_id": unit.actor,
        "place_code": place_code,
        "audience": list(audience),
        "monolingual": monolingual,
        "digest": digest_of(unit, texts),
        "recipients": 0,
        "unreachable": 0,
        "created_at": unit.now,
    }
    return row | sealed_texts(unit, notice, texts)


def sealed_texts(
    unit: Unit, notice: UUID, texts: Mapping[Language, NoticeText]
) -> dict[str, bytes | None]:
    """Titles and texts as the table keeps them; empty for a language without one."""
    row: dict[str, bytes | None] = {}
    for language in Language:
        words = texts.get(language)
        for column, where, said in (
            ("title", TITLE, words.title if words else None),
            ("text", BODY, words.body if words else None),
        ):
            sealed = unit.keyring.seal(f"{where}_{language}", notice, said) if said else None
            row[f"{column}_{language}"] = sealed
    return row


def digest_of(unit: Unit, texts: Mapping[Language, NoticeText]) -> bytes:
    """By which the same words are known again, whatever their spacing."""
    said = [
        " ".join(f"{words.title} {words.body}".split()).casefold()
        for _, words in sorted(texts.items())
    ]
    return unit.keyring.index("notice", json.dumps(said, ensure_ascii=False))


async def _files_missing(unit: Unit, files: Sequence[UUID]) -> dict[UUID, str | None]:
    """Those of these files whose bytes are not here, with why they never will be."""
    found = await unit.session.execute(
        select(File.id, File.failure).where(File.id.in_(files), File.content.is_(None))
    )
    return {row.id: row.failure for row in found}


def opened(unit: Unit, found: Notice) -> NoticeView:
    """This row, opened."""
    texts: dict[Language, NoticeText] = {}
    for language in Language:
        title = getattr(found, f"title_{language}")
        body = getattr(found, f"text_{language}")
        if title is not None and body is not None:
            texts[language] = NoticeText(
                unit.keyring.open(f"{TITLE}_{language}", found.id, title),
                unit.keyring.open(f"{BODY}_{language}", found.id, body),
            )
    return NoticeView(
        id=found.id,
        author=found.author_id,
        author_address=found.author_address_id,
        place_code=found.place_code,
        kind=NoticeKind(found.kind),
        texts=texts,
        files=[UUID(file) for file in found.files],
        audience=found.audience,
        revision=found.revision,
        created_at=found.created_at,
        send_at=found.send_at,
        queued_at=found.queued_at,
        status=found.status,
    )
