"""Kinds, quiet hours, the other messenger, the plan over days, pause, cancel, correction."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from support.database import TestDatabase, until

from bot.clockwork import Clockwork
from conversation.message import Content
from core.clock import FrozenClock, local
from core.languages import Language
from core.outcomes import Outcome, SendResult
from rules.notices import NoticeKind
from services import (
    notice_changes,
    notice_report,
    notices,
    outbox,
    quota,
    residents,
    roles,
    rulebook,
)
from services.notices import NoticeText, Readiness
from services.reach import forecast, reach
from services.receipts import Acknowledged
from services.roles import Power, RoleName
from services.unit import Refused
from tests.services.conftest import VILLAGE, Settler

KK, RU = Language
OKRUG = "595041000"
TEXTS = {KK: NoticeText("Су жоқ", "Ертең"), RU: NoticeText("Нет воды", "Завтра")}
NEWER = {KK: NoticeText("Су бар", "Бүгін"), RU: NoticeText("Вода есть", "Сегодня")}
PROCESS = UUID(int=7)


def contents(words: dict[Language, NoticeText] = TEXTS) -> dict[Language, dict]:
    return {one: Content(one, words[one].body).to_json() for one in Language}


class Office:
    """An akim and what he does, each act a transaction of its own."""

    def __init__(self, db: TestDatabase, person: UUID, address: UUID) -> None:
        self.db, self.person, self.address = db, person, address

    async def send(
        self,
        kind: NoticeKind = NoticeKind.ANNOUNCEMENT,
        at: datetime | None = None,
        notice: UUID | None = None,
        audience: Sequence[str] = (VILLAGE,),
        *,
        again: bool = True,
    ) -> UUID:
        notice = notice or uuid4()
        async with self.db.unit() as unit:
            unit.actor = self.person
            status = await notices.announce(
                unit,
                again=again,
                notice=notice,
                author_address=self.address,
                place_code=OKRUG,
                audience=audience,
                texts=TEXTS,
                monolingual=None,
                kind=kind,
                send_at=at,
            )
            if status == "sending":
                await notices.queue(unit, notice, contents())
        return notice

    async def change(self, act, notice: UUID, **given):
        async with self.db.unit() as unit:
            unit.actor = self.person
            return await act(unit, notice, **given)

    async def correct(
        self, notice: UUID, revision: int = 2, texts: dict[Language, NoticeText] | None = None
    ) -> bool:
        texts = texts or {
            one: NoticeText(f"{words.title}{'!' * (revision - 2)}", words.body)
            for one, words in NEWER.items()
        }
        return await self.change(
            notice_changes.correct,
            notice,
            texts=texts,
            monolingual=None,
            revision=revision,
            plain=contents(texts),
            correction={
                one: Content(one, "түзету " + texts[one].body).to_json() for one in Language
            },
        )


@pytest.fixture
async def office(settled: TestDatabase, settle: Settler) -> Office:
    person, address = await settle("595030100")
    async with settled.unit() as unit:
        await roles.grant(unit, person, RoleName.AKIM, OKRUG)
    return Office(settled, person, address)


async def rows(db: TestDatabase, statement: str, **values: object) -> list:
    async with db.session() as session:
        return list((await session.execute(text(statement), values)).all())


async def claim(db: TestDatabase, limit: int = 100) -> list[outbox.Claimed]:
    found = []
    accounts = await rows(db, "SELECT id FROM account")
    async with db.session() as session:
        connection = await session.connection()
        for (account,) in accounts:
            found += await outbox.claim(
                connection, db.keyring, account, PROCESS, db.clock.now(), limit=limit
            )
    return found


async def settle_all(
    db: TestDatabase, claimed: Sequence[outbox.Claimed], outcome: Outcome = Outcome.SENT
) -> None:
    async with db.session() as session:
        connection = await session.connection()
        for one in claimed:
            await outbox.settle(connection, one, SendResult(outcome), db.clock.now())


async def counts(db: TestDatabase, notice: UUID) -> notices.Progress:
    async with db.session() as session:
        return await notices.progress(await session.connection(), notice)


# Kinds


async def test_a_muted_kind_is_not_sent_and_counted(office: Office, settle: Settler) -> None:
    person, _ = await settle()
    await settle()
    async with office.db.unit() as unit:
        await unit.session.execute(
            text('UPDATE resident SET muted = \'["event", "urgent"]\' WHERE id = :id'),
            {"id": person},
        )
    event = await office.send(NoticeKind.EVENT)
    assert len(await claim(office.db)) == 1
    found = await counts(office.db, event)
    assert (found.total, found.muted, found.pending) == (1, 1, 1)
    async with office.db.unit() as unit:
        known = await reach(unit, OKRUG, [VILLAGE], NoticeKind.EVENT)
        assert (known.people, known.muted) == (2, 1)
        assert [one.id for one in await notices.latest(unit, person)] == [event], "to be looked up"


async def test_what_is_urgent_cannot_be_muted(office: Office, settle: Settler) -> None:
    person, _ = await settle()
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE resident SET muted = '[\"urgent\"]' WHERE id = :id"), {"id": person}
        )
    await office.send(NoticeKind.URGENT)
    assert len(await claim(office.db)) == 1


@pytest.mark.parametrize("kind", [NoticeKind.URGENT, NoticeKind.EVENT])
async def test_a_clerk_needs_the_power(office: Office, settle: Settler, kind: NoticeKind) -> None:
    """Without SEND no notice, without URGENT no urgent one, without CORRECT no pause."""
    person, address = await settle("595030100")
    clerk = Office(office.db, person, address)
    async with office.db.unit() as unit:
        await roles.grant(unit, person, RoleName.CLERK, OKRUG)
        lacking = Power.URGENT if kind is NoticeKind.URGENT else Power.SEND
        await unit.session.execute(
            text("UPDATE role SET powers = CAST(:powers AS jsonb) WHERE resident_id = :id"),
            {
                "id": person,
                "powers": json.dumps([p for p in Power if p not in (lacking, Power.CORRECT)]),
            },
        )
    with pytest.raises(Refused):
        await clerk.send(kind)
    mine = await office.send()
    with pytest.raises(Refused):
        await clerk.change(notice_changes.pause, mine)
    other = NoticeKind.EVENT if kind is NoticeKind.URGENT else NoticeKind.URGENT
    await clerk.send(other)


# Quiet hours


@pytest.mark.night
@pytest.mark.parametrize(
    ("hour", "minute", "begins"),
    [(20, 59, None), (21, 0, 8), (23, 59, 8), (0, 0, 8), (7, 59, 8), (8, 0, None)],
)
async def test_at_night_only_what_is_urgent(
    office: Office, settle: Settler, hour: int, minute: int, begins: int | None
) -> None:
    """Otherwise it waits for the morning, which before midnight is tomorrow's."""
    await settle()
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    clock.at = datetime(2026, 11, 20, (hour - 5) % 24, minute, tzinfo=UTC) + timedelta(
        days=-1 if hour < 5 else 0
    )
    here = local(clock.now())
    assert (here.hour, here.minute) == (hour, minute)
    urgent = await office.send(NoticeKind.URGENT)
    usual = await office.send()
    ((status,),) = await rows(office.db, "SELECT status FROM notice WHERE id = :id", id=urgent)
    assert status == "sending"
    ((status, at),) = await rows(
        office.db, "SELECT status, send_at FROM notice WHERE id = :id", id=usual
    )
    if begins is None:
        assert (status, at) == ("sending", None)
    else:
        assert status == "scheduled"
        assert local(at).hour == begins
        assert timedelta() < at - clock.now() <= timedelta(hours=11)


