"""One thing that cannot be done stops nothing else that the clock does."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from support.database import TestDatabase, until

from bot.clockwork import Clockwork
from core.clock import FrozenClock
from services import audit, due, files, live
from services.due import DueRow
from services.unit import Unit
from tests.services.conftest import Settler
from tests.services.test_notices_in_depth import Office, claim, office, rows, settle_all

__all__ = ["office"]


class Ticking:
    """A clock whose row `bad` is overdue before the row `fine`."""

    def __init__(self, db: TestDatabase, bad: due.Handler) -> None:
        self.db, self.clock = db, FrozenClock()
        db.clock = self.clock
        self.did: list[str] = []
        self.work = Clockwork(
            db.database, db.keyring, self.clock, lambda: None,
            handlers={"bad": bad, "fine": self.do},
        )  # fmt: skip

    async def do(self, unit: Unit, row: DueRow) -> None:
        self.did.append(row.kind)

    async def plan(self) -> None:
        async with self.db.unit() as unit:
            await due.plan(unit, unit.now - timedelta(minutes=1), "bad", uuid4())
            await due.plan(unit, unit.now, "fine", uuid4())

    async def bad_row(self) -> tuple[int, timedelta, str | None]:
        """How often it was tried, how far it was put off, how it ended."""
        async with self.db.session() as session:
            statement = "SELECT attempts, due_at, result FROM due WHERE kind = 'bad'"
            row = (await session.execute(text(statement))).one()
        return row.attempts, row.due_at - self.clock.now(), row.result


async def slow(unit: Unit, row: DueRow) -> None:
    """Runs into its timeout, as a statement over a table that has grown too large."""
    await unit.session.execute(text("SET LOCAL statement_timeout = 20"))
    await unit.session.execute(text("SELECT pg_sleep(1)"))


async def disk_full(unit: Unit, row: DueRow) -> None:
    raise OSError(28, "No space left on device")


async def no_answer(unit: Unit, row: DueRow) -> None:
    raise TimeoutError


@pytest.mark.parametrize("bad", [slow, disk_full, no_answer])
async def test_what_fails_for_its_own_sake_is_put_off_and_counted(
    db: TestDatabase, bad: due.Handler
) -> None:
    """Before, it was taken for a database that is away: the row stayed the first one, and
    nothing behind it was ever done."""
    ticking = Ticking(db, bad)
    await ticking.plan()
    assert await ticking.work.work_due() == 1
    assert ticking.did == ["fine"]
    assert await ticking.bad_row() == (1, due.PAUSES[0], None)
    for _ in due.PAUSES:
        ticking.clock.advance(timedelta(hours=2))
        await ticking.work.work_due()
    assert (await ticking.bad_row())[2] == "failed", "given up, and doctor tells"


async def test_a_deadlock_passes_and_is_not_counted(db: TestDatabase) -> None:
    """Another transaction's locks are no fault of the row: again after a pause, however often."""

    async def deadlocked(unit: Unit, row: DueRow) -> None:
        """Two rows locked crosswise with somebody else; the other waits longer for his turn."""
        await unit.session.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
        await unit.session.execute(text("SELECT pg_advisory_xact_lock(1)"))
        async with db.database.work.connect() as other:
            await other.execute(text("SET LOCAL deadlock_timeout = '1min'"))
            await other.execute(text("SELECT pg_advisory_xact_lock(2)"))
            crossing = asyncio.create_task(other.execute(text("SELECT pg_advisory_xact_lock(1)")))
            await until(somebody_waits)
            try:
                await unit.session.execute(text("SELECT pg_advisory_xact_lock(2)"))
            finally:
                await unit.session.rollback()
                await crossing

    async def somebody_waits() -> bool:
        async with db.session() as session:
            waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            return bool((await session.execute(text(waiting))).all())

    ticking = Ticking(db, deadlocked)
    await ticking.plan()
    assert await ticking.work.work_due() == 1
    assert ticking.did == ["fine"]
    for _ in range(2):
        assert await ticking.bad_row() == (0, due.PAUSES[0], None)
        ticking.clock.advance(due.PAUSES[0])
        assert await ticking.work.work_due() == 0


async def test_a_lost_connection_waits_and_is_not_counted(db: TestDatabase) -> None:
    """The pass ends, for the database may be away; the row comes again a little later, so that
    one which kills its connection each time does not stop the others."""
    lost: list[UUID] = []

    async def cut(unit: Unit, row: DueRow) -> None:
        own = await unit.session.scalar(text("SELECT pg_backend_pid()"))
        async with db.session() as session:
            await session.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
        lost.append(row.id)
        await unit.session.execute(text("SELECT 1"))

    ticking = Ticking(db, cut)
    await ticking.plan()
    with pytest.raises(DBAPIError):
        await ticking.work.work_due()
    assert (ticking.did, len(lost)) == ([], 1)
    assert await ticking.bad_row() == (0, due.PAUSES[0], None)
    assert await ticking.work.work_due() == 1
    assert ticking.did == ["fine"]


async def test_a_live_message_that_cannot_be_shown_stops_no_other(
    office: Office, settle: Settler
) -> None:
    """One notice's title does not open: the other one's author sees how it goes, and the other
    one is finished in the end. Before, all were rolled back every second."""
    await settle()
    bad, good = await office.send(), await office.send()
    clock = office.db.clock
    assert isinstance(clock, FrozenClock)
    clock.advance(timedelta(seconds=5))
    broken = (  # and its turn comes first
        "UPDATE notice SET title_kk = '\\x00', live_at = live_at - interval '1 second'"
        " WHERE id = :bad"
    )
    async with office.db.session() as session:
        await session.execute(text(broken), {"bad": bad})
    await settle_all(office.db, await claim(office.db))
    await settle_all(office.db, await claim(office.db))
    work = Clockwork(office.db.database, office.db.keyring, clock, lambda: None)
    assert await work.show_live() == 1
    found = await rows(office.db, "SELECT id, status, live_at FROM notice")
    by_id = {row.id: row for row in found}
    assert (by_id[good].status, by_id[bad].status) == ("finished", "sending")
    assert by_id[bad].live_at - clock.now() == live.LIVE_FAILED
    assert await work.show_live() == 0


async def test_a_step_of_the_tidying_that_fails_keeps_no_other_from_its_work(
    settled: TestDatabase, settle: Settler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is forgotten before and after it is forgotten all the same. Before, one step that
    failed undid the others."""

    async def disk(unit: Unit) -> None:
        unit.audit("half-done")
        await audit.write(unit)
        raise OSError(5, "Input/output error")

    person, address = await settle()
    old = {"at": settled.clock.now() - timedelta(days=400), "who": person, "chat": address}
    async with settled.session() as session:
        for statement in (
            "INSERT INTO opened_conversation (account_id, address_id, opened_at)"
            " SELECT account_id, id, :at FROM address WHERE id = :chat",
            "INSERT INTO departure (key, resident_id, place_code, left_at, until)"
            " SELECT 'x', id, place_code, :at, '2020-01-01' FROM resident WHERE id = :who",
        ):
            await session.execute(text(statement), old)
    monkeypatch.setattr(files, "forget_tokens", disk)
    await Clockwork(settled.database, settled.keyring, settled.clock, lambda: None).tidy()
    assert not await rows(settled, "SELECT 1 FROM opened_conversation")
    assert not await rows(settled, "SELECT 1 FROM departure")
    assert not await rows(settled, "SELECT 1 FROM audit WHERE action = 'half-done'")
