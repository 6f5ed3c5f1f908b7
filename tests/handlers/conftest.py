"""A conversation with the real engine, on the places of the worked example."""

from pathlib import Path

import pytest_asyncio
from support.database import TestDatabase
from support.talk import Talk, namesakes, start_talk

from services.territory_import import import_territory


@pytest_asyncio.fixture
async def talk(village: TestDatabase) -> Talk:
    """Nobody has written yet."""
    return await start_talk(village)


@pytest_asyncio.fixture
async def many(talk: Talk, tmp_path: Path) -> Talk:
    """The same with twelve villages called Жамбыл in three oblasts."""
    async with talk.db.session() as session:
        await import_territory(session, namesakes(tmp_path), talk.clock.now())
    return talk
