"""`zhiyn rulebook show|set|unset`, ready for the command line."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Column, Table
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import local
from rules import rulebook as rules
from services import rulebook, territory
from services.rulebook import RuleView
from services.unit import Unit


async def show(session: AsyncSession, place: str | None, name: str | None) -> list[dict[str, Any]]:
    """The rules in force at this place, or one of them. Raises RuleWrong, UnknownPlace."""
    if name is not None:
        rules.described(name)
    if place is not None:
        await territory.get_place(session, place)
    found = await rulebook.show(session, place)
    return [as_json(view) for view in found if name in (None, view.name)]


async def history(session: AsyncSession, place: str | None, name: str) -> list[dict[str, Any]]:
    """What was decided of this rule for exactly this place, the newest first."""
    decided = await rulebook.history(session, place, name)
    return [
        {
            "rule": one.name,
            "value": None if one.value is None else rules.typed_words(name, one.value),
            "act": one.act,
            "from": local(one.set_at).isoformat(timespec="seconds"),
            "to": local(one.ended_at).isoformat(timespec="seconds") if one.ended_at else None,
            "by": str(one.set_by) if one.set_by else "command line",
        }
        for one in decided
    ]


async def decide(
    unit: Unit, name: str, typed: str | None, place: str | None, act: str
) -> dict[str, Any]:
    """Sets a value, or takes it back. Raises RuleWrong."""
    return as_json(await rulebook.decide(unit, name, typed, place, act))


def as_json(view: RuleView) -> dict[str, Any]:
    """One rule as `--json` prints it; values as `set` takes them."""
    return {
        "rule": view.name,
        "value": rules.written(view.name, view.value),
        "unit": rules.unit_words(view.name),
        "decided_at": view.place_code or ("installation" if view.act else None),
        "act": view.act,
        "since": local(view.set_at).isoformat(timespec="seconds") if view.set_at else None,
        "default": rules.written(view.name, view.default),
        "source": view.source,
    }


def table(shown: Sequence[dict[str, Any]]) -> Table:
    """For a reader: value and unit, where it was decided and by which act, default, source."""
    made = Table(Column("rule", no_wrap=True), "value", "decided", "default", "source")
    made.show_lines = True
    for one in shown:
        decided = f"{one['decided_at']}: {one['act']}" if one["act"] else "not decided"
        cells = (f"{one['value']} {one['unit']}", decided, one["default"], one["source"])
        made.add_row(one["rule"], *map(escape, cells))
    return made


def history_lines(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    """One line a decision, the newest first."""
    for one in found:
        until = f" until {one['to']}" if one["to"] else ", in force"
        value = one["value"] if one["value"] is not None else "back to the value from above"
        yield f"{value}  from {one['from']}{until}: {one['act']} ({one['by']})"
