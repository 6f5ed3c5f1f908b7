"""What is kept of who is not registered: said as it is, with the way to have answers deleted."""

from collections.abc import Sequence

from conversation import forms
from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.turn import Turn
from core.texts import Joined, T, Words
from handlers import home, registration
from services import roles, territory
from services.roles import RoleView

routes = Routes()

FORGET = Choice("answers-forget", T("answers-forget"))


async def kept(turn: Turn) -> Sequence[Reply]:
    """The chat and the language; of an official the role and what the office wrote; answers of a
    registration that waits."""
    waits = forms.waiting(turn, registration.OWN) is not None
    choices = [home.RESUME, FORGET] if waits else [home.REGISTER]
    if turn.speaker is not None:
        lines = [await _of_an_official(turn), *([T("profile-answers")] if waits else [])]
        return [Reply(Joined(lines), choices, nav=(home.MENU,))]
    if waits:
        return [Reply(T("profile-guest-begun"), choices, nav=(home.MENU,))]
    return await home.menu_saying(turn, T("profile-guest"))


async def _of_an_official(turn: Turn) -> T:
    """Nobody but who has a role, or had one, speaks without being registered."""
    standing = await roles.standing(turn.unit, turn.speaker)
    if not standing:
        return T("profile-guest-was")
    return T("profile-guest-role", roles=await roles_held(turn, standing))


async def roles_held(turn: Turn, standing: Sequence[RoleView]) -> Words:
    """ "Аким, Бугровский сельский округ; …"."""
    return Joined([await _role(turn, view) for view in standing], "; ")


async def _role(turn: Turn, view: RoleView) -> Words:
    place = await territory.get_place(turn.unit.session, view.place_code)
    return Joined([T(f"role-{view.role}"), territory.name_of(place).full], ", ")


@routes.choice("answers-forget")
async def forget(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The answers of a registration that waits are gone."""
    forms.put_away(turn, registration.OWN)
    return await home.menu_saying(turn, T("answers-forgotten"))
