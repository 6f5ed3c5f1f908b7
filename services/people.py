"""One person, however many chats and records: joining, parting, several people on one phone.

Two chats are one person only if both proved the same phone and the date of birth says so: a
family phone, or a number that somebody else had before, must not hand over anybody's vote.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, or_, select, text, update

from core.clock import local_date
from core.names import person_key
from models.due import Due
from models.people import Address, Merge, Resident, ResidentAddress
from rules.names import given_at
from rules.rulebook import Rulebook
from services import due, installation, merging, moves, rulebook
from services.residents import (
    NAME,
    birth_of,
    has_room,
    leave_speaking,
    new_person,
    stands,
    wipe,
)
from services.unit import Refused, Unit

PROVED = ("phone", "roll", "person")  # levels at which the phone is known to be theirs
SETTLED_DUE = "merge-settled"  # the time to part again is over


@dataclass(frozen=True, slots=True)
class Known:
    """A resident as others may see them: first name and first letter of the surname."""

    id: UUID
    shown: str
    place_code: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Two records that are one person, who that is now, until when they can be parted."""

    merge: UUID
    kept: UUID
    gone: UUID
    until: datetime


def masked(full_name: str) -> str:
    """ "Ахметов Серік Болатұлы" → "Серік А.", "Айгүл Серікқызы" → "Айгүл С.": what the public may
    see (LAW part 4)."""
    words = full_name.split()
    given = words.pop(given_at(full_name))
    return f"{given} {words[0][0]}." if words else given


async def known_by_phone(
    unit: Unit, phone: str, address: UUID, speaker: UUID | None
) -> list[Known]:
    """Who proved this phone on another chat; by name. The speaker and those of this chat are
    not among them, nor is anybody whose date of birth was guessed wrong too often."""
    by_phone = and_(
        Resident.phone_hash == unit.keyring.index("phone", phone), Resident.level.in_(PROVED)
    )
    return await _candidates(unit, by_phone, address, speaker)


async def known_at(
    unit: Unit, elsewhere: Collection[UUID], address: UUID, speaker: UUID | None
) -> list[Known]:
    """Who is behind other chats that the messenger says are the same sender's; by name."""
    there = select(ResidentAddress.resident_id).where(ResidentAddress.address_id.in_(elsewhere))
    return await _candidates(unit, Resident.id.in_(there), address, speaker)


async def is_born(unit: Unit, resident: UUID, birth: date) -> bool:
    """Is this the resident's date of birth? A wrong one is noted and counted: after as many as
    the rulebook's `join-tries` nothing is right for `join-rest` hours."""
    found = await unit.session.get_one(Resident, resident, populate_existing=True)
    rules = await rulebook.of(unit.session, None)
    if not _rests(unit, found, rules) and birth_of(unit, found) == birth:
        return True
    fresh = and_(
        Resident.join_wrong_at.is_not(None), Resident.join_wrong_at > _rest_began(unit, rules)
    )
    await unit.session.execute(
        update(Resident)
        .where(Resident.id == resident)
        .values(join_wrong=case((fresh, Resident.join_wrong + 1), else_=1), join_wrong_at=unit.now)
    )
    unit.audit("join-birth-wrong", resident)
    return False


