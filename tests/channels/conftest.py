"""An emulator with a person in it, the real clients, and files in memory."""

from collections.abc import AsyncIterator

import pytest
from aiogram.client.session.aiohttp import AiohttpSession
from aiohttp import web
from channels.channel_support import (
    ACCOUNT,
    SECRET,
    SENDER,
    SID,
    TOKEN,
    Callbacks,
    MemoryFiles,
    MemoryTemplates,
    wording,
)

from bot.channels.telegram import TelegramChannel, make_bot
from bot.channels.twilio_client import make_client
from bot.channels.whatsapp import WhatsAppChannel
from core.clock import FrozenClock
from emulator.app import Emulator


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    emulator = Emulator()
    emulator.add_bot(TOKEN, "zhiyn_bot")
    emulator.set_account(SID, SECRET)
    emulator.add_sender(SENDER)
    await emulator.start(port=0)
    yield emulator
    await emulator.stop()


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def templates() -> MemoryTemplates:
    return MemoryTemplates()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def telegram(emulator: Emulator, files: MemoryFiles) -> AsyncIterator[TelegramChannel]:
    channel = TelegramChannel(ACCOUNT, make_bot(TOKEN, emulator.base), files)
    yield channel
    session = channel.bot.session
    assert isinstance(session, AiohttpSession)
    if session._session is not None:  # aiogram's own close() waits a quarter of a second
        await session._session.close()


@pytest.fixture
async def callbacks() -> AsyncIterator[Callbacks]:
    callbacks = Callbacks()
    app = web.Application()
    app.router.add_post("/whatsapp/status", callbacks.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    callbacks.url = f"http://127.0.0.1:{runner.addresses[0][1]}/whatsapp/status"
    yield callbacks
    await runner.cleanup()


@pytest.fixture
async def whatsapp(
    callbacks: Callbacks,
    emulator: Emulator,
    files: MemoryFiles,
    templates: MemoryTemplates,
    clock: FrozenClock,
) -> AsyncIterator[WhatsAppChannel]:
    channel = WhatsAppChannel(
        account=ACCOUNT,
        client=make_client(SID, SECRET, emulator.base),
        sender=SENDER,
        templates=templates,
        files=files,
        status_callback_url=callbacks.url,
        clock=clock,
        wording=wording,
    )
    yield channel
    await emulator.settle()  # status callbacks under way
    await channel.close()
