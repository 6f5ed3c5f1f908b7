"""A messenger that is away while we start: its messages come all the same, once it is back."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.world import World

from bot import serve


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "ANNOUNCE_PAUSES", (0.05, 0.1))


@pytest_asyncio.fixture
async def ends(outside: World) -> AsyncIterator[asyncio.Event]:
    """When it is set, `zhiyn serve` stops; it begins with the test."""
    until = asyncio.Event()
    running = asyncio.create_task(serve.run(outside.app, until, "127.0.0.1"))
    yield until
    until.set()
    await running


@pytest.fixture
def away(outside: World) -> None:
    """Telegram answers setWebhook a few times with 502, and once cuts the line."""
    outside.emulator.fault("setWebhook", drop="before")
    outside.emulator.fault("setWebhook", times=3, status=502)


@pytest.mark.usefixtures("away", "ends")
async def test_the_webhook_is_set_until_it_stands(outside: World) -> None:
    """Before, it was tried once: the bot heard nothing until somebody started it again."""
    emulator = outside.emulator
    emulator.add_person("petr", "Пётр", "telegram", phone="+77011234567")
    emulator.press_start("petr")
    await emulator.wait_for("petr", "Тілді таңдаңыз")
    assert emulator.counters.calls["setWebhook"] == 5
    await emulator.wait_until(lambda: emulator.counters.calls["setMyDescription"] >= 2)


async def test_it_stops_while_the_messenger_is_still_away(outside: World) -> None:
    """Nobody waits for a Telegram that does not come back."""
    outside.emulator.fault("setWebhook", times=10**6, status=502)
    until = asyncio.Event()
    running = asyncio.create_task(serve.run(outside.app, until, "127.0.0.1"))
    await outside.emulator.wait_until(lambda: outside.emulator.counters.calls["setWebhook"] >= 3)
    until.set()
    async with asyncio.timeout(30):
        await running
