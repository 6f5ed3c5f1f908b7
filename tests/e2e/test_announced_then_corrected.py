"""Outside WhatsApp's window two people are announced a notice with files; then its text is
corrected in one language. Each taps and reads what is theirs, and counts once."""

import pytest
from support.people import ELSEWHERE, one, settled, words
from support.world import World

from emulator.world import Message
from services import notices
from services.notices import Progress
from services.roles import RoleName
from tests.e2e.test_a_notice_with_files import PDF, PICTURE, Phone, both_files, here

OLD = {"kk": "Ертең мектепте.", "ru": "Завтра в школе."}
NEW = {"kk": "Бүгін клубта.", "ru": "Сегодня в клубе."}
TITLE = {"kk": "Жиналыс", "ru": "Собрание"}
MARK = {"kk": "Түзету", "ru": "Исправление"}


async def announced(world: World) -> Phone:
    """Two villagers, each called by the language they read, have one line of it."""
    for number, language in enumerate(OLD, 1):
        await settled(
            world,
            language,
            "whatsapp",
            phone=f"+7701000000{number}",
            language=language,
            window=False,
        )
    await settled(world, "akim", place=ELSEWHERE, role=RoleName.AKIM)
    akim = Phone(world, "akim")
    await akim.to_the_files()
    await akim.send("photo", PICTURE, "attach-more", "road.png", "image/png")
    await here(world, 1)
    world.emulator.send_file("akim", "document", PDF, "смета.pdf", "application/pdf")
    await here(world, 2)
    await akim.tap("audience-done", "preview-ask")
    await both_files(world, "akim")
    await akim.tap("notice-send", "live-finished")
    for language, title in TITLE.items():
        assert (await world.emulator.wait_for(language, title)).template
    return akim


async def corrects(akim: Phone, changed: str) -> None:
    """The text in this language alone; the akim's own, Russian, is asked for first."""
    await akim.tap("sent-correct", "correct-write-ru")
    for language, then in (("ru", "correct-write-kk"), ("kk", "correct-ask")):
        if language == changed:
            await akim.say(f"{TITLE[language]}\n{NEW[language]}", then)
        else:
            await akim.tap("correct-keep", then)
    await akim.tap("correct-send", "correct-done")


async def progress(world: World) -> Progress:
    notice = await one(world.db, "SELECT id FROM notice")
    async with world.db.session() as session:
        return await notices.progress(await session.connection(), notice)


async def opens(world: World, who: str, announcement: Message) -> Message:
    """Taps the button of this announcement; the text that comes."""
    after = world.emulator.last(who).seq
    world.emulator.tap(who, words(who, "template-notice-button"), announcement.seq)
    return await world.emulator.wait_for(who, TITLE[who], after=after)


@pytest.mark.parametrize(("changed", "older"), [("kk", True), ("ru", False)])
async def test_each_reads_what_is_theirs(world: World, changed: str, older: bool) -> None:
    """By the button of the first announcement, or by that of the correction's."""
    emulator, other = world.emulator, "ru" if changed == "kk" else "kk"
    akim = await announced(world)
    first = {who: emulator.last(who) for who in OLD}
    await corrects(akim, changed)
    second = await emulator.wait_for(changed, TITLE[changed], after=first[changed].seq)
    assert second.template
    assert (await progress(world)).announced == 2

    letter = await opens(world, changed, first[changed] if older else second)
    assert NEW[changed] in letter.text
    assert MARK[changed] in letter.text
    await both_files(world, changed)
    unchanged = await opens(world, other, first[other])
    assert OLD[other] in unchanged.text
    assert MARK[other] not in unchanged.text
    await both_files(world, other)
    for who in OLD:
        emulator.tap(who, words(who, "notice-read"))
        await emulator.wait_for(who, words(who, "notice-read-receipt"))
    found = await progress(world)
    assert (found.total, found.sent, found.announced, found.acknowledged) == (2, 2, 0, 2)
    await emulator.settle()
    for who, text in ((changed, NEW[changed]), (other, OLD[other])):
        assert sum(text in said for said in emulator.texts(who)) == 1
    assert not any(OLD[changed] in said for said in emulator.texts(changed))
    assert not any(NEW[other] in said for said in emulator.texts(other))
    assert emulator.counters.violations == []
