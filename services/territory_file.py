"""Reads a file of КАТО: our CSV, or the workbook of the Bureau of National Statistics.

CSV: `kato,kato_version,level,type_code,name_ru,name_kk` and, where wanted, `replaced_by`.
Workbook: `te,ab,cd,ef,hij,k,name_kaz,name_rus,nn`: te the code, a number or text; ab, cd, ef, hij
its groups; k the type; nn is the Bureau's own and not read. Every broken line is reported.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from core.names import tidy
from models.territory import PlaceLevel
from services.territory_codes import REPUBLIC, TYPE_CODES, is_code, level_of

Cells = dict[str, object]

HEADER_WITHIN = 20  # lines above the workbook's header: titles and remarks
CSV_COLUMNS = ("kato", "type_code", "name_ru", "name_kk")
XLSX_COLUMNS = ("te", "k", "name_rus", "name_kaz")
_GROUPS = {"ab": (0, 2), "cd": (2, 4), "ef": (4, 6), "hij": (6, 9)}


class Reason(StrEnum):
    """Why a line, or the whole file, cannot be imported."""

    UNREADABLE = "the file cannot be read"
    NO_HEADER = "columns are missing"
    NO_ROWS = "the file has no places"
    BAD_CODE = "the code is not nine digits with an oblast"
    BAD_GROUPS = "the groups ab, cd, ef, hij differ from the code"
    BAD_LEVEL = "the level differs from what the code says"
    BAD_TYPE = "the type is none of 0, 1, 2, 3, 4"
    NO_NAME = "a name is missing"
    TWICE = "the code stands in the file twice"
    ORPHAN = "the place above it is missing or abolished"
    BAD_SUCCESSOR = "replaced_by names no place that stands"
    TOO_MANY_VANISH = "too many known places are missing from the file (--force accepts it)"


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason with its line (0: the file as a whole) and what was found there."""

    line: int
    reason: Reason
    found: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.reason}" + (f": {self.found}" if self.found else "")


@dataclass(frozen=True, slots=True)
class Row:
    """A place as the file has it, names tidied."""

    line: int
    code: str
    level: PlaceLevel
    type_code: str
    name_ru: str
    name_kk: str
    classifier: str | None = None
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True)
class TerritoryFile:
    """All that a file says, and all that is wrong with its lines."""

    rows: Sequence[Row]
    problems: Sequence[Problem]
    broken: frozenset[str] = frozenset()  # codes whose own line is wrong


def read_territory(path: Path) -> TerritoryFile:
    """Reads .csv or .xlsx by its content. Raises nothing: what is wrong is among the problems."""
    try:
        lines = _workbook(path) if _is_workbook(path) else _csv(path)
        return _checked(lines)
    except _Unreadable as wrong:
        return TerritoryFile([], [wrong.problem])
    except (OSError, UnicodeDecodeError, BadZipFile, InvalidFileException, KeyError) as error:
        return TerritoryFile([], [Problem(0, Reason.UNREADABLE, str(error))])


