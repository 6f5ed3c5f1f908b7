"""Moving to another place: recorded, with the day from which the new place counts for votes.

Residents of the place take part in its decisions (LAW part 1); who moves just before one waits
for the rulebook's `move_cooling_off`. Where people get their notices changes at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from core.clock import local_date
from models.people import Move, Resident
from rules.people import birthday
from services import rulebook
from services.residents import birth_of, slipped
from services.territory import find_home
from services.unit import Refused, Unit


@dataclass(frozen=True, slots=True)
class MoveView:
    """What a move means. `counts_from`: the calendar day from which the new place counts for
    votes. `corrected`: it is no move, what was told at registration was wrong."""

    counts_from: date
    corrected: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What a procedure asks of a resident. `counts_from` is empty for who never moved;
    `counts_today`: grown up, and the place counts already (by the calendar in Kazakhstan);
    `adult_on` is empty for who registered as an adult."""

    place_code: str
    adult: bool
    counts_from: date | None
    level: str
    counts_today: bool
    adult_on: date | None = None


async def move(unit: Unit, resident: UUID, place_code: str) -> MoveView:
    """The resident lives at this place from now on. The same place again changes nothing.

    A correction leaves no row of a move. Raises Refused, and notes the attempt, for anybody who
    is not registered or is somebody else, and for a place that is unknown, abolished, or where
    nobody can live.
    """
    found = await registered(unit, resident, locked=True)
    await _check_home(unit, resident, place_code)
    meant = await _meant(unit, found, place_code)
    await _come_of_age(unit, found, place_code)
    before, found.place_code = found.place_code, place_code
    if before is None or before == place_code:
        return meant
    if not meant.corrected:
        unit.session.add(
            Move(
                id=unit.new_id(),
                resident_id=resident,
                from_code=before,
                to_code=place_code,
                moved_at=unit.now,
                counts_from=meant.counts_from,
            )
        )
        found.counts_from = meant.counts_from
    await unit.session.flush()
    unit.audit(
        "resident-moved",
        resident,
        place=place_code,
        before=before,
        counts_from=meant.counts_from.isoformat(),
        corrected=meant.corrected,
    )
    return meant


async def preview(unit: Unit, resident: UUID, place_code: str) -> MoveView:
    """What moving there now would mean; nothing changes. Raises Refused as `move` does."""
    found = await registered(unit, resident)
    await _check_home(unit, resident, place_code)
    return await _meant(unit, found, place_code)


async def history(unit: Unit, resident: UUID) -> Sequence[Move]:
    """The moves of this resident, the newest first."""
    found = await unit.session.scalars(
        select(Move)
        .where(Move.resident_id == resident)
        .order_by(Move.moved_at.desc(), Move.id.desc())
    )
    return found.all()


async def standing(unit: Unit, resident: UUID) -> Standing:
    """As what this resident stands before a vote today. Raises Refused for a guest."""
    found = await registered(unit, resident)
    today = local_date(unit.now)
    adult = found.adult_on is None or found.adult_on <= today
    counts = found.counts_from is None or found.counts_from <= today
    return Standing(
        place_code=found.place_code or "",
        adult=adult,
        counts_from=found.counts_from,
        level=found.level,
        counts_today=adult and counts,
        adult_on=found.adult_on,
    )


async def registered(unit: Unit, resident: UUID, *, locked: bool = False) -> Resident:
    """The registered resident, for nobody but themselves and the command line.

    Raises Refused, and notes the attempt, for everybody else.
    """
    found = await unit.session.get(
        Resident, resident, with_for_update=locked, populate_existing=True
    )
    stands = found is not None and found.registered_at and not found.deleted_at
    if found is None or not stands or found.merged_into or unit.actor not in (None, resident):
        unit.audit("resident-refused", resident)
        raise Refused("refused-guest")
    return found


async def _check_home(unit: Unit, resident: UUID, place_code: str) -> None:
    if await find_home(unit.session, place_code) is None:
        unit.audit("place-refused", resident, place=place_code)
        raise Refused("refused-place")


async def _meant(unit: Unit, found: Resident, place_code: str) -> MoveView:
    today = local_date(unit.now)
    registered = local_date(found.registered_at or unit.now)
    if found.place_code == place_code:
        return MoveView(found.counts_from or registered, corrected=False)
    rules = await rulebook.of(unit.session, place_code)
    if await slipped(unit, found, rules):
        return MoveView(found.counts_from or registered, corrected=True)
    left, since = await _counted_last(unit, found, registered)
    if left == place_code:
        return MoveView(since, corrected=False)
    return MoveView(today + timedelta(days=rules.move_cooling_off), corrected=False)


async def _come_of_age(unit: Unit, found: Resident, place_code: str) -> None:
    """The day of majority goes by the place: its rule, and the same date of birth. Whom another
    date of birth makes of age later than it says waits for that day as before."""
    birth = birth_of(unit, found)
    if birth is None:
        return
    before, rules = [
        await rulebook.of(unit.session, code) for code in (found.place_code, place_code)
    ]
    majority = birthday(birth, rules.adult_age)
    if found.adult_on and found.adult_on > birthday(birth, before.adult_age):
        majority = max(majority, found.adult_on)
    found.adult_on = majority if majority > local_date(unit.now) else None


async def _counted_last(unit: Unit, found: Resident, registered: date) -> tuple[str | None, date]:
    """The place that counted for votes before the move that is still cooling off, and since
    when; places that were only passed through are left out. No place where none is cooling off:
    who leaves a place that counts does not come back to another one for nothing. A move to the
    same place is of who came again before it counted (`services.departures`)."""
    if found.counts_from is None or found.counts_from <= local_date(unit.now):
        return None, registered
    moves = await history(unit, found.id)
    arrivals = [one.counts_from for one in moves[1:]] + [registered]
    for one, counted in zip(moves, arrivals, strict=True):
        if one.from_code != one.to_code and counted <= local_date(one.moved_at):
            return one.from_code, counted
    return None, registered
