"""The whole program against the strict emulator: real clients, real HTTP, real database."""

import socket
from dataclasses import dataclass

from aiohttp import web

from bot.app import App, make_app
from bot.serve import listen
from core.settings import Settings
from emulator.app import Emulator
from support.database import SECRET, TestDatabase

TOKEN = "4242:AAtest-token-for-the-emulator"
SID = "AC" + "1" * 32
AUTH = "twilio-auth-token"
SENDER = "whatsapp:+77001112233"
WEBHOOK_SECRET = "webhook-secret"
OKRUG = "595041000"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class World:
    """The running program, its database and the messengers around it."""

    app: App
    db: TestDatabase
    emulator: Emulator

    @property
    def url(self) -> str:
        """The program's own address."""
        return str(self.app.settings.public_url)


async def start_app(db: TestDatabase, base: str, port: int, mode: str = "webhook") -> App:
    """One process' worth of the program, on this port."""
    settings = Settings(
        _env_file=None,
        secret_key=SECRET,
        public_url=f"http://127.0.0.1:{port}",
        telegram_token=TOKEN,
        telegram_mode=mode,
        telegram_webhook_secret=WEBHOOK_SECRET,
        telegram_api_url=base,
        twilio_account_sid=SID,
        twilio_auth_token=AUTH,
        twilio_whatsapp_from=SENDER,
        twilio_api_url=base,
        port=port,
    )
    return await make_app(settings, db.database)


@dataclass(slots=True)
class Running:
    """An app with its web server."""

    app: App
    runner: web.AppRunner

    async def stop(self) -> None:
        """Stops both."""
        await self.runner.cleanup()
        await self.app.stop()


async def run_app(db: TestDatabase, base: str, port: int, mode: str = "webhook") -> Running:
    """Starts an app and announces it to the platforms."""
    app = await start_app(db, base, port, mode)
    runner = await listen(app, "127.0.0.1")
    await app.start()
    await app.announce()
    return Running(app, runner)
