"""One person, however many chats and records: joining, parting, several people on one phone.

Two chats are one person only if both proved the same phone and the date of birth says so: a
family phone, or a number that somebody else had before, must not hand over anybody's vote.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from core.names import sort_key
from models.delivery import Draft
from models.people import Address, Merge, Resident, ResidentAddress, Role
from services import due, rulebook
from services.residents import BIRTH, NAME, new_person, wipe
from services.unit import Refused, Unit

PROVED = ("phone", "roll", "person")  # levels at which the phone is known to be theirs
SETTLED_DUE = "merge-settled"  # the time to part again is over

# In a notice that is still open, one of two recipients who are one person is withdrawn: the one
# that has not got it, else the one of the record that goes.
_WITHDRAW = """
WITH twice AS (
    SELECT k.notice_id, g.resident_id AS gone, k.resident_id AS kept,
           coalesce(gd.outcome IN ('sent', 'announced'), false)
             AND NOT coalesce(kd.outcome IN ('sent', 'announced'), false) AS gone_has_it
    FROM recipient AS k JOIN recipient AS g ON g.notice_id = k.notice_id
    JOIN notice AS n ON n.id = k.notice_id AND n.status IN ('scheduled', 'sending', 'paused')
    LEFT JOIN delivery AS kd ON kd.id = k.delivery_id
    LEFT JOIN delivery AS gd ON gd.id = g.delivery_id
    WHERE k.resident_id = :kept AND g.resident_id = :gone
      AND k.excluded IS NULL AND g.excluded IS NULL
), out AS (
    UPDATE recipient AS r SET excluded = 'merged' FROM twice
    WHERE r.notice_id = twice.notice_id
      AND r.resident_id = CASE WHEN twice.gone_has_it THEN twice.kept ELSE twice.gone END
    RETURNING r.notice_id, r.resident_id, r.delivery_id
), dropped AS (
    UPDATE delivery AS d SET outcome = 'cancelled', waiting_for = NULL, finished_at = :now
    FROM out WHERE d.id = out.delivery_id AND d.outcome IS NULL
      AND (d.claimed_until IS NULL OR d.claimed_until < :now)
      AND NOT EXISTS (SELECT 1 FROM recipient AS o WHERE o.delivery_id = d.id
                      AND o.excluded IS NULL AND o.resident_id NOT IN (:kept, :gone))
)
SELECT notice_id, resident_id FROM out
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A resident as others may see them: first name and first letter of the surname."""

    id: UUID
    shown: str
    place_code: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Two records that are one person, and until when they can be parted."""

    merge: UUID
    until: datetime


def masked(full_name: str) -> str:
    """ "Ахметов Серік Болатұлы" → "Серік А.": what the public may see (LAW part 4)."""
    surname, *rest = full_name.split()
    return f"{rest[0]} {surname[0]}." if rest else surname


async def known_by_phone(
    unit: Unit, phone: str, address: UUID, speaker: UUID | None
) -> list[Known]:
    """Who proved this phone on another chat; by name. The speaker and those of this chat are
    not among them."""
    here = select(ResidentAddress.resident_id).where(ResidentAddress.address_id == address)
    found = await unit.session.scalars(
        select(Resident).where(
            Resident.phone_hash == unit.keyring.index("phone", phone),
            Resident.level.in_(PROVED),
            Resident.registered_at.is_not(None),
            Resident.deleted_at.is_(None),
            Resident.merged_into.is_(None),
            Resident.id.not_in(here),
            Resident.id != (speaker or UUID(int=0)),
        )
    )
    return sorted((_known(unit, one) for one in found), key=lambda one: sort_key(one.shown))


async def is_born(unit: Unit, resident: UUID, birth: date) -> bool:
    """Is this the resident's date of birth? A wrong one is noted."""
    found = await unit.session.get_one(Resident, resident)
    same = _birth(unit, found) == birth
    if not same:
        unit.audit("join-birth-wrong", resident)
    return same


