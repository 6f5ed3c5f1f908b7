"""`zhiyn doctor`: is everything as it should be, and what has failed?"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import doctor_channels
from bot.checks import Check, State, fault, fine, look
from bot.clockwork import LEADER_LOCK
from bot.command import clock_of, unit_of
from bot.database import Database, DatabaseNewer, pending
from core.clock import local
from core.crypto import SealBroken
from core.languages import Language
from core.settings import Settings, SettingsWrong, check_to_serve
from services import audit, content_templates, dead_letters, due, installation
from services.content_templates import Remembered, Slot
from services.dead_letters import Letter
from services.installation import AccountView
from services.unit import Unit

KAZAKHSTAN = timedelta(hours=5)  # one zone since 01.03.2024
OLDEST_SERVER = 150_000  # PostgreSQL 15, as server_version_num
LATE = timedelta(minutes=5)  # what was due so long ago and is not done: nobody does it
LISTED = 20  # failed updates
# What is paused waits for its author. A notice may take hours: as long as those that stand before
# it are being sent, its turn comes; a reply that is late is late.
_WAITING = """
WITH going AS (
    SELECT account_id, priority, min(seq) AS first FROM delivery
    WHERE finished_at >= :late AND attempts > 0 AND priority > 0 GROUP BY 1, 2
)
SELECT count(*) AS waiting, min(d.created_at) AS oldest, count(*) FILTER (
    WHERE d.not_before < :late AND (d.claimed_until IS NULL OR d.claimed_until < :late)
      AND d.waiting_for IS DISTINCT FROM 'paused' AND coalesce(d.seq < going.first, true)) AS stuck
FROM delivery AS d LEFT JOIN going USING (account_id, priority) WHERE d.outcome IS NULL
"""


@dataclass(frozen=True, slots=True)
class Findings:
    """All checks, the updates that failed, how many of them were dealt with now, and which were
    skipped for good, because who wrote them has left."""

    checks: list[Check]
    failed: list[str]
    replayed: int | None = None
    skipped: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        made: dict[str, Any] = {
            "healthy": not any(check.state is State.FAULT for check in self.checks),
            "checks": [dataclasses.asdict(check) for check in self.checks],
            "failed updates": self.failed,
        }
        if self.replayed is None:
            return made
        return {**made, "replayed": self.replayed, "skipped": self.skipped}


def lines(found: dict[str, Any]) -> Iterator[str]:
    """What `examine` found, one plain line each, faults with what to do."""
    for check in found["checks"]:
        yield Check(**check).line()
    yield from (f"       {one}" for one in found["failed updates"])
    if "replayed" in found:
        yield f"{found['replayed']} dealt with again."
        for one in found["skipped"]:
            yield f"Skipped, who wrote it is not behind that chat any more: {one}"
    yield "Healthy." if found["healthy"] else "Not healthy: see the faults above."


async def examine(database: Database, settings: Settings, *, replay: bool) -> dict[str, Any]:
    """A line for every check; `healthy` is true when none found fault. Every platform that is
    set up is asked once; nothing is changed, except by `replay`."""
    checks = [_settings(settings), _zone()]
    async with database.work.connect() as connection:
        checks += await _server(connection)
        migrations = await _migrations(connection)
    checks.append(migrations)
    if migrations.state is State.FAULT:
        return Findings(checks, []).as_json()
    try:
        async with unit_of(database, settings) as unit:
            letters = await dead_letters.waiting(unit)
            checks += [fine("keys", "they open"), *await _inside(unit, database, settings)]
    except (SealBroken, SettingsWrong):
        wrong = fault("keys", "SECRET_KEY does not open them", "See operator.md part 13")
        return Findings([*checks, wrong], []).as_json()
    if not replay or not letters:
        failed = [_named(one) for one in letters]
        return Findings([*checks, _letters(failed)], failed[:LISTED]).as_json()
    replayed, skipped = await _replay(database, settings, letters)
    failed = [_named(one) for one in letters[replayed + len(skipped) :]]
    checks.append(_letters(failed))
    return Findings(checks, failed[:LISTED], replayed, skipped).as_json()


# The machine, the server


def _settings(settings: Settings) -> Check:
    try:
        check_to_serve(settings)
    except SettingsWrong as wrong:
        return fault("settings", "; ".join(wrong.lines), "Mend them in .env")
    return fine("settings", "complete")


def _zone() -> Check:
    """The tz database has to know that Kazakhstan has one zone, UTC+5, since 01.03.2024."""
    there = local(datetime(2026, 7, 1, tzinfo=UTC)).utcoffset()
    if there == KAZAKHSTAN:
        return fine("time zone", "Kazakhstan is UTC+5")
    return fault("time zone", f"Kazakhstan is UTC+{there}", "Update tzdata; look at TIMEZONE")


async def _server(connection: AsyncConnection) -> list[Check]:
    version = str(await connection.scalar(text("SHOW server_version")))
    number = int(str(await connection.scalar(text("SHOW server_version_num"))))
    encoding = str(await connection.scalar(text("SHOW server_encoding")))
    if number < OLDEST_SERVER:
        return [fault("database", f"PostgreSQL {version}", "15 or newer is needed")]
    if encoding != "UTF8":
        advice = "Make it anew: createdb --encoding UTF8"
        return [fault("database", f"PostgreSQL {version}, {encoding}", advice)]
    return [fine("database", f"PostgreSQL {version}, UTF8")]


async def _migrations(connection: AsyncConnection) -> Check:
    try:
        behind = await pending(connection)
    except DatabaseNewer:
        advice = "Install the newer Zhiyn"
        return fault("migrations", "the database is newer than the program", advice)
    if behind:
        return fault("migrations", "pending", "Run: zhiyn migrate")
    return fine("migrations", "all done")


# The installation


async def _inside(unit: Unit, database: Database, settings: Settings) -> list[Check]:
    leading = await _is_led(unit)
    stored = await installation.accounts(unit.session, unit.keyring)
    made = await _templates(unit, settings, stored)
    return [
        _leader(leading=leading),
        _accounts(settings, stored),
        *await doctor_channels.examine(settings, made, leader=leading),
        await _clock(database),
        await _chain(unit),
        await _outbox(unit),
        await _due(unit),
    ]


async def _is_led(unit: Unit) -> bool:
    held = await unit.session.scalar(
        text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND classid = 0 AND objid = :key AND objsubid = 1"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ),
        {"key": LEADER_LOCK},
    )
    return bool(held)


def _leader(*, leading: bool) -> Check:
    if leading:
        return fine("leader", "a process runs the clock")
    return fault("leader", "nobody runs the clock", "Start zhiyn serve")


async def _templates(
    unit: Unit, settings: Settings, stored: Sequence[AccountView]
) -> dict[tuple[str, Language], Remembered]:
    """What is remembered of the templates of today's wording, by kind and language."""
    sender = settings.twilio_whatsapp_from
    made: dict[tuple[str, Language], Remembered] = {}
    account = next((one.id for one in stored if one.sender == sender), None)
    if account is None:
        return made
    for kind in doctor_channels.template_kinds():
        for language in Language:
            slot = Slot(account, kind, language, doctor_channels.template_key(kind, language))
            if found := await content_templates.find(unit.session, slot):
                made[kind, language] = found
    return made


