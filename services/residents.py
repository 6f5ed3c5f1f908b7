"""Residents: registration, what is kept of them, deletion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from core.clock import local_date
from models.files import File
from models.people import Move, Resident, ResidentAddress
from rules.names import same_name
from rules.people import birthday, not_at_once
from rules.rulebook import Rulebook
from services import departures, drafts, due, files, roles, rulebook
from services.departures import Signs
from services.outbox import LEASE
from services.territory import find_home
from services.unit import Refused, Unit

CONSENT_VERSION = 2  # 2: says that a mark remains for a while
RECOGNISED = frozenset({"roll", "person"})  # on the akim's list; seen in person
NAME, STREET = "resident.full_name", "resident.street"
BIRTH, PHONE = "resident.birth_date", "resident.phone"
JUST = timedelta(microseconds=1)  # what was said at this very moment is said
LEFT_DUE = "resident-left"  # what was under way to somebody whose data were deleted


@dataclass(frozen=True, slots=True)
class Registration:
    """What a person tells when registering. `phone_proved`: the channel vouches for it."""

    full_name: str
    place_code: str
    birth_date: date
    language: str
    street: str | None = None
    phone: str | None = None  # E.164
    phone_proved: bool = False
    made_up: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What is kept of a registered resident, opened."""

    id: UUID
    full_name: str
    place_code: str
    street: str | None
    birth_date: date
    phone: str | None
    level: str
    adult: bool


async def new_person(unit: Unit, address: UUID, language: str) -> UUID:
    """Somebody who speaks from this address and is not registered: nothing personal is kept."""
    resident = Resident(id=unit.new_id(), language=language, level="declared", created_at=unit.now)
    unit.session.add(resident)
    await unit.session.flush()
    await _reached_at(unit, resident.id, address)
    return resident.id


async def register(unit: Unit, address: UUID, speaker: UUID | None, given: Registration) -> UUID:
    """Registers the speaker, or a new person; the resident's id.

    Raises Refused when the place is unknown, abolished, or nobody can live there, when somebody of
    this name and date of birth is behind this chat already, and when as many people are as the
    rulebook allows.
    """
    if await find_home(unit.session, given.place_code) is None:
        unit.audit("place-refused", speaker, place=given.place_code)
        raise Refused("refused-place")
    if twin := await already(unit, address, speaker, given.full_name, given.birth_date):
        unit.audit("registration-refused", twin)
        raise Refused("refused-already")
    person = speaker or await new_person(unit, address, given.language)
    resident = await unit.session.get_one(Resident, person, with_for_update=True)
    first = resident.registered_at is None or resident.deleted_at is not None
    if first and not (await has_room(unit, address, given.place_code))[0]:
        unit.audit("room-refused", address)
        raise Refused("refused-room")
    rules = await rulebook.of(unit.session, given.place_code)
    if not first and birth_of(unit, resident) != given.birth_date:
        unit.audit("resident-birth-changed", person)
    majority = birthday(given.birth_date, rules.adult_age)
    if not first:
        majority = await _not_at_once(unit, resident, majority, rules)
    _fill(unit, resident, given, majority)
    if first:
        signs = Signs(given.full_name, given.birth_date, given.phone, [address])
        await departures.take_back(unit, resident, signs)
    await unit.session.flush()
    await _reached_at(unit, person, address)
    unit.audit("resident-registered", person, place=given.place_code, level=resident.level)
    return person


async def _not_at_once(unit: Unit, resident: Resident, majority: date, rules: Rulebook) -> date:
    """Who was told that they are a minor comes of age by the calendar: another date of birth makes
    nobody of age before as many calendar days as after a move, unless it mends a slip."""
    told, today = resident.adult_on, local_date(unit.now)
    if told is None or told <= today or majority >= told:
        return majority
    if await slipped(unit, resident, rules):
        return majority
    return not_at_once(majority, today, rules.move_cooling_off, told)


async def slipped(unit: Unit, found: Resident, rules: Rulebook) -> bool:
    """Told at registration, and corrected within hours? Who registered anew has told it before."""
    since = found.registered_at
    if since is None or unit.now - since >= timedelta(hours=rules.correction_window):
        return False
    return not await departures.came_back(unit, found.id)


