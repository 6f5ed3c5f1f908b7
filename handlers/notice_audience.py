"""Whose notice it is, of what kind, and to whom."""

from collections.abc import Collection, Sequence
from functools import lru_cache

from conversation.forms import BACK, CANCEL, Accepted, Done, Given, Problem, Stay, correcting
from conversation.message import Choice, Reply
from conversation.state import Answers
from conversation.turn import Turn
from core.languages import Language
from core.names import fold
from core.place_names import PlaceKind
from core.texts import Joined, Named, T, Words, texts
from handlers.forms import unclear
from handlers.notice_villages import VILLAGE, page_shown, typed_villages
from handlers.notice_words import too_early
from models.territory import Place
from rules.notices import NoticeKind
from services import notices, roles, rulebook, territory
from services.reach import Reach, reach
from services.roles import MAY_SEND_NOTICES
from services.unit import Unit

KEEP = Choice("n-keep", T("correct-keep"))
KEPT = "kept"  # the answer that says so, until the preview has heard it
NAMED = 2  # villages of an audience that are named; the rest are counted
BACK_CHOICE, CANCEL_CHOICE = Choice(BACK, T("nav-back")), Choice(CANCEL, T("nav-cancel"))
_WHOLE = {
    PlaceKind.OKRUG: "okrug",
    PlaceKind.CITY: "town",
    PlaceKind.CITY_AREA: "town",
    PlaceKind.TOWN_OFFICE: "town",
    PlaceKind.KENT: "kent",
    PlaceKind.KENT_OFFICE: "kent",
    PlaceKind.VILLAGE: "village",
    PlaceKind.VILLAGE_OFFICE: "village",
    PlaceKind.DISTRICT: "district",
    PlaceKind.DISTRICT_OFFICE: "district",
    PlaceKind.OBLAST: "oblast",
}


# From where


def several_places(answers: Answers) -> bool:
    """Does the author hold the role at more than one place?"""
    return len(answers["places"]) > 1


async def ask_place(turn: Turn, answers: Answers) -> Reply:
    """In whose name?"""
    choices = []
    for code in answers["places"]:
        choices.append(Choice("n-place", await territory.akim_of(turn.unit.session, code), (code,)))
    return Reply(T("role-where"), choices)


