"""`zhiyn serve` as processes of their own, which can be killed."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from support.database import SECRET, until
from support.world import SENDER, TOKEN, WEBHOOK_SECRET, World

# The command itself, with the pace of the accounts lifted where the pace is not the point, and
# without quiet hours: tests run at any hour.
COMMAND = (
    "from services import reach; reach.quiet_until = lambda *_: None;"
    "from core import pace; pace.PER_SECOND.update(dict.fromkeys(pace.PER_SECOND, {rate}));"
    "from bot.cli import main; main()"
)
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Process:
    """One running `zhiyn serve`."""

    process: asyncio.subprocess.Process
    url: str
    log: Path

    async def kill(self) -> None:
        """kill -9; returns when it is gone."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def serving(
    world: World, folder: Path, port: int, *, rate: float = 500.0
) -> AsyncIterator[Process]:
    """Runs it on this port, which several may share, until the end of the block."""
    settings = world.app.settings
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": world.db.database.url,
        "SECRET_KEY": SECRET,
        "PUBLIC_URL": str(settings.public_url),
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_MODE": "webhook",
        "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "TELEGRAM_API_URL": world.emulator.base,
        "TWILIO_API_URL": world.emulator.base,
        "TWILIO_ACCOUNT_SID": str(settings.twilio_account_sid),
        "TWILIO_AUTH_TOKEN": str(settings.twilio_auth_token),
        "TWILIO_WHATSAPP_FROM": SENDER,
        "PORT": str(port),
    }
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    log = folder / "log"
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", COMMAND.format(rate=rate), "serve",
            env=environment, cwd=folder, stderr=written,
        )  # fmt: skip

    async def ready() -> bool:
        assert process.returncode is None, log.read_text()
        return '"event": "serving"' in log.read_text()

    try:
        await until(ready, seconds=60)
        yield Process(process, f"http://127.0.0.1:{port}", log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
