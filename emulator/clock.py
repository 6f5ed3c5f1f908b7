"""The emulator's own time: real time plus an offset that a test or the demo may move."""

import time
from collections.abc import Callable

DAY = 86_400.0


class Clock:
    """Answers `now()` in seconds since 1970; windows, quotas and message times use it."""

    def __init__(self, offset: float = 0.0, source: Callable[[], float] = time.time) -> None:
        self.offset = offset
        self._source = source

    def now(self) -> float:
        """Seconds since the epoch, offset included."""
        return self._source() + self.offset

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> float:
        """Moves the clock forward (or back, with negative values) and returns the new offset."""
        self.offset += days * DAY + hours * 3600 + seconds
        return self.offset