async def place(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """One of the author's places; what depended on another one is asked again."""
    if given.chosen and given.chosen.ids and given.chosen.ids[0] in answers["places"]:
        chosen = given.chosen.ids[0]
        if chosen != answers.get("place"):
            for name in ("audience", "picked", "kind"):
                answers.pop(name, None)
        return Done({"place": chosen})
    return too_early(answers, given) or unclear("audience-unclear", given)


async def office(turn: Turn, answers: Answers) -> Named:
    """Who speaks."""
    return await territory.akim_of(turn.unit.session, answers["place"])


# Of what kind


async def ask_kind(turn: Turn, answers: Answers) -> Reply:
    """What is it about?"""
    allowed = await kinds(turn, answers["place"])
    choices = [
        Choice("n-kind", T(f"kind-{kind}"), (kind.value,), T(f"kind-about-{kind}"))
        for kind in allowed
    ]
    asked = T("kind-ask-urgent" if NoticeKind.URGENT in allowed else "kind-ask")
    return Reply(asked, [*choices, *([KEEP] if correcting(answers) else [])])


async def kind(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """One of the kinds that the author may send."""
    allowed = await kinds(turn, answers["place"])
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("n-kind", chosen) if chosen in allowed:
            return Done({"kind": chosen})
        case ("n-kind", *_):
            place_code = answers["place"]
            turn.unit.audit("role-missing", turn.speaker, place=place_code, kinds=sorted(allowed))
            return Problem(T("refused-role-power"), repeats=True)
        case ("n-keep",) if answers.get("kind"):
            return Done({KEPT: True})
    if meant := _kind_said(given.text, allowed):
        return Done({"kind": meant.value})
    return too_early(answers, given) or unclear("audience-unclear", given)


def _kind_said(typed: str, allowed: Collection[NoticeKind]) -> NoticeKind | None:
    """ "су": words of one kind only, in either language. What is urgent is called so, or not
    meant."""
    words = set(fold(typed).split())
    found = [one for one in allowed if words and words <= _words_of(one)]
    return found[0] if len(found) == 1 else None


@lru_cache
def _words_of(kind: NoticeKind) -> frozenset[str]:
    keys = [f"kind-{kind}", *([f"kind-about-{kind}"] if kind is not NoticeKind.URGENT else [])]
    said = " ".join(texts().say(one, T(key)) for one in Language for key in keys)
    return frozenset(fold(said).split())


async def kinds(turn: Turn, place_code: str) -> list[NoticeKind]:
    """What the author may send from there: a clerk, what was delegated."""
    rules = await rulebook.of(turn.unit.session, place_code)
    above = await roles.at_or_above(turn.unit, place_code)
    held = [
        view
        for view in await roles.standing(turn.unit, turn.speaker)
        if view.role in MAY_SEND_NOTICES and view.place_code in above
    ]
    return [one for one in NoticeKind if any(v.may(notices.power_for(one, rules)) for v in held)]


def kind_of(answers: Answers) -> NoticeKind:
    """The kind that was chosen."""
    return NoticeKind(answers.get("kind", NoticeKind.ANNOUNCEMENT))


# To whom


async def ask_audience(turn: Turn, answers: Answers) -> Reply:
    """To everybody, or to chosen villages?"""
    if "picked" in answers:
        return await _ask_villages(turn, answers)
    villages = await _villages(turn, answers)
    everywhere = await territory.codes_inside(turn.unit.session, answers["place"])
    counts = await _reach(turn, answers, everywhere)
    people = T("audience-people", people=counts.people)
    found = await territory.get_place(turn.unit.session, answers["place"])
    choices = [Choice("n-all", _whole(found), description=people)]
    if len(villages) > 1:
        choices.append(Choice("n-some", T("audience-some")))
    if correcting(answers):
        choices.append(KEEP)
    return Reply(T("audience-ask", office=await office(turn, answers)), choices)


async def _ask_villages(turn: Turn, answers: Answers) -> Reply:
    """An answer leaves one on the page, and the way on stands on every page: always, so that the
    pages do not shift."""
    picked, page = answers["picked"], str(turn.page)
    choices = []
    names: list[Words] = []
    for village in await _villages(turn, answers):
        name = territory.name_of(village).full
        if village.code in picked:
            names.append(name)
        label = Joined(["✓", name], " ") if village.code in picked else name
        choices.append(Choice(VILLAGE, label, (village.code, page)))
    chosen = Joined(names, ", ") if names else T("audience-none")
    nav = (Choice("n-done", T("audience-done")), BACK_CHOICE, CANCEL_CHOICE)
    return Reply(T("audience-pick", chosen=chosen), choices, nav=nav)


async def audience(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """Everywhere, or a village more or less; typed names and numbers are villages more."""
    villages = await territory.settlement_codes(turn.unit.session, answers["place"])
    turn.page = page_shown(turn)
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("n-all",):
            everywhere = await territory.codes_inside(turn.unit.session, answers["place"])
            return await _addressed(turn, answers, everywhere, whole=True)
        case ("n-some",):
            return Stay({"picked": []})
        case (code_of, code, *_) if code_of == VILLAGE and code in villages:
            picked = set(answers.get("picked", [])) ^ {code}
            return Stay({"picked": sorted(picked)})
        case ("n-done",):
            return await _addressed(turn, answers, answers.get("picked", []), whole=False)
        case ("n-keep",) if answers.get("audience"):
            return Done({KEPT: True})
    return (
        await _typed(turn, answers, given, villages)
        or too_early(answers, given)
        or unclear("audience-unclear", given)
    )


async def _typed(
    turn: Turn, answers: Answers, given: Given, villages: Collection[str]
) -> Stay | None:
    """The villages that were typed are ticked, and of the others it is said which are meant by
    none; None where nothing that was typed is a village."""
    if given.chosen or given.files:
        return None
    meant = await typed_villages(turn, given.text, answers["place"], villages)
    if not (meant.codes or meant.several) or not (meant.clear or "picked" in answers):
        return None
    return Stay({"picked": sorted(meant.codes.union(answers.get("picked", [])))}, meant.told())


async def _addressed(
    turn: Turn, answers: Answers, codes: Sequence[str], *, whole: bool
) -> Accepted:
    if not codes:
        return Problem(T("audience-nothing"), repeats=True)
    if not (await _reach(turn, answers, codes)).people:
        return Problem(T("audience-empty"), repeats=True)
    return Done({"audience": list(codes), "whole": whole})


async def line_to(unit: Unit, place_code: str, audience: Collection[str]) -> list[Words]:
    """ "Кімге: …": the villages, where it is not for all of the place."""
    found = where(await territory.settlements(unit.session, place_code), audience)
    return [] if found is None else [T("audience-to", where=found)]


def where(villages: Sequence[Place], audience: Collection[str]) -> Words | None:
    """The first of these villages that it is for; None where it is for all of them."""
    named = [territory.name_of(one).full for one in villages if one.code in audience]
    if not named or len(named) == len(villages):
        return None
    names = Joined(named[:NAMED], ", ")
    more = len(named) - NAMED
    return T("audience-more", names=names, more=more) if more > 0 else names


def back_to_whole(answers: Answers) -> bool:
    """From the villages back to the question before them."""
    return answers.pop("picked", None) is not None


async def _reach(turn: Turn, answers: Answers, codes: Sequence[str]) -> Reach:
    return await reach(turn.unit, answers["place"], codes, kind_of(answers))


async def _villages(turn: Turn, answers: Answers) -> list[Place]:
    return await territory.settlements(turn.unit.session, answers["place"], turn.said)


def _whole(found: Place) -> T:
    """ "Бүкіл округке", by what the place is."""
    noun = _WHOLE.get(territory.name_of(found).kind, "other")
    return T(f"audience-all-{noun}")
