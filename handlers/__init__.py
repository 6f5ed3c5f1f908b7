"""What people can say and tap, one module a capability."""

from conversation.router import Router, Routes
from handlers import (
    broadcast,
    correction,
    home,
    invitation,
    notice,
    notice_due,
    profile,
    registration,
    sent,
    start,
)
from services.due import Handler

DUE: dict[str, Handler] = {**notice_due.DUE}  # kind of what is due → what is done then

MODULES = (home, start, registration, profile, invitation, notice, sent, broadcast, correction)


def make_router() -> Router:
    """The router of everything that people can do."""
    routes = Routes()
    for module in MODULES:
        routes.include(module.routes)
    return Router(routes, hello=start.hello, menu=home.menu)
