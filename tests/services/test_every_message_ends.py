"""Every message to a person ends in a written outcome, whatever becomes of its chat."""

from datetime import timedelta
from uuid import UUID

from support.database import TestDatabase

from bot.clockwork import Clockwork
from conversation.message import Content
from core.clock import FrozenClock
from core.outcomes import Outcome
from services import outbox
from tests.services.conftest import Settler
from tests.services.test_notices_in_depth import (
    KK,
    claim,
    people_write,
    rows,
    settle_all,
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
