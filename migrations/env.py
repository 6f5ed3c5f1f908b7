"""Alembic's environment: on the connection it is given, or on DATABASE_URL."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from models import Base


def run(connection: Connection) -> None:
    """Migrates on this connection, in its transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_on_url(url: str) -> None:
    """Migrates the database at this address (alembic's own command line)."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    from core.settings import load

    address = load().database_url
    if address is None:
        raise SystemExit("DATABASE_URL: missing; or use `zhiyn migrate` for the embedded one")
    asyncio.run(run_on_url(address))
