"""A correction, and what comes back from a process' hands, where people share chats or have two."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from bot.clockwork import Clockwork
from core.clock import FrozenClock
from core.outcomes import Outcome, SendResult
from services import merging, notice_changes, outbox, reports, retired, second_messenger
from services.outbox import Settled
from services.reports import Report
from tests.services.conftest import Settler
from tests.services.test_notices_in_depth import (
    PROCESS,
    Office,
    claim,
    counts,
    office,
    rows,
    settle_all,
    two_chats,
)
from tests.services.test_reports import somebody_waits

__all__ = ["office"]


def later(office: Office, **by: float) -> None:
    assert isinstance(office.db.clock, FrozenClock)
    office.db.clock.advance(timedelta(**by))


async def shares(office: Office, person: UUID, chat: UUID) -> None:
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("INSERT INTO resident_address (resident_id, address_id, created_at)"
                 " VALUES (:person, :chat, :now)"),
            {"person": person, "chat": chat, "now": unit.now},
        )  # fmt: skip


async def test_the_correction_of_one_and_the_new_text_of_another_at_one_chat(
    office: Office, settle: Settler
) -> None:
    """The father is reached at the chat to which the mother's notice turns: one text for both."""
    _, first, shared = await two_chats(office, settle)
    father, own = await settle()
    await shares(office, father, shared)
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("DELETE FROM resident_address WHERE address_id = :own"), {"own": own}
        )
    notice = await office.send()
    leased = {one.address: one for one in await claim(office.db)}
    assert set(leased) == {first, shared}
    async with office.db.session() as session:
        await outbox.release(await session.connection(), [leased[first].id], PROCESS)
    assert await office.correct(notice)
    await settle_all(office.db, [leased[shared]], Outcome.TRANSIENT)
    again = {one.address: one for one in await claim(office.db)}
    await settle_all(office.db, [again[first]], Outcome.BLOCKED)
    later(office, seconds=61)
    async with office.db.unit() as unit:
        await notice_changes.settle(unit, notice)
    went = []
    for _ in range(3):
        leased_now = await claim(office.db)
        went += [one.address for one in leased_now]
        await settle_all(office.db, leased_now)
    assert went == [shared]
    assert (await counts(office.db, notice)).sent == 2


async def test_corrected_twice_while_it_is_in_hand(office: Office, settle: Settler) -> None:
    """Nothing was accepted: they get the newest text once, alone."""
    _, address = await settle()
    notice = await office.send()
    (one,) = await claim(office.db)
    assert await office.correct(notice, 2)
    await settle_all(office.db, [one], Outcome.TRANSIENT)
    assert await office.correct(notice, 3)
    went = []
    for _ in range(4):
        later(office, seconds=61)
        async with office.db.unit() as unit:
            await notice_changes.settle(unit, notice)
        leased = await claim(office.db)
        went += [each.content["body"] for each in leased if each.address == address]
        await settle_all(office.db, leased)
    assert went == ["Бүгін"]


async def test_of_joined_people_the_kept_ones_other_chat_is_turned_to(
    office: Office, settle: Settler
) -> None:
    """It had gone to the record that is no more; that failed by a callback."""
    kept, other = await settle()
    gone, first = await settle(channel="whatsapp")
    await office.send()
    leased = {one.address: one for one in await claim(office.db)}
    now = office.db.clock.now()
    async with office.db.session() as session:
        connection = await session.connection()
        await outbox.release(connection, [leased[other].id], PROCESS)
        sent = SendResult(Outcome.SENT, platform_id="SM1")
        await outbox.settle_all(connection, [Settled(leased[first], sent, now, b"x", 1)])
    async with office.db.unit() as unit:
        await merging.move(unit, gone, kept)
        await unit.session.execute(
            text("UPDATE resident SET merged_into = :kept WHERE id = :gone"),
            {"kept": kept, "gone": gone},
        )
    failed = Report(leased[first].id, "SM1", "failed", Outcome.BAD_RECIPIENT, "x", 0)
    async with office.db.session() as session:
        await reports.take(await session.connection(), failed, now)
    assert [one.address for one in await claim(office.db)] == [other]