@pytest.mark.night
async def test_a_place_may_have_other_hours(office: Office, settle: Settler) -> None:
    await settle()
    assert isinstance(office.db.clock, FrozenClock)
    office.db.clock.at = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)  # 22:00
    async with office.db.unit() as unit:
        await rulebook.decide(unit, "quiet-from", "23:00", OKRUG, "Решение от 01.11.2026 № 1")
    notice = await office.send()
    assert await rows(office.db, "SELECT 1 FROM notice WHERE id = :id AND status = 'sending'",
                      id=notice)  # fmt: skip


# At a set time


async def test_a_scheduled_notice_goes_once_at_its_moment(office: Office, settle: Settler) -> None:
    """Its audience is resolved then: who has come meanwhile gets it too."""
    await settle()
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    notice = await office.send(at=clock.now() + timedelta(hours=2))
    leader = Clockwork(office.db.database, office.db.keyring, clock, lambda: None)
    assert await leader.work_due() == 0
    assert await claim(office.db) == []
    await settle()
    clock.advance(timedelta(hours=2))
    assert await leader.work_due() == 1
    assert await leader.work_due() == 0
    assert len(await claim(office.db)) == 2
    assert (await counts(office.db, notice)).total == 2


async def test_a_scheduled_notice_of_somebody_who_lost_the_role_is_withdrawn(
    office: Office, settle: Settler
) -> None:
    await settle()
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    notice = await office.send(at=clock.now() + timedelta(hours=2))
    async with office.db.unit() as unit:
        await roles.revoke(unit, office.person, RoleName.AKIM, OKRUG)
    clock.advance(timedelta(hours=2))
    await Clockwork(office.db.database, office.db.keyring, clock, lambda: None).work_due()
    assert await rows(office.db, "SELECT 1 FROM notice WHERE id = :id AND status = 'cancelled'",
                      id=notice)  # fmt: skip
    assert await rows(office.db, "SELECT 1 FROM recipient") == []
    told = await claim(office.db)
    assert [one.address for one in told] == [office.address], "the author is told"


