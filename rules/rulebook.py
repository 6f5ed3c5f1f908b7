"""The rulebook: every number of the law and of local practice, with its default and its source.

A district's maslikhat approves the rules of gatherings (LAW, head), and regions differ: so each
value can be set for the installation or for a place, and the nearest place up the tree wins.
This module knows the values, their units and what is allowed; `services.rulebook` keeps them.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import time
from enum import StrEnum
from typing import Any

from rules.notices import NoticeKind

_HOUR = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_NINE_PM, _EIGHT_AM = time(21), time(8)


class Unit(StrEnum):
    """What a value counts."""

    YEARS = "years"
    CALENDAR_DAYS = "calendar-days"
    HOURS = "hours"
    PEOPLE = "people"
    TIMES = "times"
    CLOCK = "clock"  # local time of day, HH:MM
    KINDS = "kinds"  # some of NoticeKind


_UNITS = {
    Unit.YEARS: "years",
    Unit.CALENDAR_DAYS: "calendar days",
    Unit.HOURS: "hours",
    Unit.PEOPLE: "people",
    Unit.TIMES: "times",
    Unit.CLOCK: "local time of day",
    Unit.KINDS: "kinds of notices",
}


class RuleWrong(ValueError):
    """No such rule, or not a value for it; the text says what is allowed."""


def _rule(
    default: Any,
    unit: Unit,
    source: str,
    least: int = 0,
    most: int = 0,
    *,
    everywhere: bool = False,
) -> Any:
    """`least` and `most` are both allowed; `everywhere`: only for the whole installation."""
    about = {"unit": unit, "source": source, "least": least, "most": most}
    return field(default=default, metadata={**about, "everywhere": everywhere})


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The values that are in force at one place."""

    adult_age: int = _rule(
        18, Unit.YEARS, "S1 scheme 4: adults take part in gatherings; Civil Code art. 17", 16, 21
    )
    youngest_age: int = _rule(
        14, Unit.YEARS, "[ours] younger ones hear of it through their parents", 0, 18
    )
    oldest_age: int = _rule(
        120, Unit.YEARS, "[ours] an earlier date of birth is a slip of the thumb", 100, 150
    )
    people_on_a_phone: int = _rule(5, Unit.PEOPLE, "[ours] a family with one phone", 1, 20)
    move_cooling_off: int = _rule(
        90, Unit.CALENDAR_DAYS, "[ours] before a new place counts for votes", 0, 730
    )
    correction_window: int = _rule(
        24, Unit.HOURS, "[ours] after registering: another village or birthday mends a slip", 1, 720
    )
    join_tries: int = _rule(
        2,
        Unit.TIMES,
        "[ours] wrong dates of birth, then nobody is joined with that record for a while",
        1,
        10,
        everywhere=True,
    )
    join_rest: int = _rule(24, Unit.HOURS, "[ours] how long that while is", 1, 720, everywhere=True)
    merge_undo: int = _rule(
        30, Unit.CALENDAR_DAYS, "[ours] how long two joined people can be parted again", 1, 365
    )
    invitation_term: int = _rule(7, Unit.CALENDAR_DAYS, "[ours] of a one-time invitation", 1, 90)
    quiet_from: time = _rule(_NINE_PM, Unit.CLOCK, "DESIGN part 7")
    quiet_until: time = _rule(_EIGHT_AM, Unit.CLOCK, "DESIGN part 7")
    urgent_kinds: frozenset[NoticeKind] = _rule(
        frozenset({NoticeKind.URGENT}), Unit.KINDS, "DESIGN part 7: sent at night, never muted"
    )
    other_messenger_after: int = _rule(
        24, Unit.HOURS, "[ours] unread for so long, a notice goes to the other messenger", 1, 240
    )
    same_notice_within: int = _rule(
        24, Unit.HOURS, "[ours] the same text again is asked about", 0, 720
    )
    notice_waits: int = _rule(
        14,
        Unit.CALENDAR_DAYS,
        "[ours] a notice that waits for a person's own message is no news after so long",
        1,
        365,
    )
    whatsapp_people_a_day: int = _rule(
        250,
        Unit.PEOPLE,
        "Meta, messaging limits: unique people in 24 hours outside the window",
        1,
        1_000_000,
        everywhere=True,
    )


