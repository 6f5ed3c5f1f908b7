"""What commands need of an installation: its clock, its keys, a unit of work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from bot.database import Database
from core.clock import Clock
from core.settings import Settings, SettingsWrong
from services import audit, installation, keys
from services.unit import Unit


async def clock_of(database: Database) -> Clock:
    """The installation's clock."""
    async with AsyncSession(database.work) as session:
        return Clock(await installation.clock_offset(session))


@asynccontextmanager
async def unit_of(database: Database, settings: Settings) -> AsyncIterator[Unit]:
    """A unit of work of the operator's command line, committed with its audit rows at the end.

    Raises SettingsWrong without SECRET_KEY, SealBroken with a wrong one.
    """
    if not settings.secret_key:
        raise SettingsWrong(["SECRET_KEY: missing. Make one with: openssl rand -hex 32"])
    clock = await clock_of(database)
    async with AsyncSession(database.work, expire_on_commit=False) as session, session.begin():
        keyring = await keys.open_keyring(session, settings.secret_key, clock.now())
        unit = Unit(session, keyring, clock.now())
        yield unit
        await session.flush()
        await audit.write(unit)