async def test_another_moment_pause_and_cancel_before_it_begins(
    office: Office, settle: Settler
) -> None:
    await settle()
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    later = clock.now() + timedelta(hours=2)
    leader = Clockwork(office.db.database, office.db.keyring, clock, lambda: None)
    moved, held, dropped = [await office.send(at=later) for _ in range(3)]
    assert await office.change(notice_changes.reschedule, moved, at=later + timedelta(hours=3))
    assert await office.change(notice_changes.pause, held)
    assert await office.change(notice_changes.cancel, dropped)
    clock.advance(timedelta(hours=2))
    await leader.work_due()
    assert await rows(office.db, "SELECT 1 FROM recipient") == []
    assert await office.change(notice_changes.resume, held)
    await leader.work_due()
    assert (await counts(office.db, held)).total == 1
    clock.advance(timedelta(hours=3))
    await leader.work_due()
    assert (await counts(office.db, moved)).total == 1
    assert (await counts(office.db, dropped)).total == 0
    async with office.db.unit() as unit:
        assert await notices.readiness(unit, dropped) is Readiness.GONE


# Pause, resume, cancel


async def test_pause_holds_what_nobody_has_in_hand(office: Office, settle: Settler) -> None:
    for _ in range(4):
        await settle()
    notice = await office.send()
    in_hand = await claim(office.db, limit=1)
    assert await office.change(notice_changes.pause, notice)
    assert not await office.change(notice_changes.pause, notice), "a second tap does nothing"
    assert await claim(office.db) == []
    await settle_all(office.db, in_hand)
    found = await counts(office.db, notice)
    assert (found.sent, found.pending, found.finished) == (1, 3, False)
    assert await office.change(notice_changes.resume, notice)
    await settle_all(office.db, await claim(office.db))
    found = await counts(office.db, notice)
    assert (found.sent, found.finished) == (4, True)


async def test_a_pause_keeps_what_somebody_waits_for(office: Office, settle: Settler) -> None:
    """Resumed, it waits on for the person's own message; who wrote meanwhile gets it."""
    chats = [(await settle(channel="whatsapp"))[1] for _ in range(3)]
    async with office.db.unit() as unit:
        await unit.session.execute(text("UPDATE address SET last_inbound_at = NULL"))
    notice = await office.send()
    await settle_all(office.db, await claim(office.db), Outcome.WINDOW_CLOSED)
    assert await office.change(notice_changes.pause, notice)
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE address SET last_inbound_at = :now WHERE id = :id"),
            {"now": unit.now, "id": chats[0]},
        )
    assert await claim(office.db) == []
    assert await office.change(notice_changes.resume, notice)
    assert [one.address for one in await claim(office.db)] == [chats[0]]
    assert (await counts(office.db, notice)).waiting == {"window-closed": 2}


async def waiting_for_two(office: Office, settle: Settler) -> UUID:
    """A notice that is over but for two people whose WhatsApp window is closed."""
    await settle()
    for _ in range(2):
        await settle(channel="whatsapp")
    async with office.db.unit() as unit:
        await unit.session.execute(
            text(
                "UPDATE address SET last_inbound_at = NULL FROM account AS c"
                " WHERE c.id = account_id AND c.channel = 'whatsapp'"
            )
        )
    notice = await office.send()
    for one in await claim(office.db):
        outcome = Outcome.SENT if one.target.startswith("telegram") else Outcome.WINDOW_CLOSED
        await settle_all(office.db, [one], outcome)
    leader = Clockwork(office.db.database, office.db.keyring, office.db.clock, lambda: None)
    assert isinstance(office.db.clock, FrozenClock)
    office.db.clock.advance(timedelta(minutes=1))
    await leader.show_live()
    found = await rows(office.db, "SELECT status FROM notice WHERE id = :id", id=notice)
    assert [row.status for row in found] == ["finished"]
    return notice


@pytest.mark.parametrize("act", [notice_changes.pause, notice_changes.cancel])
async def test_what_waits_for_a_persons_message_can_be_stopped(
    office: Office, settle: Settler, act
) -> None:
    """Whoever writes after that does not get it."""
    notice = await waiting_for_two(office, settle)
    assert (await counts(office.db, notice)).unsettled == 2
    assert await office.change(act, notice)
    assert await people_write(office.db) == []
    if act is notice_changes.pause:
        assert await office.change(notice_changes.resume, notice)
        assert len(await claim(office.db)) == 2


