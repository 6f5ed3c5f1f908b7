"""What was begun and waits: taken up again by whoever began it."""

from collections.abc import Sequence

from conversation import forms
from conversation.message import Reply
from conversation.router import Routes
from conversation.turn import Turn
from core.texts import T
from handlers import family, home
from handlers.forms import FORMS
from services.unit import Refused

routes = Routes()


@routes.choice("resume")
async def resume(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Takes up the form that was left; on a family's phone, of whoever says who they are."""
    waits = home.begun(turn)
    if waits and waits.owner and (asked := await family.who(turn, "resume")):
        return asked
    return await _taken_up(turn) or await home.menu(turn)


family.remember("resume", resume)


async def resume_or_menu(turn: Turn, receipt: T) -> Sequence[Reply]:
    """Back to the question that was open before, or to the menu."""
    taken_up = await _taken_up(turn)
    if taken_up is None:
        return await home.menu_saying(turn, receipt)
    first, *rest = taken_up
    return [first.saying(receipt), *rest]


async def _taken_up(turn: Turn) -> Sequence[Reply] | None:
    """The latest of the speaker's own, if any waits. One whose question may not be asked any more
    (the role is gone) goes: it could be neither answered nor cancelled."""
    waits = home.begun(turn)
    if waits is None:
        return None
    try:
        return await forms.take_up(turn, FORMS[waits.form], waits)
    except Refused:
        forms.drop(turn)
        raise
