"""What status callbacks say: of which try, of which part, and whether anybody still wants it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from core.clock import FrozenClock
from core.outcomes import Outcome, SendResult
from rules.notices import NoticeKind
from services import notice_changes, notices, outbox, reports, residents, retired
from services.outbox import Claimed, Settled
from services.reports import Report
from tests.services.conftest import Settler
from tests.services.test_notices_in_depth import (
    KK,
    Office,
    claim,
    contents,
    office,
    rows,
    settle_all,
    two_chats,
)

__all__ = ["office"]


@dataclass
class Desk:
    """A sender and a messenger that reports later."""

    db: TestDatabase
    office: Office

    async def claimed(self, address: UUID | None = None) -> Claimed:
        found = [one for one in await claim(self.db) if address in (None, one.address)]
        return found[0]

    async def sent(self, one: Claimed, sid: str, *, parts: int = 1) -> None:
        async with self.db.session() as session:
            result = SendResult(Outcome.SENT, platform_id=sid)
            settled = Settled(one, result, self.db.clock.now(), b"digest", parts)
            await outbox.settle_all(await session.connection(), [settled])

    async def told(
        self,
        one: Claimed,
        sid: str,
        status: str,
        failure: Outcome | None = None,
        *,
        attempt: int | None = None,
        part: int | None = None,
    ) -> None:
        """By default of the try that `one` was."""
        attempt = one.attempts if attempt is None else attempt
        report = Report(one.id, sid, status, failure, "x", attempt, part)
        async with self.db.session() as session:
            await reports.take(await session.connection(), report, self.db.clock.now())

    async def state(self, one: Claimed) -> Any:
        (row,) = await rows(self.db, "SELECT * FROM delivery WHERE id = :id", id=one.id)
        return row

    def later(self, **by: float) -> None:
        assert isinstance(self.db.clock, FrozenClock)
        self.db.clock.advance(timedelta(**by))


@pytest.fixture
async def desk(office: Office, settle: Settler) -> Desk:
    """An office that writes to two people on WhatsApp."""
    for _ in range(2):
        await settle(channel="whatsapp")
    return Desk(office.db, office)


AGAIN = [Outcome.THROTTLED, Outcome.TRANSIENT, Outcome.DAILY_LIMIT, Outcome.TEMPLATE_UNAVAILABLE]


# Of which try


async def test_an_earlier_try_says_nothing_of_what_a_later_one_achieved(desk: Desk) -> None:
    await desk.office.send()
    first = await desk.claimed()
    await settle_all(desk.db, [first], Outcome.UNKNOWN)
    desk.later(seconds=61)
    second = await desk.claimed(first.address)
    assert second.attempts == 1
    await desk.sent(second, "SM2")
    await desk.told(first, "SM1", "failed", Outcome.UNREACHABLE)
    assert (await desk.state(first)).outcome == "sent"
    await desk.told(second, "SM2", "delivered")
    assert (await desk.state(first)).delivered_at is not None


async def test_a_try_that_failed_does_not_stand_for_one_lost_with_its_process(desk: Desk) -> None:
    """The late "sent" of the first one ended the second, whose lease had run out: the person may
    have nothing, and nothing more came."""
    await desk.office.send()
    first = await desk.claimed()
    await desk.sent(first, "SM1")
    await desk.told(first, "SM1", "failed", Outcome.TRANSIENT)
    desk.later(minutes=1)
    second = await desk.claimed(first.address)
    desk.later(minutes=1)
    await desk.told(first, "SM1", "sent")
    assert (await desk.state(second)).outcome is None
    await desk.told(second, "SM2", "sent")
    assert (await desk.state(second)).outcome == "sent"


async def test_what_has_come_has_come(desk: Desk) -> None:
    """Failed, says one callback; delivered, says the next."""
    await desk.office.send()
    one = await desk.claimed()
    await desk.sent(one, "SM1")
    await desk.told(one, "SM1", "undelivered", Outcome.UNREACHABLE)
    assert (await desk.state(one)).outcome == "unreachable"
    await desk.told(one, "SM1", "delivered")
    assert (await desk.state(one)).outcome == "sent"
    await desk.told(one, "SM1", "undelivered", Outcome.UNREACHABLE)
    assert (await desk.state(one)).outcome == "sent"


async def test_faster_than_the_answer_counts_as_a_try(desk: Desk) -> None:
    """Where the failure always overtakes the answer, there is an end."""
    await desk.office.send()
    address = None
    for n in range(outbox.NOTICE_TRIES):
        one = await desk.claimed(address)
        address = one.address
        assert one.attempts == n
        await desk.told(one, f"SM{n}", "failed", Outcome.TRANSIENT)
        await desk.sent(one, f"SM{n}")  # the answer: it was accepted once
        await desk.told(one, f"SM{n}", "failed", Outcome.TRANSIENT)  # the same again
        desk.later(hours=2)
    found = await desk.state(one)
    assert (found.outcome, found.failures) == ("unreachable", outbox.NOTICE_TRIES)


async def test_a_copy_does_not_end_the_try_under_way(desk: Desk) -> None:
    await desk.office.send()
    first = await desk.claimed()
    await desk.told(first, "SM1", "failed", Outcome.TRANSIENT)
    desk.later(minutes=1)
    second = await desk.claimed(first.address)
    await desk.told(first, "SM1", "failed", Outcome.TRANSIENT)
    await desk.sent(second, "SM2")
    found = await desk.state(second)
    assert (found.outcome, found.platform_id) == ("sent", "SM2")


@pytest.mark.parametrize("failure", [Outcome.DAILY_LIMIT, Outcome.WINDOW_CLOSED])
async def test_a_failure_told_while_we_wait_is_not_overwritten(
    desk: Desk, failure: Outcome
) -> None:
    """The answer never came; what it was is known."""
    await desk.office.send()
    one = await desk.claimed()
    await desk.told(one, "SM1", "failed", failure)
    before = await desk.state(one)
    await settle_all(desk.db, [one], Outcome.UNKNOWN)
    after = await desk.state(one)
    assert (after.waiting_for, after.not_before) == (failure, before.not_before)
    assert after.lost == 0


async def test_the_days_limit_told_twice_is_one_day(desk: Desk) -> None:
    await desk.office.send()
    one = await desk.claimed()
    await desk.sent(one, "SM1")
    await desk.told(one, "SM1", "failed", Outcome.DAILY_LIMIT)
    before = (await desk.state(one)).not_before
    desk.later(hours=23)
    await desk.told(one, "SM1", "failed", Outcome.DAILY_LIMIT)
    assert (await desk.state(one)).not_before == before
    closed = "SELECT max(quota_closed_until) AS until FROM account"
    (account,) = await rows(desk.db, closed)
    assert account.until is None or account.until < desk.db.clock.now()


async def test_too_fast_holds_the_whole_account(desk: Desk) -> None:
    await desk.office.send()
    one = await desk.claimed()
    await desk.sent(one, "SM1")
    await desk.told(one, "SM1", "failed", Outcome.THROTTLED)
    (account,) = await rows(desk.db, "SELECT next_slot FROM account WHERE id = :id", id=one.account)
    assert account.next_slot > desk.db.clock.now()


# Does anybody want it?


async def stopped(desk: Desk, how: str, notice: UUID) -> None:
    change = {"cancelled": notice_changes.cancel, "paused": notice_changes.pause}
    if how == "corrected":
        assert await desk.office.correct(notice)
    else:
        assert await desk.office.change(change[how], notice)


@pytest.mark.parametrize("failure", AGAIN)
@pytest.mark.parametrize("how", ["cancelled", "paused", "corrected"])
async def test_what_nobody_wants_any_more_does_not_go_again(
    desk: Desk, how: str, failure: Outcome
) -> None:
    notice = await desk.office.send()
    one = await desk.claimed()
    await desk.sent(one, "SM1")
    async with desk.db.session() as session:
        await session.execute(text("UPDATE delivery SET claimed_until = NULL"))
    await stopped(desk, how, notice)
    desk.later(minutes=2)
    await desk.told(one, "SM1", "failed", failure)
    desk.later(days=2)
    assert one.id not in [again.id for again in await claim(desk.db)]
    expected = {"cancelled": "cancelled", "corrected": "superseded", "paused": None}
    assert (await desk.state(one)).outcome == expected[how]


async def test_what_comes_back_during_a_pause_waits_and_holds_nobody_up(desk: Desk) -> None:
    """It was in a process' hands, and is due again before anybody has looked after it."""
    notice = await desk.office.send()
    one = await desk.claimed()
    assert await desk.office.change(notice_changes.pause, notice)
    await settle_all(desk.db, [one], Outcome.TRANSIENT)
    desk.later(seconds=10)
    other = await desk.office.send()
    assert {each.notice for each in await claim(desk.db)} <= {other}
    found = await desk.state(one)
    assert (found.waiting_for, found.detail) == ("paused", "transient")
    assert await desk.office.change(notice_changes.resume, notice)
    assert one.id in [each.id for each in await claim(desk.db)]


