"""The two languages that everything is said in."""

import re
from enum import StrEnum

_WORD = re.compile("[а-яёәғқңөұүһі]{2,}")
_KAZAKH = re.compile("[әғқңөұүһі]")
_ENOUGH = 5  # words: fewer, a name or a date, tell nothing
_FOREIGN = 0.2  # of the words: more than the names of places and people in a Russian text


class Language(StrEnum):
    """Kazakh, the state language, first; Russian."""

    KK = "kk"
    RU = "ru"

    @property
    def other(self) -> "Language":
        """The language that an official text needs besides this one."""
        return Language.RU if self is Language.KK else Language.KK


def may_be(text: str, language: Language) -> bool:
    """Can this be a text in that language? No, for a Russian one in which many words have Kazakh
    letters, and for a Kazakh one without any."""
    words = _WORD.findall(text.lower())
    if len(words) < _ENOUGH:
        return True
    kazakh = sum(bool(_KAZAKH.search(word)) for word in words)
    return kazakh > 0 if language is Language.KK else kazakh <= _FOREIGN * len(words)
