"""Forms of several steps: declared, walked, stored; nothing that was answered is lost.

A step asks and accepts. Accepting answers with `Done` (values; on to the next step), `Stay`
(values; the same step asks again, as in a search that narrows) or `Problem` (a text that says
what is wrong, shows what was typed, gives an example).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conversation.message import Attachments, Choice, Contact, Reply
from conversation.payload import Chosen
from conversation.state import Answers, FormState, without
from conversation.turn import Turn
from core.texts import T, Words
from services.unit import Refused

BACK, CANCEL = "back", "cancel"
_RETURN = "~return"  # the step to come back to after a correction
_LEFT = "~left"  # the step at which the form was to be cancelled


@dataclass(frozen=True, slots=True)
class Given:
    """What the person gave to a step: words, a tap, a contact, or files."""

    text: str = ""
    chosen: Chosen | None = None
    contact: Contact | None = None
    files: Attachments = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The step is answered; a notice is said with the next question."""

    values: Answers = field(default_factory=dict)
    notice: T | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """The step has learnt something and asks on."""

    values: Answers = field(default_factory=dict)
    notice: Words | None = None


@dataclass(frozen=True, slots=True)
class Quiet:
    """The step has learnt something and says nothing: its question stands as it is."""

    values: Answers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Jump:
    """On with another step, and back here when it is answered (a correction from a summary)."""

    step: str
    values: Answers = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leave:
    """The form ends here, unfinished; its answers are dropped."""

    replies: Sequence[Reply]


@dataclass(frozen=True, slots=True)
class Problem:
    """What was given does not do; says why and how it would, in place of the question.

    `repeats`: the question is said again after it, because the text alone does not ask.
    """

    text: Words
    repeats: bool = False


Accepted = Done | Stay | Quiet | Jump | Leave | Problem
Ask = Callable[[Turn, Answers], Awaitable[Reply]]
Accept = Callable[[Turn, Answers, Given], Awaitable[Accepted]]


def _always(_: Answers) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Step:
    """One question. Going back clears no answers, a new answer overwrites.

    `free_text`: typed words are an answer, not a choice with mistakes. `applies`: is this step
    asked at all, given the answers so far? `holds`: the answers that show it was answered; a
    form of an older version is taken up at the first step without them. `claims`: are these
    words an answer here, although they are a command elsewhere (a village called "Тоқта")?
    """

    name: str
    ask: Ask
    accept: Accept
    free_text: bool = False
    applies: Callable[[Answers], bool] = _always
    back_within: Callable[[Answers], bool] | None = None  # undoes the last Stay; False: nothing
    holds: tuple[str, ...] = ()
    claims: Callable[[Turn, str], Awaitable[bool]] | None = None
    ways_out: bool = True  # False: its choices have a way out among them


@dataclass(frozen=True, slots=True)
class Form:
    """Steps in order, and what happens at the end. `upgrade` brings older stored answers over.

    `leave`: the step that asks what becomes of the answers when the form is cancelled, while
    there is something `worth` keeping; it applies to nothing else. `owned`: only who began it
    goes on with it; else whoever writes. `waits`: is it worth being gone on with when it was
    left? `sure`: what has to be asked before it ends, if anything; meanwhile the form waits at
    its last step. `barred`: what is said to who may not end it any more, instead
    of taking it up or going on.
    """

    name: str
    version: int
    steps: Sequence[Step]
    finish: Callable[[Turn, Answers], Awaitable[Sequence[Reply]]]
    cancelled: T | Callable[[Answers], T]
    upgrade: Callable[[int, Answers], Answers] | None = None
    leave: str | None = None
    worth: Callable[[Answers], bool] = _always
    owned: bool = True
    waits: Callable[[Answers], bool] = _always
    sure: Callable[[Turn], Awaitable[Sequence[Reply] | None]] | None = None
    barred: Callable[[Turn, Answers], Awaitable[Sequence[Reply] | None]] | None = None

    def step(self, name: str) -> Step | None:
        """The step of this name, if this version has it."""
        return next((step for step in self.steps if step.name == name), None)


