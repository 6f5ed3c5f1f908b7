"""What a person's full name may look like: letters of any script, two words at least."""

import re
import unicodedata
from enum import Enum

LONGEST_NAME = 100  # characters
_WORD = re.compile(r"[^\W\d_]+(?:[-'‘’ʻʼ`´.][^\W\d_]*)*")


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
    return NameFault.ONE_WORD if len(words) == 1 else name