DEFAULTS = Rulebook()
NAMES = {one.name.replace("_", "-"): one for one in fields(Rulebook)}


# Values that only make sense together: the first may not exceed the second.
_ORDERED = (("youngest-age", "adult-age"), ("adult-age", "oldest-age"))
TOGETHER = frozenset(name for pair in _ORDERED for name in pair)


def described(name: str) -> Field[Any]:
    """What is known of a rule. Raises RuleWrong for a name that there is not, with the nearest
    one where it is near enough."""
    if name in NAMES:
        return NAMES[name]
    near = difflib.get_close_matches(name.lower().replace("_", "-"), NAMES, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(NAMES)}"
    raise RuleWrong(f"no rule {name}; {hint}")


def check_together(values: Rulebook) -> None:
    """Raises RuleWrong when values that depend on each other contradict each other."""
    for less, more in _ORDERED:
        low, high = (getattr(values, described(name).name) for name in (less, more))
        if low > high:
            raise RuleWrong(f"{less} ({low}) may not be more than {more} ({high})")


def read(name: str, typed: str) -> Any:
    """The value as it is stored, from what was typed. Raises RuleWrong.

    Whole numbers within their bounds, "21:00", or kinds of notices: "urgent,utilities".
    """
    about = described(name).metadata
    match about["unit"]:
        case Unit.CLOCK:
            return _clock(name, typed).strftime("%H:%M")
        case Unit.KINDS:
            return _kinds(name, typed)
    least, most = about["least"], about["most"]
    number = typed.strip()
    if not number.isdecimal() or len(number) > 9 or not least <= int(number) <= most:
        raise RuleWrong(f"{name}: a whole number from {least} to {most} ({unit_words(name)})")
    return int(number)


def unit_words(name: str) -> str:
    """What the value counts, in plain words for the operator."""
    return _UNITS[described(name).metadata["unit"]]


def typed_value(name: str, stored: Any) -> Any:
    """What the program reckons with: the stored value in its own type."""
    match described(name).metadata["unit"]:
        case Unit.CLOCK:
            return time.fromisoformat(stored)
        case Unit.KINDS:
            return frozenset(NoticeKind(kind) for kind in stored)
    return stored


def written(name: str, value: Any) -> str:
    """The value as `read` takes it."""
    match described(name).metadata["unit"]:
        case Unit.CLOCK:
            return f"{value:%H:%M}"
        case Unit.KINDS:
            return ",".join(sorted(value))
    return str(value)


def typed_words(name: str, stored: Any) -> str:
    """The stored value as `read` takes it."""
    return written(name, typed_value(name, stored))


def default(name: str) -> Any:
    """The value where nobody decided otherwise."""
    found = described(name).default
    if found is MISSING:
        raise RuleWrong(f"{name} has no default")
    return found


def rulebook(stored: Mapping[str, Any]) -> Rulebook:
    """The rulebook with these stored values, by name, in place of the defaults."""
    return Rulebook(
        **{described(name).name: typed_value(name, value) for name, value in stored.items()}
    )


def _clock(name: str, typed: str) -> time:
    found = _HOUR.fullmatch(typed.strip())
    if found is None:
        raise RuleWrong(f"{name}: a time of day, like 21:00")
    return time(int(found[1]), int(found[2]))


def _kinds(name: str, typed: str) -> list[str]:
    kinds = sorted({word.strip() for word in typed.split(",") if word.strip()})
    if unknown := set(kinds) - set(NoticeKind):
        raise RuleWrong(f"{name}: no kind {', '.join(sorted(unknown))}; {', '.join(NoticeKind)}")
    return kinds
