"""Wires one process together: database, keys, accounts, channels, senders, clock, web server."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import structlog
from aiogram import Bot
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.base import Channel
from bot.channels.telegram import TelegramChannel, describe_bot, make_bot, set_up_bot
from bot.channels.telegram_updates import ALLOWED_UPDATES, parse_update
from bot.channels.template_store import StoredTemplates
from bot.channels.twilio_client import make_client
from bot.channels.whatsapp import WhatsAppChannel
from bot.clockwork import Clockwork
from bot.database import Database
from bot.delivery import RATES, Sender
from bot.engine import Engine, Received
from bot.fast_lane import FastLane
from bot.fetching import Fetcher
from bot.polling import Poller, Update
from bot.stored_files import StoredFiles
from bot.wakeups import Wakeups
from conversation.message import Incoming
from core.clock import Clock, use_zone
from core.crypto import Keyring
from core.languages import Language
from core.settings import Settings
from core.texts import T, texts
from handlers import make_router
from services import audit, installation, keys
from services.dead_letters import where
from services.installation import AccountView, links_of
from services.unit import Unit

log = structlog.get_logger()

COMMANDS = ("menu", "lang", "help", "stop")
CLOCK_REFRESH = 1.0


@dataclass(slots=True)
class App:
    """Everything that one `zhiyn serve` does."""

    settings: Settings
    database: Database
    keyring: Keyring
    clock: Clock
    accounts: list[AccountView]
    engine: Engine
    channels: dict[UUID, Channel] = field(default_factory=dict)
    senders: dict[UUID, Sender] = field(default_factory=dict)
    pollers: list[Poller] = field(default_factory=list)
    clockwork: Clockwork | None = None
    lane: FastLane = field(init=False)
    fetcher: Fetcher = field(init=False)
    wakeups: Wakeups = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _sending: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.lane = FastLane(self.engine)
        self.fetcher = Fetcher(self.database, self.keyring, self.clock, self.channels, self.wake)
        self.engine.sends_at_once = self._sends_at_once
        self.wakeups = Wakeups(self.database.url, self.engine.process, self._wake_own)

    async def receive(self, incoming: Incoming) -> Received:
        """One update from any channel: the turn, then the toast and the replies."""
        result = await self.lane.receive(incoming)
        channel = self.channels.get(incoming.account)
        tapped = incoming.callback_id if result.received is not Received.TRANSIENT else None
        if tapped and isinstance(channel, TelegramChannel):
            self._background(channel.toast(tapped, result.toast or ""))
        if result.deliveries and incoming.account in self.senders:
            self._background(self.senders[incoming.account].send_now(result.deliveries))
        if incoming.files:
            self.fetcher.wake()
        return result.received

    async def take(self, account: UUID, update: Update) -> Received:
        """One update of Telegram. What cannot even be read is kept out of the way and logged."""
        try:
            incoming = parse_update(account, update, self.clock.now())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.error("update-unreadable", error=where(error))
            return Received.FAILED
        return Received.IGNORED if incoming is None else await self.receive(incoming)

    async def start(self) -> None:
        """Starts sending, ticking and, where so set, polling."""
        for account in self.accounts:
            self._add_channel(account)
        self.clockwork = Clockwork(self.database, self.keyring, self.clock, self.wake)
        self._tasks = [asyncio.create_task(loop.run()) for loop in self._loops()]
        self._tasks.append(asyncio.create_task(self._follow_clock()))

    async def announce(self) -> None:
        """Tells the platforms what they must know of us: the webhook, commands, descriptions."""
        await self.set_webhooks()
        await self.describe()

    async def set_webhooks(self) -> None:
        """Where Telegram is to send what people say, unless it is asked for it."""
        if self.settings.telegram_mode != "webhook":
            return
        for bot in self._bots():
            await bot.set_webhook(
                f"{self.settings.public_url}/telegram",
                secret_token=self.settings.telegram_webhook_secret,
                allowed_updates=list(ALLOWED_UPDATES),
                max_connections=40,
            )

    async def describe(self) -> None:
        """The commands, and what people see before their first message."""
        described = {one: texts().say(one, T("bot-description")) for one in Language}
        for bot in self._bots():
            await set_up_bot(bot, _commands())
            await describe_bot(bot, described)

    def _bots(self) -> list[Bot]:
        channels = self.channels.values()
        return [one.bot for one in channels if isinstance(one, TelegramChannel)]

    async def stop(self) -> None:
        """Lets what is in flight end, gives back everything."""
        for loop in self._loops():
            loop.stop()
        for task in self._tasks[-1:]:
            task.cancel()
        await asyncio.wait([*self._tasks, *self._sending], timeout=15)
        for channel in self.channels.values():
            await channel.close()

    def _loops(self) -> "list[Clockwork | Sender | Poller | Fetcher | Wakeups]":
        clockwork = [self.clockwork] if self.clockwork else []
        return [*self.pollers, *self.senders.values(), *clockwork, self.fetcher, self.wakeups]

    def wake(self) -> None:
        """Something new lies in the outbox: for the senders of all processes."""
        self._wake_own()
        self.wakeups.tell()

    def _wake_own(self) -> None:
        for sender in self.senders.values():
            sender.wake()

    def _sends_at_once(self, account: UUID) -> bool:
        sender = self.senders.get(account)
        return sender is None or sender.sends_at_once

    def _add_channel(self, account: AccountView) -> None:
        channel = self._channel(account)
        self.channels[account.id] = channel
        self.senders[account.id] = Sender(
            self.database,
            self.keyring,
            self.clock,
            self.engine.process,
            channel,
            RATES[channel.name],
        )
        if isinstance(channel, TelegramChannel) and self.settings.telegram_mode == "polling":
            self.pollers.append(Poller(self.database, account.id, channel.bot, self.take))

    def _channel(self, account: AccountView) -> Channel:
        files = StoredFiles(self.database, self.keyring, self.clock, self.settings.public_url or "")
        if account.channel == "telegram":
            bot = make_bot(account.secrets["token"], self.settings.telegram_api_url)
            return TelegramChannel(account.id, bot, files)
        client = make_client(
            account.secrets["account_sid"],
            account.secrets["auth_token"],
            self.settings.twilio_api_url,
        )
        return WhatsAppChannel(
            account=account.id,
            client=client,
            sender=account.sender,
            templates=StoredTemplates(lambda: AsyncSession(self.database.work)),
            files=files,
            status_callback_url=f"{self.settings.public_url}/whatsapp/status",
            clock=self.clock,
        )

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _follow_clock(self) -> None:
        """Takes over the stored offset, so that all processes agree on the time."""
        while True:
            with suppress(Exception):  # the database is away: the offset stays
                async with AsyncSession(self.database.work) as session:
                    self.clock.offset = await installation.clock_offset(session)
            await asyncio.sleep(CLOCK_REFRESH)


async def make_app(
    settings: Settings, database: Database, clock: Clock | None = None, *, seed: bool = True
) -> App:
    """Opens the keys and the accounts that the settings name; nothing runs yet.

    `seed` False leaves the accounts as they are: for the operator's commands.

    Raises SealBroken when SECRET_KEY is not the installation's.
    """
    clock = clock or Clock()
    use_zone(settings.timezone)
    async with AsyncSession(database.work) as session, session.begin():
        keyring = await keys.open_keyring(session, settings.secret_key or "", clock.now())
        clock.offset = await installation.clock_offset(session)
        unit = Unit(session, keyring, clock.now(), "start")
        if seed:
            await _seed_accounts(unit, settings)
        await audit.write(unit)
        accounts = await installation.accounts(session, keyring)
    engine = Engine(database, keyring, clock, make_router(), links_of(accounts), uuid4())
    return App(settings, database, keyring, clock, accounts, engine)


async def _seed_accounts(unit: Unit, settings: Settings) -> None:
    """The accounts that the environment names; what it no longer names is retired."""
    seeded = []
    if settings.telegram_token:
        secrets = {
            "token": settings.telegram_token,
            "webhook_secret": settings.telegram_webhook_secret or "",
        }
        sender, username = settings.telegram_token.partition(":")[0], await _username(settings)
        seeded.append(
            await installation.ensure_account(unit, "telegram", sender, username, secrets)
        )
    if settings.twilio_account_sid and settings.twilio_auth_token:
        secrets = {
            "account_sid": settings.twilio_account_sid,
            "auth_token": settings.twilio_auth_token,
        }
        sender = settings.twilio_whatsapp_from or ""
        seeded.append(await installation.ensure_account(unit, "whatsapp", sender, None, secrets))
    for account in await installation.retire_others(unit, [one.id for one in seeded]):
        log.warning("account-retired", account=str(account))


async def _username(settings: Settings) -> str | None:
    """The bot's name for deep links; unknown while Telegram cannot be reached."""
    bot = make_bot(settings.telegram_token or "", settings.telegram_api_url)
    try:
        return (await bot.me()).username
    except Exception as error:
        log.warning("telegram-unreachable", error=type(error).__name__)
        return None
    finally:
        await bot.session.close()


def _commands() -> dict[Language, list[tuple[str, str]]]:
    return {
        language: [(name, texts().say(language, T(f"command-{name}"))) for name in COMMANDS]
        for language in Language
    }