class _Unreadable(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _is_workbook(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _csv(path: Path) -> list[tuple[int, Cells]]:
    text = path.read_text(encoding="utf-8-sig")
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = _header(next(reader, []))
    _require(header, CSV_COLUMNS, 1)
    return [(reader.line_num, _cells(header, values)) for values in reader if any(values)]


def _workbook(path: Path) -> list[tuple[int, Cells]]:
    workbook = load_workbook(path, read_only=True, data_only=True)
    try:
        for sheet in workbook.worksheets:
            rows = enumerate(sheet.iter_rows(values_only=True), start=1)
            for _, values in islice(rows, HEADER_WITHIN):
                if set(XLSX_COLUMNS) <= set(header := _header(values)):
                    return list(_workbook_lines(header, rows))
    finally:
        workbook.close()
    raise _Unreadable(Problem(0, Reason.NO_HEADER, f"no sheet has {', '.join(XLSX_COLUMNS)}"))


def _workbook_lines(
    header: list[str], rows: Iterable[tuple[int, tuple[object, ...]]]
) -> Iterator[tuple[int, Cells]]:
    for line, values in rows:
        if any(value not in (None, "") for value in values):
            yield line, _from_bureau(_cells(header, values))


def _from_bureau(cells: Cells) -> Cells:
    """The Bureau's columns under our names. A number has lost its leading zeros."""
    groups = {
        group: _digits(cells[group], end - start)
        for group, (start, end) in _GROUPS.items()
        if cells.get(group) not in (None, "")
    }
    return {
        **{name: cells[name] for name in ("replaced_by", "kato_version", "level") if name in cells},
        "kato": _digits(cells.get("te"), 9),
        "groups": groups,
        "type_code": _digits(cells.get("k"), 1),
        "name_ru": cells.get("name_rus"),
        "name_kk": cells.get("name_kaz"),
    }


def _digits(value: object, width: int) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).zfill(width) if isinstance(value, int) else _text(value)


def _header(values: Iterable[object]) -> list[str]:
    return [_text(value).lower() for value in values]


def _require(header: list[str], columns: Sequence[str], line: int) -> None:
    missing = [column for column in columns if column not in header]
    if missing:
        raise _Unreadable(Problem(line, Reason.NO_HEADER, ", ".join(missing)))


def _cells(header: list[str], values: Iterable[object]) -> Cells:
    return dict(zip(header, values, strict=False))


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _checked(lines: Iterable[tuple[int, Cells]]) -> TerritoryFile:
    rows: list[Row] = []
    problems: list[Problem] = []
    broken: set[str] = set()
    for line, cells in lines:
        if _text(cells["kato"]) == REPUBLIC:
            continue
        found = list(_problems(line, cells))
        problems += found
        if found:
            broken.add(_text(cells["kato"]))
        else:
            rows.append(_row(line, cells))
    problems += _repeated(rows)
    if not rows and not problems:
        problems.append(Problem(0, Reason.NO_ROWS))
    return TerritoryFile(rows, problems, frozenset(broken))


def _problems(line: int, cells: Cells) -> Iterator[Problem]:
    code = _text(cells["kato"])
    if not is_code(code):
        yield Problem(line, Reason.BAD_CODE, repr(code))
        return
    groups = cells.get("groups", {})
    assert isinstance(groups, dict)
    if any(
        code[start:end] != groups.get(g, code[start:end]) for g, (start, end) in _GROUPS.items()
    ):
        yield Problem(line, Reason.BAD_GROUPS, f"{code} and {' '.join(groups.values())}")
    level = _text(cells.get("level"))
    if level and level != level_of(code):
        yield Problem(line, Reason.BAD_LEVEL, f"{code} is a {level_of(code)}, not a {level}")
    if _text(cells.get("type_code")) not in TYPE_CODES:
        yield Problem(line, Reason.BAD_TYPE, f"{code}: {_text(cells.get('type_code'))!r}")
    for column in ("name_ru", "name_kk"):
        if not tidy(_text(cells.get(column))):
            yield Problem(line, Reason.NO_NAME, f"{code}: {column}")


def _row(line: int, cells: Cells) -> Row:
    code = _text(cells["kato"])
    return Row(
        line=line,
        code=code,
        level=level_of(code),
        type_code=_text(cells["type_code"]),
        name_ru=tidy(_text(cells["name_ru"])),
        name_kk=tidy(_text(cells["name_kk"])),
        classifier=_text(cells.get("kato_version")) or None,
        replaced_by=_digits(cells.get("replaced_by"), 9) or None,
    )


def _repeated(rows: Iterable[Row]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for row in rows:
        if row.code in first:
            yield Problem(row.line, Reason.TWICE, f"{row.code}, first in line {first[row.code]}")
        first.setdefault(row.code, row.line)