async def people_write(db: TestDatabase) -> list[outbox.Claimed]:
    """Everybody writes, as the engine notes it; what goes to them then."""
    async with db.unit() as unit:
        await unit.session.execute(text("UPDATE address SET last_inbound_at = :now"),
                                   {"now": unit.now})  # fmt: skip
        await unit.session.execute(
            text(
                "UPDATE delivery SET not_before = :now, waiting_for = NULL WHERE waiting_for IN"
                " ('window-closed', 'template-unavailable', 'daily-limit')"
            ),
            {"now": unit.now},
        )
    return [one for one in await claim(db) if one.notice is not None]


async def test_nothing_is_left_to_be_stopped(office: Office, settle: Settler) -> None:
    await settle()
    notice = await office.send()
    await settle_all(office.db, await claim(office.db))
    assert not await office.change(notice_changes.pause, notice)
    assert not await office.change(notice_changes.cancel, notice)


async def test_the_waiting_for_a_persons_message_has_a_term(
    office: Office, settle: Settler
) -> None:
    """The rulebook's, of the office's place; then it has an outcome, and writing brings nothing.
    What waits for its day has none."""
    notice = await waiting_for_two(office, settle)
    async with office.db.unit() as unit:
        await rulebook.decide(unit, "notice-waits", "3", OKRUG, "Решение от 01.11.2026 № 1")
        await unit.session.execute(
            text(
                "UPDATE delivery SET waiting_for = 'daily-limit' WHERE id ="
                " (SELECT id FROM delivery WHERE waiting_for = 'window-closed' LIMIT 1)"
            )
        )
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    leader = Clockwork(office.db.database, office.db.keyring, clock, lambda: None)
    clock.advance(timedelta(days=2, hours=23))
    await leader.tidy()
    assert (await counts(office.db, notice)).failed == {}
    clock.advance(timedelta(hours=1))
    await leader.tidy()
    found = await counts(office.db, notice)
    assert (found.failed, found.waiting) == ({"expired": 1}, {"daily-limit": 1})
    assert await rows(office.db, "SELECT 1 FROM audit WHERE action = 'notice-expired'")
    assert len(await people_write(office.db)) == 1


async def test_cancel_withdraws_what_comes_back_from_a_failing_process(
    office: Office, settle: Settler
) -> None:
    """What was in hand and failed for now is not tried again."""
    for _ in range(3):
        await settle()
    notice = await office.send()
    in_hand = await claim(office.db, limit=2)
    assert await office.change(notice_changes.cancel, notice)
    await settle_all(office.db, in_hand[:1])
    await settle_all(office.db, in_hand[1:], Outcome.TRANSIENT)
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    clock.advance(3 * outbox.LEASE)
    await Clockwork(office.db.database, office.db.keyring, clock, lambda: None).work_due()
    assert await claim(office.db) == []
    found = await counts(office.db, notice)
    assert (found.sent, found.failed, found.pending) == (1, {"cancelled": 2}, 0)
    assert not await office.change(notice_changes.resume, notice)
    assert not await office.correct(notice)


@pytest.mark.parametrize("act", ["pause", "resume", "cancel"])
async def test_only_the_office_changes_its_notices(
    office: Office, settle: Settler, act: str
) -> None:
    stranger = Office(office.db, *await settle())
    notice = await office.send()
    for somebody, which in ((stranger, notice), (office, uuid4())):
        with pytest.raises(Refused):
            await somebody.change(getattr(notice_changes, act), which)


# Correction


async def test_a_correction_in_the_middle(office: Office, settle: Settler) -> None:
    """Who has the first gets the correction, who has nothing gets the new text alone, who may
    be getting the first this moment gets the correction after it; nobody a third."""
    for _ in range(6):
        await settle()
    notice = await office.send()
    first = await claim(office.db, limit=3)
    await settle_all(office.db, first[:2])
    assert await office.correct(notice)
    assert not await office.correct(notice), "a second tap: that revision is there already"
    await settle_all(office.db, first[2:])
    rest = await claim(office.db)
    said = {one.address: one.content["body"] for one in rest}
    assert len(rest) == 6
    had = {one.address for one in first}
    assert all(("түзету" in body) == (address in had) for address, body in said.items())
    assert all("Бүгін" in body for body in said.values())
    await settle_all(office.db, rest)
    assert await claim(office.db) == []
    found = await counts(office.db, notice)
    assert (found.total, found.sent, found.finished) == (6, 6, True)


