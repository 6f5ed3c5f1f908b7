"""Shapes of messages with buttons, and the templates that may be sent outside the window.

Every interactive message of WhatsApp through Twilio is a Content resource made beforehand.
All its fields are variables, the number of lines and buttons is not: so there is one resource
for each shape and language. Sources: twilio.com/docs/content/twilio-quick-reply,
…/twilio-list-picker, …/using-variables-with-content-api, …/content-api-resources.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bot.channels.wording import one_line, shorten
from core.languages import Language
from core.texts import T, texts

VARIABLE = 255  # of a template: a safe length (error 21656)
EMPTY = "—"  # a variable may not be empty
SAMPLE = "…"  # the placeholder that Twilio keeps with the resource

_PLACE = re.compile(r"\{\{(\d+)\}\}")
_ARGUMENTS = ("first", "second", "third", "fourth")

Types = dict[str, Any]
TemplateTexts = Callable[[str, Language], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What cannot vary in a session message: its lines, the number of its buttons.

    `items` has a character for each button, "1" where it has a description; `lines` one for
    each line, "0" where it is empty.
    """

    kind: str  # "quick" or "list"
    items: str
    lines: str

    @property
    def key(self) -> str:
        """The name under which the resource is remembered."""
        return f"{self.kind}:{self.items}:{self.lines}"

    @property
    def variables(self) -> int:
        """How many variables the resource has."""
        buttons = 2 * len(self.items) + self.items.count("1")
        return self.lines.count("1") + buttons + (self.kind == "list")

    def types(self) -> Types:
        """The resource's `types`: line breaks literal, everything else a variable, in order."""
        places = (f"{{{{{number}}}}}" for number in range(1, self.variables + 1))
        body = "\n".join(next(places) if line == "1" else "" for line in self.lines)
        if self.kind == "quick":
            actions = [
                {"type": "QUICK_REPLY", "title": next(places), "id": next(places)}
                for _ in self.items
            ]
            return {"twilio/quick-reply": {"body": body, "actions": actions}}
        button = next(places)
        items = [
            {"item": next(places), "id": next(places)}
            | ({"description": next(places)} if described == "1" else {})
            for described in self.items
        ]
        return {"twilio/list-picker": {"body": body, "button": button, "items": items}}


@dataclass(frozen=True, slots=True)
class Template:
    """An approved message with one button, whose id is the variable after the body's last."""

    kind: str
    language: Language
    body: str
    button: str

    @property
    def digest(self) -> str:
        """Changes with the wording: a new wording is a new template."""
        return sha256(f"{self.body}\x00{self.button}".encode()).hexdigest()[:8]

    @property
    def key(self) -> str:
        """The name under which the resource is remembered."""
        return f"template:{self.digest}"

    @property
    def name(self) -> str:
        """The name that WhatsApp knows it by: lower case, digits and underscores."""
        kind = re.sub(r"[^a-z0-9]", "_", self.kind.lower())
        return f"zhiyn_{kind}_{self.language.value}_{self.digest}"

    @property
    def places(self) -> list[int]:
        """The variables that the body uses."""
        return sorted({int(number) for number in _PLACE.findall(self.body)})

    @property
    def payload_place(self) -> int:
        """The variable that is the button's id."""
        return max(self.places, default=0) + 1

    def types(self) -> Types:
        """The resource's `types`."""
        place = f"{{{{{self.payload_place}}}}}"
        action = {"type": "QUICK_REPLY", "title": self.button, "id": place}
        return {"twilio/quick-reply": {"body": self.body, "actions": [action]}}

    def samples(self) -> dict[str, str]:
        """What WhatsApp's reviewer sees in place of the variables."""
        return {str(place): SAMPLE for place in (*self.places, self.payload_place)}

    def fill(self, values: tuple[str, ...], payload: str) -> dict[str, str]:
        """The variables: one line each, of at most 255 characters, none empty."""
        given = dict(enumerate(values, start=1))
        filled = {str(place): variable(given.get(place, "")) for place in self.places}
        return filled | {str(self.payload_place): payload}


def variable(text: str) -> str:
    """The text as a template's variable may be: no line break, tab or run of spaces (21656)."""
    return shorten(one_line(text), VARIABLE) or EMPTY


def locale_texts(kind: str, language: Language) -> tuple[str, str]:
    """Body and button of the template, from `template-<kind>` and `template-<kind>-button`.

    Raises MissingText for a kind that has no text.
    """
    places = {name: f"{{{{{n}}}}}" for n, name in enumerate(_ARGUMENTS, start=1)}
    body = texts().say(language, T(f"template-{kind}", **places))
    return one_line(body), texts().say(language, T(f"template-{kind}-button"))
