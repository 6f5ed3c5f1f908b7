"""What is not needed any more is gone; what cannot succeed does not come again for ever."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from support.faults import nothing_left
from support.people import one, rows, settled, words
from support.world import World

from bot.doctor import examine
from services import outbox


async def test_the_words_of_old_replies_are_erased(world: World) -> None:
    """Three days after a reply its words are gone, its outcome stays; notices keep theirs."""
    emulator, db = world.emulator, world.db
    await settled(world, "petr")
    emulator.say("petr", "меню")
    await emulator.wait_for("petr", words("ru", "menu-resident"))
    await emulator.settle()
    await nothing_left(db)
    now = world.app.clock.now()
    for later, kept in ((timedelta(days=2), True), (timedelta(days=4), False)):
        async with db.database.work.begin() as connection:
            await outbox.forget_words(connection, now + later)
        contents = await rows(db, "SELECT content FROM message")
        assert all(bool(bytes(row.content)) is kept for row in contents), later
    assert await one(db, "SELECT count(*) FROM delivery WHERE outcome = 'sent'") == len(contents)


async def test_a_replay_that_fails_again_keeps_one_letter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second letter, no second apology; the letter waits for the next try."""
    emulator, db = world.emulator, world.db
    await settled(world, "petr")

    async def broken(turn) -> None:
        raise KeyError("still broken")

    monkeypatch.setitem(world.app.engine.router.routes.commands, "menu", broken)
    emulator.say("petr", "меню")
    await emulator.wait_for("petr", words("ru", "apology"))
    monkeypatch.setattr("bot.app.make_router", lambda: world.app.engine.router)
    found = await examine(db.database, world.app.settings, replay=True)
    assert found["replayed"] == 0
    assert await one(db, "SELECT count(*) FROM dead_letter") == 1
    assert await one(db, "SELECT count(*) FROM delivery") == 1


async def test_a_statement_that_times_out_is_no_endless_retry(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn's statement timeout: a dead letter and an apology, not 503 for ever."""
    emulator, db = world.emulator, world.db
    await settled(world, "petr")

    async def slow(turn) -> None:
        await turn.unit.session.execute(text("SET LOCAL statement_timeout = 50"))
        await turn.unit.session.execute(text("SELECT pg_sleep(5)"))

    monkeypatch.setitem(world.app.engine.router.routes.commands, "menu", slow)
    act = emulator.say("petr", "меню")
    await emulator.wait_for("petr", words("ru", "apology"))
    await emulator.wait_acknowledged(act)
    (letter,) = await rows(db, "SELECT error FROM dead_letter")
    assert "Error" in letter.error