async def test_a_receipt_of_the_first_does_not_count_for_the_second(
    office: Office, settle: Settler
) -> None:
    _, address = await settle()
    notice = await office.send()
    await settle_all(office.db, await claim(office.db))
    async with office.db.unit() as unit:
        assert await notices.acknowledge(unit, notice, address, 1) == Acknowledged(1, True, 1)
    assert await office.correct(notice)
    assert (await counts(office.db, notice)).acknowledged == 0
    async with office.db.unit() as unit:
        assert await notices.acknowledge(unit, notice, address, 1) == Acknowledged(2, False, 0)
        assert await notices.acknowledge(unit, notice, address, 2) == Acknowledged(2, True, 1)
    assert (await counts(office.db, notice)).acknowledged == 1


async def test_a_correction_of_a_correction(office: Office, settle: Settler) -> None:
    """Who waits for the first correction gets the second one only."""
    await settle()
    await settle()
    notice = await office.send()
    await settle_all(office.db, await claim(office.db, limit=1))
    assert await office.correct(notice, 2)
    assert await office.correct(notice, 3)
    rest = await claim(office.db)
    assert sorted("түзету" in one.content["body"] for one in rest) == [False, True]
    await settle_all(office.db, rest)
    assert await claim(office.db) == []


async def test_a_correction_goes_only_to_who_is_still_behind_the_chat(
    office: Office, settle: Settler
) -> None:
    """Not to who had their data deleted or is another phone's by now; to who was joined with
    another record, and to the family that stays."""
    gone, _ = await settle()
    off, left = await settle()
    merged, at = await settle()
    kept, _ = await settle("595041500")
    deleted, shared = await settle()
    stays, _ = await settle()
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE resident_address SET address_id = :shared WHERE resident_id = :stays"),
            {"shared": shared, "stays": stays},
        )
    notice = await office.send()
    await settle_all(office.db, await claim(office.db))
    async with office.db.unit() as unit:
        for person in (gone, deleted):
            await residents.forget(unit, person)
        for statement in (
            "DELETE FROM resident_address WHERE address_id = :left AND resident_id = :off",
            "UPDATE resident SET merged_into = :kept WHERE id = :merged",
            "UPDATE resident_address SET resident_id = :kept WHERE resident_id = :merged",
        ):
            names = {"left": left, "off": off, "kept": kept, "merged": merged}
            used = {name: value for name, value in names.items() if f":{name}" in statement}
            await unit.session.execute(text(statement), used)
    assert await office.correct(notice)
    again = {one.address for one in await claim(office.db)}
    assert again == {at, shared}


async def test_a_correction_while_paused_waits_too(office: Office, settle: Settler) -> None:
    await settle()
    await settle()
    notice = await office.send()
    await settle_all(office.db, await claim(office.db, limit=1))
    assert await office.change(notice_changes.pause, notice)
    assert await office.correct(notice)
    assert await claim(office.db) == []
    assert await office.change(notice_changes.resume, notice)
    assert len(await claim(office.db)) == 2


# The other messenger


async def two_chats(office: Office, settle: Settler) -> tuple[UUID, UUID, UUID]:
    """Somebody on both: (resident, telegram, whatsapp); the first is where they wrote last."""
    person, first = await settle()
    other, second = await settle(channel="whatsapp")
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE resident_address SET resident_id = :person WHERE address_id = :second"),
            {"person": person, "second": second},
        )
        await residents.forget(unit, other)
        await unit.session.execute(
            text("UPDATE address SET last_inbound_at = :at"), {"at": unit.now}
        )
        await unit.session.execute(
            text("UPDATE resident SET preferred_channel = 'telegram' WHERE id = :id"),
            {"id": person},
        )
    return person, first, second


@pytest.mark.parametrize("why", [Outcome.BLOCKED, Outcome.BAD_RECIPIENT, Outcome.UNREACHABLE])
async def test_where_the_first_messenger_fails_the_other_is_used_once(
    office: Office, settle: Settler, why: Outcome
) -> None:
    _, first, second = await two_chats(office, settle)
    notice = await office.send()
    claimed = await claim(office.db)
    assert [one.address for one in claimed] == [first]
    await settle_all(office.db, claimed, why)
    again = await claim(office.db)
    assert [one.address for one in again] == [second]
    assert (await counts(office.db, notice)).pending == 1
    await settle_all(office.db, again, why)
    assert await claim(office.db) == []
    found = await counts(office.db, notice)
    assert (found.total, sum(found.failed.values())) == (1, 1)


