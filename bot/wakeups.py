"""Wake-ups between the processes of an installation: "something lies in the outbox".

A notification inside a turn would take a lock that all commits share (DESIGN part 6), so they
leave by a connection of their own, at most ten a second, and carry nothing. They are only a
courtesy: whoever misses one looks into the outbox by itself.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import make_url

from services.dead_letters import where

log = structlog.get_logger()

CHANNEL = "zhiyn_outbox"
APART = 0.1  # seconds between two notifications of a process
ALIVE = 30.0  # seconds between looks whether the connection still stands
RETRY = 2.0


@dataclass(slots=True)
class Wakeups:
    """Tells the other processes, and hears them."""

    url: str  # SQLAlchemy's
    process: UUID
    heard: Callable[[], None]
    _told: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

    def tell(self) -> None:
        """The others are to look into the outbox."""
        self._told.set()

    def stop(self) -> None:
        """Ends `run`."""
        self._stopping = True
        self._told.set()

    async def run(self) -> None:
        """Works until `stop`; a database that is away is waited for."""
        while not self._stopping:
            try:
                await self._connected()
            except Exception as error:
                log.warning("wakeups-wait", error=where(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._until_stopped(), RETRY)

    async def _connected(self) -> None:
        """Listens and tells, until the connection is lost."""
        connection = await asyncpg.connect(
            make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False),
            timeout=10,
            command_timeout=10,
            server_settings={"application_name": "zhiyn wakeups"},
        )
        try:
            connection.add_termination_listener(lambda _: self._told.set())
            await connection.add_listener(CHANNEL, self._on)
            self.heard()  # what was told while nobody listened
            while not self._stopping:
                await self._tell_next(connection)
        finally:
            with suppress(Exception):
                await connection.close(timeout=2)

    async def _tell_next(self, connection: Any) -> None:
        """Waits for something to tell and tells it; asks now and then whether anybody hears."""
        try:
            await asyncio.wait_for(self._told.wait(), ALIVE)
        except TimeoutError:
            await connection.execute("SELECT 1")
            return
        self._told.clear()
        if self._stopping:
            return
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(self.process))
        await asyncio.sleep(APART)

    def _on(self, connection: Any, pid: int, channel: str, process: str) -> None:
        if process != str(self.process):
            self.heard()

    async def _until_stopped(self) -> None:
        while not self._stopping:
            self._told.clear()
            await self._told.wait()
