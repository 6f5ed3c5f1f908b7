"""WhatsApp's daily quota of new conversations: everybody is reached in the following days, in
their order, nobody twice, and the forecast was honest."""

from datetime import timedelta

from support.database import until
from support.faults import PATIENCE, crowd, letters, nothing_left, office, reckon
from support.people import VILLAGE, move_clock, one, send_notice
from support.world import OKRUG, World

from bot.delivery import IN_HAND
from rules.notices import NoticeKind
from services import notices, reach, rulebook

TAKEN = 25  # people whom WhatsApp lets us write to, and we believe in 250
MANY = 200  # more than a process has in hand at the same time: most of them are to be stopped
WAITING = (
    "SELECT count(*) FROM delivery WHERE outcome IS NULL AND claimed_until IS NULL"
    " AND waiting_for = 'daily-limit'"
)
DAY = timedelta(days=1, minutes=1)


async def left_for_tomorrow(world: World, many: int) -> None:
    async def waiting() -> bool:
        pending = "SELECT count(*) FROM delivery WHERE outcome IS NULL"
        return (await one(world.db, WAITING), await one(world.db, pending)) == (many, many)

    await until(waiting, PATIENCE)


async def next_day(world: World) -> None:
    world.emulator.advance(seconds=DAY.total_seconds())
    await move_clock(world.db, [world.app], DAY)
    world.app.wake()


async def counted(world: World) -> int:
    """How many conversations we believe to have opened."""
    return await one(world.db, "SELECT count(*) FROM opened_conversation")


async def test_used_up_by_callback(world: World) -> None:
    """We believe in 250, WhatsApp lets 25 through and says so of the others later: it is asked no
    more than what was in hand, and those who are left wait for tomorrow."""
    emulator, db = world.emulator, world.db
    emulator.switch(whatsapp_limits=True, whatsapp_quota=TAKEN, whatsapp_per_second=10_000)
    akim = await office(world)
    many = await crowd(world, "o", MANY, "whatsapp", window=False)
    notice = await send_notice(world, akim)
    await left_for_tomorrow(world, MANY - TAKEN)
    calls = emulator.counters.calls["messages.create"]
    assert calls <= TAKEN + 2 * IN_HAND, "it went on although there was no more"
    assert sum(letters(world, who.id) for who in many) == TAKEN
    async with db.database.work.connect() as connection:
        progress = await notices.progress(connection, notice)
    assert (progress.announced, progress.waiting) == (TAKEN, {"daily-limit": MANY - TAKEN})
    assert progress.last_due - db.clock.now() <= timedelta(days=1), "the forecast of the end"
    emulator.switch(whatsapp_quota=250)
    await next_day(world)
    await nothing_left(db)
    assert (await reckon(world, notice, many)).announced == MANY
    assert emulator.counters.calls["messages.create"] == calls + MANY - TAKEN


async def test_used_up_by_the_answer(world: World) -> None:
    """The same, and Twilio says so at once: who was refused is not counted among the day's
    conversations."""
    emulator, db = world.emulator, world.db
    akim = await office(world)
    many = await crowd(world, "o", MANY, "whatsapp", window=False)
    emulator.fault("messages.create", times=TAKEN, hold=True)
    refusal = {"code": 63038, "message": "Account exceeded the daily limit", "status": 400}
    refusing = emulator.fault("messages.create", times=10**6, status=400, body=refusal)
    notice = await send_notice(world, akim)
    await emulator.wait_until(lambda: emulator.faults.held == TAKEN, PATIENCE)
    emulator.release_answers()
    await left_for_tomorrow(world, MANY - TAKEN)
    calls = emulator.counters.calls["messages.create"]
    assert TAKEN < calls <= TAKEN + 2 * IN_HAND, "it went on although there was no more"
    assert await counted(world) == TAKEN
    refusing.times = 0
    await next_day(world)
    await nothing_left(db)
    assert (await reckon(world, notice, many)).announced == MANY
    assert emulator.counters.calls["messages.create"] == calls + MANY - TAKEN


async def test_a_plan_over_three_days(world: World) -> None:
    """20 a day by the rulebook, and WhatsApp takes no more either: 50 people in three days, as
    it was forecast; who writes meanwhile costs nothing and waits for nothing."""
    emulator, db = world.emulator, world.db
    emulator.switch(whatsapp_limits=True, whatsapp_quota=20, whatsapp_per_second=10_000)
    akim = await office(world)
    async with db.unit() as unit:
        await rulebook.decide(
            unit, "whatsapp-people-a-day", "20", None, "Решение мәслихата от 12.03.2024 № 15/4"
        )
    many = await crowd(world, "o", 50, "whatsapp", window=False)
    inside = await crowd(world, "w", 15, "whatsapp")
    async with db.unit() as unit:
        reached = await reach.reach(unit, OKRUG, [VILLAGE], NoticeKind.ANNOUNCEMENT)
        forecast = await reach.forecast(unit, OKRUG, reached, NoticeKind.ANNOUNCEMENT)
    assert (reached.outside, forecast.days, forecast.first_day) == (50, 3, 35)

    notice = await send_notice(world, akim)
    await left_for_tomorrow(world, 30)
    assert sum(letters(world, who.id) for who in inside) == 15
    last = await one(db, "SELECT address_id FROM delivery ORDER BY not_before DESC, id LIMIT 1")
    (curious,) = [who for who in many if who.address == last]
    language = await one(db, "SELECT language FROM address WHERE id = :id", id=curious.address)
    emulator.say(curious.id, "меню" if language == "ru" else "мәзір")
    await left_for_tomorrow(world, 29)
    for left in (9, 0):
        await next_day(world)
        await left_for_tomorrow(world, left)
    progress = await reckon(world, notice, [*many, *inside])
    assert (progress.sent, progress.announced) == (16, 49)
    assert not emulator.counters.violations, "the quota was never overdrawn"
