"""The akim on WhatsApp in Russian, villagers by deep link on both messengers, one of them with a
hidden number: the mirror image of the first walk."""

from support.people import one, words
from support.world import OKRUG, World

from services import roles
from services.roles import RoleName

VILLAGE = "595041100"


def kk(key: str) -> str:
    return words("kk", key)


def ru(key: str) -> str:
    return words("ru", key)


async def come_by_link(world: World, person: str, link: str, language: str) -> None:
    """Follows the village's link, agrees, and finds the village named already."""
    emulator, say = world.emulator, kk if language == "kk" else ru
    emulator.open_link(person, link)
    if emulator.person(person).channel == "telegram":
        emulator.press_start(person)
    else:
        emulator.say(person, emulator.chat_state(person).draft)
    await emulator.wait_for(person, say("first-contact"))
    emulator.tap(person, "Қазақша" if language == "kk" else "Русский")
    await emulator.wait_for(person, say("consent-ask"))
    emulator.tap(person, say("consent-yes"))
    await emulator.wait_for(person, say("name-ask"))
    emulator.say(person, "Сейітова Роза")
    await emulator.wait_for(person, say("village-confirm"))
    emulator.tap(person, say("village-yes"))
    await emulator.wait_for(person, say("street-ask"))
    emulator.tap(person, say("street-skip"))
    await emulator.wait_for(person, say("birth-ask"))
    emulator.say(person, "5 наурыз 1986" if language == "kk" else "5 марта 1986")


async def finish(world: World, person: str, language: str) -> None:
    emulator, say = world.emulator, kk if language == "kk" else ru
    await emulator.wait_for(person, say("summary-ask"))
    emulator.say(person, "1")
    await emulator.wait_for(person, say("registered"))


async def test_links_languages_and_a_whatsapp_akim(world: World) -> None:
    emulator, links = world.emulator, world.app.engine.links
    village = links.starts(f"v_{VILLAGE}")
    emulator.add_person("roza", "Роза", "telegram", phone="+77011110001")
    emulator.add_person("olga", "Ольга", "whatsapp", phone="+77011110002")
    emulator.add_person("hidden", "Вера", "whatsapp", hidden=True)
    await come_by_link(world, "roza", village["telegram"], "kk")
    await emulator.wait_for("roza", kk("phone-ask"))
    emulator.add_person("neighbour", "Көрші", "telegram", phone="+77011110009")
    emulator.share_contact("roza", "neighbour")
    await emulator.wait_for("roza", kk("phone-foreign"))
    emulator.share_contact("roza")
    await finish(world, "roza", "kk")
    await come_by_link(world, "olga", village["whatsapp"], "ru")
    await finish(world, "olga", "ru")
    await come_by_link(world, "hidden", village["whatsapp"], "ru")
    await emulator.wait_for("hidden", ru("phone-ask-typed"))
    emulator.say("hidden", "8 701 111 00 03")
    await finish(world, "hidden", "ru")
    assert await one(world.db, "SELECT count(*) FROM resident WHERE level = 'phone'") == 2

    async with world.db.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
    emulator.add_person("akim", "Аким", "whatsapp")
    emulator.open_link("akim", links.starts(f"i_{code}")["whatsapp"])
    emulator.say("akim", emulator.chat_state("akim").draft)
    await emulator.wait_for("akim", ru("first-contact"))
    emulator.say("akim", "русский")
    await emulator.wait_for("akim", ru("role-granted"))
    emulator.tap("akim", ru("menu-send"))
    await emulator.wait_for("akim", button=ru("kind-announcement"))
    emulator.say("akim", "1")
    await emulator.wait_for("akim", ru("audience-ask"))
    emulator.say("akim", "2")
    await emulator.wait_for("akim", ru("audience-pick"))
    emulator.say("akim", "село Бугровое")
    await emulator.wait_for("akim", "село Бугровое", button=ru("audience-done"))
    emulator.tap("akim", ru("audience-done"))
    await emulator.wait_for("akim", ru("notice-write-ru"))
    emulator.say("akim", "Воды не будет. Завтра с 9:00 до 14:00, наберите заранее.")
    await emulator.wait_for("akim", ru("notice-write-kk"))
    emulator.tap("akim", ru("notice-only-ru"))
    await emulator.wait_for("akim", button=ru("attach-skip"))
    emulator.tap("akim", ru("attach-skip"))
    await emulator.wait_for("akim", ru("preview-ask"))
    emulator.say("akim", "отправить")
    for person in ("roza", "olga", "hidden"):
        await emulator.wait_for(person, "наберите заранее")
    await emulator.wait_for("akim", "3", button=ru("live-show"))
    emulator.tap("roza", kk("notice-read"))
    emulator.tap("olga", ru("notice-read"))
    await emulator.wait_for("olga", ru("notice-read-receipt"))
    await emulator.settle()
    emulator.tap("akim", ru("live-show"))
    await emulator.wait_for("akim", "2 (67%)")
    assert not emulator.counters.violations


async def test_a_file_is_fetched_by_its_word_only(world: World) -> None:
    """GET /files/{token}, with its name or without: the bytes for 48 hours, 404 for anything
    else."""
    from datetime import timedelta

    import aiohttp

    from services import files

    async with world.db.unit() as unit:
        kept = await files.keep(unit, "photo", "image/png", "сурет.png", b"\x89PNG bytes")
        token = await files.new_token(unit, kept)
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{world.url}/files/{token}") as answer:
            assert (answer.status, answer.content_type) == (200, "image/png")
            assert await answer.read() == b"\x89PNG bytes"
        async with http.get(f"{world.url}/files/{token}/сурет.png") as answer:
            assert await answer.read() == b"\x89PNG bytes"
        async with http.get(f"{world.url}/files/{token}/a/b") as answer:
            assert answer.status == 404
        async with http.get(f"{world.url}/files/{token[:-1]}x") as answer:
            assert answer.status == 404
        world.app.clock.offset += timedelta(hours=49)
        async with http.get(f"{world.url}/files/{token}") as answer:
            assert answer.status == 404
