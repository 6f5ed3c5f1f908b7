"""What people can say and tap, one module a capability."""

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
from services import people, residents
from services.due import DueRow, Handler
from services.unit import Unit


async def _parting_over(unit: Unit, row: DueRow) -> None:
    """Two records that were joined can be parted no more."""
    await people.settle(unit, row.object_id)


async def _left_over(unit: Unit, row: DueRow) -> None:
    """What was under way to somebody whose data were deleted."""
    await residents.forget_left(unit, row.details)


DUE: dict[str, Handler] = {
    **notice_due.DUE,
    **roles.DUE,
    people.SETTLED_DUE: _parting_over,
    residents.LEFT_DUE: _left_over,
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
    return Router(routes, hello=start.hello, menu=home.menu)