async def already(
    unit: Unit, address: UUID, speaker: UUID | None, full_name: str, birth: date
) -> UUID | None:
    """Who else behind this chat has this name and date of birth: one person would count twice.
    Nobody, when that is what is kept of the speaker anyhow."""
    mine = await profile(unit, speaker)
    if mine and mine.birth_date == birth and same_name(mine.full_name, full_name):
        return None
    here = await unit.session.scalars(
        select(Resident)
        .join(ResidentAddress, ResidentAddress.resident_id == Resident.id)
        .where(ResidentAddress.address_id == address, stands())
        .where(Resident.id.is_distinct_from(speaker))
    )
    for one in here:
        known = _profile(unit, one)
        if known.birth_date == birth and same_name(known.full_name, full_name):
            return one.id
    return None


async def profile(unit: Unit, resident: UUID | None) -> Profile | None:
    """The registered resident, opened; None for anybody else."""
    found = await unit.session.get(Resident, resident) if resident else None
    if found is None or found.registered_at is None or found.deleted_at is not None:
        return None
    return _profile(unit, found)


async def set_language(unit: Unit, resident: UUID, language: str) -> None:
    """The language in which notices reach this resident."""
    await unit.session.execute(
        update(Resident).where(Resident.id == resident).values(language=language)
    )


async def records(unit: Unit, resident: UUID) -> list[UUID]:
    """This record and those that were joined into it."""
    merged = await unit.session.scalars(select(Resident.id).where(Resident.merged_into == resident))
    return [resident, *merged]


async def forget(unit: Unit, resident: UUID) -> None:
    """Deletes the person's data at once: what remains is a row without a person.

    What they are typing in chats that others share is the conversations' to forget, before this.
    Counts, receipts and the audit trail keep the id, which leads to nobody any more. Records that
    were joined into this one go with it; notices of an office stay the office's.
    """
    found = await unit.session.get_one(
        Resident, resident, with_for_update={"key_share": True}, populate_existing=True
    )
    if found.merged_into is not None:  # joined at this very moment: one person
        await forget(unit, found.merged_into)
        return
    gone = await records(unit, resident)
    await _note_departure(unit, resident, gone)
    await wipe(unit, gone, deleted=True)
    for statement in (_WITHDRAW, _NOT_COUNTED):
        values = {"records": gone, "now": unit.now, "before": unit.now}
        await unit.session.execute(text(statement), values)
    for view in await roles.standing(unit, resident):
        await roles.revoke(unit, resident, view.role, view.place_code)
    for record in gone:
        await drafts.forget(unit, record)
    await unit.session.execute(delete(Move).where(Move.resident_id.in_(gone)))
    chats = await _forget_chats(unit, gone)
    await due.plan(unit, unit.now + 2 * LEASE, LEFT_DUE, resident, details=_left(unit, gone, chats))
    await unit.session.execute(delete(ResidentAddress).where(ResidentAddress.resident_id.in_(gone)))
    await leave_speaking(unit, gone)
    unit.audit("resident-deleted", resident)


def _left(unit: Unit, gone: Sequence[UUID], chats: Sequence[UUID]) -> dict[str, Any]:
    return {
        "records": [str(one) for one in gone],
        "chats": [str(one) for one in chats],
        "before": unit.now.isoformat(),
    }


async def forget_left(unit: Unit, details: Mapping[str, Any]) -> bool:
    """What was in a process' hands when somebody had their data deleted and has come back is not
    sent, and its words go too; True while something of it still is in somebody's hands."""
    values = {
        "records": [UUID(one) for one in details["records"]],
        "addresses": [UUID(one) for one in details["chats"]],
        "before": datetime.fromisoformat(details["before"]),
        "now": unit.now,
    }
    for statement in (_WITHDRAW, _NOT_COUNTED, _UNSAY, _FORGET_WORDS):
        await unit.session.execute(text(statement), values)
    return bool(await unit.session.scalar(text(_STILL_LEFT), values))


async def _note_departure(unit: Unit, resident: UUID, records: Sequence[UUID]) -> None:
    """Of whoever was registered a mark remains, so that nobody votes in two places."""
    left = await profile(unit, resident)
    if left is None:
        return
    found = await unit.session.get_one(Resident, resident)
    chats = await unit.session.scalars(
        select(ResidentAddress.address_id).where(ResidentAddress.resident_id.in_(records))
    )
    signs = Signs(left.full_name, left.birth_date, left.phone, chats.all())
    await departures.note(unit, found, signs)


