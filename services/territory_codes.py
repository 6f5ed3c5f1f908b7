"""The code of КАТО: what its groups say about a place's level and about the places above it.

Nine digits `ab cd ef hij`: oblast, district, okrug, settlement (НК РК 11-2025). A place lies in the
nearest place above it that has a row of its own. Three irregular cases exist, all of them urban
(type 1): a town of district significance without an office row (113820100 г.Атбасар), a district
in a city (151011100 район Астана in Актобе), a district of a city that is itself an oblast
(711110000 район Алматы in Астана). Everywhere else a missing row above is an error. A settlement
whose `ef` is zero belongs to no okrug (631000200 с.Ахмирово).
"""

import re

from models.territory import PlaceLevel

URBAN = "1"
TYPE_CODES = frozenset("01234")
REPUBLIC = "000000000"

_CODE = re.compile(r"[0-9]{9}")


def is_code(text: str) -> bool:
    """Whether the text is a code of КАТО: nine digits, an oblast named."""
    return _CODE.fullmatch(text) is not None and text[:2] != "00"


def level_of(code: str) -> PlaceLevel:
    """The level that the code's last group that is not zero stands for."""
    if code[6:] != "000":
        return PlaceLevel.SETTLEMENT
    if code[4:6] != "00":
        return PlaceLevel.SUB_DISTRICT
    return PlaceLevel.DISTRICT if code[2:4] != "00" else PlaceLevel.OBLAST


def oblast_of(code: str) -> str:
    """The code of the oblast, or of the city that is one."""
    return code[:2] + "0000000"


def above(code: str) -> list[str]:
    """The codes that the code itself names as places above it, nearest first."""
    shorter = (code[:6] + "000", code[:4] + "00000", oblast_of(code))
    return list(dict.fromkeys(other for other in shorter if other != code))


def may_skip(type_code: str) -> bool:
    """Whether a place of this type may lie under a place further up than its code names."""
    return type_code == URBAN