async def test_what_was_paused_goes_after_the_pause(desk: Desk) -> None:
    notice = await desk.office.send()
    one = await desk.claimed()
    await desk.sent(one, "SM1")
    async with desk.db.session() as session:
        await session.execute(text("UPDATE delivery SET claimed_until = NULL"))
    await stopped(desk, "paused", notice)
    await desk.told(one, "SM1", "failed", Outcome.TRANSIENT)
    desk.later(minutes=2)
    assert await claim(desk.db) == []
    assert await desk.office.change(notice_changes.resume, notice)
    desk.later(minutes=2)
    assert one.id in [again.id for again in await claim(desk.db)]


async def test_erased_words_keep_nothing_else_from_going(desk: Desk, settle: Settler) -> None:
    """A reply that was accepted; the data were deleted; then it turns out that it may go again."""
    person, address = await settle(channel="whatsapp")
    _, other = await settle(channel="whatsapp")
    (row,) = await rows(desk.db, "SELECT account_id FROM address WHERE id = :id", id=address)
    async with desk.db.unit() as unit:
        await outbox.enqueue(unit, address, row.account_id, "kk", contents()[KK], outbox.REPLY)
    one = await desk.claimed(address)
    await desk.sent(one, "SM1")
    async with desk.db.unit() as unit:
        await residents.forget(unit, person)
    await desk.told(one, "SM1", "failed", Outcome.TRANSIENT)
    assert (await desk.state(one)).outcome == "unreachable"
    async with desk.db.session() as session:  # and if it lay there all the same
        await session.execute(
            text("UPDATE delivery SET outcome = NULL WHERE id = :id"), {"id": one.id}
        )
    async with desk.db.unit() as unit:
        await outbox.enqueue(unit, other, row.account_id, "kk", contents()[KK], outbox.REPLY)
    assert [again.address for again in await claim(desk.db)] == [other]
    assert (await desk.state(one)).outcome == "refused"


