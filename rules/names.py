"""What a person's full name may look like, letters of any script, two words at least; when two
are the same name; which of its words is the given name."""

import re
import unicodedata
from enum import Enum

from core.names import fold, from_latin, tidy

LONGEST_NAME = 100  # characters
_WORD = re.compile(r"[^\W\d_]+(?:[-'‘’ʻʼ`´.][^\W\d_]*)*")
# What no given name ends in, after three letters or more ("Яков", "Лев" are names): folded.
_OF_A_FAMILY = re.compile(r".{3,}(?:ова?|ева?|[сц]кий|[сц]кая|вич|вна|чна|улы|кызы)")


class NameFault(Enum):
    """Why a full name does not do."""

    LONG = "long"
    LETTERS = "letters"
    ONE_WORD = "one-word"


def check_name(typed: str) -> str | NameFault:
    """The name with single spaces, or what is wrong with it. An apostrophe is a letter here."""
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if len(name) > LONGEST_NAME:
        return NameFault.LONG
    words = name.split(" ")
    if not name or not all(_WORD.fullmatch(word) for word in words):
        return NameFault.LETTERS
    if any(sign.isnumeric() and not sign.isalpha() for sign in name):  # "¹", "Ⅳ": letters to re
        return NameFault.LETTERS
    return NameFault.ONE_WORD if len(words) == 1 else name


def same_name(one: str, other: str) -> bool:
    """Is it the same full name, whatever the case, Қ or К for one letter, the order of words?"""
    return _words(one) == _words(other)


def given_name(full_name: str) -> str:
    """The given name, folded: the word after the surname, or the first one where that word is a
    surname or a patronymic and the first is not ("Серик Ахметов")."""
    return _plain(full_name)[given_at(full_name)]


def given_at(full_name: str) -> int:
    """Which of its words, from 0, is the given name."""
    of_a_family = [bool(_OF_A_FAMILY.fullmatch(word)) for word in _plain(full_name)]
    return 0 if len(of_a_family) == 1 or (of_a_family[1] and not of_a_family[0]) else 1


def _plain(full_name: str) -> list[str]:
    return [from_latin(word) for word in tidy(full_name).split()] or [""]


def _words(name: str) -> list[str]:
    return sorted(fold(tidy(name)).split())
