"""Who deletes their data and registers again: no way around the cooling-off of a move.

A mark stays until the cooling-off of the place that was left is over: keyed hashes of the phone or
the chat, each with the date of birth, and no name, number or date (decision 25).
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from core.clock import local_date
from models.people import Departure, Move, Resident
from services import rulebook
from services.unit import Unit


async def until(unit: Unit, place_code: str) -> date | None:
    """The first calendar day on which nothing would be known any more of who leaves this place
    now; None where moving has no cooling-off."""
    rules = await rulebook.of(unit.session, place_code)
    days = rules.move_cooling_off
    return local_date(unit.now) + timedelta(days=days) if days else None


async def note(
    unit: Unit, found: Resident, birth: date, phone: str | None, chats: Collection[UUID]
) -> None:
    """This registered resident is about to be forgotten."""
    if found.place_code is None or found.made_up:
        return
    forgotten = await until(unit, found.place_code)
    if forgotten is None:
        return
    today = local_date(unit.now)
    cooling = found.counts_from if found.counts_from and found.counts_from > today else None
    mark = {
        "resident_id": found.id,
        "place_code": found.place_code,
        "counts_from": cooling,
        "left_at": unit.now,
        "until": forgotten,
    }
    for key in _keys(unit, birth, phone, chats):
        statement = insert(Departure).values(key=key, **mark)
        await unit.session.execute(
            statement.on_conflict_do_update(index_elements=[Departure.key], set_=mark)
        )


async def take_back(
    unit: Unit, found: Resident, birth: date, phone: str | None, chats: Collection[UUID]
) -> None:
    """Has whoever registers now left a place a while ago? Then another place counts for votes
    when it would after a move, and the same one as it did."""
    known = await unit.session.scalar(
        select(Departure)
        .where(Departure.key.in_(_keys(unit, birth, phone, chats)))
        .where(Departure.until > local_date(unit.now))
        .order_by(Departure.left_at.desc())
        .limit(1)
    )
    if known is None or found.place_code is None:
        return
    found.counts_from = known.counts_from
    if known.place_code != found.place_code:
        await _moved(unit, found, known)
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


async def _moved(unit: Unit, found: Resident, known: Departure) -> None:
    """`counts_from`: so many calendar days after the day of leaving, by the new place's rule."""
    if found.place_code is None:
        return
    rules = await rulebook.of(unit.session, found.place_code)
    counts_from = local_date(known.left_at) + timedelta(days=rules.move_cooling_off)
    found.counts_from = max(counts_from, local_date(unit.now))
    unit.session.add(
        Move(
            id=unit.new_id(),
            resident_id=found.id,
            from_code=known.place_code,
            to_code=found.place_code,
            moved_at=unit.now,
            counts_from=found.counts_from,
        )
    )


def _keys(unit: Unit, birth: date, phone: str | None, chats: Collection[UUID]) -> Sequence[bytes]:
    known_by = [f"chat:{chat}" for chat in chats] + ([f"phone:{phone}"] if phone else [])
    return [unit.keyring.index("departure", f"{one}|{birth.isoformat()}") for one in known_by]