async def join(
    unit: Unit,
    known: UUID,
    speaker: UUID | None,
    address: UUID,
    phone: str | None,
    birth: date,
    *,
    elsewhere: Collection[UUID] = (),
    language: str = "kk",
) -> Joined:
    """Whoever speaks from this address is the resident `known`, as the date of birth says.

    `phone` was proved by the channel; `elsewhere` are chats that the messenger says are the same
    sender's. The speaker's own record, if there is one, goes (unless it alone has a proved
    phone): its chats, roles and drafts move over, and in notices still open it counts once.
    Finished ones are never rewritten. It can be undone within the rulebook's days (`part`).

    Raises Refused: unproved or another phone, another date of birth, deleted, joined already; or
    no room for one more person behind this chat. What the speaker's own record contradicts has
    its own reason, for they can correct it.
    """
    if why := await _refusal(unit, known, speaker, birth, phone, elsewhere):
        unit.audit("join-refused", known, other=str(speaker) if speaker else None)
        raise Refused(why)
    await _check_room(unit, known, speaker, address)
    other = speaker or await new_person(unit, address, language)
    keep, gone = _older_proof(
        *[await unit.session.get_one(Resident, one) for one in (known, other)]
    )
    gone.merged_into = keep.id
    await unit.session.flush()
    merge = Merge(id=unit.new_id(), kept_id=keep.id, gone_id=gone.id, merged_at=unit.now, moved={})
    merge.moved = await merging.move(unit, gone.id, keep.id) | await _cool(unit, keep, gone)
    unit.session.add(merge)
    await unit.session.flush()
    rules = await rulebook.of(unit.session, keep.place_code)
    until = unit.now + timedelta(days=rules.merge_undo)
    await due.plan(unit, until, SETTLED_DUE, merge.id)
    unit.audit("residents-joined", keep.id, other=str(gone.id))
    return Joined(merge.id, keep.id, gone.id, until)


async def joined(unit: Unit, resident: UUID) -> list[Joined]:
    """What was joined into this resident and can still be parted, the newest first. The term is
    the one that was in force when they were joined."""
    found = await unit.session.execute(
        select(Merge.id, Merge.gone_id, Due.due_at)
        .join(Due, and_(Due.object_id == Merge.id, Due.kind == SETTLED_DUE))
        .where(Merge.kept_id == resident, Merge.undone_at.is_(None))
        .where(Due.done_at.is_(None), Due.due_at > unit.now)
        .order_by(Merge.merged_at.desc(), Merge.id.desc())
    )
    return [Joined(row.id, resident, row.gone_id, row.due_at) for row in found]


async def part(unit: Unit, merge: UUID) -> tuple[UUID, UUID]:
    """Undoes a joining: chats, roles and drafts go back where they were; (who was kept, who had
    gone).

    Raises Refused for anybody but the person it is about, and when the time is over.
    """
    found = await _locked(unit, merge)
    may = found is not None and found.undone_at is None and found.kept_id == unit.actor
    if found is None or not may or merge not in await _partable(unit, found.kept_id):
        unit.audit("part-refused", merge)
        raise Refused("refused-part")
    await unit.session.execute(
        update(Resident)
        .where(Resident.id == found.gone_id, Resident.merged_into == found.kept_id)
        .values(merged_into=None)
    )
    await merging.move_back(unit, found.moved, found.kept_id, found.gone_id)
    await _warm(unit, found)
    await _forget_preferred(unit, found.kept_id)
    found.undone_at = unit.now
    await due.cancel(unit, merge, {SETTLED_DUE})
    await unit.session.flush()
    unit.audit("residents-parted", found.kept_id, other=str(found.gone_id))
    return found.kept_id, found.gone_id


async def settle(unit: Unit, merge: UUID) -> None:
    """The time to part is over: nothing personal is kept of the record that went."""
    found = await _locked(unit, merge)
    if found is None or found.undone_at is not None:
        return
    await wipe(unit, [found.gone_id], deleted=False)
    unit.audit("merge-settled", found.kept_id, other=str(found.gone_id))


# A family on one phone


async def members(unit: Unit, address: UUID) -> list[Known]:
    """The registered people behind this chat, in the order in which they came. Two of one name
    are told apart by the year of birth: nobody but who shares the phone sees it."""
    result = await unit.session.scalars(
        select(Resident)
        .join(ResidentAddress, ResidentAddress.resident_id == Resident.id)
        .where(ResidentAddress.address_id == address, stands())
        .order_by(ResidentAddress.created_at, Resident.id)
    )
    found = result.all()
    known = [_known(unit, one) for one in found]
    times = Counter(one.shown for one in known)
    return [
        replace(one, shown=f"{one.shown} {birth.year}")
        if times[one.shown] > 1 and (birth := birth_of(unit, resident))
        else one
        for one, resident in zip(known, found, strict=True)
    ]


