"""Who deletes their data and registers again: no way around the cooling-off of a move.

A mark stays until the cooling-off of the place that was left is over: keyed hashes of the phone or
the chat, each with the date of birth and with the given name, and no name, number or date
(decision 25).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from core.clock import local_date
from models.people import Departure, Move, Resident
from rules.names import given_name
from rules.people import birthday, not_at_once
from services import rulebook
from services.unit import Unit


@dataclass(frozen=True, slots=True)
class Signs:
    """What somebody is known again by: a phone or a chat, with the birthday or the given name."""

    full_name: str
    birth: date
    phone: str | None
    chats: Collection[UUID]


async def until(unit: Unit, place_code: str) -> date | None:
    """The first calendar day on which nothing would be known any more of who leaves this place
    now; None where moving has no cooling-off."""
    rules = await rulebook.of(unit.session, place_code)
    days = rules.move_cooling_off
    return local_date(unit.now) + timedelta(days=days) if days else None


async def note(unit: Unit, found: Resident, signs: Signs) -> None:
    """This registered resident is about to be forgotten."""
    if found.place_code is None or found.made_up:
        return
    forgotten = await until(unit, found.place_code)
    if forgotten is None:
        return
    today = local_date(unit.now)
    rules = await rulebook.of(unit.session, found.place_code)
    adult_on = found.adult_on or today
    minor = adult_on > today
    waits = minor and adult_on > birthday(signs.birth, rules.adult_age)
    cooling = found.counts_from if found.counts_from and found.counts_from > today else None
    mark = {
        "resident_id": found.id,
        "place_code": found.place_code,
        "counts_from": cooling,
        "left_at": unit.now,
        "until": forgotten,
    }
    for key, by_name in _keys(unit, signs).items():
        row = mark | {"minor": minor if by_name else waits}
        statement = insert(Departure).values(key=key, **row)
        await unit.session.execute(
            statement.on_conflict_do_update(index_elements=[Departure.key], set_=row)
        )


async def take_back(unit: Unit, found: Resident, signs: Signs) -> None:
    """Has whoever registers now left a place a while ago? Then another place counts for votes
    when it would after a move, and the same one as it did; and who left as a minor comes of age by
    another date of birth as when it is corrected."""
    known = await unit.session.scalar(
        select(Departure)
        .where(Departure.key.in_(_keys(unit, signs)))
        .where(Departure.until > local_date(unit.now))
        .order_by(Departure.left_at.desc(), Departure.minor)  # the same birthday tells the day
        .limit(1)
    )
    if known is None or found.place_code is None:
        return
    if known.minor:
        await _comes_of_age(unit, found, known, signs.birth)
    found.counts_from = known.counts_from
    if known.counts_from is not None:
        _moved(unit, found, known, known.place_code, known.left_at)
    if known.place_code != found.place_code:
        await _cools_off(unit, found, known, found.place_code)
        _moved(unit, found, known, found.place_code, unit.now)
    await unit.session.execute(
        update(Departure)
        .where(Departure.resident_id == known.resident_id)
        .values(resident_id=found.id)
    )
    counts = found.counts_from.isoformat() if found.counts_from else None
    unit.audit("resident-came-back", found.id, before=known.place_code, counts_from=counts)


async def came_back(unit: Unit, resident: UUID) -> bool:
    """Is this somebody who left a place not long ago? What they told is no slip then."""
    found = await unit.session.scalar(
        select(Departure.key).where(Departure.resident_id == resident).limit(1)
    )
    return found is not None


async def forget(unit: Unit) -> None:
    """Marks whose day has come are gone."""
    await unit.session.execute(delete(Departure).where(Departure.until <= local_date(unit.now)))


async def _comes_of_age(unit: Unit, found: Resident, known: Departure, birth: date) -> None:
    rules = await rulebook.of(unit.session, found.place_code)
    majority = birthday(birth, rules.adult_age)
    day = not_at_once(majority, local_date(known.left_at), rules.move_cooling_off)
    found.adult_on = day if day > local_date(unit.now) else None


async def _cools_off(unit: Unit, found: Resident, known: Departure, place_code: str) -> None:
    """`counts_from`: so many calendar days after the day of leaving, by the new place's rule."""
    rules = await rulebook.of(unit.session, place_code)
    counts_from = local_date(known.left_at) + timedelta(days=rules.move_cooling_off)
    found.counts_from = max(counts_from, local_date(unit.now))


def _moved(unit: Unit, found: Resident, known: Departure, to: str, at: datetime) -> None:
    """From the place that was left; to the same one, where it did not count yet: so it is known
    that it did not from the day of registering."""
    if found.counts_from is None:
        return
    unit.session.add(
        Move(
            id=unit.new_id(),
            resident_id=found.id,
            from_code=known.place_code,
            to_code=to,
            moved_at=at,
            counts_from=found.counts_from,
        )
    )


def _keys(unit: Unit, signs: Signs) -> Mapping[bytes, bool]:
    """The keys of a mark; True of one that goes by the given name."""
    chats = [f"chat:{chat}" for chat in signs.chats]
    known_by = chats + ([f"phone:{signs.phone}"] if signs.phone else [])
    told = {signs.birth.isoformat(): False, given_name(signs.full_name): True}
    return {
        unit.keyring.index("departure", f"{one}|{what}"): by_name
        for one in known_by
        for what, by_name in told.items()
    }
