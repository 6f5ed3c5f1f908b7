"""Several people on one phone: who is speaking, and one less."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from conversation import forms
from conversation.message import Choice, Reply
from conversation.payload import decode
from conversation.router import ChoiceHandler, Routes
from conversation.turn import Turn
from core.ids import from_short, short
from core.names import from_latin
from core.texts import T
from handlers import conversations, home
from services import people
from services.unit import Refused

routes = Routes()

REMEMBERED = timedelta(minutes=15)  # how long "it is me" holds
_THEN: dict[str, ChoiceHandler] = {}


def remember(code: str, handler: ChoiceHandler) -> None:
    """Where to go on when somebody has said who they are."""
    _THEN[code] = handler


async def who(turn: Turn, then: str, ids: tuple[str, ...] = ()) -> Sequence[Reply] | None:
    """The question who is speaking, or None where that is known.

    For what is one person's own: data, moving, deletion; later votes and signatures:

        if asked := await family.who(turn, "vote", ids):
            return asked

    `then` is the code under which the handler was remembered, `ids` what it was called with; a
    button holds 64 bytes: a code of at most 7 letters beside one short id.
    """
    here = await people.members(turn.unit, turn.address)
    if len(here) < 2 or _known_by(turn):
        return None
    forms.park(turn)  # a name that is typed now is no answer to the form
    listing = Choice("who-page", T("family-who"), (then, *ids))
    choices = home.who_choices(here, then, ids)
    return [Reply(T("family-who"), choices, nav=(home.MENU,), listing=listing)]


async def sure(turn: Turn) -> Sequence[Reply] | None:
    """Before a form ends that acts in somebody's name: `who`, and back to the form's last step."""
    return await who(turn, "resume")


@routes.choice("who-page")
async def page(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """More of the people on this phone."""
    then, *rest = ids or ("menu",)
    return await who(turn, then, tuple(rest)) or await home.menu(turn)


@routes.choice("who-speaks")
async def change(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Somebody else writes now: asked from the menu, on to the menu."""
    turn.state.spoke = None
    return await who(turn, "menu") or await home.menu(turn)


def _known_by(turn: Turn) -> bool:
    spoke = turn.state.spoke
    if spoke is None or turn.speaker is None or spoke[0] != str(turn.speaker):
        return False
    return turn.unit.now - datetime.fromisoformat(spoke[1]) < REMEMBERED


@routes.choice("who")
async def speaks(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Somebody said who they are; on with what they wanted."""
    identifier, then, *rest = ids if len(ids) > 1 else ("", "")
    forms.park(turn)  # said from within one: what is wanted now is something else
    await _speak_as(turn, identifier)
    handler = _THEN.get(then)
    return await handler(turn, tuple(rest)) if handler else await home.menu(turn)


@routes.question("who")
async def named(turn: Turn, typed: str) -> Sequence[Reply] | None:
    """A name that is typed says who it is: the first name alone, or with the surname."""
    here = await people.members(turn.unit, turn.address)
    asked = _asked(turn, here)
    if asked is None:
        return None
    then, *ids = asked
    if not typed:
        return await who(turn, then, tuple(ids))
    meant = _named(typed, here)
    return await speaks(turn, (short(meant.id), then, *ids)) if meant else None


def _asked(turn: Turn, here: Sequence[people.Known]) -> tuple[str, ...] | None:
    """What was wanted when it was asked who is speaking; None where that is not the question."""
    names = {one.shown for one in here}
    offered = (decode(one.payload) for one in turn.state.offered if one.label in names)
    return next((one.ids[1:] for one in offered if one.code == "who" and len(one.ids) > 1), None)


def _named(typed: str, here: Sequence[people.Known]) -> people.Known | None:
    """The one who is called so, if it is just one."""
    words = from_latin(typed).split()
    meant = []
    for one in here:
        first, *initial = from_latin(one.shown).split()
        if first not in words:
            continue
        rest = [word for word in words if word != first]
        fits = not rest or any(word.startswith(tuple(initial)) for word in rest)
        meant.append((first, one if fits else None))
    found = [one for _, one in meant if one]
    return found[0] if len(found) == 1 and len({first for first, _ in meant}) == 1 else None


async def _speak_as(turn: Turn, identifier: str) -> None:
    here = {short(one.id): one.id for one in await people.members(turn.unit, turn.address)}
    if identifier not in here:
        turn.unit.audit("tap-refused", turn.address)
        raise Refused("refused-member")
    is_speaking(turn, here[identifier])


def is_speaking(turn: Turn, resident: UUID) -> None:
    """It has just been said, or shown by a date of birth, who this is."""
    turn.speak_as(resident)
    turn.state.spoke = (str(resident), turn.unit.now.isoformat())


# The screen


async def profile_choices(turn: Turn) -> list[Choice]:
    """The way to the people on this phone, from the profile."""
    return [Choice("family", T("family-menu"))]


@routes.choice("family", words=("кто на этом телефоне", "осы телефондағылар"))
async def show(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Who is behind this phone; one more, one less, somebody else speaks."""
    here = await people.members(turn.unit, turn.address)
    choices = [Choice("family-add", T("family-add"))]
    if len(here) > 1:
        off = [Choice("family-off", T("family-off", name=m.shown), (short(m.id),)) for m in here]
        choices += [home.CHANGE, *off]
    text = T("family-here", names=", ".join(one.shown for one in here))
    return [Reply(text, choices, nav=(home.MENU,), listing=Choice("family", T("family-menu")))]


remember("family", show)
remember("menu", home.to_menu)


@routes.choice("family-off")
async def ask_off(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Says what it means, and asks."""
    member = await _member(turn, ids)
    alone = await people.has_no_other_chat(turn.unit, member.id, turn.address)
    choices = [Choice("family-off-yes", T("family-off-yes"), ids)]
    if alone:
        choices.append(Choice("who", T("family-forget"), (*ids, "delete")))
    choices.append(Choice("family", T("family-off-no")))
    key = "family-off-ask-alone" if alone else "family-off-ask"
    return [Reply(T(key, name=member.shown), choices)]


@routes.choice("family-off-yes")
async def off(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Taken off this phone; the data stay."""
    member = await _member(turn, ids)
    alone = await people.take_off(turn.unit, member.id, turn.address)
    await conversations.forget_where_absent(turn, member.id)
    if turn.speaker == member.id:
        turn.speak_as(await people.speaker_of(turn.unit, turn.address))
    key = "family-off-alone" if alone else "family-off-done"
    return await home.menu_saying(turn, T(key, name=member.shown))


async def _member(turn: Turn, ids: tuple[str, ...]) -> people.Known:
    try:
        wanted = from_short(ids[0])
    except (ValueError, IndexError):
        wanted = None
    found = next((m for m in await people.members(turn.unit, turn.address) if m.id == wanted), None)
    if found is None:
        turn.unit.audit("tap-refused", turn.address)
        raise Refused("refused-member")
    return found
