"""An empty territory on the run's PostgreSQL; the real КАТО where it lies at hand."""

from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
)
from support.database import empty

from bot.database import Database

KATO = Path(__file__).resolve().parents[3] / "shared" / "data" / "kato.csv"
Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture(scope="session")
def kato() -> Path:
    """The whole classifier; it is imported by operators, not carried by the product."""
    if not KATO.exists():
        pytest.skip(f"needs the classifier КАТО at {KATO}")
    return KATO


@pytest.fixture(scope="session")
def engine(migrated: Database) -> AsyncEngine:
    """The engine of the run's database."""
    return migrated.work


@pytest_asyncio.fixture
async def sessions(migrated: Database) -> Sessions:
    """A session factory on an empty territory."""
    await empty(migrated)
    return async_sessionmaker(migrated.work, expire_on_commit=False)
