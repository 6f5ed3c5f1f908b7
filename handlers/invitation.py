"""An invitation is redeemed: by its deep link, or by its code `i_…` sent as a message."""

from collections.abc import Sequence
from uuid import UUID

from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.turn import Turn
from core.ids import short
from core.texts import T
from handlers import family, home
from handlers.roles import name_of, role_granted
from handlers.telling import tell
from services import appointments, residents, roles, territory
from services.unit import Unit

routes = Routes()


@routes.start("i")
async def redeem(turn: Turn, value: str) -> Sequence[Reply]:
    """Grants the role to whoever speaks; an official need not be a registered resident. Whoever
    invited is told who took it."""
    await roles.check_invitation(turn.unit, value, turn.speaker)
    if asked := await family.who(turn, "invited", (value,)):
        return asked
    speaker = turn.speaker
    if speaker is None:
        speaker = await residents.new_person(turn.unit, turn.address, turn.said)
        turn.speak_as(speaker)
    done = await roles.redeem(turn.unit, speaker, value)
    if done.inviter is not None:
        await _tell_inviter(turn.unit, done.inviter, done.role_id)
    place = await territory.get_place(turn.unit.session, done.view.place_code)
    said = role_granted(done.view, territory.name_of(place).full, renewed=done.renewed)
    return await home.menu_saying(turn, said)


async def _redeem_as(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """On a family's phone, when somebody has said who they are."""
    return await redeem(turn, ids[0]) if ids else await home.menu(turn)


family.remember("invited", _redeem_as)


async def _tell_inviter(unit: Unit, invited_by: UUID, role: UUID) -> None:
    inviter = await roles.same_person(unit, invited_by)
    if inviter is None:
        return
    found = await appointments.described(unit, role)
    said = T("invitation-taken", role=T(f"role-{found.view.role}"), name=name_of(found))
    look = Choice("r-card", T("role-look"), (short(role),), durable=True)
    await tell(unit, inviter, Reply(said, (look,), screen=False))
