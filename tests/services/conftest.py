"""Real units of work on the places of the worked example."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
import pytest_asyncio
from support.database import TestDatabase

from core.clock import FrozenClock
from services import intake, residents
from services.installation import ensure_account
from services.residents import Registration

VILLAGE = "595041100"
NAME = "Ахметов Серік"
Settler = Callable[..., Awaitable[tuple[UUID, UUID]]]


@pytest.fixture
def settled(village: TestDatabase) -> TestDatabase:
    """The same with a clock that stands."""
    return replace(village, clock=FrozenClock())


@pytest_asyncio.fixture
async def settle(settled: TestDatabase) -> Settler:
    """Makes a registered resident with a chat: (resident, address)."""
    count = 0

    async def make(
        place: str = VILLAGE, channel: str = "telegram", **given: object
    ) -> tuple[UUID, UUID]:
        nonlocal count
        count += 1
        async with settled.unit() as unit:
            account = await ensure_account(unit, channel, f"sender-{channel}", None, {})
            address = await intake.new_address(unit, account.id, [("chat", f"{channel}{count}")])
            assert address is not None
            registration = replace(Registration(NAME, place, date(1986, 3, 5), "kk"), **given)  # type: ignore[arg-type]
            person = await residents.register(unit, address.id, None, registration)
        return person, address.id

    return make
