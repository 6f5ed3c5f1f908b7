"""The quiet hours once a notice is under way: whatever comes to its turn at night waits."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from bot.clockwork import Clockwork
from core.clock import FrozenClock, local
from core.outcomes import Outcome
from rules.notices import NoticeKind
from services import notice_changes, notices, quiet, rulebook
from services.notices import Readiness
from tests.services.conftest import Settler
from tests.services.test_notices_in_depth import (
    OKRUG,
    Office,
    claim,
    counts,
    office,
    rows,
    settle_all,
    two_chats,
)

__all__ = ["office"]

pytestmark = pytest.mark.night

EVENING = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)  # 20:30 in Kazakhstan
NIGHT = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)  # 02:00
MORNING = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # 08:00


def at(db: TestDatabase, moment: datetime) -> None:
    assert isinstance(db.clock, FrozenClock)
    db.clock.at = moment


async def work(db: TestDatabase) -> int:
    return await Clockwork(db.database, db.keyring, db.clock, lambda: None).work_due()


async def sent_to(db: TestDatabase) -> int:
    """How many leave now, and have left."""
    claimed = await claim(db)
    await settle_all(db, claimed)
    return len(claimed)


async def test_the_tail_of_a_long_notice_waits_for_the_morning(
    office: Office, settle: Settler
) -> None:
    """What is urgent goes at night, past it; in the morning the rest follows."""
    for _ in range(4):
        await settle()
    at(office.db, EVENING)
    notice = await office.send()
    await settle_all(office.db, await claim(office.db, limit=1))
    at(office.db, NIGHT)
    assert await sent_to(office.db) == 0
    found = await counts(office.db, notice)
    assert (found.sent, found.waiting, found.finished) == (1, {"quiet-hours": 3}, False)
    assert found.quiet_until == MORNING
    urgent = await office.send(NoticeKind.URGENT)
    assert await sent_to(office.db) == 4
    assert (await counts(office.db, urgent)).sent == 4
    at(office.db, MORNING)
    assert await sent_to(office.db) == 3
    assert (await counts(office.db, notice)).finished


async def test_a_tail_is_put_off_in_pieces_whatever_is_leased(
    office: Office, settle: Settler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "_PUT_OFF", quiet._PUT_OFF.replace("LIMIT 1000", "LIMIT 2"))
    for _ in range(5):
        await settle()
    at(office.db, EVENING)
    notice = await office.send()
    at(office.db, NIGHT)
    assert await claim(office.db, limit=1) == []
    assert (await counts(office.db, notice)).waiting == {"quiet-hours": 2}
    for _ in range(2):
        assert await claim(office.db, limit=1) == []
    assert (await counts(office.db, notice)).waiting == {"quiet-hours": 5}


@pytest.mark.parametrize("why", [Outcome.TRANSIENT, Outcome.TEMPLATE_UNAVAILABLE])
async def test_another_try_is_not_made_at_night(
    office: Office, settle: Settler, why: Outcome
) -> None:
    """A platform that is back, a template that was approved: in the morning."""
    await settle()
    at(office.db, EVENING)
    await office.send()
    await settle_all(office.db, await claim(office.db), why)
    at(office.db, NIGHT)
    assert await claim(office.db) == []
    at(office.db, MORNING - timedelta(seconds=1))
    assert await claim(office.db) == []
    at(office.db, MORNING)
    assert len(await claim(office.db)) == 1


async def test_what_was_begun_is_finished(office: Office, settle: Settler) -> None:
    """Nobody gets half a text in the evening and half in the morning."""
    await settle()
    at(office.db, EVENING)
    await office.send()
    ((delivery,),) = await rows(office.db, "SELECT id FROM delivery")
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE delivery SET parts_sent = 1 WHERE id = :id"), {"id": delivery}
        )
    at(office.db, NIGHT)
    assert [one.id for one in await claim(office.db)] == [delivery]


async def test_an_answer_that_was_lost_stays_open_to_its_callback(
    office: Office, settle: Settler
) -> None:
    await settle()
    at(office.db, EVENING)
    await office.send()
    await settle_all(office.db, await claim(office.db), Outcome.UNKNOWN)
    at(office.db, NIGHT)
    assert len(await claim(office.db)) == 1
    assert await rows(office.db, "SELECT 1 FROM delivery WHERE waiting_for = 'unknown'")


async def test_resumed_at_night_it_goes_on_in_the_morning(office: Office, settle: Settler) -> None:
    await settle()
    at(office.db, EVENING)
    notice = await office.send()
    assert await office.change(notice_changes.pause, notice)
    at(office.db, NIGHT)
    assert await office.change(notice_changes.resume, notice)
    assert (await counts(office.db, notice)).quiet_until == MORNING, "known at once"
    assert await claim(office.db) == []
    at(office.db, MORNING)
    assert len(await claim(office.db)) == 1


@pytest.mark.parametrize("kind", [NoticeKind.EVENT, NoticeKind.URGENT])
async def test_corrected_at_night(office: Office, settle: Settler, kind: NoticeKind) -> None:
    await settle()
    at(office.db, EVENING)
    notice = await office.send(kind)
    await settle_all(office.db, await claim(office.db))
    at(office.db, NIGHT)
    assert await office.correct(notice)
    if kind is NoticeKind.URGENT:
        assert len(await claim(office.db)) == 1
        return
    assert (await counts(office.db, notice)).quiet_until == MORNING, "known at once"
    assert await claim(office.db) == []
    at(office.db, MORNING)
    assert len(await claim(office.db)) == 1


async def test_the_other_messenger_is_turned_to_in_the_morning(
    office: Office, settle: Settler
) -> None:
    _, _, second = await two_chats(office, settle)
    at(office.db, EVENING)
    await office.send()
    claimed = await claim(office.db)
    at(office.db, NIGHT)
    await settle_all(office.db, claimed, Outcome.BLOCKED)
    assert await claim(office.db) == []
    at(office.db, MORNING)
    assert [one.address for one in await claim(office.db)] == [second]


async def test_planned_for_the_evening_and_late_it_goes_in_the_morning(
    office: Office, settle: Settler
) -> None:
    """The server was down, or a file came late: nobody is woken, and the card says when."""
    await settle()
    at(office.db, EVENING - timedelta(hours=2))
    notice = await office.send(at=EVENING)
    at(office.db, NIGHT)
    await work(office.db)
    ((status, moment),) = await rows(office.db, "SELECT status, send_at FROM notice")
    assert (status, moment) == ("scheduled", MORNING)
    assert await work(office.db) == 0
    at(office.db, MORNING)
    await work(office.db)
    assert (await counts(office.db, notice)).total == 1
    assert len(await claim(office.db)) == 1


async def test_the_hours_are_those_of_the_offices_place(office: Office, settle: Settler) -> None:
    await settle()
    at(office.db, EVENING)
    await office.send()
    async with office.db.unit() as unit:
        await rulebook.decide(unit, "quiet-from", "23:00", OKRUG, "Решение от 01.11.2026 № 1")
    at(office.db, EVENING + timedelta(hours=2))
    assert local(office.db.clock.now()).hour == 22
    assert len(await claim(office.db)) == 1


async def test_moved_again_after_a_pause_it_waits_for_the_last_moment(
    office: Office, settle: Settler
) -> None:
    """What was planned for the moments before does nothing."""
    await settle()
    now = EVENING - timedelta(hours=8)
    at(office.db, now)
    notice = await office.send(at=now + timedelta(hours=1))
    assert await office.change(notice_changes.pause, notice)
    at(office.db, now + timedelta(hours=1))
    await work(office.db)
    for hours in (2, 3, 4):
        moment = now + timedelta(hours=hours)
        assert await office.change(notice_changes.reschedule, notice, at=moment) == moment
    for hours in (2, 3):
        at(office.db, now + timedelta(hours=hours))
        await work(office.db)
        assert await rows(office.db, "SELECT 1 FROM recipient") == []
    async with office.db.unit() as unit:
        assert await notices.readiness(unit, notice) is Readiness.EARLY
    at(office.db, now + timedelta(hours=4))
    assert await work(office.db) >= 1
    assert len(await claim(office.db)) == 1