async def test_nothing_more_goes_to_who_was_deleted(desk: Desk, settle: Settler) -> None:
    """What was in hand then comes back; what was accepted fails by a callback."""
    people = [await settle(channel="whatsapp") for _ in range(2)]
    await desk.office.send()
    mine = {one.address: one for one in await claim(desk.db)}
    (first, in_hand), (second, accepted) = people
    await desk.sent(mine[accepted], "SM1")
    for person in (first, second):
        async with desk.db.unit() as unit:
            await residents.forget(unit, person)
    await settle_all(desk.db, [mine[in_hand]], Outcome.TRANSIENT)
    await desk.told(mine[accepted], "SM1", "failed", Outcome.WINDOW_CLOSED)
    assert (await desk.state(mine[accepted])).outcome == "cancelled"
    async with desk.db.unit() as unit:
        for row in await rows(desk.db, "SELECT details FROM due WHERE kind = 'resident-left'"):
            await residents.forget_left(unit, row.details)
    assert (await desk.state(mine[in_hand])).outcome == "cancelled"


# The other messenger


async def test_only_a_failure_that_stands_turns_to_the_other(
    office: Office, settle: Settler
) -> None:
    """Not one that is told of an earlier try, or of what has arrived."""
    desk = Desk(office.db, office)
    _, first, _ = await two_chats(office, settle)
    await office.send()
    one = await desk.claimed(first)
    await desk.sent(one, "SM1")
    await desk.told(one, "SM1", "delivered")
    await desk.told(one, "SM1", "failed", Outcome.UNREACHABLE)
    second = "SELECT 1 FROM recipient WHERE second_id IS NOT NULL"
    assert await rows(office.db, second) == []


