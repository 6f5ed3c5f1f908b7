"""One person comes in by both messengers: joins by the birthday, counts once, gets a notice once on
the messenger that was chosen, and parts again."""

from sqlalchemy import text
from support.people import one, rows, send_notice, settled, words
from support.world import World

from services.roles import RoleName

TITLE = "Ремонт водопровода"


async def test_joined_on_whatsapp_notified_once_and_parted(world: World) -> None:
    emulator, db = world.emulator, world.db
    petr = await settled(world, "petr", phone="+77011234567", name="Иванов Пётр")
    await phones_proved(world)
    akim = await settled(world, "akim", role=RoleName.AKIM, place="595030100")
    emulator.add_person("petr-w", "Пётр", "whatsapp", phone="+77011234567")
    emulator.say("petr-w", "Здравствуйте")
    await emulator.wait_for("petr-w", words("ru", "first-contact"))
    emulator.tap("petr-w", "Русский")
    await emulator.wait_for("petr-w", words("ru", "consent-ask"))
    emulator.tap("petr-w", words("ru", "consent-yes"))
    await emulator.wait_for("petr-w", "Пётр И., село Бугровое")
    emulator.say("petr-w", "да")
    await emulator.wait_for("petr-w", words("ru", "join-birth"))
    emulator.say("petr-w", "05.03.1986")
    await emulator.wait_for("petr-w", words("ru", "joined"))
    emulator.say("petr-w", "WhatsApp")
    await emulator.wait_for("petr-w", "Сначала сообщения придут сюда")

    await send_notice(world, akim)
    await emulator.wait_for("petr-w", TITLE)
    emulator.tap("petr-w", words("ru", "notice-read"))
    await emulator.wait_for("petr-w", words("ru", "notice-read-receipt"))
    await emulator.settle()
    assert await rows(
        db, "SELECT resident_id, acknowledged_at IS NOT NULL FROM recipient"
    ) == [(petr.resident, True)]  # fmt: skip
    assert await one(db, "SELECT count(*) FROM delivery WHERE priority >= 2") == 1

    emulator.say("petr-w", "мои данные")
    await emulator.wait_for("petr-w", "Иванов Пётр")
    emulator.say("petr-w", words("ru", "part-menu"))
    await emulator.wait_for("petr-w", words("ru", "part-ask"))
    emulator.say("petr-w", "да")
    await emulator.wait_for("petr-w", words("ru", "parted"))
    speaks = "SELECT count(*) FROM address WHERE speaker_id = :who"
    assert await one(db, speaks, who=petr.resident) == 1
    assert not emulator.counters.violations


async def phones_proved(world: World) -> None:
    """The phones of those who are here already count as proved by their messenger."""
    async with world.db.unit() as unit:
        await unit.session.execute(text("UPDATE resident SET level = 'phone'"))
