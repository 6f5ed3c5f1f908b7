"""Files: sealed, fetched by a word that lives for 48 hours, 16 MB at most."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from models.files import MAX_BYTES
from services import files
from services.files import FileTooLarge, StoredFile
from tests.services.conftest import Settler

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
