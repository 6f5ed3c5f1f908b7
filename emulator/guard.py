"""Around every platform call: counting, scripted faults, and cut connections."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from emulator.faults import Counters, Fault, Faults
from emulator.store import Json

Effect = Callable[[], Awaitable[web.Response]]
Refusal = Callable[[int, Json | None, int | None], web.Response]


class Guard:
    """Runs a call's effect, unless a fault was scripted for it."""

    def __init__(
        self, faults: Faults, counters: Counters, wake: Callable[[], None] = lambda: None
    ) -> None:
        self.faults = faults
        self.counters = counters
        self._wake = wake  # who waits for calls or for held answers looks again

    async def run(
        self, request: web.Request, method: str, to: str | None, effect: Effect, refusal: Refusal
    ) -> web.Response:
        """`refusal` gives a scripted error the platform's own shape."""
        self.counters.calls[method] += 1
        fault = self.faults.take(method, to)
        if fault is None:
            return await effect()
        await asyncio.sleep(fault.delay)
        if fault.drop == "before":
            return _cut(request)
        if fault.status is not None or fault.retry_after is not None:
            return self._scripted(fault, refusal)
        response = await effect()
        if fault.hold:
            self._wake()
            await self.faults.hold()
        return _cut(request) if fault.drop == "after" else response

    def _scripted(self, fault: Fault, refusal: Refusal) -> web.Response:
        status = fault.status or 429
        if status == 429:
            self.counters.too_many += 1
        return refusal(status, fault.body, fault.retry_after)


def _cut(request: web.Request) -> web.Response:
    """Closes the connection: the caller never gets an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
