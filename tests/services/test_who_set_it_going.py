"""By whose right a notice goes: who wrote it, or who changed it or set it going since."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from bot.clockwork import Clockwork
from core.clock import FrozenClock
from core.outcomes import Outcome
from rules.notices import NoticeKind
from services import notice_changes, people, residents, roles
from services.roles import Power, RoleName
from services.unit import Refused
from tests.services.conftest import Settler
from tests.services.test_notices_in_depth import (
    OKRUG,
    Office,
    claim,
    office,
    rows,
    settle_all,
)

__all__ = ["office"]

PHONE = "+77012223344"


async def clerk_of(office: Office, settle: Settler, *powers: Power) -> Office:
    person, address = await settle("595030100")
    async with office.db.unit() as unit:
        await roles.grant(unit, person, RoleName.CLERK, OKRUG, powers=powers)
    return Office(office.db, person, address)


async def dismissed(clerk: Office) -> None:
    async with clerk.db.unit() as unit:
        (held,) = await roles.standing(unit, clerk.person)
        assert await roles.revoke(unit, clerk.person, held.role, OKRUG)


async def work_in(office: Office, hours: int) -> None:
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    clock.advance(timedelta(hours=hours))
    leader = Clockwork(office.db.database, office.db.keyring, clock, lambda: None)
    await leader.work_due()


async def status(office: Office, notice: UUID) -> str:
    (found,) = await rows(office.db, "SELECT status FROM notice WHERE id = :id", id=notice)
    return found.status


async def soon(office: Office) -> dict:
    async with office.db.unit() as unit:
        return {"at": unit.now + timedelta(hours=2)}


@pytest.mark.parametrize(
    ("kind", "power"),
    [(NoticeKind.URGENT, Power.URGENT), (NoticeKind.ANNOUNCEMENT, Power.SEND)],
)
async def test_other_words_need_the_power_of_the_kind(
    office: Office, settle: Settler, kind: NoticeKind, power: Power
) -> None:
    """To correct is to send other words to everybody."""
    await settle()
    notice = await office.send(kind)
    lacking = {Power.SEND, Power.URGENT} - {power}
    with pytest.raises(Refused):
        await (await clerk_of(office, settle, Power.CORRECT)).correct(notice)
    with pytest.raises(Refused):
        await (await clerk_of(office, settle, Power.CORRECT, *lacking)).correct(notice)
    assert await (await clerk_of(office, settle, Power.CORRECT, power)).correct(notice)


async def test_a_plan_of_who_lost_the_role_does_not_go(office: Office, settle: Settler) -> None:
    await settle()
    clerk = await clerk_of(office, settle, Power.SEND)
    notice = await clerk.send(**await soon(office))
    await dismissed(clerk)
    await work_in(office, 3)
    assert await status(office, notice) == "cancelled"
    (told,) = await rows(
        office.db,
        "SELECT d.address_id FROM delivery AS d JOIN message AS m ON m.id = d.message_id"
        " WHERE d.address_id = :akim",
        akim=office.address,
    )
    assert told.address_id == office.address, "the akim hears of it"


async def test_an_akim_hears_of_it_once_when_it_is_his_own(office: Office, settle: Settler) -> None:
    """The role ended: there is no other akim, and he is told as its author."""
    await settle()
    notice = await office.send(**await soon(office))
    await dismissed(office)
    await work_in(office, 3)
    assert await status(office, notice) == "cancelled"
    assert len(await claim(office.db)) == 1


async def test_what_the_akim_moved_goes_without_the_clerk(office: Office, settle: Settler) -> None:
    """Another moment, or going on after a pause: from then on it goes by the akim's right."""
    await settle()
    clerk = await clerk_of(office, settle, Power.SEND)
    notice = await clerk.send(**await soon(office))
    async with office.db.unit() as unit:
        moment = unit.now + timedelta(hours=1)
    assert await office.change(notice_changes.reschedule, notice, at=moment)
    await dismissed(clerk)
    await work_in(office, 2)
    assert await status(office, notice) == "sending"


async def test_what_the_akim_corrected_goes_without_the_clerk(
    office: Office, settle: Settler
) -> None:
    await settle()
    clerk = await clerk_of(office, settle, Power.SEND)
    notice = await clerk.send(**await soon(office))
    assert await office.correct(notice)
    await dismissed(clerk)
    await work_in(office, 3)
    assert await status(office, notice) == "sending"


async def test_a_plan_of_two_records_that_are_one_now_goes(office: Office, settle: Settler) -> None:
    """The author joined both messengers since: the role is the other record's now."""
    await settle()
    (kept, _), (gone, address) = [
        await settle("595030100", channel, phone=PHONE, phone_proved=True)
        for channel in ("telegram", "whatsapp")
    ]
    async with office.db.unit() as unit:
        await roles.grant(unit, gone, RoleName.CLERK, OKRUG)
    notice = await Office(office.db, gone, address).send(**await soon(office))
    async with office.db.unit() as unit:
        unit.actor = gone
        await people.join(unit, kept, gone, address, PHONE, date(1986, 3, 5))
    await work_in(office, 3)
    assert await status(office, notice) == "sending"


async def test_the_author_whose_window_is_closed_holds_nothing_up(
    office: Office, settle: Settler
) -> None:
    """A reply to them waits for days; the notice is over when everybody has it."""
    await settle()
    person, address = await settle("595030100", "whatsapp")
    async with office.db.unit() as unit:
        await roles.grant(unit, person, RoleName.AKIM, OKRUG)
    akim = Office(office.db, person, address)
    notice = await akim.send()
    await settle_all(office.db, await claim(office.db), Outcome.SENT)
    other = await akim.send(**await soon(office))
    await dismissed(akim)
    await work_in(office, 3)  # tells them that the other one did not go
    assert await status(office, other) == "cancelled"
    waiting = [one for one in await claim(office.db) if one.address == address]
    assert waiting
    await settle_all(office.db, waiting, Outcome.WINDOW_CLOSED)
    leader = Clockwork(office.db.database, office.db.keyring, office.db.clock, lambda: None)
    await leader.show_live()
    assert await status(office, notice) == "finished"


async def told(office: Office) -> int:
    """How many live messages the author gets now."""
    leader = Clockwork(office.db.database, office.db.keyring, office.db.clock, lambda: None)
    assert isinstance(office.db.clock, FrozenClock)
    office.db.clock.advance(timedelta(minutes=1))
    return await leader.show_live()


@pytest.mark.parametrize("how", ["dismissed", "deleted", "stopped"])
async def test_who_left_is_told_no_more_how_it_goes(
    office: Office, settle: Settler, how: str
) -> None:
    """The notice itself goes on and ends."""
    await settle()
    notice = await office.send()
    assert await told(office) == 1
    await settle_all(office.db, await claim(office.db), Outcome.SENT)
    async with office.db.unit() as unit:
        match how:
            case "deleted":
                await residents.forget(unit, office.person)
            case "dismissed":
                await roles.revoke(unit, office.person, RoleName.AKIM, OKRUG)
            case "stopped":
                await unit.session.execute(text("UPDATE address SET stopped_at = :now"
                                                " WHERE id = :id"),
                                           {"now": unit.now, "id": office.address})  # fmt: skip
    assert await told(office) == 0
    assert await status(office, notice) == "finished"


async def test_who_had_stopped_before_and_sends_is_told(office: Office, settle: Settler) -> None:
    async with office.db.unit() as unit:
        await unit.session.execute(text("UPDATE address SET stopped_at = :at"),
                                   {"at": unit.now - timedelta(days=1)})  # fmt: skip
    await settle()
    await office.send()
    assert await told(office) == 1
