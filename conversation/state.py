"""Where a conversation stands: stored sealed with the address, never kept in memory."""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.ids import short

Answers = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Offered:
    """A choice as it was last offered: what a number or a label typed now means."""

    payload: str
    label: str
    number: int | None  # ways out (back, cancel) have none


@dataclass(slots=True)
class FormState:
    """A form under way: JSON values only in `answers`."""

    form: str
    version: int
    step: str
    answers: Answers = field(default_factory=dict)
    before: "FormState | None" = None  # another form that waits until this one is over
    owner: UUID | None = None  # who may go on with it; None: whoever writes here


@dataclass(slots=True)
class State:
    """What is remembered between two messages of one address.

    While a form is under way the others wait behind it (`FormState.before`); nothing is `parked`.
    """

    turn: int = 0  # counts the screens; step choices of older ones are stale
    form: FormState | None = None
    parked: FormState | None = None  # left by the menu: can be taken up again
    offered: list[Offered] = field(default_factory=list)
    keyboard: bool = False  # a contact keyboard is open on Telegram
    start: str | None = None  # a deep link that waits for the language to be chosen
    spoke: tuple[str, str] | None = None  # who said last that it is they, and when
    met: list[str] = field(default_factory=list)  # other addresses that were asked about

    def forms(self) -> Iterator[FormState]:
        """The form under way and those that wait, the latest first."""
        form = self.form or self.parked
        while form is not None:
            yield form
            form = form.before

    def park(self) -> None:
        """The form under way waits, with its answers."""
        if self.form is not None:
            self.parked, self.form = self.form, None

    def forget(self, people: Collection[UUID]) -> list[FormState]:
        """Nothing is left that these people were typing, nor a choice that names them; the forms
        that went."""
        gone = [form for form in self.forms() if form.owner in people]
        rest = without(self.form or self.parked, lambda form: form.owner in people)
        if self.form in gone:
            self.form, self.offered = None, []
        self.form, self.parked = (rest, None) if self.form else (None, rest)
        named = {short(one) for one in people}
        self.offered = [o for o in self.offered if not named & set(o.payload.split("."))]
        if self.spoke is not None and UUID(self.spoke[0]) in people:
            self.spoke = None
        return gone

    def hand_over(self, giver: UUID, taker: UUID) -> None:
        """What the one was typing is the other's to go on with."""
        for form in self.forms():
            if form.owner == giver:
                form.owner = taker

    def dump(self) -> str:
        """The stored form, version 1."""
        return json.dumps(
            {
                "v": 1,
                "form": _dump_form(self.form),
                "parked": _dump_form(self.parked),
                "offered": [[o.payload, o.label, o.number] for o in self.offered],
                "keyboard": self.keyboard,
                "start": self.start,
                "spoke": self.spoke,
                "met": self.met,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def load(cls, stored: str | None, turn: int, speaker: UUID | None = None) -> "State":
        """Reads what `dump` wrote; a version that is not known starts afresh at the menu. Forms
        that were stored before they had an owner are the `speaker`'s."""
        data = json.loads(stored) if stored else {}
        if data.get("v") != 1:
            return cls(turn=turn)
        return cls(
            turn=turn,
            form=_load_form(data["form"], speaker),
            parked=_load_form(data["parked"], speaker),
            offered=[Offered(*o) for o in data["offered"]],
            keyboard=data["keyboard"],
            start=data["start"],
            spoke=tuple(data["spoke"]) if data.get("spoke") else None,
            met=data.get("met", []),
        )


def without(waiting: FormState | None, goes: Callable[[FormState], bool]) -> FormState | None:
    """The forms that wait, without those that go."""
    if waiting is None:
        return None
    waiting.before = without(waiting.before, goes)
    return waiting.before if goes(waiting) else waiting


def _dump_form(form: FormState | None) -> list[Any] | None:
    if form is None:
        return None
    owner = str(form.owner) if form.owner else None
    return [form.form, form.version, form.step, form.answers, _dump_form(form.before), owner]


def _load_form(stored: list[Any] | None, speaker: UUID | None) -> FormState | None:
    if not stored:
        return None
    name, version, step, answers, before, *owned = stored
    owner = speaker if not owned else UUID(owned[0]) if owned[0] else None
    return FormState(name, version, step, answers, _load_form(before, speaker), owner)
