"""Texts in Kazakh and Russian: Fluent files under locales/, dates, money, text keys with arguments.

A text is named, never written in code: `T("village-ask", name=...)`. Arguments that are texts
themselves are put into words first, in the same language.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from babel.dates import format_date, format_datetime
from fluent.runtime import FluentBundle, FluentResource, resolver
from fluent.runtime.types import fluent_number

from core.clock import local, local_date
from core.languages import Language

LOCALES = Path(__file__).resolve().parent.parent / "locales"

# Its guard against hostile texts stops at 2,500 characters of an argument; the texts are ours,
# and two notices of 3,000 have to be shown.
resolver.MAX_PART_LENGTH = 20_000

_DAY = {Language.KK: "y 'жылғы' d MMMM, EEEE", Language.RU: "d MMMM y 'года', EEEE"}
_HOUR = {Language.KK: ", 'сағат' HH:mm", Language.RU: ", HH:mm"}


class MissingText(KeyError):
    """No such text in this language, or it needs an argument that was not given."""


@dataclass(frozen=True, slots=True)
class Named:
    """A name with its form in both languages (a place, an office); not inflected."""

    kk: str
    ru: str

    def in_(self, language: Language) -> str:
        """The name in this language."""
        return self.kk if language is Language.KK else self.ru


@dataclass(frozen=True, slots=True, init=False)
class T:
    """A text by its key, with arguments: put into words in the reader's language."""

    key: str
    args: Mapping[str, "Argument"]

    def __init__(self, key: str, /, **args: "Argument") -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "args", args)


@dataclass(frozen=True, slots=True)
class Joined:
    """Several texts, one after the other."""

    parts: "Sequence[Words]"
    between: str = "\n"


@dataclass(frozen=True, slots=True)
class Near:
    """A moment or a day as it is called today: "завтра, 9:00", "ертең, сағат 9:00"."""

    at: date | datetime
    now: datetime


Words = T | Named | Joined | str
Argument = Words | int | float | date | datetime | Near


class Texts:
    """All texts of both languages, read once at start."""

    def __init__(self, folder: Path = LOCALES) -> None:
        self._bundles = {language: _bundle(folder, language) for language in Language}
        self._plain: dict[tuple[Language, str], str] = {}  # texts without arguments, said before

    def say(self, language: Language, text: Words) -> str:
        """The text in words. A plain string (a name, somebody's own words) stays as it is.

        Raises MissingText for an unknown key or a missing argument: a text is complete or wrong.
        """
        if isinstance(text, str):
            return text
        if isinstance(text, Named):
            return text.in_(language)
        if isinstance(text, Joined):
            return text.between.join(self.say(language, part) for part in text.parts)
        if text.args:
            return self._spoken(language, text)
        known = self._plain.get((language, text.key))
        if known is None:
            known = self._plain[language, text.key] = self._spoken(language, text)
        return known

    def _spoken(self, language: Language, text: T) -> str:
        bundle = self._bundles[language]
        if not bundle.has_message(text.key):
            raise MissingText(f"{language}: {text.key}")
        pattern = bundle.get_message(text.key).value
        if pattern is None:
            raise MissingText(f"{language}: {text.key} has no value")
        args = {name: self._argument(language, value) for name, value in text.args.items()}
        spoken, errors = bundle.format_pattern(pattern, args)
        if errors:
            raise MissingText(f"{language}: {text.key}: {errors}")
        return str(spoken)

    def keys(self, language: Language) -> set[str]:
        """The keys of all texts of this language (for the test of completeness)."""
        return set(self._bundles[language]._messages)

    def _argument(self, language: Language, value: Argument) -> object:
        match value:
            case T() | Named() | Joined() | str():
                return self.say(language, value)
            case Near():
                return _near(value, language)
            case datetime():
                return moment_in_words(value, language)
            case date():
                return day_in_words(value, language)
            case int() | float():
                return fluent_number(value, useGrouping=False)


@lru_cache(maxsize=1)
def texts() -> Texts:
    """The texts of this installation."""
    return Texts()


def day_in_words(day: date, language: Language) -> str:
    """ "2026 жылғы 20 қараша, жұма" · "20 ноября 2026 года, пятница"."""
    return format_date(day, _DAY[language], locale=language.value)


def moment_in_words(moment: datetime, language: Language) -> str:
    """ "2026 жылғы 20 қараша, жұма, сағат 18:00" · "20 ноября 2026 года, пятница, 18:00"."""
    return format_datetime(
        local(moment).replace(tzinfo=None), _DAY[language] + _HOUR[language], locale=language.value
    )


def day_or_near(day: date, today: date, language: Language) -> str:
    """The day in words; today, tomorrow and yesterday are called so."""
    near = {
        0: ("бүгін", "сегодня"),
        1: ("ертең", "завтра"),
        -1: ("кеше", "вчера"),
    }.get((day - today) // timedelta(days=1))
    if near is None:
        return day_in_words(day, language)
    return near[0] if language is Language.KK else near[1]


def _near(near: Near, language: Language) -> str:
    today = local_date(near.now)
    if not isinstance(near.at, datetime):
        return day_or_near(near.at, today, language)
    at = local(near.at)
    hour = format_datetime(at.replace(tzinfo=None), _HOUR[language], locale=language.value)
    return day_or_near(at.date(), today, language) + hour


def tenge(amount: int) -> str:
    """ "15 200 000 ₸", with spaces that do not break."""
    return f"{amount:,}".replace(",", "\N{NO-BREAK SPACE}") + "\N{NO-BREAK SPACE}₸"


def _bundle(folder: Path, language: Language) -> FluentBundle:
    bundle = FluentBundle([str(language)], use_isolating=False)
    for path in sorted((folder / language).glob("*.ftl")):
        bundle.add_resource(FluentResource(path.read_text(encoding="utf-8")))
    return bundle
