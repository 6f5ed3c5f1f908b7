"""The messengers and one running process."""

import pytest
from support.messengers import emulator, world

from bot.delivery import Bursts

__all__ = ["emulator", "unhurried", "world"]


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long conversations at a machine's pace: the chat's own brake would only cost time."""
    monkeypatch.setattr(Bursts, "allows", lambda self, address: True)
