"""An invitation is redeemed: by its deep link, or by its code `i_…` sent as a message."""

from collections.abc import Sequence

from conversation.message import Reply
from conversation.router import Routes
from conversation.turn import Turn
from core.texts import T
from handlers import home
from services import residents, roles, territory

routes = Routes()


@routes.start("i")
async def redeem(turn: Turn, value: str) -> Sequence[Reply]:
    """Grants the role to whoever speaks; an official need not be a registered resident."""
    await roles.check_invitation(turn.unit, value)
    speaker = turn.speaker
    if speaker is None:
        speaker = await residents.new_person(turn.unit, turn.address, turn.said)
        turn.speak_as(speaker)
    view = await roles.redeem(turn.unit, speaker, value)
    place = await territory.get_place(turn.unit.session, view.place_code)
    granted = T("role-granted", role=T(f"role-{view.role}"), place=territory.name_of(place).full)
    return await home.menu_saying(turn, granted)
