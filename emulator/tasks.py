"""Background work that is ended together and never fails unseen."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from emulator.faults import Counters


class Tasks:
    """Deliveries and callbacks under way; an exception in one is noted among the refusals."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._running: set[asyncio.Task[object]] = set()

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Runs it beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._counters.refuse("emulator", repr(error))

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._running)

    async def stop(self) -> None:
        """Ends all of it."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
