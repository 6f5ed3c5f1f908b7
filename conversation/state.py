"""Where a conversation stands: stored sealed with the address, never kept in memory."""

import json
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(slots=True)
class State:
    """What is remembered between two messages of one address."""

    turn: int = 0  # counts the screens; step choices of older ones are stale
    form: FormState | None = None
    parked: FormState | None = None  # left by the menu: can be taken up again
    offered: list[Offered] = field(default_factory=list)
    keyboard: bool = False  # a contact keyboard is open on Telegram
    start: str | None = None  # a deep link that waits for the language to be chosen
    spoke: tuple[str, str] | None = None  # who said last that it is they, and when
    met: list[str] = field(default_factory=list)  # other addresses that were asked about

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
    def load(cls, stored: str | None, turn: int) -> "State":
        """Reads what `dump` wrote; a version that is not known starts afresh at the menu."""
        data = json.loads(stored) if stored else {}
        if data.get("v") != 1:
            return cls(turn=turn)
        return cls(
            turn=turn,
            form=_load_form(data["form"]),
            parked=_load_form(data["parked"]),
            offered=[Offered(*o) for o in data["offered"]],
            keyboard=data["keyboard"],
            start=data["start"],
            spoke=tuple(data["spoke"]) if data.get("spoke") else None,
            met=data.get("met", []),
        )


def _dump_form(form: FormState | None) -> list[Any] | None:
    if form is None:
        return None
    return [form.form, form.version, form.step, form.answers, _dump_form(form.before)]


def _load_form(stored: list[Any] | None) -> FormState | None:
    if not stored:
        return None
    name, version, step, answers, before = stored
    return FormState(name, version, step, answers, _load_form(before))