async def test_tries_used_up_by_callbacks_turn_to_the_other(
    office: Office, settle: Settler
) -> None:
    desk = Desk(office.db, office)
    _, first, _ = await two_chats(office, settle)
    await office.send()
    for n in range(outbox.NOTICE_TRIES):
        one = await desk.claimed(first)
        await desk.sent(one, f"SM{n}")
        await desk.told(one, f"SM{n}", "failed", Outcome.TRANSIENT)
        desk.later(hours=2)
    assert (await desk.state(one)).outcome == "unreachable"
    assert len(await rows(office.db, "SELECT 1 FROM recipient WHERE second_id IS NOT NULL")) == 1


# Who has come back


async def test_an_old_refusal_stops_nobody_who_has_written_since(desk: Desk) -> None:
    await desk.office.send()
    one = await desk.claimed()
    await desk.sent(one, "SM1")
    await desk.told(one, "SM1", "failed", Outcome.BLOCKED)
    at = "SELECT stopped_at FROM address WHERE id = :id"
    assert (await rows(desk.db, at, id=one.address))[0].stopped_at is not None
    desk.later(hours=1)
    async with desk.db.session() as session:
        await session.execute(
            text("UPDATE address SET stopped_at = NULL, last_inbound_at = :now WHERE id = :id"),
            {"now": desk.db.clock.now(), "id": one.address},
        )
    await desk.told(one, "SM1", "failed", Outcome.BLOCKED)
    assert (await rows(desk.db, at, id=one.address))[0].stopped_at is None


# Parts


@pytest.mark.parametrize(
    ("failure", "why"), [(Outcome.REFUSED, "refused"), (Outcome.TRANSIENT, "unreachable")]
)
async def test_a_picture_that_has_not_come_is_noted(desk: Desk, failure: Outcome, why: str) -> None:
    """The text has arrived: that stands, and beside it that the picture has not, and why."""
    await desk.office.send()
    one = await desk.claimed()
    await desk.told(one, "SM1", "failed", failure, part=1)
    await desk.sent(one, "SM2", parts=2)
    await desk.told(one, "SM1", "failed", failure, part=1)
    found = await desk.state(one)
    assert (found.outcome, found.detail) == ("sent", f"part 1 {why}: x")


async def test_of_parts_that_have_gone_none_goes_again(desk: Desk) -> None:
    """The text failed: it alone is sent again."""
    await desk.office.send()
    one = await desk.claimed()
    await desk.sent(one, "SM2", parts=2)
    await desk.told(one, "SM2", "failed", Outcome.TRANSIENT)
    desk.later(minutes=1)
    again = await desk.claimed(one.address)
    assert again.parts_sent == 1


# Waiting and tries


async def test_waiting_uses_up_no_tries(desk: Desk) -> None:
    """After an hour for an approval, a failure is the first one, a lost answer too."""
    await desk.office.send()
    one = await desk.claimed()
    for _ in range(2 * outbox.NOTICE_TRIES):
        await settle_all(desk.db, [one], Outcome.TEMPLATE_UNAVAILABLE)
        desk.later(minutes=11)
        one = await desk.claimed(one.address)
    await settle_all(desk.db, [one], Outcome.TRANSIENT)
    assert (await desk.state(one)).outcome is None
    desk.later(minutes=11)
    one = await desk.claimed(one.address)
    await settle_all(desk.db, [one], Outcome.UNKNOWN)
    assert (await desk.state(one)).outcome is None