async def wipe(unit: Unit, records: Sequence[UUID], *, deleted: bool) -> None:
    """Nothing personal is left in these rows; `deleted`: the person asked for it."""
    await unit.session.execute(
        update(Resident)
        .where(Resident.id.in_(records))
        .values(
            full_name=None,
            street=None,
            birth_date=None,
            phone=None,
            phone_hash=None,
            adult_on=None,
            place_code=None,
            counts_from=None,
            preferred_channel=None,
            muted=[],
            deleted_at=unit.now if deleted else Resident.deleted_at,
        )
    )


async def leave_speaking(unit: Unit, records: Sequence[UUID], address: UUID | None = None) -> None:
    """Where these people spoke (at this address, or anywhere) nobody speaks, or the only one who
    is left behind that chat."""
    await unit.session.execute(text(_NOBODY_SPEAKS), {"records": records, "address": address})


async def _forget_chats(unit: Unit, records: Sequence[UUID]) -> list[UUID]:
    """What was said in their chats, and what these people wrote that could not be dealt with. Of
    a chat that nobody else is behind, also what is being typed there and was sent from there.
    Those chats."""
    chats = (await unit.session.execute(text(_CHATS), {"records": records})).all()
    all_chats, own = [chat.id for chat in chats], [chat.id for chat in chats if chat.alone]
    for statement, addresses in (
        (_UNSAY, all_chats),
        (_FORGET_WORDS, all_chats),
        (_FORGET_LETTERS, all_chats),
        (_FORGET_TYPED, own),
    ):
        now = unit.now
        values = {"addresses": addresses, "records": records, "now": now, "before": now + JUST}
        await unit.session.execute(text(statement), values)
    sent = await unit.session.scalars(select(File.id).where(File.address_id.in_(own)))
    await files.forget_unsent(unit, list(sent))
    return all_chats


_CHATS = """
SELECT a.id, NOT EXISTS (
           SELECT 1 FROM resident_address AS o
           WHERE o.address_id = a.id AND o.resident_id <> ALL(:records)) AS alone
FROM address AS a WHERE a.id IN (
    SELECT address_id FROM resident_address WHERE resident_id = ANY(:records))
"""
# Notices that were not sent yet are not sent any more, unless the family waits for them.
_WITHDRAW = """
UPDATE delivery AS d SET outcome = 'cancelled', waiting_for = NULL, finished_at = :now
FROM recipient AS mine WHERE mine.resident_id = ANY(:records)
  AND d.id IN (mine.delivery_id, mine.second_id) AND d.outcome IS NULL
  AND (d.claimed_until IS NULL OR d.claimed_until < :now)
  AND NOT EXISTS (SELECT 1 FROM recipient AS other JOIN resident AS r ON r.id = other.resident_id
                  WHERE d.id IN (other.delivery_id, other.second_id) AND other.excluded IS NULL
                    AND r.id <> ALL(:records) AND r.deleted_at IS NULL)
"""
# Of what was withdrawn since they left its reader is gone, and is not counted any more.
_NOT_COUNTED = """
UPDATE recipient AS r SET excluded = 'deleted' FROM delivery AS d
WHERE r.resident_id = ANY(:records) AND r.excluded IS NULL AND d.id = r.delivery_id
  AND d.outcome = 'cancelled' AND d.finished_at >= :before
"""
# Replies repeat names and dates: what waits is not said, what was said loses its words.
_UNSAY = """
UPDATE delivery AS d SET outcome = 'superseded', waiting_for = NULL, finished_at = :now
FROM message AS m WHERE m.id = d.message_id AND m.notice_id IS NULL
  AND d.address_id = ANY(:addresses) AND d.outcome IS NULL AND m.created_at < :before
  AND (d.claimed_until IS NULL OR d.claimed_until < :now)
"""
_FORGET_WORDS = """
UPDATE message AS m SET content = '' FROM delivery AS d
WHERE d.message_id = m.id AND d.address_id = ANY(:addresses)
  AND d.outcome IS NOT NULL AND m.notice_id IS NULL AND m.created_at < :before
"""
_STILL_LEFT = """
SELECT EXISTS (
    SELECT 1 FROM delivery AS d JOIN message AS m ON m.id = d.message_id
    WHERE d.address_id = ANY(:addresses) AND d.outcome IS NULL AND d.claimed_until >= :now
      AND m.created_at < :before)
"""
_FORGET_TYPED = "UPDATE address SET state = NULL WHERE id = ANY(:addresses)"
# Of a chat in which nobody was known to speak yet, the letters may be theirs.
_FORGET_LETTERS = """
DELETE FROM dead_letter WHERE speaker_id = ANY(:records)
   OR speaker_id IS NULL AND address_id = ANY(:addresses)
"""
_NOBODY_SPEAKS = """
UPDATE address AS a SET speaker_id = (
    SELECT CASE WHEN count(*) = 1 THEN min(r.id::text)::uuid END
    FROM resident_address AS ra JOIN resident AS r ON r.id = ra.resident_id
    WHERE ra.address_id = a.id AND r.registered_at IS NOT NULL AND r.deleted_at IS NULL
      AND r.merged_into IS NULL)
WHERE a.speaker_id = ANY(:records) AND a.id = coalesce(CAST(:address AS uuid), a.id)
"""


