"""One `zhiyn serve` on a given database: `bot.serve.run`, as the command line runs it.

`--quiet` leaves replies in the outbox and sends no toast: the turn alone, from webhook to commit.
"""

import argparse
import asyncio
import os

from benchmarks.names import AUTH, SECRET, SENDER, SID, TOKEN, WEBHOOK_SECRET
from bot import delivery, logs
from bot.app import make_app
from bot.channels.telegram import TelegramChannel
from bot.database import Database, engines
from bot.serve import run, stop_signal
from conversation.message import ChannelName
from core.settings import Settings


def settings(database: str, port: int, platforms: str) -> Settings:
    """Both messengers at `platforms`, by webhook."""
    return Settings(
        _env_file=None,
        database_url=database,
        secret_key=SECRET,
        public_url=f"http://127.0.0.1:{port}",
        telegram_token=TOKEN,
        telegram_mode="webhook",
        telegram_webhook_secret=WEBHOOK_SECRET,
        telegram_api_url=platforms,
        twilio_account_sid=SID,
        twilio_auth_token=AUTH,
        twilio_whatsapp_from=SENDER,
        twilio_api_url=platforms,
        port=port,
        log_level="WARNING",
    )


async def _nothing(*_: object, **__: object) -> None:
    return None


def _be_quiet() -> None:
    delivery.Sender.run = _nothing
    delivery.Sender.send_now = _nothing
    TelegramChannel.toast = _nothing


async def _serve(given: argparse.Namespace) -> None:
    database: Database = engines(given.database)
    app = await make_app(settings(given.database, given.port, given.platforms), database)
    until = stop_signal()
    task = asyncio.create_task(run(app, until, host="127.0.0.1"))
    await asyncio.sleep(0)
    print("started", os.getpid(), flush=True)
    await task
    await database.close()


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--platforms", required=True)
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("--rate", type=float, help="messages a second, of both channels")
    given = parser.parse_args()
    logs.set_up("WARNING")
    if given.quiet:
        _be_quiet()
    if given.rate:
        delivery.RATES.update(dict.fromkeys(ChannelName, given.rate))
    asyncio.run(_serve(given))


if __name__ == "__main__":
    main()