async def test_a_window_that_is_closed_after_all_is_drawn_as_closed(desk: Desk) -> None:
    """Seconds later, by the template if the notice has one; only then it waits for them."""
    await desk.office.send()
    one = await desk.claimed()
    assert one.window_open
    await settle_all(desk.db, [one], Outcome.WINDOW_CLOSED)
    desk.later(seconds=6)
    again = await desk.claimed(one.address)
    assert not again.window_open
    await settle_all(desk.db, [again], Outcome.WINDOW_CLOSED)
    desk.later(days=30)
    assert one.id not in [each.id for each in await claim(desk.db)]


async def test_what_comes_to_its_moment_goes_in_its_order(desk: Desk) -> None:
    """After a night or a day's quota two notices of one person are not leased together."""
    first = await desk.office.send()
    for one in await claim(desk.db):
        await settle_all(desk.db, [one], Outcome.DAILY_LIMIT)
    second = await desk.office.send()
    desk.later(days=1, minutes=1)
    leased = await claim(desk.db)
    assert {one.notice for one in leased} == {first}
    await settle_all(desk.db, leased)
    assert {one.notice for one in await claim(desk.db)} == {second}


# A process that dies


async def test_what_a_dead_process_had_in_hand_may_have_gone(desk: Desk) -> None:
    """Cancelled after its lease: nobody knows, until a callback tells."""
    notice = await desk.office.send()
    one = await desk.claimed()
    desk.later(minutes=1)
    assert await desk.office.change(notice_changes.cancel, notice)
    assert (await desk.state(one)).outcome == "unknown"
    await desk.told(one, "SM1", "delivered")
    assert (await desk.state(one)).outcome == "sent"


async def test_another_process_takes_it_over_as_another_try(desk: Desk) -> None:
    """Its answer is lost; what arrived all the same is written, and is not sent again."""
    await desk.office.send()
    one = await desk.claimed()
    desk.later(minutes=1)
    async with desk.db.session() as session:
        (taken,) = await outbox.claim(
            await session.connection(), desk.db.keyring, one.account, UUID(int=8),
            desk.db.clock.now(), limit=1
        )  # fmt: skip
    assert (taken.id, taken.attempts, taken.lost) == (one.id, 1, 1)
    await desk.sent(one, "SM1")
    found = await desk.state(one)
    assert (found.outcome, found.platform_id) == ("sent", "SM1")


async def test_what_is_urgent_goes_before_a_long_notice(desk: Desk) -> None:
    usual = await desk.office.send()
    urgent = await desk.office.send(NoticeKind.URGENT)
    leased = await claim(desk.db)
    assert {one.notice for one in leased} == {urgent}
    await settle_all(desk.db, leased)
    assert {one.notice for one in await claim(desk.db)} == {usual}


# Two at once, and copies


async def somebody_waits(db: TestDatabase) -> None:
    """Until a transaction waits for another one's lock."""
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    for _ in range(100):
        await asyncio.sleep(0.02)
        if await rows(db, waits):
            return


async def test_a_late_sent_of_an_earlier_try_does_not_end_the_one_under_way(desk: Desk) -> None:
    await desk.office.send()
    tries = []
    for n in range(2):
        tries.append(await desk.claimed(tries[0].address if tries else None))
        await desk.sent(tries[-1], f"SM{n}")
        await desk.told(tries[-1], f"SM{n}", "failed", Outcome.TRANSIENT)
        desk.later(minutes=10)
    third = await desk.claimed(tries[0].address)
    await desk.told(tries[0], "SM0", "sent")
    await settle_all(desk.db, [third], Outcome.TRANSIENT)
    assert (await desk.state(third)).outcome is None


async def test_both_callbacks_of_the_text_before_its_answer(desk: Desk) -> None:
    """Sent, failed, and then what Twilio answered: the text goes again, the picture does not."""
    await desk.office.send()
    one = await desk.claimed()
    async with desk.db.session() as session:
        await outbox.part_sent(await session.connection(), one.id, 1, "SM1")
    await desk.told(one, "SM2", "sent")
    await desk.told(one, "SM2", "failed", Outcome.TRANSIENT)
    await desk.sent(one, "SM2", parts=2)
    desk.later(minutes=1)
    again = await desk.claimed(one.address)
    assert again.parts_sent == 1