async def has_room(unit: Unit, address: UUID, place_code: str | None) -> tuple[bool, int]:
    """(may one more person be registered here?, the rulebook's limit)."""
    rules = await rulebook.of(unit.session, place_code)
    here = await unit.session.scalar(
        select(func.count())
        .select_from(ResidentAddress)
        .join(Resident, Resident.id == ResidentAddress.resident_id)
        .where(ResidentAddress.address_id == address, stands())
    )
    return (here or 0) < rules.people_on_a_phone, rules.people_on_a_phone


def stands() -> ColumnElement[bool]:
    """Registered, and neither deleted nor joined into somebody else."""
    return and_(
        Resident.registered_at.is_not(None),
        Resident.deleted_at.is_(None),
        Resident.merged_into.is_(None),
    )


async def speakers(unit: Unit, address: UUID) -> list[UUID]:
    """The people who can be reached at this address."""
    found = await unit.session.scalars(
        select(ResidentAddress.resident_id)
        .where(ResidentAddress.address_id == address)
        .order_by(ResidentAddress.created_at)
    )
    return list(found)


def _fill(unit: Unit, resident: Resident, given: Registration, majority: date) -> None:
    """`majority`: the calendar day of full legal capacity (Civil Code art. 17)."""
    seal, row = unit.keyring.seal, resident.id
    resident.level = _level(unit, resident, given)
    resident.full_name = seal(NAME, row, given.full_name)
    resident.street = seal(STREET, row, given.street) if given.street else None
    resident.birth_date = seal(BIRTH, row, given.birth_date.isoformat())
    resident.phone = seal(PHONE, row, given.phone) if given.phone else None
    resident.phone_hash = unit.keyring.index("phone", given.phone) if given.phone else None
    resident.adult_on = majority if majority > local_date(unit.now) else None
    resident.place_code, resident.language = given.place_code, given.language
    resident.consented_at = resident.consented_at or unit.now
    resident.registered_at = resident.registered_at or unit.now
    resident.consent_version, resident.deleted_at = CONSENT_VERSION, None
    resident.made_up = given.made_up


def _level(unit: Unit, resident: Resident, given: Registration) -> str:
    """Who was recognised by others stays so while name and date of birth stay the same."""
    before = _profile(unit, resident)
    same = (before.full_name, before.birth_date) == (given.full_name, given.birth_date)
    if same and resident.level in RECOGNISED:
        return resident.level
    return "phone" if given.phone_proved else "declared"


def birth_of(unit: Unit, found: Resident) -> date | None:
    """The date of birth; None of who is not registered."""
    sealed = found.birth_date
    return date.fromisoformat(unit.keyring.open(BIRTH, found.id, sealed)) if sealed else None


def _profile(unit: Unit, found: Resident) -> Profile:
    def opened(place: str, sealed: bytes | None) -> str | None:
        return unit.keyring.open(place, found.id, sealed) if sealed else None

    return Profile(
        id=found.id,
        full_name=opened(NAME, found.full_name) or "",
        place_code=found.place_code or "",
        street=opened(STREET, found.street),
        birth_date=birth_of(unit, found) or date(1900, 1, 1),
        phone=opened(PHONE, found.phone),
        level=found.level,
        adult=found.adult_on is None or found.adult_on <= local_date(unit.now),
    )


async def _reached_at(unit: Unit, resident: UUID, address: UUID) -> None:
    await unit.session.execute(
        insert(ResidentAddress)
        .values(resident_id=resident, address_id=address, created_at=unit.now)
        .on_conflict_do_nothing()
    )