async def begin(
    turn: Turn, form: Form, answers: Answers | None = None, at: str | None = None
) -> list[Reply]:
    """Starts the form at its first step that applies, or at the step named.

    What waits of this form is dropped; another form that waits goes on waiting behind it.
    """
    owner = turn.speaker if form.owned else None
    state = FormState(form.name, form.version, at or "", dict(answers or {}), owner=owner)
    return await take_up(turn, form, state)


async def resume(turn: Turn, form: Form) -> list[Reply]:
    """Takes the form up where it was left; an older version resumes with its answers kept."""
    state = _current(turn)
    if state.step == form.leave:
        state.step = left_at(state.answers)
    if state.version != form.version:
        if form.upgrade is not None:
            state.answers = form.upgrade(state.version, state.answers)
        state.version = form.version
        state.step = _first_open(form, state.answers)
    if form.step(state.step) is None:
        return await _advance(turn, form, after=None)
    return [await _ask(turn, form, state)]


async def answer(turn: Turn, form: Form, given: Given) -> list[Reply]:
    """Gives the current step what came in, and says what follows; to who may not end it any more,
    that it is over: what came in is kept with the rest."""
    state = _current(turn)
    replies = await _answered(turn, form, given)
    if turn.state.form is not state:
        return replies
    return await _barred(turn, form, state) or replies


async def _barred(turn: Turn, form: Form, state: FormState) -> list[Reply]:
    """What is said instead of going on, if anything; the form waits if it is worth anything."""
    if form.barred is None or not (said := await form.barred(turn, state.answers)):
        return []
    if turn.state.form is state:
        (park if form.worth(state.answers) else drop)(turn)
    elif not form.worth(state.answers):
        put_away(turn, form)
    return list(said)


async def _answered(turn: Turn, form: Form, given: Given) -> list[Reply]:
    state = _current(turn)
    step = form.step(state.step)
    if step is None or state.version != form.version:
        return await resume(turn, form)
    match await step.accept(turn, state.answers, given):
        case Done(values, notice):
            state.answers.update(values)
            return await _advance(turn, form, after=step, notice=notice)
        case Stay(values, notice):
            state.answers.update(values)
            return [await _ask(turn, form, state, notice)]
        case Quiet(values):
            state.answers.update(values)
            return []
        case Jump(name, values):
            state.answers.update(values, **{_RETURN: step.name})
            state.step = name
            return [await _ask(turn, form, state)]
        case Leave(replies):
            if turn.state.form is state:
                drop(turn)
            return list(replies)
        case Problem(text, repeats):
            again = await _ask(turn, form, state, text if repeats else None)
            again = replace(again, before=())
            return [again if repeats else replace(again, text=text, title=None)]


async def back(turn: Turn, form: Form) -> list[Reply]:
    """The step before; at the first one it is asked again."""
    state = _current(turn)
    if state.step == form.leave:
        return await resume(turn, form)
    step = form.step(state.step)
    if step and step.back_within and step.back_within(state.answers):
        return [await _ask(turn, form, state)]
    if came_from := state.answers.pop(_RETURN, None):
        state.step = came_from
        return [await _ask(turn, form, state)]
    names = [s.name for s in form.steps if s.applies(state.answers)]
    here = names.index(state.step) if state.step in names else 0
    state.step = names[max(here - 1, 0)]
    return [await _ask(turn, form, state)]


async def ask_leave(turn: Turn, form: Form) -> list[Reply] | None:
    """What becomes of the answers when the form is cancelled? None: nobody needs to be asked."""
    state = _current(turn)
    if form.leave is None or not form.worth(state.answers):
        return None
    if state.step != form.leave:
        state.answers[_LEFT], state.step = state.step, form.leave
    return [await _ask(turn, form, state)]


def left_at(answers: Answers) -> str:
    """The step at which the form was to be cancelled: where it goes on."""
    return str(answers.get(_LEFT, ""))


def correcting(answers: Answers) -> bool:
    """Was this question come to by a jump, to correct what was answered before?"""
    return _RETURN in answers