async def test_picture_and_text_both_fail(desk: Desk) -> None:
    """The usual case: the text goes again, and is not counted as arrived."""
    await desk.office.send()
    one = await desk.claimed()
    await desk.sent(one, "SM2", parts=2)
    await desk.told(one, "SM1", "failed", Outcome.TRANSIENT, part=1)
    await desk.told(one, "SM2", "failed", Outcome.TRANSIENT)
    found = await desk.state(one)
    assert (found.outcome, found.waiting_for, found.parts_sent) == (None, "transient", 1)


# What was announced, and tapped before the answer came


@pytest.mark.parametrize("known", ["in hand", "unknown"])
@pytest.mark.parametrize("settled_by", ["callback", "answer"])
async def test_a_tap_before_the_answer_is_the_full_text_for_good(
    desk: Desk, known: str, settled_by: str
) -> None:
    """The announcement's button brought the full text, while a process still waited for the answer
    to the announcement (or had died waiting): then "announced" was written over it."""
    notice = await desk.office.send()
    one = await desk.claimed()
    if known == "unknown":
        await settle_all(desk.db, [one], Outcome.UNKNOWN)
    async with desk.db.unit() as unit:
        await notices.take_newest(unit, notice, one.address, in_hand=True)
    async with desk.db.session() as session:
        connection = await session.connection()
        now = desk.db.clock.now()
        if settled_by == "callback":
            for status in ("sent", "delivered"):
                report = Report(one.id, "SM1", status, attempt=one.attempts, template="notice_1")
                await reports.take(connection, report, now)
        else:
            result = SendResult(Outcome.ANNOUNCED, platform_id="SM1")
            await outbox.settle_all(connection, [Settled(one, result, now, b"digest", 1)])
    found = await desk.state(one)
    assert (found.outcome, found.claimed_until) == ("sent", None)
    desk.later(minutes=10)
    assert one.id not in {other.id for other in await claim(desk.db)}


@pytest.mark.parametrize("act", ["cancel", "correct"])
async def test_a_try_that_ended_with_its_process_and_its_notice_can_still_fail(
    desk: Desk, act: str
) -> None:
    """What was accepted from a dead process, and the notice cancelled or corrected meanwhile: the
    failure that came after "sent" was taken for another try's, and it stayed "sent" for ever."""
    notice = await desk.office.send()
    one = await desk.claimed()
    desk.later(seconds=61)
    if act == "cancel":
        await desk.office.change(notice_changes.cancel, notice)
    else:
        await desk.office.correct(notice)
    assert (await desk.state(one)).outcome == "unknown"
    await desk.told(one, "SM1", "sent")
    assert (await desk.state(one)).outcome == "sent"
    await desk.told(one, "SM1", "failed", Outcome.UNREACHABLE)
    assert (await desk.state(one)).outcome == "unreachable"


async def test_of_two_lost_answers_the_first_ones_sent_proves_nothing(desk: Desk) -> None:
    """It was "sent" from then on, and the failure of that same try changed nothing any more."""
    await desk.office.send()
    first = await desk.claimed()
    await settle_all(desk.db, [first], Outcome.UNKNOWN)
    desk.later(seconds=61)
    second = await desk.claimed(first.address)
    await settle_all(desk.db, [second], Outcome.UNKNOWN)
    await desk.told(first, "SM1", "sent")
    await desk.told(first, "SM1", "failed", Outcome.UNREACHABLE)
    assert (await desk.state(first)).outcome == "unknown"
    await desk.told(second, "SM2", "sent")
    assert (await desk.state(first)).outcome == "sent"


@pytest.mark.parametrize("act", ["cancel", "retire"])
async def test_an_answer_that_comes_after_its_lease_and_its_notice_counts(
    desk: Desk, act: str
) -> None:
    """A slow process, not a dead one: what it was answered is known, also by a callback."""
    notice = await desk.office.send()
    answered, told = await claim(desk.db)
    desk.later(seconds=61)
    if act == "cancel":
        await desk.office.change(notice_changes.cancel, notice)
    else:
        async with desk.db.unit() as unit:
            await unit.session.execute(text("UPDATE account SET active = false"))
            await retired.end(unit)
    assert (await desk.state(answered)).outcome == "unknown"
    await desk.sent(answered, "SM1")
    await desk.told(told, "SM2", "sent")
    assert [(await desk.state(one)).outcome for one in (answered, told)] == ["sent", "sent"]