async def test_a_messenger_that_has_failed_for_the_family_is_no_other_one(
    office: Office, settle: Settler
) -> None:
    """The same message to the same chat has failed already: nobody waits for it once more."""
    person, first, second = await two_chats(office, settle)
    child, _ = await settle()
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE resident_address SET address_id = :chat WHERE resident_id = :child"),
            {"chat": second, "child": child},
        )
    notice = await office.send()
    claimed = {one.address: one for one in await claim(office.db)}
    await settle_all(office.db, [claimed[second]], Outcome.BAD_RECIPIENT)
    await settle_all(office.db, [claimed[first]], Outcome.UNREACHABLE)
    assert await claim(office.db) == []
    seconds = "SELECT second_id FROM recipient WHERE notice_id = :n AND resident_id = :r"
    assert [row.second_id for row in await rows(office.db, seconds, n=notice, r=person)] == [None]
    failed = (await counts(office.db, notice)).failed
    assert failed == {"unreachable": 1, "bad-recipient": 1}


async def test_who_is_silent_gets_it_on_the_other_too(office: Office, settle: Settler) -> None:
    """After the rulebook's hours, once; who has read it is left alone; a receipt on either
    counts once."""
    _, _, second = await two_chats(office, settle)
    _, reader, _ = await two_chats(office, settle)
    notice = await office.send()
    await settle_all(office.db, await claim(office.db))
    async with office.db.unit() as unit:
        await notices.acknowledge(unit, notice, reader, 1)
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    clock.advance(timedelta(hours=24))
    leader = Clockwork(office.db.database, office.db.keyring, clock, lambda: None)
    assert await leader.work_due()
    again = await claim(office.db)
    assert [one.address for one in again] == [second]
    await settle_all(office.db, again)
    async with office.db.unit() as unit:
        assert await notices.acknowledge(unit, notice, second, 1) == Acknowledged(1, True, 1)
        assert await notices.addressed_to(unit, notice, second)
    found = await counts(office.db, notice)
    assert (found.total, found.sent, found.acknowledged) == (2, 2, 2)


async def test_after_a_pause_over_the_hour_the_silent_are_turned_to(
    office: Office, settle: Settler
) -> None:
    """So long after it went on; planned once, however often it is paused."""
    _, _, second = await two_chats(office, settle)
    notice = await office.send()
    await settle_all(office.db, await claim(office.db))
    await settle()
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    leader = Clockwork(office.db.database, office.db.keyring, clock, lambda: None)
    async with office.db.unit() as unit:
        await unit.session.execute(text("UPDATE delivery SET outcome = NULL"))  # one is left
    assert await office.change(notice_changes.pause, notice)
    clock.advance(timedelta(hours=25))
    await leader.work_due()
    assert await office.change(notice_changes.resume, notice)
    await settle_all(office.db, await claim(office.db))
    clock.advance(timedelta(hours=24))
    await leader.work_due()
    assert [one.address for one in await claim(office.db)] == [second]


async def test_the_preferred_messenger_comes_first(office: Office, settle: Settler) -> None:
    person, _, second = await two_chats(office, settle)
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE resident SET preferred_channel = 'whatsapp' WHERE id = :id"),
            {"id": person},
        )
    await office.send()
    assert [one.address for one in await claim(office.db)] == [second]


# The quota as a plan over days


async def test_the_quota_is_a_plan_over_days(office: Office, settle: Settler) -> None:
    """Seven people outside the window, three a day: 3 today, 3 tomorrow, 1 the day after."""
    for _ in range(7):
        await settle(channel="whatsapp")
    await settle()
    async with office.db.unit() as unit:
        await rulebook.decide(unit, "whatsapp-people-a-day", "3", None, "Meta, 01.11.2026, № 3")
        await unit.session.execute(text("UPDATE address SET last_inbound_at = NULL"))
        reached = await reach(unit, OKRUG, [VILLAGE], NoticeKind.EVENT)
        told = await forecast(unit, OKRUG, reached, NoticeKind.EVENT)
    assert (reached.outside, told.days, told.first_day) == (7, 3, 4)
    notice = await office.send(NoticeKind.EVENT)
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    days = []
    for _ in range(4):
        claimed = await claim(office.db)
        days.append(len(claimed))
        await settle_all(office.db, claimed)
        found = await counts(office.db, notice)
        clock.advance(timedelta(hours=24))
    assert days == [4, 3, 1, 0]
    assert found.finished


async def promised(office: Office, *, urgent: bool = False) -> int:
    """What the next notice finds taken of WhatsApp's quota."""
    async with office.db.unit() as unit:
        return sum((await quota.taken(unit, urgent=urgent)).values())


async def outside(office: Office, settle: Settler, many: int) -> list[UUID]:
    """Chats on WhatsApp whose window is closed, and three a day that may be written to."""
    chats = [(await settle(channel="whatsapp"))[1] for _ in range(many)]
    async with office.db.unit() as unit:
        await rulebook.decide(unit, "whatsapp-people-a-day", "3", None, "Meta, 01.11.2026, № 3")
        await unit.session.execute(text("UPDATE address SET last_inbound_at = NULL"))
    return chats


