"""Sliding windows: how many calls were taken in the last N seconds, and how long to wait."""

import time
from collections import deque


class Window:
    """At most `limit` hits in any `seconds`, by the machine's real clock."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._hits: deque[float] = deque()

    def wait(self, now: float | None = None) -> float:
        """Seconds until one more hit fits; 0 when it fits now."""
        now = time.monotonic() if now is None else now
        while self._hits and self._hits[0] <= now - self.seconds:
            self._hits.popleft()
        if len(self._hits) < self.limit:
            return 0.0
        return self._hits[-self.limit] + self.seconds - now

    def hit(self, now: float | None = None) -> None:
        """Counts one."""
        self._hits.append(time.monotonic() if now is None else now)


class Bucket:
    """Tokens that come back at `per_second`, at most `size` of them: one a second with bursts."""

    def __init__(self, size: int, per_second: float) -> None:
        self._size = float(size)
        self._rate = per_second
        self._tokens = float(size)
        self._at = time.monotonic()

    def wait(self) -> float:
        """Seconds until a token is there; 0 when one is there now."""
        now = time.monotonic()
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return 0.0 if self._tokens >= 1 else (1 - self._tokens) / self._rate

    def hit(self) -> None:
        """Takes one token."""
        self._tokens -= 1
