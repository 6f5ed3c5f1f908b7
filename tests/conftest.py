"""A real PostgreSQL for every test that touches data, migrated once, emptied between tests."""

import gc
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio
from aiogram.client.session.aiohttp import AiohttpSession
from hypothesis import settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from support.database import SECRET, TestDatabase, empty, whole

from bot.database import Database, EmbeddedServer, engines, migrate
from core.clock import Clock
from core.crypto import wrapping_key
from services import keys, reach
from services.territory_import import DEMO_PLACES, import_territory

# No test measures time: the first example also loads the texts, on a busy machine for longer than
# the fifth of a second that hypothesis grants by itself.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays: looking through it for garbage takes a tenth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """One server for the whole run; stopped at its end.

    Not in pytest's own temporary folder: as root PostgreSQL runs as another user, and a second
    pytest on the machine closes that folder to everybody but root.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a missing XDG_RUNTIME_DIR is no news
        folder = Path(tempfile.mkdtemp(prefix="zhiyn-test-"))
        running = EmbeddedServer(folder / "postgresql")
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _always_day(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run at any hour: only those marked `night` know quiet hours."""
    if request.node.get_closest_marker("night") is None:
        monkeypatch.setattr(reach, "quiet_until", lambda *_: None)


@pytest.fixture(scope="session", autouse=True)
def _one_scrypt() -> Iterator[None]:
    """The same test secret makes the same key: 30 ms a test are saved."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "wrapping_key", cache(wrapping_key))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_tls_to_wait_for() -> Iterator[None]:
    """aiogram gives TLS a quarter of a second to close, at every start and stop; ours has none."""

    async def close(self: AiohttpSession) -> None:
        if self._session is not None and not self._session.closed:
            await self._session.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AiohttpSession, "close", close)
        yield


@pytest_asyncio.fixture(scope="session")
async def migrated(server: EmbeddedServer) -> AsyncIterator[Database]:
    """The migrated database of the run."""
    database = engines(server.url)
    async with database.work.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("ALTER SYSTEM SET fsync = off"))
        await connection.execute(text("ALTER SYSTEM SET synchronous_commit = off"))
        await connection.execute(text("SELECT pg_reload_conf()"))
    await migrate(database.work)
    yield database
    await database.turns.dispose()
    await database.work.dispose()


@pytest_asyncio.fixture
async def db(migrated: Database) -> AsyncIterator[TestDatabase]:
    """An empty, migrated database with open keys; at the end no row of it points at nothing."""
    await empty(migrated)
    clock = Clock()
    async with AsyncSession(migrated.work) as session, session.begin():
        keyring = await keys.open_keyring(session, SECRET, clock.now())
    yield TestDatabase(migrated, keyring, clock)
    await whole(migrated)


@pytest_asyncio.fixture
async def village(db: TestDatabase) -> TestDatabase:
    """The same with the places of the worked example."""
    async with db.session() as session:
        await import_territory(session, DEMO_PLACES, db.clock.now())
    return db


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return Path(__file__).resolve().parent.parent
