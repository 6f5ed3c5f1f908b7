"""Home: the menu with the same few entries, and help."""

from collections.abc import Sequence

from conversation import forms
from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.state import FormState
from conversation.turn import Turn
from core.ids import short
from core.texts import Joined, Named, T, Words
from handlers.forms import FORMS
from services import drafts, people, residents, roles, territory
from services.people import Known
from services.roles import (
    MAY_SEE_NOTICES,
    MAY_SEE_ROLES,
    MAY_SEND_NOTICES,
    Power,
    RoleView,
)

routes = Routes()

MENU = Choice("menu", T("nav-menu"), durable=True)
REGISTER = Choice("register", T("menu-register"))
RESUME = Choice("resume", T("menu-resume"))
SEND = Choice("notice-new", T("menu-send"))
SENT = Choice("sent", T("menu-sent"))
ROLES = Choice("roles", T("menu-roles"))
NOTICES = Choice("notices", T("menu-notices"))
PROFILE = Choice("profile", T("menu-profile"))
SUBSCRIBE = Choice("subscribe", T("menu-subscribe"))
LANGUAGE_ENTRY = Choice("language", T("menu-language"))
HELP = Choice("help", T("menu-help"))
DRAFTS = Choice("drafts", T("menu-drafts"))
RULES = Choice("rules", T("menu-rules"))
CHANGE = Choice("who-speaks", T("family-change"))
SAME = Choice("same", T("join-menu"))
# Of the menu and of help: their words mean them everywhere, in either language.
ENTRIES = (REGISTER, RESUME, SEND, SENT, ROLES, NOTICES, PROFILE, SUBSCRIBE, LANGUAGE_ENTRY, HELP,
           DRAFTS, RULES, CHANGE, SAME)  # fmt: skip


@routes.command("menu", "мәзір", "меню", "басты бет", "главная")
async def menu(turn: Turn) -> Sequence[Reply]:
    """The same entries always; what was begun can be taken up again."""
    standing = await roles.standing(turn.unit, turn.speaker)
    profile = await residents.profile(turn.unit, turn.speaker)
    text: Words = await _where(turn, standing, profile)
    work = [*_work(standing), *await _put_aside(turn, standing)]
    waits = begun(turn)
    choices = [*([RESUME] if waits else []), *work, *_always(profile, turn.stopped)]
    if await was_here_before(turn):
        choices.append(SAME)
    notice = T(f"parked-{waits.form}") if waits else None
    if notice == T("parked-registration") and text == T("menu-guest"):
        text, notice = notice, None
        choices.remove(REGISTER)
    if turn.stopped:
        notice = T("stopped-line")
    here = await people.members(turn.unit, turn.address)
    if len(here) > 1:
        if not standing and profile is None:
            return [
                Reply(
                    T("family-who"),
                    who_choices(here, "menu"),
                    notice=notice,
                    listing=Choice("who-page", T("family-who"), ("menu",)),
                )
            ]
        me = next((one.shown for one in here if one.id == turn.speaker), None)
        speaking = T("family-speaking", name=me) if me else T("family-nobody")
        text, choices = Joined([speaking, text]), [*choices, CHANGE]
    return [Reply(text, choices, title=T("menu-title"), notice=notice)]


async def was_here_before(turn: Turn) -> list[Known]:
    """Registered residents at another address that the messenger says is the same sender's, as
    long as nobody has answered whether it is they."""
    asked = [one for one in turn.elsewhere if str(one) not in turn.state.met]
    if not asked:
        return []
    return await people.known_at(turn.unit, asked, turn.address, turn.speaker)


def who_choices(here: Sequence[Known], then: str, ids: Sequence[str] = ()) -> list[Choice]:
    """The people on this phone, to say who is speaking (`family.who`)."""
    return [Choice("who", one.shown, (short(one.id), then, *ids)) for one in here]


async def menu_saying(turn: Turn, receipt: Words) -> Sequence[Reply]:
    """The menu, with what has just happened before it."""
    first, *rest = await menu(turn)
    return [first.saying(receipt), *rest]


@routes.choice("menu", durable=True)
async def to_menu(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The way to the menu from anywhere, also from an old message; a form waits."""
    forms.park(turn)
    return await menu(turn)


@routes.command("help", "көмек", "помощь", "анықтама", "справка")
async def help_(turn: Turn) -> Sequence[Reply]:
    """What this is, and the words that work everywhere."""
    return [Reply(T("help-text"), [RULES], nav=(MENU,))]


@routes.choice("help")
async def help_chosen(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Help from the menu."""
    return await help_(turn)


@routes.choice("thanks", words=("спасибо", "спасибо большое", "рақмет", "рахмет", "көп рақмет"))
async def thanked(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """A neighbour answers thanks."""
    return await menu_saying(turn, T("thanks-answer"))


@routes.choice(
    "greet",
    words=(
        *("здравствуйте", "здравствуй", "привет", "добрый день", "добрый вечер", "доброе утро"),
        *("сәлем", "сәлеметсіз бе", "салам", "ассалаумағалейкум", "қайырлы күн", "қайырлы таң"),
    ),
)
async def greeted(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """And a greeting."""
    return await menu_saying(turn, T("greeting"))


async def is_guest(turn: Turn) -> bool:
    """Neither registered nor holding a role."""
    if await roles.standing(turn.unit, turn.speaker):
        return False
    return await residents.profile(turn.unit, turn.speaker) is None


async def office_of(turn: Turn, role: RoleView) -> T | Named:
    """In whose name this role speaks: "Бугров ауылдық округінің әкімі"."""
    akim = await territory.akim_of(turn.unit.session, role.place_code)
    return T("office-clerk", akim=akim) if role.role is roles.RoleName.CLERK else akim


async def _where(turn: Turn, standing: Sequence[RoleView], profile: residents.Profile | None) -> T:
    if standing and standing[0].role in MAY_SEND_NOTICES:
        return T("menu-official", office=await office_of(turn, standing[0]))
    if profile is not None:
        place = await territory.get_place(turn.unit.session, profile.place_code)
        return T("menu-resident", village=territory.name_of(place).full)
    if standing:
        place = await territory.get_place(turn.unit.session, standing[0].place_code)
        return T("menu-official", office=territory.name_of(place).full)
    return T("menu-guest")


def begun(turn: Turn) -> FormState | None:
    """What the speaker has begun and left, the latest."""
    return forms.latest(turn, FORMS)


def _work(standing: Sequence[RoleView]) -> list[Choice]:
    may_send = any(
        view.role in MAY_SEND_NOTICES and (view.may(Power.SEND) or view.may(Power.URGENT))
        for view in standing
    )
    may_see = any(view.role in MAY_SEE_NOTICES for view in standing)
    may_see_roles = any(view.role in MAY_SEE_ROLES for view in standing)
    return [
        *([SEND] if may_send else []),
        *([SENT] if may_see else []),
        *([ROLES] if may_see_roles else []),
    ]


async def _put_aside(turn: Turn, standing: Sequence[RoleView]) -> list[Choice]:
    """The way to the drafts, where there are any."""
    office = any(view.role in MAY_SEND_NOTICES for view in standing)
    return [DRAFTS] if office and await drafts.count(turn.unit, turn.speaker) else []


def _always(profile: residents.Profile | None, stopped: bool) -> list[Choice]:
    first = [NOTICES, PROFILE] if profile else [REGISTER]
    return [*([SUBSCRIBE] if stopped else []), *first, LANGUAGE_ENTRY, HELP]