async def take_off(unit: Unit, resident: UUID, address: UUID) -> bool:
    """This person is not written to at this chat any more; their data stay. True when they have
    no other chat left.

    Raises Refused when they are not behind this chat.
    """
    if resident not in [one.id for one in await members(unit, address)]:
        unit.audit("tap-refused", address)
        raise Refused("refused-member")
    await unit.session.execute(
        delete(ResidentAddress).where(
            ResidentAddress.resident_id == resident, ResidentAddress.address_id == address
        )
    )
    await _forget_preferred(unit, resident)
    await leave_speaking(unit, [resident], address)
    unit.audit("member-taken-off", address, resident=str(resident))
    return await has_no_other_chat(unit, resident, address)


async def has_no_other_chat(unit: Unit, resident: UUID, address: UUID) -> bool:
    """Is this the only chat of this person?"""
    other = await unit.session.scalar(
        select(ResidentAddress.address_id)
        .where(ResidentAddress.resident_id == resident, ResidentAddress.address_id != address)
        .limit(1)
    )
    return other is None


async def channels(unit: Unit, resident: UUID) -> set[str]:
    """The messengers on which this resident has a chat."""
    found = await unit.session.scalars(
        text(
            "SELECT DISTINCT c.channel FROM resident_address AS ra"
            " JOIN address AS a ON a.id = ra.address_id JOIN account AS c ON c.id = a.account_id"
            " WHERE ra.resident_id = :resident"
        ),
        {"resident": resident},
    )
    return set(found)


async def reached_elsewhere(unit: Unit, resident: UUID, address: UUID) -> list[str]:
    """The messengers to which notices still go when nothing is sent to this chat any more."""
    there = await installation.addresses_of(unit, resident, but=address)
    return sorted({one.channel for one in there})


async def prefer(unit: Unit, resident: UUID, channel: str | None) -> None:
    """The messenger to which notices go first; None: where the person wrote last."""
    await unit.session.execute(
        update(Resident).where(Resident.id == resident).values(preferred_channel=channel)
    )
    unit.audit("messenger-preferred", resident, channel=channel)


async def _forget_preferred(unit: Unit, resident: UUID) -> None:
    """Who is left with one messenger has none that comes first."""
    if len(await channels(unit, resident)) < 2:
        await unit.session.execute(
            update(Resident)
            .where(Resident.id == resident, Resident.preferred_channel.is_not(None))
            .values(preferred_channel=None)
        )


async def speaker_of(unit: Unit, address: UUID) -> UUID | None:
    """Who speaks from this chat by what is stored."""
    found = await unit.session.get(Address, address, populate_existing=True)
    return found.speaker_id if found else None


async def _candidates(
    unit: Unit, which: ColumnElement[bool], address: UUID, speaker: UUID | None
) -> list[Known]:
    """Registered residents that this chat may be joined with; by name."""
    rules = await rulebook.of(unit.session, None)
    here = select(ResidentAddress.resident_id).where(ResidentAddress.address_id == address)
    found = await unit.session.scalars(
        select(Resident).where(
            which,
            stands(),
            Resident.id.not_in(here),
            Resident.id.is_distinct_from(speaker),
            or_(
                Resident.join_wrong < rules.join_tries,
                Resident.join_wrong_at.is_(None),
                Resident.join_wrong_at <= _rest_began(unit, rules),
            ),
        )
    )
    return sorted((_known(unit, one) for one in found), key=lambda one: person_key(one.shown))


async def _check_room(unit: Unit, known: UUID, speaker: UUID | None, address: UUID) -> None:
    """A record that goes makes room for the one that is kept."""
    gone = await unit.session.get(Resident, speaker) if speaker else None
    if gone is not None and gone.registered_at is not None:
        return
    keep = await unit.session.get_one(Resident, known)
    if not (await has_room(unit, address, keep.place_code))[0]:
        unit.audit("room-refused", address)
        raise Refused("refused-room")


