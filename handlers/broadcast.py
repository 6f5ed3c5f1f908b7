"""An akim writes a notice: to whom, in Kazakh, in Russian, one look at it, off it goes."""

from collections.abc import Sequence
from uuid import UUID

from conversation import forms
from conversation.forms import Accepted, Done, Form, Given, Jump, Problem, Stay, Step
from conversation.message import ChannelName, Choice, Reply
from conversation.router import Routes
from conversation.state import Answers
from conversation.turn import Turn
from core.languages import Language
from core.texts import Joined, T, Words, texts
from handlers.forms import known, unclear
from handlers.notice import composed
from handlers.notice_text import read_text
from handlers.sent import announced_reply
from rules.notices import NoticeKind
from services import notices, roles, territory
from services.notices import NoticeText
from services.reach import reach
from services.roles import MAY_SEND_NOTICES

routes = Routes()

KIND = NoticeKind.ANNOUNCEMENT


@routes.choice("notice-new")
async def begin(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Starts a notice for the place of the role."""
    standing = await roles.standing(turn.unit, turn.speaker)
    places = [view.place_code for view in standing if view.role in MAY_SEND_NOTICES]
    if not places:
        await roles.require(turn.unit, turn.speaker, MAY_SEND_NOTICES, "")
    answers: Answers = {"id": str(turn.unit.new_id()), "places": places}
    if len(places) == 1:
        answers["place"] = places[0]
    return await forms.begin(turn, FORM, answers)


# From where


def _several_places(answers: Answers) -> bool:
    return len(answers["places"]) > 1


async def _ask_place(turn: Turn, answers: Answers) -> Reply:
    choices = []
    for code in answers["places"]:
        choices.append(Choice("n-place", await territory.akim_of(turn.unit.session, code), (code,)))
    return Reply(T("role-where"), choices)


async def _place(turn: Turn, answers: Answers, given: Given) -> Accepted:
    if given.chosen and given.chosen.ids and given.chosen.ids[0] in answers["places"]:
        return Done({"place": given.chosen.ids[0]})
    return unclear("audience-unclear", given)


# To whom


async def _ask_audience(turn: Turn, answers: Answers) -> Reply:
    villages = await territory.settlements(turn.unit.session, answers["place"], turn.said)
    if "picked" in answers:
        return await _ask_villages(turn, answers)
    everywhere = await territory.codes_inside(turn.unit.session, answers["place"])
    counts = await reach(turn.unit, answers["place"], everywhere, KIND)
    whole = Choice(
        "n-all", T("audience-all"), description=T("audience-people", people=counts.people)
    )
    some = Choice("n-some", T("audience-some"))
    choices = [whole, some] if len(villages) > 1 else [whole]
    return Reply(T("audience-ask", office=await _office(turn, answers)), choices)


async def _ask_villages(turn: Turn, answers: Answers) -> Reply:
    picked = answers["picked"]
    villages = await territory.settlements(turn.unit.session, answers["place"], turn.said)
    choices = [Choice("n-done", T("audience-done"))] if picked else []
    names: list[Words] = []
    for place in villages:
        name = territory.name_of(place).full
        if place.code in picked:
            names.append(name)
        label = Joined(["✓", name], " ") if place.code in picked else name
        choices.append(Choice("n-village", label, (place.code,)))
    chosen = Joined(names, ", ") if names else T("audience-none")
    return Reply(T("audience-pick", chosen=chosen), choices)


async def _audience(turn: Turn, answers: Answers, given: Given) -> Accepted:
    villages = await territory.settlement_codes(turn.unit.session, answers["place"])
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("n-all",):
            everywhere = await territory.codes_inside(turn.unit.session, answers["place"])
            return await _addressed(turn, answers, everywhere, whole=True)
        case ("n-some",):
            return Stay({"picked": []})
        case ("n-village", code) if code in villages:
            picked = set(answers.get("picked", [])) ^ {code}
            return Stay({"picked": sorted(picked)})
        case ("n-done",):
            return await _addressed(turn, answers, answers.get("picked", []), whole=False)
    return unclear("audience-unclear", given)


async def _addressed(
    turn: Turn, answers: Answers, codes: Sequence[str], *, whole: bool
) -> Accepted:
    if not codes:
        return Problem(T("audience-nothing"), repeats=True)
    counts = await reach(turn.unit, answers["place"], codes, KIND)
    if not counts.people:
        return Problem(T("audience-empty"), repeats=True)
    return Done({"audience": list(codes), "whole": whole})


def _back_to_whole(answers: Answers) -> bool:
    """From the villages back to the question before them."""
    return answers.pop("picked", None) is not None


# What


async def _ask_own(turn: Turn, answers: Answers) -> Reply:
    first = _first(turn, answers)
    key = "notice-both" if answers.get("alone") else f"notice-only-{first.other}"
    return Reply(T(f"notice-write-{first}"), [Choice("n-alone", T(key))])


async def _own(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """The first text; or it is said that there will be one in the other language only."""
    first = _first(turn, answers)
    if given.chosen is not None and given.chosen.code == "n-alone":
        alone = not answers.get("alone")
        words = {_key(first): None, "alone": alone, "only": first.other if alone else None}
        return Stay({**words, "first": first.other.value})
    return _written(given, _key(first), {"first": first.value})


def _in_both(answers: Answers) -> bool:
    return not answers.get("alone")


async def _ask_other(turn: Turn, answers: Answers) -> Reply:
    first = _first(turn, answers)
    only = Choice("n-only", T(f"notice-only-{first}"))
    return Reply(T(f"notice-write-{first.other}"), [only])


async def _other(turn: Turn, answers: Answers, given: Given) -> Accepted:
    first = _first(turn, answers)
    if given.chosen is not None and given.chosen.code == "n-only":
        return Done({"only": first.value, _key(first.other): None})
    return _written(given, _key(first.other), {"only": None})


def _written(given: Given, key: str, more: Answers) -> Accepted:
    read = read_text(given)
    return read if isinstance(read, Problem) else Done({key: [read.title, read.body], **more})


# The last look


async def _ask_preview(turn: Turn, answers: Answers) -> Reply:
    counts = await reach(turn.unit, answers["place"], answers["audience"], KIND)
    missing = (
        T("notice-preview-unreachable", people=counts.unreachable)
        if counts.unreachable
        else T("notice-preview-all")
    )
    samples = [await _sample(turn, answers, one) for one in _written_texts(answers)]
    text = T(
        "notice-preview",
        sample=Joined(samples, "\n\n"),
        people=counts.people,
        telegram=counts.by_channel.get(ChannelName.TELEGRAM, 0),
        whatsapp=counts.by_channel.get(ChannelName.WHATSAPP, 0),
        unreachable=missing,
    )
    first = _first(turn, answers)
    fixes = [
        Choice("n-fix", T(f"notice-fix-{one}"), (_step_of(first, one),))
        for one in _written_texts(answers)
    ]
    change = Choice("n-fix", T("notice-fix-audience"), ("audience",))
    return Reply(text, [Choice("n-send", T("notice-send")), *fixes, change])


async def _sample(turn: Turn, answers: Answers, language: Language) -> str:
    title, body = answers[_key(language)]
    office = await _office(turn, answers)
    sample = T("notice-sample", office=office, title=title, body=body)
    return texts().say(language, sample)


async def _preview(turn: Turn, answers: Answers, given: Given) -> Accepted:
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("n-send",):
            return Done()
        case ("n-fix", ("audience" | "own" | "other") as step):
            if step == "audience":
                answers.pop("picked", None)
            return Jump(step)
    return unclear("notice-preview-unclear", given)


async def _finish(turn: Turn, answers: Answers) -> Sequence[Reply]:
    notice = UUID(answers["id"])
    words = {one: NoticeText(*answers[_key(one)]) for one in _written_texts(answers)}
    contents = composed(texts(), await _office(turn, answers), notice, words)
    shown = turn.unit.new_id()
    status = await notices.announce(
        turn.unit,
        notice=notice,
        author_address=turn.address,
        place_code=answers["place"],
        audience=answers["audience"],
        texts=words,
        monolingual=Language(answers["only"]) if answers.get("only") else None,
        live_message=shown,
    )
    if status == "sending":
        stored = {one: content.to_json() for one, content in contents.items()}
        await notices.queue(turn.unit, notice, stored)
    return [await announced_reply(turn, notice, shown)]


async def _office(turn: Turn, answers: Answers) -> Words:
    return await territory.akim_of(turn.unit.session, answers["place"])


def _first(turn: Turn, answers: Answers) -> Language:
    """The language that is written first: the author's own when the text was begun."""
    return Language(answers["first"]) if "first" in answers else turn.said


def _written_texts(answers: Answers) -> list[Language]:
    return [language for language in Language if answers.get(_key(language))]


def _step_of(first: Language, language: Language) -> str:
    return "own" if language is first else "other"


def _key(language: Language) -> str:
    return f"text_{language}"


FORM = known(
    Form(
        name="notice",
        version=1,
        steps=(
            Step("place", _ask_place, _place, applies=_several_places, holds=("place",)),
            Step(
                "audience",
                _ask_audience,
                _audience,
                back_within=_back_to_whole,
                holds=("audience",),
            ),
            Step("own", _ask_own, _own, free_text=True, holds=("first",)),
            Step("other", _ask_other, _other, free_text=True, applies=_in_both, holds=("only",)),
            Step("preview", _ask_preview, _preview),
        ),
        finish=_finish,
        cancelled=T("notice-undo"),
    )
)
routes.form(FORM)
