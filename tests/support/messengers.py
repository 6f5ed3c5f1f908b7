"""The messengers and one running process, as fixtures of the folders that need them."""

from collections.abc import AsyncIterator

import pytest_asyncio

from emulator.app import Emulator
from support.database import TestDatabase
from support.world import AUTH, SENDER, SID, TOKEN, World, free_port, run_app


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """The strict messengers on a free port."""
    running = Emulator()
    running.add_bot(TOKEN, "zhiyn_bot")
    running.set_account(SID, AUTH)
    async with running:
        yield running


@pytest_asyncio.fixture
async def world(village: TestDatabase, emulator: Emulator) -> AsyncIterator[World]:
    """One process, Telegram by webhook, WhatsApp through Twilio."""
    port = free_port()
    emulator.add_sender(SENDER, webhook=f"http://127.0.0.1:{port}/whatsapp")
    running = await run_app(village, emulator.base, port)
    yield World(running.app, village, emulator)
    await running.stop()
