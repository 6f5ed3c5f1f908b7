"""Every message to a person ends in a written outcome, whatever becomes of its chat."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from bot.clockwork import Clockwork
from conversation.message import Content
from core.clock import FrozenClock
from core.outcomes import Outcome
from services import installation, outbox, retired
from tests.services.conftest import Settler
from tests.services.test_notices_in_depth import (
    KK,
    Office,
    claim,
    counts,
    office,
    people_write,
    rows,
    settle_all,
    two_chats,
)

__all__ = ["office"]
ENDS = (
    "SELECT d.outcome, d.detail, count(*) FROM delivery AS d JOIN account AS a"
    " ON a.id = d.account_id WHERE a.channel = :channel GROUP BY 1, 2 ORDER BY 1, 2"
)


async def answered(db: TestDatabase, address: UUID, words: str) -> UUID:
    """The delivery of a reply."""
    ((account,),) = await rows(db, "SELECT account_id FROM address WHERE id = :id", id=address)
    content = Content(KK, words).to_json()
    async with db.unit() as unit:
        return await outbox.enqueue(unit, address, account, "kk", content, outbox.REPLY)


def clock_of(db: TestDatabase) -> FrozenClock:
    assert isinstance(db.clock, FrozenClock)
    return db.clock


async def tidy(db: TestDatabase) -> None:
    await Clockwork(db.database, db.keyring, db.clock, lambda: None).tidy()


async def test_a_reply_waits_three_days_for_its_readers_message(
    settled: TestDatabase, settle: Settler
) -> None:
    """Outside WhatsApp's window: then it is no answer any more, and its words are forgotten three
    days later. Before, it waited for years, and its words with it."""
    _, address = await settle(channel="whatsapp")
    late = await answered(settled, address, "Серік Ахметов")
    await settle_all(settled, await claim(settled), Outcome.WINDOW_CLOSED)
    clock_of(settled).advance(outbox.WORDS_KEPT - timedelta(minutes=1))
    in_time = await answered(settled, address, "екінші")
    await settle_all(settled, await claim(settled), Outcome.WINDOW_CLOSED)
    await tidy(settled)
    open_ = "SELECT id FROM delivery WHERE outcome IS NULL ORDER BY seq"
    assert [row.id for row in await rows(settled, open_)] == [late, in_time]

    clock_of(settled).advance(timedelta(minutes=1))
    await tidy(settled)
    assert [row.id for row in await rows(settled, open_)] == [in_time]
    ended = "SELECT outcome, waiting_for, finished_at FROM delivery WHERE id = :id"
    assert await rows(settled, ended, id=late) == [("expired", None, clock_of(settled).now())]
    words = (
        "SELECT m.content FROM message AS m JOIN delivery AS d ON d.message_id = m.id"
        " WHERE d.id = :id"
    )
    clock_of(settled).advance(outbox.WORDS_KEPT + timedelta(minutes=1))
    await tidy(settled)
    assert await rows(settled, words, id=late) == [(b"",)]


async def test_a_reply_whose_reader_writes_in_time_goes(
    settled: TestDatabase, settle: Settler
) -> None:
    """And what a process has in its hands at that moment is not ended under them."""
    _, address = await settle(channel="whatsapp")
    reply = await answered(settled, address, "бірінші")
    await settle_all(settled, await claim(settled), Outcome.WINDOW_CLOSED)
    clock_of(settled).advance(outbox.WORDS_KEPT)
    await people_write(settled)
    await tidy(settled)
    open_ = "SELECT claimed_until > :now AS held FROM delivery WHERE id = :id AND outcome IS NULL"
    assert await rows(settled, open_, id=reply, now=settled.clock.now()) == [(True,)]


# An account that is not ours any more


async def retire(db: TestDatabase, channel: str) -> None:
    async with db.unit() as unit:
        others = await rows(db, "SELECT id FROM account WHERE channel <> :c", c=channel)
        await installation.retire_others(unit, [row.id for row in others])
    for _ in range(9):  # a portion each
        await Clockwork(db.database, db.keyring, db.clock, lambda: None).work_due()
        clock_of(db).advance(timedelta(seconds=1))


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_what_a_retired_account_has_not_sent_ends(
    office: Office, settle: Settler, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody sends for it any more: each of its messages has its outcome, a notice turns to the
    other messenger of whoever has one, and is finished in the end. Before, all that lay there for
    ever, and the notice went on \"sending\"."""
    monkeypatch.setattr(retired, "AT_ONCE", 2)
    people = [await two_chats(office, settle) for _ in range(3)]
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE resident SET preferred_channel = :channel WHERE id = ANY(:people)"),
            {"channel": channel, "people": [person for person, *_ in people]},
        )
    _, alone = await settle(channel=channel)
    notice = await office.send()
    await answered(office.db, alone, "жауап")
    await retire(office.db, channel)
    assert await rows(office.db, ENDS, channel=channel) == [("unreachable", retired.DETAIL, 5)]
    sent = await claim(office.db)
    other = 2 if channel == "telegram" else 1
    assert {one.address for one in sent} == {one[other] for one in people}
    await settle_all(office.db, sent)
    found = await counts(office.db, notice)
    assert (found.sent, found.failed, found.finished) == (3, {"unreachable": 1}, True)


async def test_what_was_in_hand_at_that_moment_ends_a_little_later(
    office: Office, settle: Settler
) -> None:
    """What a process is sending is left to it, unless that process is gone; what may have arrived
    is not called unreachable."""
    for _ in range(3):
        await settle(channel="whatsapp")
    await office.send()
    lost, sent, _ = await claim(office.db)
    await settle_all(office.db, [lost], Outcome.UNKNOWN)
    await retire(office.db, "whatsapp")
    await settle_all(office.db, [sent])
    assert await rows(office.db, ENDS, channel="whatsapp") == [
        ("sent", None, 1), ("unknown", retired.DETAIL, 1), (None, None, 1)
    ]  # fmt: skip
    clock_of(office.db).advance(2 * outbox.LEASE)
    await tidy(office.db)
    assert await rows(office.db, ENDS, channel="whatsapp") == [
        ("sent", None, 1), ("unknown", retired.DETAIL, 2)
    ]  # fmt: skip
