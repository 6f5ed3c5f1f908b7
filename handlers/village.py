"""Finding the village: typed with mistakes, told apart by oblast and district, or walked to.

One step of a form. What is known so far lies in the answer "find": {"near": code of the area,
"typed": words, "hits": codes, "alike": their names are only like it, "far": so little that nobody
can have meant them, "one": code to confirm, "walk": code or "", "up": what was known one question
before, to go back to}.
"""

from collections.abc import Sequence
from typing import Any

from conversation.forms import Accepted, Done, Given, Problem, Stay, Step
from conversation.message import Choice, Reply
from conversation.payload import decode
from conversation.state import Answers
from conversation.turn import Turn
from core.names import fold
from core.place_names import path_text
from core.texts import T
from handlers.forms import wordless
from models.territory import Place, PlaceLevel
from services import territory
from services.village_names import EXACT
from services.village_search import SURE as MEANT
from services.village_search import Match, VillageIndex

VILLAGE = "village"  # the answer: КАТО code of the settlement
FIND = "find"
LONGEST = 100
FEW = 8  # villages that are shown at once; more are told apart by their region
SURE = 90.0  # of 100: one village of this likeness is only confirmed
NEAR_BEHIND = 25.0  # what is less alike than the best by so much is not offered


async def ask(turn: Turn, answers: Answers) -> Reply:
    """The next question that leads to the village."""
    find = _find(answers)
    if find.get("one"):
        return await _confirm(turn, find["one"])
    if "walk" in find:
        return await _walk(turn, find["walk"])
    if find.get("hits"):
        return await _which(turn, find)
    return _by_name()


