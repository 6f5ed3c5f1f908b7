"""A notice with a picture and a document: from the akim's phone to everybody's, on both
messengers; what cannot be fetched is told; a crash between files repeats nothing."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from support.people import Somebody, one, rows, settled, words
from support.world import World

from emulator.app import PIXEL
from emulator.world import Message
from services.roles import RoleName

PDF = b"%PDF-1.4\nthe estimate\n%%EOF"
PICTURE = PIXEL


def docx() -> bytes:
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return content.getvalue()


async def office(world: World, channel: str) -> Somebody:
    """An akim on this messenger, a villager on each, one of WhatsApp outside the window."""
    await settled(world, "tg", name="Иванов Пётр", phone="+77010000001")
    await settled(world, "wa", "whatsapp", name="Серікова Айгүл", phone="+77010000002")
    await settled(
        world, "late", "whatsapp", name="Омаров Ерлан", phone="+77010000003", window=False
    )
    return await settled(
        world, "akim", channel, name="Әкім О'Нил", phone="+77010000004", role=RoleName.AKIM
    )


class Phone:
    """The akim's phone: acts, and waits for the question that follows."""

    def __init__(self, world: World, person: str) -> None:
        self.world, self.person = world, person

    async def sees(self, key: str, after: int) -> Message:
        return await self.world.emulator.wait_for(self.person, words("ru", key), after=after)

    @property
    def now(self) -> int:
        """The newest message on it."""
        messages = self.world.emulator.chat(self.person)
        return messages[-1].seq if messages else 0

    async def say(self, text: str, then: str) -> Message:
        after = self.now
        self.world.emulator.say(self.person, text)
        return await self.sees(then, after)

    async def tap(self, key: str, then: str) -> Message:
        after = self.now
        self.world.emulator.tap(self.person, words("ru", key))
        return await self.sees(then, after)

    async def send(self, kind: str, content: bytes, then: str, name: str, mime: str) -> Message:
        after = self.now
        self.world.emulator.send_file(self.person, kind, content, name, mime)  # type: ignore[arg-type]
        return await self.sees(then, after)

    async def to_the_files(self) -> None:
        await self.say("меню", "menu-official")
        await self.tap("menu-send", "kind-ask")
        await self.tap("kind-event", "audience-ask")
        await self.tap("audience-all-okrug", "notice-write-ru")
        await self.say("Собрание\nЗавтра в школе.", "notice-write-kk")
        await self.say("Жиналыс\nЕртең мектепте.", "attach-ask")


async def here(world: World, count: int) -> None:
    """Until so many files are fetched."""

    async def fetched() -> bool:
        found = await one(world.db, "SELECT count(*) FROM file WHERE content IS NOT NULL")
        return int(found) == count

    from support.database import until

    await until(fetched)


def media(world: World, person: str) -> list[str]:
    """The kinds of the files that came."""
    received = world.emulator.received(person)
    return [message.media["kind"] for message in received if message.media]


async def both_files(world: World, person: str) -> None:
    """WhatsApp fetches a file before it shows it: a smaller one may overtake a larger."""
    await world.emulator.wait_until(lambda: sorted(media(world, person)) == ["document", "photo"])


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_from_the_akims_phone_to_everybodys(world: World, channel: str) -> None:
    emulator = world.emulator
    await office(world, channel)
    akim = Phone(world, "akim")
    await akim.to_the_files()
    await akim.send("photo", PICTURE, "attach-more", "road.png", "image/png")
    await here(world, 1)
    emulator.send_file("akim", "document", PDF, "смета.pdf", "application/pdf")
    await here(world, 2)
    shown = await akim.tap("audience-done", "preview-ask")
    assert shown.buttons or shown.listing
    await both_files(world, "akim")
    await akim.tap("notice-send", "live-finished")

    for person, title in (("tg", "Собрание"), ("wa", "Собрание")):
        letter = await emulator.wait_for(person, title)
        assert letter.media is None, "two files go ahead of the text"
        await both_files(world, person)
    assert emulator.received("tg")[-1].text.startswith("📢")
    first = await emulator.wait_for("late", "Собрание")
    assert media(world, "late") == [], "announced by one line"
    assert first.template
    emulator.tap("late", words("ru", "template-notice-button"))
    await emulator.wait_for("late", "Завтра в школе.")
    await both_files(world, "late")
    emulator.tap("late", words("ru", "notice-read"))
    await emulator.wait_for("late", words("ru", "notice-read-receipt"))
    assert emulator.counters.violations == []


