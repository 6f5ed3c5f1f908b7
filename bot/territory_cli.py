"""`zhiyn territory import FILE` and `zhiyn territory show CODE`, ready for the command line."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from core.clock import local
from core.texts import Named
from models.territory import Place, PlaceHistory
from services.territory import PlaceCard, card, name_of
from services.territory_file import Problem
from services.territory_import import ImportReport, TerritoryRefused, import_territory
from services.territory_import import Progress as Report

Sessions = async_sessionmaker[AsyncSession]


async def import_file(
    sessions: Sessions,
    path: Path,
    now: datetime,
    progress: Report | None = None,
    force: bool = False,
) -> ImportReport:
    """Imports an edition of КАТО in one transaction. Raises TerritoryRefused; then nothing is."""
    async with sessions.begin() as session:
        return await import_territory(session, path, now, progress=progress, force=force)


async def import_with_bar(
    sessions: Sessions, path: Path, now: datetime, console: Console, force: bool = False
) -> ImportReport | None:
    """`import_file` with a progress bar, and its outcome in words; None when refused."""
    try:
        with _bar(console) as bar:
            task = bar.add_task(path.name, total=None)

            def show(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            report = await import_file(sessions, path, now, show, force)
    except TerritoryRefused as refused:
        for line in refusal_lines(refused.problems):
            console.print(line, markup=False, highlight=False)
        return None
    console.print(report_line(report), markup=False, highlight=False)
    return report


async def show(sessions: Sessions, code: str) -> dict[str, Any]:
    """All that is known of a place, as `--json` prints it. Raises UnknownPlace."""
    async with sessions() as session:
        return _as_json(await card(session, code))


def show_lines(shown: dict[str, Any]) -> Iterator[str]:
    """What `show` found, for a reader."""
    state = f"abolished {shown['abolished_at']}" if shown["abolished_at"] else "stands"
    yield f"{shown['code']}  {shown['level']}, {shown['kind']}, type {shown['type_code']}, {state}"
    for field in ("full", "path", "akim"):
        yield f"  kk  {shown[field]['kk']}"
        yield f"  ru  {shown[field]['ru']}"
    if shown["replaced_by"]:
        yield f"  merged into {shown['replaced_by']}"
    for title in ("above", "children"):
        yield f"{title}: {len(shown[title])}"
        yield from (f"  {p['code']}  {p['kk']} · {p['ru']}" for p in shown[title])
    for past in shown["history"]:
        yield f"  {past['at']} {past['change']}, before: {past['kk']} · {past['ru']}"


def report_line(report: ImportReport) -> str:
    """ "15594 new, 0 renamed, …"."""
    return ", ".join(f"{count} {name}" for name, count in asdict(report).items())


def refusal_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Every broken line with its reason."""
    yield f"Nothing was imported: {len(problems)} problem(s)."
    yield from (f"  {problem}" for problem in problems)


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console)


def _as_json(known: PlaceCard) -> dict[str, Any]:
    place = known.place
    return {
        "code": place.code,
        "level": place.level.value,
        "kind": place.kind.value,
        "type_code": place.type_code,
        "classifier": place.classifier,
        "abolished_at": _moment(place.abolished_at),
        "replaced_by": place.replaced_by,
        "full": _both(known.full),
        "path": _both(known.path),
        "akim": _both(known.akim),
        "above": [_brief(other) for other in known.above],
        "children": [_brief(other) for other in known.children],
        "history": [_past(past) for past in known.history],
    }


def _brief(place: Place) -> dict[str, str]:
    return {"code": place.code, **_both(name_of(place).full)}


def _past(past: PlaceHistory) -> dict[str, Any]:
    names = {"kk": past.old_name_kk, "ru": past.old_name_ru, "parent": past.old_parent_code}
    return {"at": _moment(past.changed_at), "change": past.change.value, **names}


def _both(name: Named) -> dict[str, str]:
    return {"kk": name.kk, "ru": name.ru}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else local(moment).isoformat(timespec="seconds")