def is_mine(turn: Turn, state: FormState) -> bool:
    """May the speaker go on with it? What others of the family began waits for them."""
    return state.owner is None or state.owner == turn.speaker


def latest(turn: Turn, known: Mapping[str, Form]) -> FormState | None:
    """What the speaker left last, of the forms that are known, among all that waits here."""
    for one in () if turn.state.form else turn.state.forms():
        form = known.get(one.form)
        if form is not None and form.waits(one.answers) and is_mine(turn, one):
            return one
    return None


def waiting(turn: Turn, form: Form) -> FormState | None:
    """The speaker's state of this form among those that wait, behind whichever others."""
    return latest(turn, {form.name: form})


def put_away(turn: Turn, form: Form) -> None:
    """This form of the speaker's waits no longer."""

    def goes(state: FormState) -> bool:
        return state.form == form.name and is_mine(turn, state)

    turn.state.parked = without(turn.state.parked, goes)


async def take_up(turn: Turn, form: Form, state: FormState) -> list[Reply]:
    """Goes on with the form in this state, in place of the speaker's own of this name; whatever
    else was under way waits behind it."""
    park(turn)
    if said := await _barred(turn, form, state):
        return said
    put_away(turn, form)
    turn.state.form, turn.state.parked = replace(state, before=turn.state.parked), None
    return await resume(turn, form)


def cancel(turn: Turn, form: Form) -> T:
    """Drops the form; the text says that nothing was sent or stored."""
    state = _current(turn)
    drop(turn)
    return form.cancelled if isinstance(form.cancelled, T) else form.cancelled(state.answers)


def drop(turn: Turn) -> None:
    """The form under way is over; what waited behind it can be taken up."""
    turn.state.form, turn.state.parked = None, _current(turn).before


def park(turn: Turn) -> None:
    """Leaves the form for the menu; its answers wait."""
    turn.state.park()


async def _advance(
    turn: Turn, form: Form, after: Step | None, notice: T | None = None
) -> list[Reply]:
    state = _current(turn)
    came_from = state.answers.pop(_RETURN, None)
    if after is not None and came_from is not None and form.step(came_from):
        state.step = came_from
        return [await _ask(turn, form, state, notice)]
    start = 0 if after is None else list(form.steps).index(after) + 1
    for step in form.steps[start:]:
        if step.applies(state.answers):
            state.step = step.name
            return [await _ask(turn, form, state, notice)]
    if form.sure is not None and (asked := await form.sure(turn)):
        park(turn)
        return list(asked)
    drop(turn)
    try:
        return list(await form.finish(turn, state.answers))
    except Refused:
        turn.state.parked = state  # nothing of it is lost: it can be corrected or cancelled
        raise


def _first_open(form: Form, answers: Answers) -> str:
    """The first step that is asked and not answered; the last one when all are answered."""
    for inner in (_RETURN, _LEFT):
        answers.pop(inner, None)
    asked = [step for step in form.steps if step.applies(answers)]
    is_open = (s.name for s in asked if not (s.holds and all(name in answers for name in s.holds)))
    return next(is_open, asked[-1].name)


async def _ask(turn: Turn, form: Form, state: FormState, notice: Words | None = None) -> Reply:
    step = form.step(state.step)
    if step is None:
        raise LookupError(f"form {form.name} has no step {state.step}")
    reply = await step.ask(turn, state.answers)
    return reply.saying(notice).with_nav(_ways_out(form, step))


def _ways_out(form: Form, step: Step) -> Sequence[Choice]:
    if not step.ways_out:
        return ()
    cancel_choice = Choice(CANCEL, T("nav-cancel"))
    if form.steps[0] is step and step.back_within is None:
        return (cancel_choice,)
    return (Choice(BACK, T("nav-back")), cancel_choice)


def _current(turn: Turn) -> FormState:
    if turn.state.form is None:
        raise LookupError("no form is under way")
    return turn.state.form


def text_of(answers: Answers, name: str) -> str:
    """An answer as text; empty when it was not given."""
    value: Any = answers.get(name)
    return value if isinstance(value, str) else ""
