"""`zhiyn doctor`: is everything as it should be, and what has failed?"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.command import clock_of, unit_of
from bot.database import Database, pending
from core.clock import local
from core.settings import Settings, SettingsWrong, check_to_serve
from services import audit, dead_letters, installation

KAZAKHSTAN = timedelta(hours=5)  # one zone since 01.03.2024


async def examine(database: Database, settings: Settings, *, replay: bool) -> dict[str, Any]:
    """A line for every check; `healthy` is true when none found fault."""
    found: dict[str, Any] = {"settings": _settings(settings), "time zone": _zone()}
    async with database.work.connect() as connection:
        version = await connection.scalar(text("SHOW server_version"))
        behind = await pending(connection)
    found["database"] = f"PostgreSQL {version}"
    found["migrations"] = "pending: run zhiyn migrate" if behind else "ok"
    if not behind:
        found |= await _inside(database, settings, replay=replay)
    bad = [name for name, value in found.items() if _is_fault(name, value)]
    return {**found, "healthy": not bad}


async def _inside(database: Database, settings: Settings, *, replay: bool) -> dict[str, Any]:
    async with unit_of(database, settings) as unit:
        accounts = await installation.accounts(unit.session, unit.keyring)
        letters = await dead_letters.waiting(unit)
    async with AsyncSession(database.work) as session:
        chain = await audit.verify(session)
        waiting = await session.scalar(text("SELECT count(*) FROM delivery WHERE outcome IS NULL"))
    found: dict[str, Any] = {
        "keys": "ok",
        "accounts": ", ".join(account.channel for account in accounts) or "none",
        "clock offset": str((await clock_of(database)).offset),
        "audit chain": (
            f"ok, {chain.sealed} sealed, {chain.waiting} waiting"
            if chain.broken_at is None
            else f"broken at {chain.broken_at}"
        ),
        "messages waiting": waiting or 0,
        "failed updates": [f"{one.created_at:%Y-%m-%d %H:%M} {one.error}" for one in letters],
    }
    if replay and letters:
        found["replayed"] = await _replay(database, settings, letters)
        found["failed updates"] = found["failed updates"][found["replayed"] :]
    return found


async def _replay(
    database: Database, settings: Settings, letters: list[dead_letters.Letter]
) -> int:
    """Deals with the kept updates again, the oldest first; stops at the first that fails."""
    import dataclasses

    from bot.app import make_app
    from bot.engine import from_dict

    app = await make_app(settings, database, seed=False)
    done = 0
    for letter in letters:
        incoming = dataclasses.replace(
            from_dict(letter.update), external_ids=(f"replay:{letter.id}",)
        )
        if not await app.engine.replay(incoming):
            break
        async with unit_of(database, settings) as unit:
            await dead_letters.replayed(unit, letter.id)
        done += 1
    return done


def _settings(settings: Settings) -> str:
    try:
        check_to_serve(settings)
    except SettingsWrong as wrong:
        return "; ".join(wrong.lines)
    return "ok"


def _zone() -> str:
    """The tz database has to know that Kazakhstan has one zone, UTC+5, since 01.03.2024."""
    there = local(datetime(2026, 7, 1, tzinfo=UTC)).utcoffset()
    return "ok" if there == KAZAKHSTAN else f"Asia/Almaty is UTC+{there}: update tzdata"


def _is_fault(name: str, value: Any) -> bool:
    match name:
        case "settings" | "time zone" | "migrations" | "keys":
            return bool(value != "ok")
        case "audit chain":
            return not str(value).startswith("ok")
        case "failed updates":
            return bool(value)
    return False
