"""Coming in: the greeting in both languages, the choice of language, deep links, stop and back."""

from collections.abc import Sequence

from conversation import forms
from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.turn import Turn
from core.languages import Language
from core.texts import Joined, T, Words
from handlers import begun, home, registration
from services import people, residents

routes = Routes()

LANGUAGE = "lang"


def language_choices() -> tuple[Choice, ...]:
    """Each language by its own name."""
    return tuple(Choice(LANGUAGE, T(f"language-{one}"), (one.value,)) for one in Language)


async def hello(turn: Turn) -> Sequence[Reply]:
    """The first contact: who this is, and which language?"""
    return [Reply(T("first-contact"), language_choices(), both=True)]


@routes.command("lang", "язык", "тіл", "language", "смена языка", "тілді ауыстыру")
async def language(turn: Turn) -> Sequence[Reply]:
    """The choice of language, at any time."""
    return [Reply(T("language-choose"), language_choices(), nav=(home.MENU,), both=True)]


@routes.choice("language")
async def language_chosen(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The choice of language, from the menu; a form waits."""
    forms.park(turn)
    return await language(turn)


@routes.choice(LANGUAGE, before_language=True)
async def chosen(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """From now on in this language; then on with what the person came for."""
    known = turn.language is not None
    turn.language = Language(ids[0]) if ids and ids[0] in list(Language) else turn.said
    if turn.speaker is not None:
        await residents.set_language(turn.unit, turn.speaker, turn.language)
    turn.unit.audit("language-chosen", turn.address, language=turn.language.value)
    if turn.state.start is not None:
        return ()  # the router follows the link that the person came by
    if known:
        forms.park(turn)
        return await begun.resume_or_menu(turn, T("language-changed"))
    if await residents.profile(turn.unit, turn.speaker) is None:
        return await registration.begin(turn)
    return await home.menu(turn)


_KAZAKH = (
    *("қазақша", "қазақ тілі", "қаз", "казахский", "казахский язык", "по-казахски"),
    *("на казахском", "казахша"),
)
_RUSSIAN = ("русский", "русский язык", "рус", "по-русски", "на русском", "орысша", "орыс тілі")


@routes.choice("lang-kk", before_language=True, words=_KAZAKH)
async def in_kazakh(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Said in words of either language, at any time but where a text of one's own is asked for."""
    return await chosen(turn, (Language.KK.value,))


@routes.choice("lang-ru", before_language=True, words=_RUSSIAN)
async def in_russian(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The same."""
    return await chosen(turn, (Language.RU.value,))


@routes.command("start", "начать", "старт", "бастау", "бастаймыз")
async def start(turn: Turn) -> Sequence[Reply]:
    """Comes in, or comes back: messages are wanted again."""
    came_back, turn.stopped = turn.stopped, False
    if came_back:
        turn.unit.audit("address-resumed", turn.address, by="asked")
        return await home.menu_saying(turn, T("resumed"))
    if home.begun(turn) is None and await _is_new(turn):
        return await registration.begin(turn)
    return await home.menu(turn)


async def _is_new(turn: Turn) -> bool:
    """A guest, and nobody else is behind this chat who might be speaking."""
    return await home.is_guest(turn) and not await people.members(turn.unit, turn.address)


@routes.choice("subscribe")
async def subscribe(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The menu's way back to messages."""
    return await start(turn)


@routes.command("stop", "стоп", "тоқтату", "тоқта", "unsubscribe", "отписаться")
async def stop(turn: Turn) -> Sequence[Reply]:
    """No more messages; answers to what the person writes still come."""
    if not turn.stopped:
        turn.unit.audit("address-stopped", turn.address, by="asked")
    turn.stopped = True
    return [Reply(await _stopped(turn), nav=(home.MENU,))]


async def _stopped(turn: Turn) -> Words:
    """What stops: this chat, for everybody on this phone; who has another one is reached there."""
    here = await people.members(turn.unit, turn.address)
    elsewhere = {
        one: Joined([T(f"messenger-{channel}") for channel in found], ", ")
        for one in here
        if (found := await people.reached_elsewhere(turn.unit, one.id, turn.address))
    }
    if len(here) > 1:
        said = T("stopped-family", names=", ".join(one.shown for one in here))
        there = [T("stopped-member", name=m.shown, messengers=at) for m, at in elsewhere.items()]
        return Joined([said, *there])
    other = next(iter(elsewhere.values()), None)
    return T("stopped-here", messengers=other) if other else T("stopped")


@routes.start("v")
async def from_village_link(turn: Turn, value: str) -> Sequence[Reply]:
    """A poster or a neighbour's link that names the village."""
    if await people.members(turn.unit, turn.address):
        return await home.menu(turn)
    return await registration.begin_or_resume(turn, village=value)
