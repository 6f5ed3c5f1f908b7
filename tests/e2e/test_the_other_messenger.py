"""One person with both messengers: where the first is blocked, the notice comes by the other."""

from datetime import timedelta

from sqlalchemy import text
from support.people import Somebody, move_clock, one, rows, send_notice, settled
from support.world import World

from services import notices, residents
from services.roles import RoleName

TITLE = "Ремонт водопровода"


async def both(world: World) -> tuple[Somebody, Somebody]:
    """Пётр on Telegram and, as the same resident, on WhatsApp; Telegram is preferred."""
    first = await settled(world, "petr", "telegram", phone="+77011234567")
    second = await settled(world, "petr-w", "whatsapp", phone="+77011234568")
    async with world.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE resident_address SET resident_id = :kept WHERE resident_id = :gone"),
            {"kept": first.resident, "gone": second.resident},
        )
        await unit.session.execute(
            text("UPDATE address SET speaker_id = :kept WHERE id = :id"),
            {"kept": first.resident, "id": second.address},
        )
        await residents.forget(unit, second.resident)
        await unit.session.execute(
            text("UPDATE resident SET preferred_channel = 'telegram' WHERE id = :id"),
            {"id": first.resident},
        )
    return first, second


async def test_blocked_on_one_it_comes_by_the_other(world: World) -> None:
    await both(world)
    akim = await settled(world, "akim", role=RoleName.AKIM)
    world.emulator.fault(
        "sendMessage",
        to=str(world.emulator.person("petr").telegram_id),
        status=403,
        body={
            "ok": False,
            "error_code": 403,
            "description": "Forbidden: bot was blocked by the user",
        },
    )
    notice = await send_notice(world, akim)
    await world.emulator.wait_for("petr-w", TITLE)
    world.emulator.tap("petr-w", "Прочитал(а)")
    await world.emulator.wait_for("petr-w", "Спасибо")
    async with world.db.session() as session:
        found = await notices.progress(await session.connection(), notice)
    assert (found.total, found.sent, found.acknowledged) == (2, 2, 1)
    assert world.emulator.counters.violations == []


async def test_silent_on_one_it_comes_by_the_other_a_day_later(world: World) -> None:
    """Outside WhatsApp's window by then: the template announces it, the tap brings it."""
    await both(world)
    akim = await settled(world, "akim", role=RoleName.AKIM)
    notice = await send_notice(world, akim)
    await world.emulator.wait_for("petr", TITLE)
    day = timedelta(hours=25)
    world.emulator.advance(hours=25)
    await move_clock(world.db, [world.app], day)
    await world.emulator.wait_for("petr-w", TITLE)
    world.emulator.tap("petr-w", "Прочитать")
    await world.emulator.wait_for("petr-w", "Завтра не будет воды.")
    world.emulator.tap("petr-w", "Прочитал(а)")
    await world.emulator.wait_for("petr-w", "Спасибо")
    assert await one(
        world.db,
        "SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT NULL AND notice_id = :id",
        id=notice,
    ) == 1  # fmt: skip
    counted = await rows(world.db, "SELECT count(*) FROM opened_conversation")
    assert counted[0][0] == 1, "one of the day's new conversations"
