"""Which kinds of notices come: each is switched by a tap; what is urgent always comes."""

from collections.abc import Sequence

from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.turn import Turn
from core.texts import Joined, T
from handlers import family, guest, home
from rules.notices import NoticeKind
from services import residents, wishes
from services.unit import Refused
from services.wishes import Wishes

routes = Routes()

MUTE = Choice("mute", T("profile-mute"))
_BACK = Choice("profile", T("menu-profile"))


@routes.choice("mute", words=("виды сообщений", "хабар түрлері"))
async def show(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The kinds, with a tick before those that come."""
    if asked := await family.who(turn, "mute"):
        return asked
    if turn.speaker is None or await residents.profile(turn.unit, turn.speaker) is None:
        return await guest.kept(turn)
    return [_screen(await wishes.wishes(turn.unit, turn.speaker))]


family.remember("mute", show)


@routes.choice("mute-kind")
async def switch(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """On or off, as the button said; at once."""
    if asked := await family.who(turn, "mute"):
        return asked
    match ids:
        case (kind, ("on" | "off") as to) if kind in list(NoticeKind) and turn.speaker:
            chosen = NoticeKind(kind)
        case _:
            turn.unit.audit("tap-refused", turn.address)
            raise Refused("refused-urgent")
    now = await wishes.mute(turn.unit, turn.speaker, chosen, muted=to == "off")
    return [_screen(now).saying(T(f"mute-now-{to}", kind=T(f"notice-kind-{kind}")))]


def _screen(known: Wishes) -> Reply:
    nav = (_BACK, home.MENU)
    if not known.may_mute:
        return Reply(T("mute-nothing"), nav=nav)
    lines = [T("mute-marked")]
    if known.urgent:
        kinds = Joined([T(f"notice-kind-{kind}") for kind in known.urgent], ", ")
        lines.append(T("mute-always", kinds=kinds))
    choices = [_switch(kind, off=kind in known.muted) for kind in known.may_mute]
    text = Joined([Joined(lines), T("mute-ask")], "\n\n")
    return Reply(text, choices, title=T("profile-mute"), nav=nav)


def _switch(kind: NoticeKind, *, off: bool) -> Choice:
    name = T(f"notice-kind-{kind}")
    label = name if off else T("mute-on", kind=name)
    return Choice("mute-kind", label, (kind.value, "on" if off else "off"))
