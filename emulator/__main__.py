"""Runs the emulator: `python -m emulator --port 8081 --data DIR …`."""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from emulator.app import Emulator
from emulator.config import Config, Switches, TelegramBot, TwilioAccount, WhatsAppSender
from emulator.telegram import Bot
from emulator.tg_updates import Webhook
from emulator.wire import must_be_loopback


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="emulator", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=8081, help="0 takes any free port")
    add("--data", type=Path, help="folder that survives restarts; memory only without it")
    add("--bot", action="append", default=[], metavar="TOKEN=USERNAME", help="may be repeated")
    add("--bot-name", default="Жиын")
    add("--telegram-webhook", default="", help="URL; without it the bot polls or sets its own")
    add("--telegram-secret", default="")
    add("--twilio", default="", metavar="SID:TOKEN")
    add("--sender", action="append", default=[], metavar="whatsapp:+7…=URL", help="repeatable")
    add("--clock-hook", default="", help="posted to when the page moves the clock")
    add("--switch", action="append", default=[], metavar="NAME=JSON", help="see config.Switches")
    return parser.parse_args()


def _config(options: argparse.Namespace) -> Config:
    bots = [
        TelegramBot(token, name, name=options.bot_name)
        for token, _, name in (text.partition("=") for text in options.bot)
    ]
    senders = [
        WhatsAppSender(address, url, options.bot_name)
        for address, _, url in (text.partition("=") for text in options.sender)
    ]
    sid, _, token = options.twilio.partition(":")
    account = TwilioAccount(sid, token) if sid else None
    return Config(bots, account, senders, options.clock_hook)


def _switches(options: argparse.Namespace) -> Switches:
    switches = Switches()
    for text in options.switch:
        name, _, value = text.partition("=")
        switches.change({name: json.loads(value)})
    return switches


def _set_webhook(bot: Bot, options: argparse.Namespace) -> None:
    url = must_be_loopback(options.telegram_webhook)
    bot.updates.set_webhook(Webhook(url, options.telegram_secret), drop_pending=False)


async def _run(options: argparse.Namespace) -> None:
    emulator = Emulator(_config(options), options.data, _switches(options))
    base = await emulator.start(options.port)
    if options.telegram_webhook:
        for bot in emulator.telegram.bots.values():
            _set_webhook(bot, options)
    sys.stdout.write(f"emulator: {base}\n")
    sys.stdout.flush()
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    await stop.wait()
    await emulator.stop()


def main() -> None:
    """The command."""
    asyncio.run(_run(_arguments()))


if __name__ == "__main__":
    main()