async def join(unit: Unit, kept: UUID, speaker: UUID | None, address: UUID, phone: str) -> Joined:
    """Whoever speaks from this address is the resident `kept`; `phone` was proved by the channel.

    The speaker's own record, if there is one, goes: its chats, roles and drafts move over, and
    in notices still open it counts once. Finished ones are never rewritten. It can be undone
    within the rulebook's days (`part`).

    Raises Refused: unproved or another phone, another date of birth, deleted, joined already.
    """
    gone_id = speaker or await new_person(unit, address, "kk")
    first, second = sorted((kept, gone_id))
    rows = {
        one: await unit.session.get(Resident, one, with_for_update=True, populate_existing=True)
        for one in (first, second)
    }
    keep, gone = rows[kept], rows[gone_id]
    if keep is None or gone is None or not _may_join(unit, keep, gone, phone):
        unit.audit("join-refused", kept, other=str(gone_id))
        raise Refused("refused-join")
    gone.merged_into = kept
    rules = await rulebook.of(unit.session, keep.place_code)
    until = unit.now + timedelta(days=rules.merge_undo)
    merge = Merge(id=unit.new_id(), kept_id=kept, gone_id=gone_id, merged_at=unit.now, moved={})
    merge.moved = await _move(unit, gone_id, kept)
    unit.session.add(merge)
    await unit.session.flush()
    withdrawn = await unit.session.execute(
        text(_WITHDRAW), {"kept": kept, "gone": gone_id, "now": unit.now}
    )
    for row in withdrawn:
        unit.audit("recipient-withdrawn", row.notice_id, resident=str(row.resident_id))
    await due.plan(unit, until, SETTLED_DUE, merge.id)
    unit.audit("residents-joined", kept, other=str(gone_id))
    return Joined(merge.id, until)


async def joined(unit: Unit, resident: UUID) -> list[Joined]:
    """What was joined into this resident and can still be parted, the newest first."""
    found = await unit.session.scalars(
        select(Merge)
        .where(Merge.kept_id == resident, Merge.undone_at.is_(None))
        .order_by(Merge.merged_at.desc())
    )
    return [
        Joined(one.id, until)
        for one in found
        if (until := one.merged_at + timedelta(days=await _undo_days(unit, resident))) > unit.now
    ]


async def part(unit: Unit, merge: UUID) -> None:
    """Undoes a joining: chats, roles and drafts go back where they were.

    Raises Refused for anybody but the person it is about, and when the time is over.
    """
    found = await unit.session.get(Merge, merge, with_for_update=True)
    if (
        found is None
        or found.undone_at is not None
        or found.kept_id != unit.actor
        or merge not in [one.merge for one in await joined(unit, found.kept_id)]
    ):
        unit.audit("part-refused", merge)
        raise Refused("refused-part")
    await _move_back(unit, found)
    await unit.session.execute(
        update(Resident).where(Resident.id == found.gone_id).values(merged_into=None)
    )
    found.undone_at = unit.now
    await due.cancel(unit, merge, {SETTLED_DUE})
    await unit.session.flush()
    unit.audit("residents-parted", found.kept_id, other=str(found.gone_id))


async def settle(unit: Unit, merge: UUID) -> None:
    """The time to part is over: nothing personal is kept of the record that went."""
    found = await unit.session.get(Merge, merge)
    if found is None or found.undone_at is not None:
        return
    await wipe(unit, [found.gone_id], deleted=False)
    unit.audit("merge-settled", found.kept_id, other=str(found.gone_id))


# A family on one phone


async def members(unit: Unit, address: UUID) -> list[Known]:
    """The registered people behind this chat, in the order in which they came."""
    found = await unit.session.scalars(
        select(Resident)
        .join(ResidentAddress, ResidentAddress.resident_id == Resident.id)
        .where(
            ResidentAddress.address_id == address,
            Resident.registered_at.is_not(None),
            Resident.deleted_at.is_(None),
            Resident.merged_into.is_(None),
        )
        .order_by(ResidentAddress.created_at, Resident.id)
    )
    return [_known(unit, one) for one in found]


async def has_room(unit: Unit, address: UUID, place_code: str | None) -> tuple[bool, int]:
    """(may one more person be registered here?, the rulebook's limit)."""
    rules = await rulebook.of(unit.session, place_code)
    return len(await members(unit, address)) < rules.people_on_a_phone, rules.people_on_a_phone


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
    await unit.session.execute(
        update(Address)
        .where(Address.id == address, Address.speaker_id == resident)
        .values(speaker_id=None)
    )
    unit.audit("member-taken-off", address, resident=str(resident))
    left = await unit.session.scalar(
        select(ResidentAddress.address_id).where(ResidentAddress.resident_id == resident).limit(1)
    )
    return left is None


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


