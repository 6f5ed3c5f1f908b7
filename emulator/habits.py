"""Silent people who tap: after a while some of them tap the first button of what they get.

So a page with four phones shows a whole village answering. Chance and patience are the person's.
"""

import asyncio
import random
from collections.abc import Callable

from emulator.tasks import Tasks
from emulator.world import Message, World

SOONEST, LATEST = 2.0, 40.0  # seconds

Tap = Callable[[str, str, int], object]  # person, button, the bubble's number


class Habits:
    """Watches new bubbles on behalf of the people with a habit."""

    def __init__(self, world: World, tasks: Tasks, tap: Tap) -> None:
        self._world, self._tasks, self._tap = world, tasks, tap
        world.on_show = self.shown

    def shown(self, message: Message) -> None:
        """Somebody got a message; they may tap its first button later."""
        person = self._world.people[message.person]
        if message.mine or not message.buttons or random.random() >= person.taps:
            return
        first = message.buttons[0][0]
        button = str(first.get("data") or first.get("id") or first.get("text"))
        self._tasks.start(self._later(person.id, button, message.seq))

    async def _later(self, person: str, button: str, seq: int) -> None:
        await asyncio.sleep(random.uniform(SOONEST, LATEST))
        if person in self._world.people:
            self._tap(person, button, seq)
