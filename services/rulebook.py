"""The rulebook's values: set for the installation or a place, inherited down the tree, kept.

Who wants a value asks `of(session, place)`; what a procedure runs under is frozen with it when
it opens (invariant 4).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from models.rulebook import Rule
from rules import rulebook
from rules.rulebook import Rulebook, RuleWrong
from services.territory import ancestors, find_place
from services.unit import Unit

LONGEST_ACT = 300  # characters
DECIDER = 7_100_005  # advisory lock: two decisions are taken one after the other


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule at one place: its value, and where that comes from."""

    name: str
    value: Any
    unit: str
    default: Any
    source: str
    place_code: str | None  # where it was decided; None with an act: the installation
    act: str | None  # None: nobody decided otherwise, the default holds
    set_at: datetime | None


async def of(session: AsyncSession, place_code: str | None) -> Rulebook:
    """The values in force at this place; without a place those of the installation."""
    standing = await _standing(session, place_code)
    return rulebook.rulebook({name: rule.value for name, rule in standing.items()})


async def show(session: AsyncSession, place_code: str | None) -> list[RuleView]:
    """Every rule as it stands at this place, with the act that decided it."""
    standing = await _standing(session, place_code)
    return [_view(name, standing.get(name)) for name in rulebook.NAMES]


async def history(session: AsyncSession, place_code: str | None, name: str) -> Sequence[Rule]:
    """What was decided for exactly this place, the newest first. Raises RuleWrong."""
    rulebook.described(name)
    found = await session.scalars(
        select(Rule)
        .where(Rule.place_code.is_not_distinct_from(place_code), Rule.name == name)
        .order_by(Rule.set_at.desc(), Rule.id.desc())
    )
    return found.all()


async def decide(
    unit: Unit, name: str, typed: str | None, place_code: str | None, act: str
) -> RuleView:
    """Sets a value for a place and everything in it; None: back to the value from above.

    Procedures that are open keep theirs. Raises RuleWrong, and changes nothing: no such rule, not
    a value for it, no act, no such place, a rule of the installation set for a place, nothing to
    go back from, a contradiction to another value here or at a place below.
    """
    about, act = rulebook.described(name).metadata, _checked_act(act)
    value = None if typed is None else rulebook.read(name, typed)
    if place_code is not None and about["everywhere"]:
        raise RuleWrong(f"{name}: only for the whole installation, without a place")
    if place_code is not None and await _is_gone(unit.session, place_code):
        raise RuleWrong(f"no place {place_code}, or it is abolished")
    async with unit.session.begin_nested():
        await unit.session.execute(text(f"SELECT pg_advisory_xact_lock({DECIDER})"))
        row = await _replace(unit, name, value, place_code, act)
        if name in rulebook.TOGETHER:
            await _check_together(unit.session)
    unit.audit("rule-set", row.id, rule=name, place=place_code, value=value)
    return _view(name, (await _standing(unit.session, place_code)).get(name))


def _checked_act(act: str) -> str:
    act = " ".join(act.split())
    if not re.search(r"\d", act) or not re.search(r"[^\W\d]{3}", act) or len(act) > LONGEST_ACT:
        raise RuleWrong(
            "act: which decision says so? Its body, date and number, up to 300 characters, like"
            ' "Решение Кызылжарского районного мәслихата от 12.03.2024 № 15/3"'
        )
    return act


async def _is_gone(session: AsyncSession, place_code: str) -> bool:
    place = await find_place(session, place_code)
    return place is None or place.abolished_at is not None


async def _replace(unit: Unit, name: str, value: Any, place_code: str | None, act: str) -> Rule:
    """Ends what stood for exactly this place, and puts the new value there."""
    before = await unit.session.scalar(
        select(Rule).where(
            Rule.place_code.is_not_distinct_from(place_code),
            Rule.name == name,
            Rule.ended_at.is_(None),
        )
    )
    if value is None and (before is None or before.value is None):
        raise RuleWrong(f"{name}: nothing is decided there that could be taken back")
    if before is not None:
        before.ended_at = unit.now
        await unit.session.flush()
    row = Rule(
        id=unit.new_id(),
        place_code=place_code,
        name=name,
        value=value,
        act=act,
        set_at=unit.now,
        set_by=unit.actor,
    )
    unit.session.add(row)
    await unit.session.flush()
    return row


async def _check_together(session: AsyncSession) -> None:
    """Raises RuleWrong when values contradict each other anywhere: those that depend on each
    other may be decided at different places of the same path."""
    places = await session.scalars(
        select(Rule.place_code)
        .where(Rule.ended_at.is_(None), Rule.name.in_(rulebook.TOGETHER))
        .distinct()
    )
    for place in {None, *places}:
        try:
            rulebook.check_together(await of(session, place))
        except RuleWrong as wrong:
            where = f" at {place}" if place else ""
            raise RuleWrong(f"{wrong}{where}") from None


async def _standing(session: AsyncSession, place_code: str | None) -> dict[str, Rule]:
    """The deciding row of each rule: the nearest place up the tree, then the installation."""
    above = [place_code, *(place.code for place in await ancestors(session, place_code))] if (
        place_code
    ) else []  # fmt: skip
    near = {code: distance for distance, code in enumerate(above)}
    rows = await session.scalars(
        select(Rule).where(
            Rule.ended_at.is_(None), Rule.place_code.is_(None) | Rule.place_code.in_(above)
        )
    )
    decided: dict[str, Rule] = {}
    for row in sorted(rows, key=lambda row: near.get(row.place_code or "", len(near))):
        if row.value is not None and row.name in rulebook.NAMES:
            decided.setdefault(row.name, row)
    return decided


def _view(name: str, row: Rule | None) -> RuleView:
    about, fallback = rulebook.described(name).metadata, rulebook.default(name)
    return RuleView(
        name,
        rulebook.typed_value(name, row.value) if row else fallback,
        about["unit"],
        fallback,
        about["source"],
        row.place_code if row else None,
        row.act if row else None,
        row.set_at if row else None,
    )
