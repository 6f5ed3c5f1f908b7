"""What it means for others when somebody has their data deleted (`residents.forget` does it)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from models.delivery import Notice
from services import departures, people, residents, roles
from services.people import Known
from services.roles import RoleView
from services.unit import Unit


@dataclass(frozen=True, slots=True)
class Leaving:
    """What ends and what goes on: the person's roles end; notices that are under way (or held)
    stay the office's, those that wait for their moment are not sent; the others stay."""

    roles: Sequence[RoleView]
    under_way: int
    scheduled: int
    family: Sequence[Known]
    elsewhere: Sequence[str]  # the messengers in which notices stop coming too
    mark_until: date | None  # until this day a mark remains (`services.departures`)


async def leaving(unit: Unit, resident: UUID, place_code: str, address: UUID) -> Leaving:
    """As it would be now; nothing changes."""
    mine = await unit.session.scalars(
        select(Notice.queued_at).where(
            func.coalesce(Notice.released_by, Notice.author_id).in_(
                await residents.records(unit, resident)
            ),
            Notice.status.in_(("scheduled", "sending", "paused")),
        )
    )
    queued = [at is not None for at in mine]
    return Leaving(
        roles=await roles.standing(unit, resident),
        under_way=queued.count(True),
        scheduled=queued.count(False),
        family=[one for one in await people.members(unit, address) if one.id != resident],
        elsewhere=await people.reached_elsewhere(unit, resident, address),
        mark_until=await departures.until(unit, place_code),
    )