async def _cool(unit: Unit, keep: Resident, gone: Resident) -> dict[str, list[str | None]]:
    """A move that is cooling off is not undone by joining: the kept record waits as long, unless
    it is of the place that was left. What it was and what it is now, for parting."""
    if gone.counts_from is None or gone.counts_from <= local_date(unit.now):
        return {}
    moved = await moves.history(unit, gone.id)
    before = keep.counts_from
    left = moved[0].from_code if moved and moved[0].from_code != moved[0].to_code else None
    if keep.place_code == left or (before or date.min) >= gone.counts_from:
        return {}
    keep.counts_from = gone.counts_from
    return {"cooling": [before.isoformat() if before else None, gone.counts_from.isoformat()]}


async def _warm(unit: Unit, merge: Merge) -> None:
    """As it was before the joining, unless the kept one has moved since."""
    before, cooled = merge.moved.get("cooling", (None, None))
    keep = await unit.session.get_one(Resident, merge.kept_id)
    if cooled and keep.counts_from == date.fromisoformat(cooled):
        keep.counts_from = date.fromisoformat(before) if before else None


async def _refusal(
    unit: Unit,
    known: UUID,
    speaker: UUID | None,
    birth: date,
    phone: str | None,
    elsewhere: Collection[UUID],
) -> str | None:
    """Why they may not be joined, if so. Locks both, in the order of their ids, so that two
    joinings at once are one."""
    rows = {
        one: await unit.session.get(Resident, one, with_for_update=True, populate_existing=True)
        for one in sorted({known, speaker or known})
    }
    keep, gone = rows[known], rows.get(speaker) if speaker else None
    if keep is None or keep.registered_at is None or not _stands(keep):
        return "refused-join"
    hashed = unit.keyring.index("phone", phone) if phone else None
    proved = hashed is not None and keep.level in PROVED and keep.phone_hash == hashed
    if not proved and known not in await _behind(unit, elsewhere):
        return "refused-join"
    if _rests(unit, keep, await rulebook.of(unit.session, None)) or birth_of(unit, keep) != birth:
        return "refused-join"
    if speaker is None:
        return None
    if gone is None or gone is keep or not _stands(gone):
        return "refused-join"
    return _contradiction(unit, gone, birth, hashed)


def _contradiction(unit: Unit, gone: Resident, birth: date, phone: bytes | None) -> str | None:
    """Why this record may not go. An official who never registered has nothing to contradict."""
    if gone.registered_at is None:
        return None
    if birth_of(unit, gone) != birth:
        return "refused-join-birth"
    other = phone is not None and gone.level in PROVED and gone.phone_hash not in (phone, None)
    return "refused-join-phone" if other else None


def _stands(found: Resident) -> bool:
    return found.deleted_at is None and found.merged_into is None


def _rests(unit: Unit, found: Resident, rules: Rulebook) -> bool:
    """Was the date of birth guessed wrong too often of late?"""
    wrong = found.join_wrong_at
    fresh = wrong is not None and wrong > _rest_began(unit, rules)
    return fresh and found.join_wrong >= rules.join_tries


def _rest_began(unit: Unit, rules: Rulebook) -> datetime:
    """A wrong date before this moment is forgotten."""
    return unit.now - timedelta(hours=rules.join_rest)


def _older_proof(known: Resident, other: Resident) -> tuple[Resident, Resident]:
    """(who is kept, who goes): the one that was there before, unless only the other one's phone
    is proved."""
    if other.registered_at is not None and other.level in PROVED and known.level not in PROVED:
        return other, known
    return known, other


async def _behind(unit: Unit, addresses: Collection[UUID]) -> set[UUID]:
    found = await unit.session.scalars(
        select(ResidentAddress.resident_id).where(ResidentAddress.address_id.in_(addresses))
    )
    return set(found)


async def _locked(unit: Unit, merge: UUID) -> Merge | None:
    return await unit.session.get(Merge, merge, with_for_update=True, populate_existing=True)


async def _partable(unit: Unit, resident: UUID) -> list[UUID]:
    return [one.merge for one in await joined(unit, resident)]


def _known(unit: Unit, found: Resident) -> Known:
    name = unit.keyring.open(NAME, found.id, found.full_name) if found.full_name else ""
    return Known(found.id, masked(name) if name else "", found.place_code or "")