async def test_one_picture_with_a_short_text_is_one_message_on_telegram(world: World) -> None:
    emulator = world.emulator
    await office(world, "whatsapp")
    akim = Phone(world, "akim")
    await akim.to_the_files()
    await akim.send("photo", PICTURE, "attach-more", "road.png", "image/png")
    await here(world, 1)
    await akim.tap("audience-done", "preview-ask")
    await akim.tap("notice-send", "live-finished")
    letter = await emulator.wait_for("tg", "Собрание")
    assert letter.media is not None
    assert letter.buttons
    assert emulator.counters.calls["sendPhoto"] == 1
    emulator.tap("tg", words("ru", "notice-read"))
    await emulator.wait_until(lambda: "✓" in str(emulator.last("tg").buttons))


async def test_a_notice_waits_for_its_file_and_goes_by_itself(world: World) -> None:
    """Telegram's getFile fails twice; the notice goes when the document is here."""
    emulator = world.emulator
    await office(world, "telegram")
    akim = Phone(world, "akim")
    await akim.to_the_files()
    emulator.fault("getFile", times=1, status=500)
    await akim.send("document", docx(), "attach-more", "план.docx", "")
    await akim.tap("audience-done", "preview-loading")
    await akim.tap("notice-send", "live-files")
    await emulator.wait_for("tg", "Собрание")
    await emulator.wait_for("wa", "Собрание")
    [row] = await rows(world.db, "SELECT mime, attempts FROM file")
    assert row.mime.endswith("wordprocessingml.document")
    assert row.attempts == 2


@pytest.mark.parametrize("channel", ["telegram", "whatsapp"])
async def test_what_it_is_not_is_told_in_a_message_of_its_own(world: World, channel: str) -> None:
    emulator = world.emulator
    await office(world, channel)
    akim = Phone(world, "akim")
    await akim.to_the_files()
    await akim.send("document", b"MZ no document", "attach-more", "смета.pdf", "application/pdf")
    await akim.sees("file-failed-kind", 0)
    await akim.tap("audience-done", "preview-ask")
    assert not any(message.media for message in emulator.received("akim"))
    await akim.tap("notice-send", "live-finished")
    assert await one(world.db, "SELECT files FROM notice") == []


async def test_an_album_is_one_answer(world: World) -> None:
    emulator = world.emulator
    await office(world, "telegram")
    akim = Phone(world, "akim")
    await akim.to_the_files()
    before = len(emulator.received("akim"))
    acts = [emulator.send_file("akim", "photo", PICTURE, album="77") for _ in range(4)]
    for act in acts:
        await emulator.wait_acknowledged(act)
    names = ", ".join(f"фото {n}" for n in (1, 2, 3, 4))
    await emulator.wait_for("akim", names)
    assert len(emulator.received("akim")) == before + 1
    await here(world, 4)


async def test_what_fails_between_two_files_goes_on_there(world: World) -> None:
    emulator = world.emulator
    await office(world, "whatsapp")
    akim = Phone(world, "akim")
    await akim.to_the_files()
    await akim.send("photo", PICTURE, "attach-more", "road.png", "image/png")
    emulator.send_file("akim", "document", PDF, "смета.pdf", "application/pdf")
    await here(world, 2)
    await akim.tap("audience-done", "preview-ask")
    chat = str(emulator.person("tg").telegram_id)
    emulator.fault("sendDocument", times=1, status=500, to=chat)
    emulator.fault("sendMessage", times=1, status=500, to=chat)
    await akim.tap("notice-send", "live-read")
    await emulator.wait_for("tg", "Собрание")
    assert media(world, "tg") == ["photo", "document"]
    assert len(emulator.received("tg")) == 3


async def test_a_file_that_is_lost_after_sending_holds_the_notice(world: World) -> None:
    """Its author is told, and goes on without it."""
    emulator = world.emulator
    await office(world, "telegram")
    akim = Phone(world, "akim")
    await akim.to_the_files()
    answer = {"ok": False, "error_code": 400, "description": "Bad Request: invalid file_id"}
    emulator.fault("getFile", times=1, status=500)
    emulator.fault("getFile", times=1, status=400, body=answer)
    await akim.send("document", PDF, "attach-more", "смета.pdf", "application/pdf")
    await akim.tap("audience-done", "preview-loading")
    await akim.tap("notice-send", "live-files")
    await akim.sees("file-failed-gone", 0)
    held = await akim.sees("sent-file-failed", 0)
    assert await one(world.db, "SELECT status FROM notice") == "paused"
    assert emulator.received("tg") == []
    emulator.tap("akim", words("ru", "live-show"), held.seq)
    await emulator.wait_for("akim", button=words("ru", "sent-resume"))
    emulator.tap("akim", words("ru", "sent-resume"))
    await emulator.wait_for("tg", "Собрание")
    await akim.sees("live-finished", 0)
    assert media(world, "tg") == []
