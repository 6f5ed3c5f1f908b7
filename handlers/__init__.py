"""What people can say and tap, one module a capability."""

from datetime import timedelta

from conversation.router import Router, Routes
from handlers import (
    begun,
    broadcast,
    correction,
    drafts,
    family,
    guest,
    home,
    invitation,
    joining,
    moving,
    muting,
    notice,
    notice_due,
    profile,
    registration,
    rescheduling,
    roles,
    rules,
    sent,
    start,
)
from services import due, people, residents, retired
from services.due import DueRow, Handler
from services.outbox import LEASE
from services.unit import Unit


async def _parting_over(unit: Unit, row: DueRow) -> None:
    """Two records that were joined can be parted no more."""
    await people.settle(unit, row.object_id)


async def _left_over(unit: Unit, row: DueRow) -> None:
    """What was under way to somebody whose data were deleted."""
    if await residents.forget_left(unit, row.details):
        await due.put_off(unit, row, unit.now + LEASE)


async def _account_retired(unit: Unit, row: DueRow) -> None:
    """What an account that is not ours any more has not sent."""
    if await retired.end(unit):
        await due.put_off(unit, row, unit.now + timedelta(seconds=1))


DUE: dict[str, Handler] = {
    **notice_due.DUE,
    **roles.DUE,
    people.SETTLED_DUE: _parting_over,
    residents.LEFT_DUE: _left_over,
    retired.END_DUE: _account_retired,
}  # kind of what is due → what is done then

MODULES = (
    home,
    begun,
    start,
    registration,
    joining,
    family,
    guest,
    profile,
    moving,
    muting,
    invitation,
    roles,
    rules,
    notice,
    sent,
    broadcast,
    drafts,
    correction,
    rescheduling,
)


def make_router() -> Router:
    """The router of everything that people can do."""
    routes = Routes()
    for module in MODULES:
        routes.include(module.routes)
    for entry in home.ENTRIES:
        routes.said(entry)
    return Router(routes, hello=start.hello, menu=home.menu)
