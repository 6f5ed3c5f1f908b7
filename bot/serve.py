"""`zhiyn serve`: one process that does everything; N of them share the work by the database."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from itertools import chain, repeat

import structlog
from aiohttp import web

from bot.app import App, make_app
from bot.database import connect, ready
from bot.webhooks import make_server
from core.settings import Settings

log = structlog.get_logger()

ANNOUNCE_PAUSES = (2.0, 10.0, 60.0)  # seconds between tries; the last one again and again


async def serve(settings: Settings) -> None:
    """Runs until SIGINT or SIGTERM. Raises MigrationsPending, SealBroken, OSError (port taken)."""
    database = await connect(settings)
    try:
        await ready(database)
        app = await make_app(settings, database)
        await run(app, until=stop_signal())
    finally:
        await database.close()


async def run(app: App, until: asyncio.Event, host: str = "0.0.0.0") -> None:  # noqa: S104
    """Serves until the event is set."""
    runner = await listen(app, host)
    try:
        await app.start()
        announcing = asyncio.create_task(_announce(app))
        log.info("serving", port=app.settings.port, accounts=len(app.accounts))
        try:
            await until.wait()
        finally:
            announcing.cancel()
    finally:
        log.info("stopping")
        await runner.cleanup()
        await app.stop()


async def listen(
    app: App, host: str, extend: Callable[[web.Application], None] | None = None
) -> web.AppRunner:
    """The web server on the settings' port, which several processes may share."""
    server = make_server(app)
    if extend is not None:
        extend(server)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, app.settings.port, reuse_port=True).start()
    return runner


def stop_signal() -> asyncio.Event:
    """Set by Ctrl-C or a service manager's SIGTERM."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    return stopping


async def _announce(app: App) -> None:
    """Tells the platforms of us. Without its webhook Telegram brings us nothing: that is tried
    until it stands; the commands' names can wait for the next start."""
    for pause in chain(ANNOUNCE_PAUSES, repeat(ANNOUNCE_PAUSES[-1])):
        if await _told(app.set_webhooks()):
            break
        await asyncio.sleep(pause)
    await _told(app.describe())


async def _told(call: Awaitable[None]) -> bool:
    try:
        await call
    except Exception as error:
        log.warning("announce-failed", error=type(error).__name__)
        return False
    return True
