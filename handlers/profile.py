"""My data: what is kept, correcting it, deleting it."""

from collections.abc import Sequence

from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.turn import Turn
from core.texts import T
from handlers import family, home, joining, registration
from handlers.village import VILLAGE
from services import residents

routes = Routes()

EDIT = Choice("profile-edit", T("profile-edit"))
DELETE = Choice("delete", T("profile-delete"))


@routes.command("data", "деректерім", "менің деректерім", "мои данные", "данные", "профиль")
async def show(turn: Turn) -> Sequence[Reply]:
    """All that is kept of the speaker, in plain words."""
    if asked := await family.who(turn, "profile"):
        return asked
    profile = await residents.profile(turn.unit, turn.speaker)
    if profile is None:
        return await home.menu_saying(turn, T("profile-guest"))
    answers = {
        "name": profile.full_name,
        VILLAGE: profile.place_code,
        "street": profile.street or "",
        "birth": profile.birth_date.isoformat(),
        "phone": profile.phone or "",
    }
    text = T("profile-text", **await registration.described(turn, answers))
    more = [*await joining.profile_choices(turn), *await family.profile_choices(turn)]
    return [Reply(text, [EDIT, *more, DELETE], title=T("menu-profile"), nav=(home.MENU,))]


@routes.choice("profile")
async def from_menu(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """My data, from the menu."""
    return await show(turn)


family.remember("profile", from_menu)


@routes.choice("profile-edit")
async def edit(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Corrects what is kept."""
    profile = await residents.profile(turn.unit, turn.speaker)
    if profile is None:
        return await home.menu_saying(turn, T("profile-guest"))
    return await registration.correct(turn, profile)


@routes.choice("delete")
async def ask_delete(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Says what will be gone, and asks."""
    choices = [Choice("delete-yes", T("delete-yes")), Choice("delete-no", T("delete-no"))]
    return [Reply(T("delete-ask"), choices)]


@routes.choice("delete-yes")
async def delete(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Deletes at once; the chat goes on with nobody in it."""
    if turn.speaker is not None:
        await residents.forget(turn.unit, turn.speaker)
        turn.speak_as(None)
    turn.state.parked = None
    return await home.menu_saying(turn, T("delete-done"))


@routes.choice("delete-no")
async def keep(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Nothing was deleted."""
    return await show(turn)
