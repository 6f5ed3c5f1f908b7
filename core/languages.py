"""The two languages that everything is said in."""

from enum import StrEnum


class Language(StrEnum):
    """Kazakh, the state language, first; Russian."""

    KK = "kk"
    RU = "ru"

    @property
    def other(self) -> "Language":
        """The language that an official text needs besides this one."""
        return Language.RU if self is Language.KK else Language.KK