async def prefer(unit: Unit, resident: UUID, channel: str | None) -> None:
    """The messenger to which notices go first; None: where the person wrote last."""
    await unit.session.execute(
        update(Resident).where(Resident.id == resident).values(preferred_channel=channel)
    )
    unit.audit("messenger-preferred", resident, channel=channel)


async def speaker_of(unit: Unit, address: UUID) -> UUID | None:
    """Who speaks from this chat by what is stored."""
    found = await unit.session.get(Address, address, populate_existing=True)
    return found.speaker_id if found else None


def _may_join(unit: Unit, keep: Resident, gone: Resident, phone: str) -> bool:
    proved = keep.level in PROVED and keep.phone_hash == unit.keyring.index("phone", phone)
    stands = keep.registered_at is not None and keep.deleted_at is None
    free = keep.merged_into is None and gone.merged_into is None and gone.deleted_at is None
    other = gone.registered_at is not None
    same = not other or _birth(unit, keep) == _birth(unit, gone)
    return keep.id != gone.id and proved and stands and free and same


async def _move(unit: Unit, source: UUID, target: UUID) -> dict[str, list[str]]:
    """What belonged to one resident belongs to the other; the ids of what moved."""
    addresses = await _rehome(unit, source, target, None)
    spoke = await unit.session.scalars(
        update(Address)
        .where(Address.speaker_id == source)
        .values(speaker_id=target)
        .returning(Address.id)
    )
    held = select(Role.role, Role.place_code).where(
        Role.resident_id == target, Role.revoked_at.is_(None)
    )
    standing = {tuple(row) for row in await unit.session.execute(held)}
    roles, ended = [], []
    mine = select(Role).where(Role.resident_id == source, Role.revoked_at.is_(None))
    for role in await unit.session.scalars(mine.with_for_update()):
        if (role.role, role.place_code) in standing:
            role.revoked_at, role.revoked_by = unit.now, unit.actor
            ended.append(str(role.id))
        else:
            role.resident_id = target
            roles.append(str(role.id))
    drafts = await unit.session.scalars(
        update(Draft).where(Draft.author_id == source).values(author_id=target).returning(Draft.id)
    )
    return {
        "addresses": addresses,
        "spoke": sorted({*addresses, *map(str, spoke)}),
        "roles": roles,
        "ended": ended,
        "drafts": [str(one) for one in drafts],
    }


async def _move_back(unit: Unit, merge: Merge) -> None:
    kept, gone, moved = merge.kept_id, merge.gone_id, merge.moved
    await _rehome(unit, kept, gone, [UUID(one) for one in moved["addresses"]])
    for table, column, key in (
        (Address, Address.speaker_id, "spoke"),
        (Role, Role.resident_id, "roles"),
        (Draft, Draft.author_id, "drafts"),
    ):
        await unit.session.execute(
            update(table)
            .where(table.id.in_([UUID(one) for one in moved[key]]), column == kept)
            .values({column: gone})
        )
    await unit.session.execute(
        update(Role)
        .where(Role.id.in_([UUID(one) for one in moved["ended"]]))
        .values(revoked_at=None, revoked_by=None)
    )


async def _rehome(unit: Unit, source: UUID, target: UUID, only: Sequence[UUID] | None) -> list[str]:
    """The chats of one resident become the other's (`only`: just these); which."""
    mine = delete(ResidentAddress).where(ResidentAddress.resident_id == source)
    if only is not None:
        mine = mine.where(ResidentAddress.address_id.in_(only))
    moved = list(await unit.session.scalars(mine.returning(ResidentAddress.address_id)))
    for address in moved:
        await unit.session.execute(
            insert(ResidentAddress)
            .values(resident_id=target, address_id=address, created_at=unit.now)
            .on_conflict_do_nothing()
        )
    return [str(one) for one in moved]


async def _undo_days(unit: Unit, resident: UUID) -> int:
    found = await unit.session.get_one(Resident, resident)
    return (await rulebook.of(unit.session, found.place_code)).merge_undo


def _known(unit: Unit, found: Resident) -> Known:
    name = unit.keyring.open(NAME, found.id, found.full_name) if found.full_name else ""
    return Known(found.id, masked(name) if name else "", found.place_code or "")


def _birth(unit: Unit, found: Resident) -> date | None:
    sealed = found.birth_date
    return date.fromisoformat(unit.keyring.open(BIRTH, found.id, sealed)) if sealed else None
