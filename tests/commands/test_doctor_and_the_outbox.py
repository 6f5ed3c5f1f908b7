"""What doctor says of messages that wait: what goes on by itself is no fault."""

from datetime import timedelta

from bot import doctor
from bot.checks import State
from core.clock import FrozenClock
from services import notice_changes, outbox
from tests.services.conftest import Settler, settle, settled
from tests.services.test_notices_in_depth import PROCESS, Office, claim, office, settle_all

__all__ = ["office", "settle", "settled"]


async def said(office: Office, after: timedelta = timedelta()) -> doctor.Check:
    """What doctor says so much later."""
    assert isinstance(office.db.clock, FrozenClock)
    office.db.clock.advance(after)
    async with office.db.unit() as unit:
        return await doctor._outbox(unit)


async def test_a_notice_on_a_pause_is_no_fault(office: Office, settle: Settler) -> None:
    """It waits for its author, however long."""
    for channel in ("telegram", "whatsapp"):
        await settle(channel=channel)
    notice = await office.send()
    assert await office.change(notice_changes.pause, notice)
    told = await said(office, timedelta(hours=1))
    assert (told.state, told.found) == (State.FINE, "2 waiting, the oldest for 1 h")
    assert await office.change(notice_changes.resume, notice)
    assert (await said(office, timedelta(minutes=6))).state is State.FAULT


async def test_the_tail_of_a_long_notice_is_no_fault(office: Office, settle: Settler) -> None:
    """What stood before it is being sent: its turn comes. When nothing is sent any more, or what
    came later is sent and it is not, that is a fault."""
    for _ in range(6):
        await settle()
    await office.send()
    assert (await said(office, timedelta(minutes=6))).state is State.FAULT, "nobody sends"
    await settle_all(office.db, await claim(office.db, limit=2))
    assert (await said(office, timedelta(minutes=4))).state is State.FINE
    passed_over, next_, *rest = await claim(office.db)
    await settle_all(office.db, [next_])
    async with office.db.session() as session:
        free = [one.id for one in (passed_over, *rest)]
        await outbox.release(await session.connection(), free, PROCESS)
    told = await said(office, timedelta(minutes=4))
    assert told.state is State.FAULT
    assert told.found.endswith(", 1 of them should be sent by now"), "it was passed over"
    told = await said(office, timedelta(minutes=6))
    assert told.found.endswith(", 3 of them should be sent by now"), "nobody sends any more"
