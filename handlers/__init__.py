"""What people can say and tap, one module a capability."""

from conversation.router import Router, Routes
from handlers import broadcast, home, invitation, notice, profile, registration, start
from services.due import Handler

DUE: dict[str, Handler] = {}  # kind of what is due → what is done then

MODULES = (home, start, registration, profile, invitation, notice, broadcast)


def make_router() -> Router:
    """The router of everything that people can do."""
    routes = Routes()
    for module in MODULES:
        routes.include(module.routes)
    return Router(routes, hello=start.hello, menu=home.menu)