def _accounts(settings: Settings, stored: Sequence[AccountView]) -> Check:
    """Are the bot and the sender of the settings those that are stored?"""
    token, sender = settings.telegram_token, settings.twilio_whatsapp_from
    named = {token.partition(":")[0] if token else None, sender} - {None}
    if named == {one.sender for one in stored}:
        return fine("accounts", ", ".join(one.channel for one in stored) or "none")
    advice = "Restart zhiyn serve: it takes them over from the settings"
    return look("accounts", "the stored ones are not those of the settings", advice)


async def _clock(database: Database) -> Check:
    offset = (await clock_of(database)).offset
    if not offset:
        return fine("clock offset", "none")
    return fault("clock offset", str(offset), "Only the demo moves its clock: is this its data?")


async def _chain(unit: Unit) -> Check:
    chain = await audit.verify(unit.session)
    if chain.broken_at is None:
        return fine("audit chain", f"whole, {chain.sealed} sealed, {chain.waiting} waiting")
    advice = "A row was changed or removed behind the program's back: operator.md part 10"
    return fault("audit chain", f"broken at {chain.broken_at}", advice)


async def _outbox(unit: Unit) -> Check:
    row = (await unit.session.execute(text(_WAITING), {"late": unit.now - LATE})).one()
    if not row.waiting:
        return fine("messages", "none waiting")
    told = f"{row.waiting} waiting, the oldest for {_age(unit.now - row.oldest)}"
    if row.stuck:
        told = f"{told}, {row.stuck} of them should be sent by now"
        return fault("messages", told, "Is zhiyn serve running? Does the messenger answer?")
    return fine("messages", told)


async def _due(unit: Unit) -> Check:
    late, given_up = await due.overdue(unit, LATE), await due.given_up(unit)
    if late:
        return fault("due", f"{late} overdue", "Is zhiyn serve running? See due-failed in its log")
    if given_up:
        told = f"{given_up} given up in the last 30 days"
        return look("due", told, "See due-given-up in the log of zhiyn serve")
    return fine("due", "nothing overdue")


def _letters(failed: list[str]) -> Check:
    if not failed:
        return fine("failed updates", "none")
    advice = "After the upgrade that mends it: zhiyn doctor --replay"
    return fault("failed updates", str(len(failed)), advice)


def _named(letter: Letter) -> str:
    return f"{letter.created_at:%Y-%m-%d %H:%M} {letter.error}"


async def _replay(
    database: Database, settings: Settings, letters: list[Letter]
) -> tuple[int, list[str]]:
    """Deals with the kept updates again, the oldest first; stops at the first that fails. (How
    many had their effect, those whose writer is gone.)"""
    from bot.app import make_app
    from bot.engine import Received

    app = await make_app(settings, database, seed=False)
    done, skipped = 0, list[str]()
    for letter in letters:
        became = await app.engine.replay(letter)
        if became is Received.FAILED:
            break
        async with unit_of(database, settings) as unit:
            await dead_letters.replayed(unit, letter.id)
        if became is Received.GONE:
            skipped.append(_named(letter))
        else:
            done += 1
    return done, skipped


def _age(span: timedelta) -> str:
    """ "3 days", "5 h", "12 min"."""
    if span >= timedelta(days=1):
        return f"{span.days} days"
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes >= 60 else f"{minutes} min"
