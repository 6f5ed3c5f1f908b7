"""The memory of Content resources in a real PostgreSQL: the first one made is kept."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

from bot.channels.template_store import StoredTemplates
from bot.database import EmbeddedServer
from core.languages import Language
from models.content_templates import ContentTemplate
from services.content_templates import NEW, NOT_MADE, Remembered, Slot

TABLE: Table = ContentTemplate.__table__  # type: ignore[assignment]
NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
SLOT = Slot(UUID(int=1), "session", Language.KK, "quick:0:1")


@pytest_asyncio.fixture(scope="session")
async def engine(server: EmbeddedServer) -> AsyncIterator[AsyncEngine]:
    """The run's server, with this one table in a schema of its own."""
    engine = create_async_engine(
        server.url, connect_args={"server_settings": {"search_path": "channel_test"}}
    )
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA channel_test"))
        await connection.run_sync(TABLE.create)
    yield engine
    await engine.dispose()


@pytest.fixture
async def stored(engine: AsyncEngine) -> StoredTemplates:
    async with engine.begin() as connection:
        await connection.execute(TABLE.delete())
    return StoredTemplates(async_sessionmaker(engine, expire_on_commit=False))


async def test_nothing_is_known_at_first(stored: StoredTemplates) -> None:
    assert await stored.find(SLOT) is None


async def test_what_was_made_is_found(stored: StoredTemplates) -> None:
    assert await stored.remember(SLOT, "HX1", NOW) == Remembered("HX1", NEW, None)
    assert await stored.find(SLOT) == Remembered("HX1", NEW, None)
    for other in (
        replace(SLOT, account=UUID(int=2)),
        replace(SLOT, kind="notice"),
        replace(SLOT, language=Language.RU),
        replace(SLOT, shape="quick:00:1"),
    ):
        assert await stored.find(other) is None


async def test_two_processes_at_once_keep_one(stored: StoredTemplates) -> None:
    sids = [f"HX{n}" for n in range(8)]
    answers = await asyncio.gather(*(stored.remember(SLOT, sid, NOW) for sid in sids))
    kept = await stored.find(SLOT)
    assert kept is not None
    assert {answer.sid for answer in answers} == {kept.sid}


async def test_approval_is_noted(stored: StoredTemplates) -> None:
    await stored.remember(SLOT, "HX1", NOW)
    await stored.note(SLOT, "approved", NOW)
    assert await stored.find(SLOT) == Remembered("HX1", "approved", NOW)


async def test_only_the_one_that_is_gone_is_forgotten(stored: StoredTemplates) -> None:
    await stored.remember(SLOT, "HX2", NOW)
    await stored.forget(SLOT, "HX1")
    assert await stored.find(SLOT) is not None
    await stored.forget(SLOT, "HX2")
    assert await stored.find(SLOT) is None


async def test_a_refusal_is_kept_until_one_is_made(stored: StoredTemplates) -> None:
    """And what another process has made is never taken for a refusal."""
    await stored.remember(SLOT, NOT_MADE, NOW)
    await stored.note(SLOT, "20001", NOW)
    assert await stored.find(SLOT) == Remembered(NOT_MADE, "20001", NOW)
    assert await stored.remember(SLOT, "HX1", NOW) == Remembered("HX1", NEW, None)
    assert await stored.remember(SLOT, NOT_MADE, NOW) == Remembered("HX1", NEW, None)
    assert await stored.find(SLOT) == Remembered("HX1", NEW, None)
