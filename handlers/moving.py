"""Moving to another village: which one, one look at what it means, done."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from conversation import forms
from conversation.forms import Accepted, Done, Form, Given, Jump, Leave, Step, text_of
from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.state import Answers
from conversation.turn import Turn
from core.clock import local_date
from core.texts import T
from handlers import family, guest, home, village
from handlers.forms import known, unclear
from handlers.village import FIND, VILLAGE
from services import moves, residents, territory

routes = Routes()

MOVE = Choice("move", T("profile-move"))


@routes.choice("move", words=("я переехал", "я переехала", "көшіп кеттім"))
async def begin(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Starts at the village; what is kept now is said before the question."""
    if asked := await family.who(turn, "move"):
        return asked
    profile = await residents.profile(turn.unit, turn.speaker)
    if profile is None:
        return await guest.kept(turn)
    place = await territory.get_place(turn.unit.session, profile.place_code)
    first, *rest = await forms.begin(turn, FORM)
    return [first.saying(T("move-begin", village=territory.name_of(place).full)), *rest]


family.remember("move", begin)


async def _village(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """As in registration; the village of before ends it, for there is nothing to be moved."""
    found = await village.accept(turn, answers, given)
    if not isinstance(found, Done):
        return found
    code = str(found.values[VILLAGE])
    if code != (await moves.standing(turn.unit, _mover(turn))).place_code:
        return found
    forms.drop(turn)
    place = await territory.get_place(turn.unit.session, code)
    same = T("move-same", village=territory.name_of(place).full)
    return Leave(await home.menu_saying(turn, same))


async def _ask_sure(turn: Turn, answers: Answers) -> Reply:
    who, code = _mover(turn), text_of(answers, VILLAGE)
    path = await territory.path_of(turn.unit.session, code)
    meant = await moves.preview(turn.unit, who, code)
    choices = [Choice("mv-yes", T("move-yes")), Choice("mv-no", T("move-no"))]
    if meant.corrected:
        return Reply(T("move-look-slip", path=path), choices)
    adult_on = (await moves.standing(turn.unit, who)).adult_on
    votes = max(meant.counts_from, adult_on or date.min)
    if votes > local_date(turn.unit.now):
        return Reply(T("move-look-later", path=path, day=f"{votes:%d.%m.%Y}"), choices)
    return Reply(T("move-look-now", path=path), choices)


async def _sure(turn: Turn, answers: Answers, given: Given) -> Accepted:
    match given.chosen and given.chosen.code:
        case "mv-yes":
            return Done()
        case "mv-no":
            return Jump("village", {FIND: {}})
    return unclear("move-unclear", given)


async def _finish(turn: Turn, answers: Answers) -> Sequence[Reply]:
    who, code = _mover(turn), text_of(answers, VILLAGE)
    moved = await moves.move(turn.unit, who, code)
    standing = await moves.standing(turn.unit, who)
    place = await territory.get_place(turn.unit.session, code)
    name = territory.name_of(place).full
    if standing.adult and not standing.counts_today:
        day = f"{moved.counts_from:%d.%m.%Y}"
        return await home.menu_saying(turn, T("move-done-later", village=name, day=day))
    return await home.menu_saying(turn, T("move-done-now", village=name))


def _mover(turn: Turn) -> UUID:
    """Who moves: whoever began it, for the form is nobody else's."""
    if turn.speaker is None:
        raise LookupError("nobody speaks in a form that has an owner")
    return turn.speaker


FORM = known(
    Form(
        name="moving",
        version=1,
        steps=(replace(village.step(), accept=_village), Step("sure", _ask_sure, _sure)),
        finish=_finish,
        cancelled=T("move-undo"),
        sure=family.sure,
    )
)
routes.form(FORM)
