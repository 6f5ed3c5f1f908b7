"""Files: sealed, fetched by a word that lives for 48 hours, 16 MB at most."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from core.languages import Language
from models.files import MAX_BYTES
from rules.attachments import FileFault
from services import files, notices, roles
from services.files import FileTooLarge, StoredFile
from services.notices import NoticeText
from services.roles import RoleName
from tests.services.conftest import VILLAGE, Settler

PHOTO = b"\xff\xd8 a bridge \x00" * 20
NAME = "Көпір жөнделгенге дейін.jpg"


async def test_there_and_back(settled: TestDatabase) -> None:
    async with settled.unit() as unit:
        kept = await files.keep(unit, "photo", "image/jpeg", NAME, PHOTO)
    async with settled.unit() as unit:
        assert await files.fetch(unit, kept) == StoredFile(kept, "photo", "image/jpeg", NAME, PHOTO)
        assert await files.fetch(unit, uuid4()) is None


async def test_nothing_lies_in_clear(settled: TestDatabase) -> None:
    async with settled.unit() as unit:
        await files.keep(unit, "photo", "image/jpeg", NAME, PHOTO)
        row = (await unit.session.execute(text("SELECT * FROM file"))).mappings().one()
    assert PHOTO not in row["content"]
    assert b"a bridge" not in row["content"]
    assert NAME.encode() not in row["name"]


async def test_a_token_lives_48_hours(settled: TestDatabase) -> None:
    async with settled.unit() as unit:
        kept = await files.keep(unit, "photo", "image/jpeg", NAME, PHOTO)
        token = await files.new_token(unit, kept)
        stored = (await unit.session.execute(text("SELECT hash FROM file_token"))).scalar_one()
    assert len(token) == 43
    assert token.encode() not in stored
    for after, alive in (
        (timedelta(), True),
        (timedelta(hours=48) - timedelta(seconds=1), True),
        (timedelta(hours=48), False),
        (timedelta(days=365), False),
    ):
        settled.clock.offset = after
        async with settled.unit() as unit:
            assert (await files.by_token(unit, token) is not None) == alive


@pytest.mark.parametrize("forged", ["", "x", "../etc/passwd", "A" * 43, "ә" * 43])
async def test_no_other_word_opens_it(settled: TestDatabase, forged: str) -> None:
    async with settled.unit() as unit:
        kept = await files.keep(unit, "photo", "image/jpeg", NAME, PHOTO)
        token = await files.new_token(unit, kept)
        assert await files.by_token(unit, forged) is None
        assert await files.by_token(unit, token[:-1]) is None
        assert await files.by_token(unit, token.swapcase()) is None


async def test_tokens_that_are_over_are_forgotten_and_the_file_stays(
    settled: TestDatabase,
) -> None:
    async with settled.unit() as unit:
        kept = await files.keep(unit, "photo", "image/jpeg", NAME, PHOTO)
        await files.new_token(unit, kept)
    settled.clock.offset = timedelta(hours=24)
    async with settled.unit() as unit:
        young = await files.new_token(unit, kept)
    settled.clock.offset = timedelta(hours=49)
    async with settled.unit() as unit:
        await files.forget_tokens(unit)
        left = (await unit.session.execute(text("SELECT count(*) FROM file_token"))).scalar_one()
        assert left == 1
        assert await files.by_token(unit, young) is not None
        assert await files.fetch(unit, kept) is not None


async def test_16_mb_are_kept_and_a_byte_more_is_not(settled: TestDatabase) -> None:
    async with settled.unit() as unit:
        with pytest.raises(FileTooLarge, match=str(MAX_BYTES + 1)):
            await files.keep(unit, "document", "application/pdf", "x", bytes(MAX_BYTES + 1))
    async with settled.unit() as unit:
        kept = await files.keep(unit, "document", "application/pdf", "x", bytes(MAX_BYTES))
    async with settled.unit() as unit:
        found = await files.fetch(unit, kept)
        assert found is not None
        assert len(found.content) == MAX_BYTES == 16 * 1024 * 1024


async def test_a_platform_knows_a_file_by_its_own_id_per_account(
    settled: TestDatabase, settle: Settler
) -> None:
    await settle()
    await settle(channel="whatsapp")
    async with settled.unit() as unit:
        kept = await files.keep(unit, "photo", "image/jpeg", NAME, PHOTO)
        one, other = (await unit.session.scalars(text("SELECT id FROM account"))).all()
        assert await files.platform_id(unit, kept, one) is None
        for known_as in ("AgAC-1", "AgAC-2"):
            await files.remember_platform_id(unit, kept, one, known_as)
    async with settled.unit() as unit:
        assert await files.platform_id(unit, kept, one) == "AgAC-2"
        assert await files.platform_id(unit, kept, other) is None


# What somebody sends, fetched after the commit


REAL = b"\xff\xd8\xff\xe0 a bridge"


async def sent(
    db: TestDatabase, settle: Settler, channel: str = "telegram", **what: object
) -> UUID:
    """A picture that somebody has sent; its bytes are not here yet."""
    _, address = await settle(channel=channel)
    async with db.unit() as unit:
        account = await unit.session.scalar(
            text("SELECT account_id FROM address WHERE id = :id"), {"id": address}
        )
        given = {"medium": "photo", "mime": "image/jpeg", "name": "1.jpg", "reference": "AgAC-1"}
        return await files.wanted(unit, account, address, **given | what)  # type: ignore[arg-type]


async def leased(db: TestDatabase, limit: int = 5) -> list[UUID]:
    async with db.unit() as unit:
        accounts = (await unit.session.scalars(text("SELECT id FROM account"))).all()
        return [one.id for one in await files.lease(unit, accounts, limit)]


async def test_wanted_leased_arrived(settled: TestDatabase, settle: Settler) -> None:
    file = await sent(settled, settle)
    async with settled.unit() as unit:
        assert await files.fetch(unit, file) is None
        assert [(c.here, c.failure) for c in await files.described(unit, [file])] == [(False, None)]
    assert await leased(settled) == [file]
    assert await leased(settled) == [], "nobody else gets it"
    for content in (REAL, b"%PDF-1.4 something else, later"):
        async with settled.unit() as unit:
            assert await files.arrived(unit, file, content) is None
    async with settled.unit() as unit:
        found = await files.fetch(unit, file)
        assert found is not None
        assert found.content == REAL
        row = (await unit.session.execute(text("SELECT * FROM file"))).mappings().one()
    assert b"a bridge" not in row["content"]
    assert (row["reference"], row["fetch_at"], row["size"]) == (None, None, len(REAL))
    assert await leased(settled) == []


async def test_a_lease_of_a_process_that_died_runs_out(
    settled: TestDatabase, settle: Settler
) -> None:
    file = await sent(settled, settle)
    assert await leased(settled) == [file]
    settled.clock.offset = files.FETCH_LEASE
    assert await leased(settled) == [file]


async def test_two_processes_share_what_is_to_be_fetched(
    settled: TestDatabase, settle: Settler
) -> None:
    wanted = {await sent(settled, settle) for _ in range(4)}
    async with settled.unit() as one, settled.unit() as other:
        accounts = (await one.session.scalars(text("SELECT id FROM account"))).all()
        first = {each.id for each in await files.lease(one, accounts, 2)}
        second = {each.id for each in await files.lease(other, accounts, 4)}
    assert first | second == wanted
    assert not first & second


async def test_tried_again_with_pauses_and_given_up(settled: TestDatabase, settle: Settler) -> None:
    file = await sent(settled, settle)
    for pause in files.FETCH_PAUSES:
        assert await leased(settled) == [file]
        async with settled.unit() as unit:
            assert await files.missed(unit, file) is None
        assert await leased(settled) == []
        settled.clock.offset += pause
    assert await leased(settled) == [file]
    async with settled.unit() as unit:
        assert await files.missed(unit, file) is FileFault.GONE
        assert await files.missed(unit, file) is None, "told once"
        [card] = await files.described(unit, [file])
    assert (card.here, card.failure) == (False, FileFault.GONE)
    assert await leased(settled) == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"MZ a program", FileFault.KIND),
        (b"", FileFault.KIND),
        (REAL + bytes(5 * 1024 * 1024), FileFault.PICTURE_TOO_LARGE),
        (b"%PDF-1.4" + bytes(16 * 1024 * 1024), FileFault.TOO_LARGE),
    ],
)
async def test_what_it_really_is_decides(
    settled: TestDatabase, settle: Settler, content: bytes, fault: FileFault
) -> None:
    file = await sent(settled, settle)
    assert await leased(settled) == [file]
    async with settled.unit() as unit:
        assert await files.arrived(unit, file, content) is fault
    async with settled.unit() as unit:
        stored = await unit.session.execute(text("SELECT failure, content, fetch_at FROM file"))
        assert tuple(stored.one()) == (fault.value, None, None)
        left = await unit.session.execute(text("SELECT count(*) FROM platform_file"))
        assert left.scalar_one() == 0, "nor is it sent by the platform's own id"


async def test_a_document_called_a_picture_goes_as_a_document(
    settled: TestDatabase, settle: Settler
) -> None:
    file = await sent(settled, settle)
    async with settled.unit() as unit:
        await files.arrived(unit, file, b"%PDF-1.4")
        [card] = await files.described(unit, [file])
    assert (card.medium, card.mime) == ("document", "application/pdf")


@pytest.mark.parametrize(("channel", "known"), [("telegram", "AgAC-1"), ("whatsapp", None)])
async def test_telegram_sends_its_own_file_again_by_its_id(
    settled: TestDatabase, settle: Settler, channel: str, known: str | None
) -> None:
    file = await sent(settled, settle, channel)
    async with settled.unit() as unit:
        account = await unit.session.scalar(text("SELECT account_id FROM file"))
        assert account is not None
        assert await files.platform_id(unit, file, account) == known


async def test_what_no_notice_carries_is_forgotten(settled: TestDatabase, settle: Settler) -> None:
    person, address = await settle()
    carried, loose = [await sent(settled, settle) for _ in range(2)]
    async with settled.unit() as unit:
        unit.actor = person
        await roles.grant(unit, person, RoleName.AKIM, "595041000")
        await notices.announce(
            unit,
            again=True,
            notice=unit.new_id(),
            author_address=address,
            place_code="595041000",
            audience=[VILLAGE],
            texts={one: NoticeText("Су жоқ", "Ертең") for one in Language},
            monolingual=None,
            files=[carried],
        )
        await files.forget_unused(unit)
        assert len(await files.described(unit, [carried, loose])) == 2, "too early"
        unit.now += files.UNUSED_KEPT + timedelta(days=1)
        await files.forget_unused(unit)
        assert [card.id for card in await files.described(unit, [carried, loose])] == [carried]
        await files.forget_unsent(unit, [carried])
        assert len(await files.described(unit, [carried])) == 1