async def test_what_is_promised_counts_for_the_next_notice(office: Office, settle: Settler) -> None:
    """A usual notice queues behind all that waits, also behind what is to go today and is not out
    yet (only the two of tomorrow were counted); an urgent one goes before it."""
    await outside(office, settle, 5)
    notice = await office.send(NoticeKind.EVENT)
    assert await promised(office) == 5
    assert await promised(office, urgent=True) == 0
    assert await office.change(notice_changes.pause, notice)
    assert await promised(office) == 5, "held, and promised all the same"
    assert await office.change(notice_changes.resume, notice)


async def test_the_next_notice_begins_where_the_first_ends(office: Office, settle: Settler) -> None:
    """Three of five have their conversation today and cost nothing more; the others and two who
    are new are planned behind them."""
    await outside(office, settle, 5)
    await office.send(NoticeKind.EVENT)
    await outside(office, settle, 2)
    async with office.db.unit() as unit:
        reached = await reach(unit, OKRUG, [VILLAGE], NoticeKind.EVENT)
        told = await forecast(unit, OKRUG, reached, NoticeKind.EVENT)
    assert (sum(reached.opens.values()), told.first_day, told.days) == (4, 3, 3)
    second = await office.send(NoticeKind.EVENT)
    planned = await rows(
        office.db,
        "SELECT d.not_before FROM delivery AS d JOIN message AS m ON m.id = d.message_id"
        " WHERE m.notice_id = :notice ORDER BY 1",
        notice=second,
    )
    now = office.db.clock.now()
    assert [(row.not_before - now).days for row in planned] == [0, 0, 0, 1, 2, 2, 2]


async def test_what_is_promised_is_counted_once(office: Office, settle: Settler) -> None:
    """Not with what is opened meanwhile; and who writes, or waits for nothing but the own message,
    costs nothing."""
    people = await outside(office, settle, 5)
    await office.send(NoticeKind.EVENT)
    claimed = await claim(office.db)
    assert len(claimed) == 3
    async with office.db.session() as session:
        connection, now = await session.connection(), office.db.clock.now()
        for one in claimed[:2]:  # the calls are under way
            await quota.reserve(connection, one.account, one.address, now, 3)
    assert (await promised(office), await promised(office, urgent=True)) == (5, 2)
    await settle_all(office.db, claimed[:2], Outcome.ANNOUNCED)
    assert (await promised(office), await promised(office, urgent=True)) == (5, 2)
    await settle_all(office.db, claimed[2:], Outcome.WINDOW_CLOSED)
    assert await promised(office) == 4
    (writes, *_) = set(people) - {one.address for one in claimed}
    async with office.db.unit() as unit:
        for change in (
            "UPDATE address SET last_inbound_at = :now WHERE id = :id",
            "UPDATE delivery SET waiting_for = NULL, not_before = :now WHERE address_id = :id",
        ):
            await unit.session.execute(text(change), {"now": unit.now, "id": writes})
    assert await promised(office) == 3


async def test_the_quota_is_shared_and_moves_with_the_day(office: Office, settle: Settler) -> None:
    """Unique people in a moving 24 hours; the same person again is free."""
    chats = [(await settle(channel="whatsapp"))[1] for _ in range(3)]
    ((account,),) = await rows(office.db, "SELECT id FROM account WHERE channel = 'whatsapp'")
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)

    async def reserve(address: UUID) -> tuple[bool, datetime | None]:
        async with office.db.session() as session:
            connection = await session.connection()
            return await quota.reserve(connection, account, address, clock.now(), 2)

    began = clock.now()
    assert await reserve(chats[0]) == (True, None)
    clock.advance(timedelta(hours=1))
    assert await reserve(chats[1]) == (True, None)
    assert await reserve(chats[1]) == (False, None)
    assert await reserve(chats[2]) == (False, began + timedelta(hours=24))
    clock.advance(timedelta(hours=23))
    assert await reserve(chats[2]) == (True, None)
    async with office.db.session() as session:
        until = await quota.close(await session.connection(), account, clock.now())
    assert until > clock.now()
    clock.advance(timedelta(minutes=30))
    assert (await reserve(chats[0]))[1] == until