async def accept(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """A tap, or the name as it was typed."""
    find = _find(answers)
    if given.chosen is not None:
        return await _chosen(turn, find, given.chosen.code, given.chosen.ids)
    typed = given.text.strip()
    if not typed:
        return wordless("text-needed", given)
    if len(typed) > LONGEST:
        return Problem(T("village-long"))
    if area := _area_called(turn, typed):
        return await _narrow(turn, find, area)
    return await _search(turn, typed)


def _area_called(turn: Turn, typed: str) -> str | None:
    """The region that is offered to tell namesakes apart, by its name without "область"."""
    wanted = fold(typed) + " "
    named = [one for one in turn.state.offered if fold(one.label).startswith(wanted)]
    meant = [decode(one.payload) for one in named]
    return meant[0].ids[0] if [one.code for one in meant] == ["v-area"] else None


def back(answers: Answers) -> bool:
    """One question up: from a district to its oblast, from the first list to the name; False
    when it is there already."""
    find = _find(answers)
    answers[FIND] = find.get("up", {})
    return bool(find)


def step() -> Step:
    """The step as forms declare it."""
    return Step(
        "village",
        ask,
        accept,
        free_text=True,
        back_within=back,
        holds=(VILLAGE,),
        claims=is_called_so,
    )


async def is_called_so(turn: Turn, typed: str) -> bool:
    """Is a village called exactly so? "Бастау" and "Тоқта" are villages, not only commands."""
    if typed.lstrip().startswith("/"):
        return False
    index = await turn.finder.index(turn.unit.session)
    matches = index.find(typed, limit=1)
    return bool(matches) and matches[0].score >= EXACT


async def prefilled(turn: Turn, code: str) -> Answers:
    """The answers with which a deep link's village starts: to be confirmed, or nothing."""
    place = await territory.find_home(turn.unit.session, code)
    return {FIND: {"one": place.code}} if place else {}


def _by_name() -> Reply:
    return Reply(T("village-ask"), [Choice("v-walk", T("village-walk"))])


async def _search(turn: Turn, typed: str) -> Accepted:
    index = await turn.finder.index(turn.unit.session)
    matches = index.find(typed, limit=FEW)
    if not matches:
        return Problem(T("village-none", typed=typed))
    best = matches[0]
    if best.namesakes > 1 and best.score >= SURE:
        repeats = index.repeats(typed)
        return Stay({FIND: {"typed": typed, "hits": list(repeats.codes if repeats else [])}})
    if _clearly_one(matches):
        return Stay({FIND: {"typed": typed, "one": best.code}})
    hits = [match.code for match in matches if best.score - match.score <= NEAR_BEHIND]
    far = best.likeness < MEANT
    return Stay({FIND: {"typed": typed, "hits": hits, "alike": True, "far": far}})


def _clearly_one(matches: Sequence[Match]) -> bool:
    best, *others = matches
    if best.namesakes > 1 or best.likeness < MEANT:
        return False
    return best.score >= SURE or not others or best.score - others[0].score >= 8


async def _chosen(turn: Turn, find: dict[str, Any], code: str, ids: tuple[str, ...]) -> Accepted:
    match code, ids:
        case "v-yes", () if find.get("one"):
            return _found(find["one"])
        case "v-no", ():
            return Stay({FIND: {}})
        case "v-walk", ():
            return Stay({FIND: {"walk": "", "up": {} if "walk" in find else find}})
        case "v-into", (place,) if await territory.find_place(turn.unit.session, place):
            return Stay({FIND: {"walk": place, "up": find}})
        case "v-area", (area,):
            return await _narrow(turn, find, area)
        case "v-pick", (place,) if await territory.find_home(turn.unit.session, place):
            return _found(place)
        case (("v-into" | "v-pick"), _):
            turn.unit.audit("tap-refused", turn.address)
            return Problem(T("refused-place"))
    return Problem(T("village-unclear"))


async def _narrow(turn: Turn, find: dict[str, Any], area: str) -> Accepted:
    index = await turn.finder.index(turn.unit.session)
    hits = [code for code in find.get("hits", []) if index.is_inside(code, area)]
    if len(hits) == 1:
        return Stay({FIND: {"typed": find.get("typed", ""), "one": hits[0], "up": find}})
    return Stay({FIND: {**find, "hits": hits, "near": area, "up": find}})


async def _confirm(turn: Turn, code: str) -> Reply:
    text = T("village-confirm", path=await territory.path_of(turn.unit.session, code))
    return Reply(text, [Choice("v-yes", T("village-yes")), Choice("v-no", T("village-no"))])


async def _which(turn: Turn, find: dict[str, Any]) -> Reply:
    index = await turn.finder.index(turn.unit.session)
    codes = [code for code in find["hits"] if index.is_inside(code, code)]  # gone meanwhile?
    if not codes:
        return _by_name()
    repeats = None if find.get("alike") else _regions(index, codes, find.get("near"))
    if repeats is None or len(codes) <= FEW:
        choices = [await _village_choice(turn, code) for code in codes]
        walk = Choice("v-walk", T("village-walk"))
        return Reply(_alike(find, len(codes)), [*choices, walk])
    level, regions = repeats
    place = await territory.get_place(turn.unit.session, codes[0])
    name = territory.name_of(place).short
    return Reply(
        T(f"village-which-{level}", name=name, count=len(codes)),
        [await _area_choice(turn, "v-area", region) for region in regions],
    )


def _alike(find: dict[str, Any], count: int) -> T:
    """What is said above villages whose names are like the one typed, or only the nearest to it."""
    typed = find.get("typed", "")
    if find.get("far"):
        return T("village-far", typed=typed, count=count)
    return T("village-which", typed=typed)


def _regions(
    index: VillageIndex, codes: Sequence[str], near: str | None
) -> tuple[str, list[str]] | None:
    """The regions that tell these villages apart, with the word for their level."""
    words = {PlaceLevel.OBLAST: "oblast", PlaceLevel.DISTRICT: "district"}
    told = index.told_apart(codes)
    if told.level is PlaceLevel.SETTLEMENT:
        return None
    return words.get(told.level, "okrug"), list(told.by_region)


async def _walk(turn: Turn, code: str) -> Reply:
    session, language = turn.unit.session, turn.said
    if not code:
        places: Sequence[Place] = await territory.oblasts(session, language)
        return Reply(T("village-walk-oblast"), [_step_into(place) for place in places])
    here = await territory.get_place(session, code)
    below = await territory.children(session, code, language)
    name = territory.name_of(here).full
    if not below:
        return Reply(T("village-empty", place=name), [Choice("v-walk", T("village-walk"))])
    return Reply(T("village-walk-into", place=name), [_step_into(place) for place in below])


def _step_into(place: Place) -> Choice:
    code = "v-pick" if place.level is PlaceLevel.SETTLEMENT else "v-into"
    return Choice(code, territory.name_of(place).full, (place.code,))


async def _village_choice(turn: Turn, code: str) -> Choice:
    return await _area_choice(turn, "v-pick", code)


async def _area_choice(turn: Turn, choice: str, code: str) -> Choice:
    place = await territory.get_place(turn.unit.session, code)
    above = await territory.ancestors(turn.unit.session, code)
    is_village = place.level is PlaceLevel.SETTLEMENT
    described = path_text(map(territory.name_of, above)) if is_village else None
    return Choice(choice, territory.name_of(place).full, (code,), described)


def _found(code: str) -> Done:
    return Done({VILLAGE: code, FIND: {}})


def _find(answers: Answers) -> dict[str, Any]:
    found = answers.get(FIND)
    return found if isinstance(found, dict) else {}
