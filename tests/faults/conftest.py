"""The messengers, one process, and a village at a machine's pace: `pytest tests/faults`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from support.database import TestDatabase
from support.messengers import emulator, world
from support.world import SENDER, World, free_port, start_app

from bot import app, clockwork, delivery, settling
from conversation.message import ChannelName
from emulator.app import Emulator

__all__ = ["emulator", "world"]

HERE = Path(__file__).parent
FAST = 400.0  # messages a second: the real pace has its own test and its benchmark


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is the fault suite."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.faults)


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace is not the point here; what a chat takes in a row neither."""
    monkeypatch.setattr(delivery, "RATES", dict.fromkeys(ChannelName, FAST))
    monkeypatch.setattr(delivery.Bursts, "allows", lambda self, address: True)
    monkeypatch.setattr(app, "RATES", delivery.RATES)
    monkeypatch.setattr(clockwork, "RETRY", 0.2)
    monkeypatch.setattr(delivery, "IDLE", 0.1)
    monkeypatch.setattr(delivery, "RENEW", 0.1)
    monkeypatch.setattr(settling, "PAUSE", 0.1)


@pytest.fixture(autouse=True)
def _swift(emulator: Emulator) -> None:
    """Nor is the emulator's; platforms that come again do so at once."""
    emulator.switch(telegram_limits=False, whatsapp_limits=False, webhook_pause=0.05)


@pytest_asyncio.fixture
async def outside(village: TestDatabase, emulator: Emulator) -> AsyncIterator[World]:
    """The same with no process running: those of the test are on their own, at this address."""
    port = free_port()
    emulator.add_sender(SENDER, webhook=f"http://127.0.0.1:{port}/whatsapp#rc=5&rp=all")
    yield World(await start_app(village, emulator.base, port), village, emulator)