async def test_two_of_a_family_turn_to_one_chat_at_once(office: Office, settle: Settler) -> None:
    _, first, shared = await two_chats(office, settle)
    second_person, second = await settle()
    await shares(office, second_person, shared)
    async with office.db.unit() as unit:
        await unit.session.execute(text("UPDATE resident SET preferred_channel = 'telegram'"))
    notice = await office.send()
    leased = {one.address: one for one in await claim(office.db)}
    assert set(leased) == {first, second}
    begun = asyncio.Event()

    async def fails(address: UUID, *, leads: bool) -> None:
        if not leads:
            await begun.wait()
        async with office.db.session() as session:
            result = SendResult(Outcome.UNREACHABLE)
            now = office.db.clock.now()
            await outbox.settle(await session.connection(), leased[address], result, now)
            begun.set()
            if leads:
                await somebody_waits(office.db)

    await asyncio.gather(fails(first, leads=True), fails(second, leads=False))
    await settle_all(office.db, await claim(office.db))
    assert (await counts(office.db, notice)).sent == 2


async def test_a_correction_waits_for_the_turn_to_the_other(
    office: Office, settle: Settler
) -> None:
    """The first messenger fails while the akim corrects: the other one gets the new text."""
    _, first, _ = await two_chats(office, settle)
    notice = await office.send()
    (one,) = await claim(office.db)
    begun = asyncio.Event()

    async def fails() -> None:
        async with office.db.session() as session:
            result, now = SendResult(Outcome.BLOCKED), office.db.clock.now()
            await outbox.settle(await session.connection(), one, result, now)
            begun.set()
            await somebody_waits(office.db)

    async def corrects() -> None:
        await begun.wait()
        assert await office.correct(notice)

    await asyncio.gather(fails(), corrects())
    for _ in range(5):
        for each in await claim(office.db):
            refused = each.address == first
            await settle_all(office.db, [each], Outcome.BLOCKED if refused else Outcome.SENT)
        later(office, seconds=61)
        async with office.db.unit() as unit:
            await notice_changes.settle(unit, notice)
    assert (await counts(office.db, notice)).sent == 1


@pytest.mark.parametrize("lease", [True, False])
async def test_what_may_have_arrived_of_a_retired_account_is_unknown(
    office: Office, settle: Settler, *, lease: bool
) -> None:
    """Its answer was lost, or its process died with the lease."""
    await settle(channel="whatsapp")
    await office.send()
    (one,) = await claim(office.db)
    if not lease:
        await settle_all(office.db, [one], Outcome.UNKNOWN)
        later(office, seconds=61)
        await settle_all(office.db, await claim(office.db), Outcome.TRANSIENT)
    async with office.db.session() as session:
        await session.execute(text("UPDATE account SET active = false"))
    later(office, hours=1)
    async with office.db.unit() as unit:
        await retired.end(unit)
    (found,) = await rows(office.db, "SELECT outcome FROM delivery WHERE id = :id", id=one.id)
    assert found.outcome == "unknown"


async def test_very_many_silent_people_are_turned_to_in_portions(
    office: Office, settle: Settler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each a row that is due; everybody belongs to one."""
    monkeypatch.setattr(second_messenger, "PORTION", 3)
    for _ in range(7):
        await two_chats(office, settle)
    await office.send()
    await settle_all(office.db, await claim(office.db))
    later(office, hours=25)
    clock = office.db.clock
    await Clockwork(office.db.database, office.db.keyring, clock, lambda: None).work_due()
    assert len(await claim(office.db)) == 7
    portions = "SELECT 1 FROM due WHERE kind = 'notice-silent' AND details <> '{}'"
    assert len(await rows(office.db, portions)) == 3