async def test_two_processes_do_not_overdraw_the_quota(office: Office, settle: Settler) -> None:
    """The second one waits for the first and counts what that one has taken; before, both
    counted what stood when they began, and both got through."""
    chats = [(await settle(channel="whatsapp"))[1] for _ in range(2)]
    ((account,),) = await rows(office.db, "SELECT id FROM account WHERE channel = 'whatsapp'")
    now, turns = office.db.clock.now(), office.db.database.turns
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE :asks"

    async def somebody_waits() -> bool:
        return bool(await rows(office.db, waits, asks="%FROM account%"))

    async with turns.connect() as first, turns.connect() as second:
        assert await quota.reserve(first, account, chats[0], now, 1) == (True, None)
        asking = asyncio.create_task(quota.reserve(second, account, chats[1], now, 1))
        await until(somebody_waits)
        await first.commit()
        assert await asking == (False, now + timedelta(hours=24))


# The report


async def test_what_a_family_acknowledged_with_one_tap_is_shown_as_such(
    office: Office, settle: Settler
) -> None:
    """Before, two people counted as read and nobody could see that it was one tap."""
    (_, shared), (_, own) = await settle(full_name="Әбілов Серік"), await settle()
    async with office.db.unit() as unit:
        second = residents.Registration("Әбілова Айгүл", VILLAGE, date(1990, 1, 2), "kk")
        await residents.register(unit, shared, None, second)
    notice = await office.send()
    await settle_all(office.db, await claim(office.db))
    for address, people in ((own, 1), (shared, 2)):
        assert (await counts(office.db, notice)).shared == 0
        async with office.db.unit() as unit:
            known = await notices.acknowledge(unit, notice, address, 1)
        assert known == Acknowledged(1, True, people)
    found = await counts(office.db, notice)
    assert (found.acknowledged, found.shared) == (3, 2)
    async with office.db.unit() as unit:
        listed = await notice_report.rows(unit, notice, office.person)
    assert {one.name for one in listed if one.shared} == {"Әбілов Серік", "Әбілова Айгүл"}


async def test_the_report_names_everybody_for_the_office_only(
    office: Office, settle: Settler
) -> None:
    names = ["Әбілова Айгүл", "Әбілов Серік", "Ёлкина Анна", "Ақылбеков Дән"]
    for name in names:
        await settle(full_name=name)
    gone, _ = await settle()
    notice = await office.send()
    await settle_all(office.db, await claim(office.db))
    stranger, address = await settle()
    async with office.db.unit() as unit:
        await residents.forget(unit, gone)
        listed = await notice_report.rows(unit, notice, office.person)
        assert [one.name for one in listed] == [
            "Ақылбеков Дән",
            "Әбілов Серік",
            "Әбілова Айгүл",
            "Ёлкина Анна",
            None,
        ]
        assert {one.state for one in listed} == {"sent"}
        unit.actor = stranger
        with pytest.raises(Refused):
            await notice_report.ask(unit, notice, address)
        assert [row.action for row in unit.audit_rows].count("notice-report") == 1


@pytest.mark.parametrize("act", [notice_changes.pause, notice_changes.cancel])
async def test_what_concerns_very_many_may_take_its_time(
    office: Office, settle: Settler, monkeypatch: pytest.MonkeyPatch, act
) -> None:
    """The statements of that turn, and of no other."""
    await settle()
    notice = await office.send()
    monkeypatch.setattr(notice_changes, "MANY", 0)
    async with office.db.unit() as unit:
        unit.actor = office.person
        before = await unit.session.scalar(text("SHOW statement_timeout"))
        assert await act(unit, notice)
        assert await unit.session.scalar(text("SHOW statement_timeout")) == "2min"
    async with office.db.unit() as unit:
        assert await unit.session.scalar(text("SHOW statement_timeout")) == before


async def test_who_gets_an_announcement_is_told_of_every_notice_of_the_day(
    office: Office, settle: Settler
) -> None:
    """The second one costs no new conversation, and is announced all the same."""
    await outside(office, settle, 3)
    await office.send()
    async with office.db.unit() as unit:
        reached = await reach(unit, OKRUG, [VILLAGE], NoticeKind.ANNOUNCEMENT)
    assert (sum(reached.opens.values()), reached.outside) == (0, 3)


async def test_lists_are_by_the_moment_of_sending(office: Office, settle: Settler) -> None:
    """One planned long ago and sent today stood below yesterday's."""
    resident, _ = await settle()
    planned = await office.send(at=office.db.clock.now() + timedelta(days=2))
    office.db.clock.advance(timedelta(days=1))
    at_once = await office.send()
    async with office.db.unit() as unit:
        assert [one.id for one in await notices.of_offices(unit, [OKRUG])] == [planned, at_once]
    office.db.clock.advance(timedelta(days=2))
    later = await office.send()
    async with office.db.unit() as unit:
        await notices.queue(unit, planned, contents(TEXTS))
    async with office.db.unit() as unit:
        found = [one.id for one in await notices.latest(unit, resident)]
    assert found == [later, planned, at_once]
