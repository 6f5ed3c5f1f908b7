"""Forms of several steps: wherever one goes and comes back, nothing that was answered is lost."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation import forms
from conversation.forms import (
    Accepted,
    Done,
    Form,
    Given,
    Jump,
    Leave,
    Problem,
    Quiet,
    Stay,
    Step,
)
from conversation.message import ChannelName, Choice, Incoming, Kind, Reply
from conversation.router import Router, Routes
from conversation.state import Answers, FormState, State
from conversation.turn import Turn
from core.crypto import Keyring
from core.languages import Language
from core.texts import T
from services.unit import Refused, Unit

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)


def asks(name: str) -> Any:
    async def ask(turn: Turn, answers: Answers) -> Reply:
        return Reply(f"{name}?")

    return ask


def takes(name: str) -> Any:
    async def accept(turn: Turn, answers: Answers, given: Given) -> Accepted:
        if given.text == "wrong":
            return Problem(T("name-letters", typed=given.text))
        if not given.text:
            return Problem(T("text-needed"), repeats=True)
        return Done({name: given.text})

    return accept


async def narrowing(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """A search: the first answer narrows, the second is it."""
    if "near" not in answers:
        return Stay({"near": given.text}, T("nav-menu"))
    return Done({"place": given.text})


def widened(answers: Answers) -> bool:
    return answers.pop("near", None) is not None


async def summary(turn: Turn, answers: Answers, given: Given) -> Accepted:
    if given.text.startswith("fix "):
        return Jump(given.text.removeprefix("fix "))
    return Leave([Reply("left")]) if given.text == "leave" else Done()


FINISHED: list[Answers] = []


async def finish(turn: Turn, answers: Answers) -> Sequence[Reply]:
    if answers.get("name") == "refused":
        raise Refused("refused-place")
    FINISHED.append(dict(answers))
    return [Reply("done")]


STEPS = (
    Step("name", asks("name"), takes("name"), free_text=True, holds=("name",)),
    Step("place", asks("place"), narrowing, free_text=True, back_within=widened, holds=("place",)),
    Step(
        "phone",
        asks("phone"),
        takes("phone"),
        free_text=True,
        applies=lambda answers: answers.get("name") != "anonymous",
        holds=("phone",),
    ),
    Step("summary", asks("summary"), summary),
)
FORM = Form("toy", 1, STEPS, finish, T("registration-cancelled"))


def a_turn(form: FormState | None = None, parked: FormState | None = None) -> Turn:
    incoming = Incoming(UUID(int=1), ChannelName.TELEGRAM, ("u:1",), (), NOW, Kind.TEXT)
    unit = Unit(None, Keyring({}, b""), NOW)  # type: ignore[arg-type]
    state = State(form=form, parked=parked)
    return Turn(incoming, unit, UUID(int=2), state, Language.RU, None)


async def walk(turn: Turn, *texts: str, form: Form = FORM) -> Reply:
    """Begins and gives these answers; "<" goes back. The last question."""
    [reply] = await forms.begin(turn, form)
    for text in texts:
        if text == "<":
            [reply] = await forms.back(turn, form)
        else:
            [reply] = await forms.answer(turn, form, Given(text=text))
    return reply


def step_of(turn: Turn) -> str:
    assert turn.state.form is not None
    return turn.state.form.step


@pytest.mark.parametrize(
    ("texts", "asked"),
    [
        pytest.param((), "name?", id="begins at the first"),
        pytest.param(("А",), "place?", id="one answered"),
        pytest.param(("А", "north"), "place?", id="a search that narrows asks on"),
        pytest.param(("А", "north", "x"), "phone?", id="found"),
        pytest.param(("anonymous", "north", "x"), "summary?", id="a step that does not apply"),
        pytest.param(("",), "name?", id="no answer asks again"),
        pytest.param(("<",), "name?", id="back at the first step"),
        pytest.param(("А", "<"), "name?", id="back by one"),
        pytest.param(("А", "north", "<"), "place?", id="back within the search"),
        pytest.param(("А", "north", "<", "<"), "name?", id="back out of the search"),
        pytest.param(("А", "north", "x", "<", "<"), "place?", id="back into a search is narrowed"),
        pytest.param(("anonymous", "n", "x", "<"), "place?", id="back over a step not asked"),
        pytest.param(("А", "n", "x", "1", "fix name"), "name?", id="jump"),
        pytest.param(("А", "n", "x", "1", "fix name", "Б"), "summary?", id="jump and return"),
        pytest.param(("А", "n", "x", "1", "fix name", "<"), "summary?", id="jump and back"),
        pytest.param(
            ("А", "n", "x", "1", "fix name", "wrong", "Б"), "summary?", id="a mistake on the jump"
        ),
        pytest.param(("А", "n", "x", "1", "fix name", "<", "<"), "phone?", id="back as before"),
    ],
)
async def test_where_one_gets(texts: tuple[str, ...], asked: str) -> None:
    turn = a_turn()
    reply = await walk(turn, *texts)
    assert reply.text == asked
    assert f"{step_of(turn)}?" == asked


async def test_what_is_wrong_is_said_in_place_of_the_question() -> None:
    turn = a_turn()
    reply = await walk(turn, "А", "n", "x", "wrong")
    assert (reply.text, reply.notice) == (T("name-letters", typed="wrong"), None)
    assert [choice.code for choice in reply.nav] == ["back", "cancel"]
    assert step_of(turn) == "phone"


async def test_a_correction_keeps_the_rest_and_leaves_no_trace() -> None:
    turn = a_turn()
    FINISHED.clear()
    reply = await walk(turn, "А", "n", "x", "1", "fix name", "Б", "ok")
    assert reply.text == "done"
    assert FINISHED == [{"name": "Б", "near": "n", "place": "x", "phone": "1"}]
    assert turn.state.form is None


async def test_what_was_said_before_the_question() -> None:
    turn = a_turn()
    assert (await walk(turn, "А", "north")).notice == T("nav-menu")
    assert (await walk(turn, "")).notice == T("text-needed")
    assert (await walk(turn, "", "А")).notice is None


@pytest.mark.parametrize(
    ("texts", "ways"),
    [
        pytest.param((), ["cancel"], id="the first step has no back"),
        pytest.param(("А",), ["back", "cancel"], id="any other has"),
    ],
)
async def test_ways_out(texts: tuple[str, ...], ways: list[str]) -> None:
    reply = await walk(a_turn(), *texts)
    assert [choice.code for choice in reply.nav] == ways


async def test_a_step_may_bring_its_own_ways_out() -> None:
    async def ask(turn: Turn, answers: Answers) -> Reply:
        return Reply("x", nav=(Choice("menu", "Меню", durable=True),))

    form = replace(FORM, steps=(replace(STEPS[0], ask=ask), *STEPS[1:]))
    reply = await walk(a_turn(), form=form)
    assert [choice.code for choice in reply.nav] == ["menu"]


async def test_leaving_ends_the_form() -> None:
    turn = a_turn()
    assert (await walk(turn, "anonymous", "n", "x", "leave")).text == "left"
    assert turn.state.form is None


async def test_a_cancelled_form_is_gone_and_says_so() -> None:
    turn = a_turn()
    await walk(turn, "А")
    assert forms.cancel(turn, FORM) == T("registration-cancelled")
    assert turn.state.form is turn.state.parked is None


async def test_what_a_cancelled_form_says_may_depend_on_its_answers() -> None:
    turn = a_turn()
    form = replace(FORM, cancelled=lambda answers: T("notice-undo", name=answers["name"]))
    await walk(turn, "А", form=form)
    assert forms.cancel(turn, form) == T("notice-undo", name="А")


async def test_a_parked_form_is_taken_up_where_it_was() -> None:
    turn = a_turn()
    await walk(turn, "А", "north")
    forms.park(turn)
    assert turn.state.form is None
    stored = State.load(turn.state.dump(), 0)
    turn = a_turn(form=stored.parked)
    assert [reply.text for reply in await forms.resume(turn, FORM)] == ["place?"]
    assert turn.state.form == FormState("toy", 1, "place", {"name": "А", "near": "north"})


async def test_parking_nothing_keeps_what_is_parked() -> None:
    waiting = FormState("toy", 1, "place", {"name": "А"})
    turn = a_turn(parked=waiting)
    forms.park(turn)
    assert turn.state.parked is waiting


async def test_a_refusal_at_the_end_loses_no_answer() -> None:
    """Before, somebody whose village was abolished meanwhile had to begin anew."""
    turn = a_turn()
    with pytest.raises(Refused):
        await walk(turn, "refused", "n", "x", "1", "ok")
    assert turn.state.form is None
    assert turn.state.parked == FormState(
        "toy", 1, "summary", {"name": "refused", "near": "n", "place": "x", "phone": "1"}
    )


NEW_STEP = Step("street", asks("street"), takes("street"), free_text=True, holds=("street",))
NEWER = replace(FORM, version=2, steps=(STEPS[0], NEW_STEP, *STEPS[1:]))


@pytest.mark.parametrize(
    ("answers", "step", "asked"),
    [
        pytest.param({"name": "А", "place": "x"}, "phone", "street?", id="a new step before"),
        pytest.param({}, "name", "name?", id="at the beginning"),
        pytest.param({"name": "А", "street": "s"}, "place", "place?", id="the same step"),
        pytest.param(
            {"name": "anonymous", "street": "s", "place": "x"}, "gone", "summary?", id="a step gone"
        ),
        pytest.param(
            {"name": "А", "~return": "summary"}, "phone", "street?", id="in the middle of a jump"
        ),
    ],
)
@pytest.mark.parametrize("how", ["resume", "answer"])
async def test_a_newer_version_asks_what_it_lacks_and_keeps_the_rest(
    answers: Answers, step: str, asked: str, how: str
) -> None:
    turn = a_turn(form=FormState("toy", 1, step, dict(answers)))
    given = Given(text="typed for the older question")
    resumed = forms.resume(turn, NEWER) if how == "resume" else forms.answer(turn, NEWER, given)
    [reply] = await resumed
    assert reply.text == asked
    assert turn.state.form is not None
    assert turn.state.form.version == 2
    answers.pop("~return", None)
    assert turn.state.form.answers == answers


async def test_a_newer_version_may_bring_its_upgrade() -> None:
    def upgrade(version: int, answers: Answers) -> Answers:
        return {"name": answers["full"], "street": f"from {version}"}

    turn = a_turn(form=FormState("toy", 1, "phone", {"full": "А"}))
    [reply] = await forms.resume(turn, replace(NEWER, upgrade=upgrade))
    assert reply.text == "place?"
    assert turn.state.form == FormState("toy", 2, "place", {"name": "А", "street": "from 1"})


async def test_a_stored_step_that_is_gone_begins_again_with_its_answers() -> None:
    turn = a_turn(form=FormState("toy", 1, "gone", {"name": "А"}))
    [reply] = await forms.resume(turn, FORM)
    assert reply.text == "name?"
    assert turn.state.form is not None
    assert turn.state.form.answers == {"name": "А"}


WORDS = st.sampled_from(["А", "wrong", "x", "anonymous", "fix name", "fix place", "<", "park", ""])


@given(st.lists(WORDS, max_size=30))
async def test_no_walk_loses_an_answer_that_was_not_replaced(words: list[str]) -> None:
    turn = a_turn()
    await forms.begin(turn, FORM)
    for word in words:
        before = dict(turn.state.form.answers) if turn.state.form else {}
        if turn.state.form is None:
            return
        if word == "<":
            await forms.back(turn, FORM)
        elif word == "park":
            forms.park(turn)
            turn.state.form, turn.state.parked = turn.state.parked, None
            await forms.resume(turn, FORM)
        else:
            await forms.answer(turn, FORM, Given(text=word))
        if turn.state.form is not None:
            kept = set(turn.state.form.answers) | {"~return", "near"}
            assert set(before) <= kept
            assert FORM.step(turn.state.form.step) is not None


# A form that asks what becomes of it when it is cancelled


async def parting(turn: Turn, answers: Answers, given: Given) -> Accepted:
    return Leave([Reply("kept")]) if given.text == "keep" else Quiet({"heard": given.text})


ASKED = replace(
    FORM,
    steps=(*STEPS, Step("part", asks("part"), parting, applies=lambda answers: False)),
    leave="part",
    worth=lambda answers: "name" in answers,
)


async def test_cancelling_asks_first_where_there_is_something_to_lose() -> None:
    turn = a_turn()
    await forms.begin(turn, ASKED)
    assert await forms.ask_leave(turn, ASKED) is None
    await walk(turn, "А", "north", form=ASKED)
    for _ in range(2):
        [asked] = await forms.ask_leave(turn, ASKED) or [None]
        assert asked is not None
        assert asked.text == "part?"
    [again] = await forms.back(turn, ASKED)
    assert (again.text, step_of(turn)) == ("place?", "place")
    await forms.ask_leave(turn, ASKED)
    assert [r.text for r in await forms.answer(turn, ASKED, Given(text="keep"))] == ["kept"]
    assert turn.state.form is None


async def test_a_correction_that_was_to_be_cancelled_still_comes_back() -> None:
    turn = a_turn()
    await walk(turn, "А", "north", "x", "7", "fix name", form=ASKED)
    await forms.ask_leave(turn, ASKED)
    forms.park(turn)
    turn.state.form, turn.state.parked = turn.state.parked, None
    [asked] = await forms.resume(turn, ASKED)
    assert asked.text == "name?"
    [asked] = await forms.answer(turn, ASKED, Given(text="Б"))
    assert asked.text == "summary?"


async def test_what_is_taken_without_a_word_leaves_the_question_as_it_is() -> None:
    turn = a_turn()
    await walk(turn, "А", form=ASKED)
    await forms.ask_leave(turn, ASKED)
    assert await forms.answer(turn, ASKED, Given(text="x")) == []
    assert step_of(turn) == "part"
    assert turn.state.form is not None
    assert turn.state.form.answers["heard"] == "x"


async def test_a_form_that_waits_behind_another_is_taken_up() -> None:
    behind = FormState("toy", 1, "phone", {"name": "А"})
    turn = a_turn(parked=FormState("other", 1, "x", {}, behind))
    waits = forms.waiting(turn, FORM)
    assert waits is behind
    [asked] = await forms.take_up(turn, FORM, waits)
    assert asked.text == "phone?"
    assert turn.state.form is not None
    assert turn.state.form.before is not None
    assert turn.state.form.before.form == "other"
    assert turn.state.form.before.before is None
    forms.park(turn)
    forms.put_away(turn, FORM)
    assert forms.waiting(turn, FORM) is None
    assert turn.state.parked is not None
    assert turn.state.parked.form == "other"


def test_two_modules_cannot_claim_the_same() -> None:
    one, other = Routes(), Routes()
    one.form(FORM)
    other.form(FORM)
    with pytest.raises(ValueError, match="declared twice: forms"):
        one.include(other)


async def menu(turn: Turn) -> Sequence[Reply]:
    return [Reply("menu")]


async def test_a_form_that_no_longer_exists_ends_at_the_menu() -> None:
    turn = a_turn(form=FormState("petition-of-2025", 1, "x", {}))
    assert [r.text for r in await Router(Routes(), menu, menu).here(turn)] == ["menu"]
    assert turn.state.form is None


# Whose form it is

MINE, YOURS = UUID(int=8), UUID(int=9)


async def test_only_the_owner_finds_what_waits() -> None:
    turn = a_turn()
    turn.speak_as(MINE)
    await walk(turn, "А")
    turn.speak_as(YOURS)
    assert turn.state.form is None, "whoever speaks now is in nobody else's form"
    assert forms.waiting(turn, FORM) is None
    await walk(turn, "Б")
    turn.speak_as(MINE)
    waits = forms.waiting(turn, FORM)
    assert waits is not None
    assert waits.answers == {"name": "А"}
    await forms.take_up(turn, FORM, waits)
    forms.cancel(turn, FORM)
    assert [form.answers for form in turn.state.forms()] == [{"name": "Б"}]


async def test_a_form_of_nobody_is_anybodys() -> None:
    turn = a_turn()
    turn.speak_as(MINE)
    form = replace(FORM, owned=False)
    await walk(turn, "А", form=form)
    turn.speak_as(YOURS)
    assert forms.waiting(turn, form) is not None


async def test_what_is_under_way_of_somebody_else_is_answered_by_nobody() -> None:
    """The speaker was changed from another chat."""
    turn = a_turn(form=FormState("toy", 1, "name", {}, owner=MINE))
    turn.speaker = YOURS
    routes = Routes()
    routes.form(FORM)

    async def menu(turn: Turn) -> Sequence[Reply]:
        return [Reply("menu")]

    assert [reply.text for reply in await Router(routes, menu, menu).here(turn)] == ["menu"]
    assert turn.state.form is None
    assert turn.state.parked == FormState("toy", 1, "name", {}, owner=MINE)


async def test_before_the_end_something_may_have_to_be_asked() -> None:
    """Who is speaking: meanwhile the form waits at its last step, and nothing is lost."""
    asked = [[Reply("who?")], None]

    async def sure(turn: Turn) -> Sequence[Reply] | None:
        return asked.pop(0)

    turn, form, before = a_turn(), replace(FORM, sure=sure), len(FINISHED)
    reply = await walk(turn, "А", "north", "x", "1", "send", form=form)
    assert (reply.text, len(FINISHED)) == ("who?", before)
    waits = forms.waiting(turn, form)
    assert waits is not None
    [again] = await forms.take_up(turn, form, waits)
    assert again.text == "summary?"
    [reply] = await forms.answer(turn, form, Given(text="send"))
    assert (reply.text, len(FINISHED)) == ("done", before + 1)