@pytest.mark.parametrize("failure", AGAIN)
async def test_a_lost_answer_that_a_failure_has_settled_is_lost_no_more(
    desk: Desk, failure: Outcome
) -> None:
    """It failed, is to go again, and is corrected: the older text may have come to nobody, and the
    "sent" that was overtaken by the failure proves nothing."""
    notice = await desk.office.send()
    one = await desk.claimed()
    await settle_all(desk.db, [one], Outcome.UNKNOWN)
    await desk.told(one, "SM1", "failed", failure)
    assert await desk.office.correct(notice)
    assert (await desk.state(one)).outcome == "superseded"
    await desk.told(one, "SM1", "sent")
    assert (await desk.state(one)).outcome == "superseded"
    await desk.told(one, "SM1", "delivered")
    assert (await desk.state(one)).outcome == "sent"


async def test_a_failure_during_a_pause_settles_a_lost_answer(desk: Desk) -> None:
    """It was taken for that of another try: the messenger was asked once more after the pause."""
    notice = await desk.office.send()
    one, other = await claim(desk.db)
    await settle_all(desk.db, [one, other], Outcome.UNKNOWN)
    assert await desk.office.change(notice_changes.pause, notice)
    await desk.told(one, "SM1", "failed", Outcome.BLOCKED)
    assert (await desk.state(one)).outcome == "blocked"
    await desk.told(other, "SM2", "failed", Outcome.TRANSIENT)
    found = await desk.state(other)
    assert (found.outcome, found.waiting_for, found.detail) == (None, "paused", "transient")
    assert await desk.office.change(notice_changes.resume, notice)
    desk.later(minutes=2)
    assert [again.id for again in await claim(desk.db)] == [other.id]


@pytest.mark.parametrize("act", ["cancel", "correct"])
async def test_a_try_that_is_known_to_have_failed_does_not_stand_for_a_lost_one(
    desk: Desk, act: str
) -> None:
    """Nobody knows of the first, the second failed; its "sent", overtaken by that, proved both."""
    notice = await desk.office.send()
    first = await desk.claimed()
    await settle_all(desk.db, [first], Outcome.UNKNOWN)
    desk.later(seconds=61)
    second = await desk.claimed(first.address)
    await desk.sent(second, "SM2")
    await desk.told(second, "SM2", "failed", Outcome.TRANSIENT)
    if act == "cancel":
        await desk.office.change(notice_changes.cancel, notice)
    else:
        await desk.office.correct(notice)
    assert (await desk.state(first)).outcome == "unknown"
    await desk.told(second, "SM2", "sent")
    assert (await desk.state(first)).outcome == "unknown"
    await desk.told(first, "SM1", "delivered")
    assert (await desk.state(first)).outcome == "sent"


async def test_the_failure_of_a_dead_process_call_counts_though_its_lease_met_a_pause(
    desk: Desk,
) -> None:
    """The next process leased it, found it paused, and nobody knew any more what was awaited."""
    notice = await desk.office.send()
    one = await desk.claimed()
    assert await desk.office.change(notice_changes.pause, notice)
    desk.later(seconds=61)
    async with desk.db.session() as session:
        accounts = await session.execute(text("SELECT id FROM account WHERE channel = 'whatsapp'"))
        leased = await outbox.claim(
            await session.connection(), desk.db.keyring, accounts.scalar_one(), uuid4(),
            desk.db.clock.now(), limit=100,
        )  # fmt: skip
    assert leased == []
    found = await desk.state(one)
    assert (found.waiting_for, found.detail, found.lost) == ("paused", "unknown", 1)
    await desk.told(one, "SM1", "failed", Outcome.TRANSIENT)
    found = await desk.state(one)
    assert (found.waiting_for, found.detail, found.lost) == ("paused", "transient", 0)
    assert await desk.office.correct(notice)
    await desk.told(one, "SM1", "sent")
    assert (await desk.state(one)).outcome == "superseded"
