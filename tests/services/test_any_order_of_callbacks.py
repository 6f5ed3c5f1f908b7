"""Whatever order answers, callbacks, dead processes, taps and the akim's changes come in: each
message ends once, says what is true, and nothing goes again that is known to have arrived.

More seeds than the usual few: ZHIYN_SEEDS=300.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from bot.clockwork import Clockwork
from core.clock import FrozenClock
from core.outcomes import ARRIVED, Outcome, SendResult
from services import notice_changes, notices, outbox, reports
from services.outbox import Claimed, Settled
from services.reports import Report
from tests.services.conftest import Settler
from tests.services.test_notices_in_depth import (
    PROCESS,
    Office,
    counts,
    office,
    rows,
    two_chats,
)

__all__ = ["office"]
SEEDS = range(int(os.environ.get("ZHIYN_FROM", "0")), int(os.environ.get("ZHIYN_SEEDS", "6")))
STEPS = 45
FAILURES = (
    (Outcome.WINDOW_CLOSED, "63016"),
    (Outcome.DAILY_LIMIT, "63038"),
    (Outcome.THROTTLED, "63018"),
    (Outcome.TRANSIENT, "63012"),
    (Outcome.BLOCKED, "63014"),
    (Outcome.BAD_RECIPIENT, "63024"),
    (Outcome.UNREACHABLE, "63049"),
)
IN_ORDER = """
SELECT a.id FROM address AS a JOIN account AS c ON c.id = a.account_id
ORDER BY a.created_at, c.channel
"""
LINKS = """
SELECT r.resident_id, r.acknowledged_at IS NOT NULL AS heard, r.excluded, d.id, d.outcome,
       d.address_id, s.outcome AS second
FROM recipient AS r LEFT JOIN delivery AS d ON d.id = r.delivery_id
LEFT JOIN delivery AS s ON s.id = r.second_id
"""


@dataclass
class Call:
    """One try of a delivery: what the platform makes of it, and what it still has to tell."""

    claimed: Claimed
    revision: int
    corrects: bool
    next_part: int
    results: list[SendResult] = field(default_factory=list)
    to_tell: list[Report] = field(default_factory=list)
    came: bool = False  # the text is on the person's phone
    told: bool = False  # and a callback has said so
    accepted: bool = False  # so we were answered
    failed: bool = False  # a callback said so

    def ended_well(self) -> bool:
        return self.told or (self.accepted and not self.failed)


class Platform:
    """A WhatsApp that does what it likes, in the order of one seed."""

    def __init__(self, office: Office, random: Random, parts: int) -> None:
        self.office, self.db, self.random, self.parts = office, office.db, random, parts
        self.notice = UUID(int=0)
        self.under_way: list[Call] = []
        self.calls: list[Call] = []
        self.told: list[Report] = []
        self.heard: set[UUID] = set()
        self.log: list[str] = []
        self.sids = 0
        self.kind_again = False
        self.process = PROCESS

    async def connected(self, act: Callable[[Any], Awaitable[Any]]) -> Any:
        async with self.db.session() as session:
            return await act(await session.connection())

    async def later(self, **by: float) -> None:
        assert isinstance(self.db.clock, FrozenClock)
        self.db.clock.advance(timedelta(**by))

    # What the sender does

    async def lease(self) -> None:
        """Takes what is due; nothing of it may be what nobody wants any more."""
        found: list[Claimed] = []
        for (account,) in await rows(self.db, "SELECT id FROM account ORDER BY channel"):
            found += await self.connected(
                lambda c, a=account: outbox.claim(
                    c, self.db.keyring, a, self.process, self.db.clock.now(),
                    limit=self.random.randint(1, 5),
                )
            )  # fmt: skip
        ((status, revision),) = await rows(self.db, "SELECT status, revision FROM notice")
        for one in found:
            ((mine, corrects),) = await rows(
                self.db, "SELECT revision, corrects FROM message WHERE id = :id", id=one.message
            )
            assert status not in ("paused", "cancelled"), f"sent although {status}"
            assert mine == revision, "an older text goes"
            before = [c for c in self.calls if c.claimed.address == one.address]
            for call in before:
                if call.revision == mine:
                    assert not call.ended_well(), "sent again, and it is known to have arrived"
                elif call.ended_well():
                    assert corrects, "who has the older text is not told that it is a correction"
            self.log.append(f"call {one.id} a={one.attempts} parts={one.parts_sent}")
            call = Call(one, mine, corrects, min(one.parts_sent, self.parts - 1))
            self.under_way.append(call)
            self.calls.append(call)

    async def answer(self, call: Call) -> None:
        """The platform's answer to the part that is under way, or none."""
        last = call.next_part == self.parts - 1
        part = None if last else call.next_part + 1
        self.sids += 1
        sid = f"SM{self.sids}"
        kind = "accepted"
        if not self.kind_again:
            kind = self.random.choices(("accepted", "refused", "lost", "nothing"), (6, 2, 2, 1))[0]
        self.log.append(f"answer {call.claimed.id} a={call.claimed.attempts} part={part} {kind}")
        failure = self.random.choice(FAILURES)
        if kind in ("accepted", "lost"):
            self.foretell(call, sid, part)
        if kind == "accepted" and not last:
            await self.connected(
                lambda c: outbox.part_sent(c, call.claimed.id, call.next_part + 1, sid)
            )
            call.next_part += 1
            return
        result = {
            "accepted": SendResult(Outcome.SENT, sid),
            "refused": SendResult(failure[0], None, detail=failure[1]),
        }.get(kind, SendResult(Outcome.UNKNOWN))
        call.accepted = kind == "accepted"
        self.under_way.remove(call)
        done = self.parts if call.accepted else call.next_part
        settled = Settled(call.claimed, result, self.db.clock.now(), b"x", done)
        await self.connected(lambda c: outbox.settle_all(c, [settled]))

    def foretell(self, call: Call, sid: str, part: int | None) -> None:
        """The callbacks that this part will have; a failure ends them."""
        ends = ["delivered", "read", "failed", "silent"]
        how = "delivered" if self.kind_again else self.random.choices(ends, (4, 2, 3, 1))[0]
        said = {"delivered": ["sent", "delivered"], "read": ["sent", "delivered", "read"],
                "failed": ["sent"], "silent": []}[how]  # fmt: skip
        about = {"attempt": call.claimed.attempts, "part": part}
        call.to_tell += [Report(call.claimed.id, sid, one, **about) for one in said]
        if how == "failed":
            failure, code = self.random.choice(FAILURES)
            call.to_tell.append(Report(call.claimed.id, sid, "failed", failure, code, **about))
        call.came |= part is None and how != "failed"

    async def die(self) -> None:
        """The process is gone, with all that it had in hand: perhaps the platform got it. The next
        one has another name."""
        for call in self.under_way:
            if self.random.random() < 0.5:
                self.sids += 1
                last = call.next_part == self.parts - 1
                self.foretell(call, f"SM{self.sids}", None if last else call.next_part + 1)
        self.under_way.clear()
        self.process = UUID(int=self.random.getrandbits(128))
        self.log.append("the process died")
        await self.later(seconds=self.random.choice((5, 31, 65)))

    async def tell(self, call: Call, report: Report) -> None:
        self.log.append(f"told {report.delivery} {report.status} a={report.attempt} {report.part}")
        await self.connected(lambda c: reports.take(c, report, self.db.clock.now()))
        self.told.append(report)
        if report.part is None:
            call.told |= report.status in ("delivered", "read")
            call.failed |= report.failure is not None

    # What people do

    async def write(self, address: UUID) -> None:
        await rows(self.db, "UPDATE address SET last_inbound_at = :now, stopped_at = NULL"
                   " WHERE id = :a RETURNING 1", a=address, now=self.db.clock.now())  # fmt: skip
        await rows(
            self.db,
            "UPDATE delivery SET not_before = :now, waiting_for = NULL WHERE address_id = :a AND"
            " waiting_for IN ('window-closed', 'template-unavailable', 'daily-limit') RETURNING 1",
            a=address, now=self.db.clock.now(),
        )  # fmt: skip

    async def tap(self, call: Call) -> None:
        async with self.db.unit() as unit:
            found = await notices.acknowledge(
                unit, self.notice, call.claimed.address, call.revision
            )
            assert found is not None, "a tap on what was sent is no forgery"
        self.log.append(f"tap {call.claimed.address} r={call.revision} of {found.revision}")
        if found.revision == call.revision:
            mine = [row for row in await rows(self.db, LINKS) if row.id == call.claimed.id]
            assert all(row.heard for row in mine if not row.excluded)

    # What the akim does

    async def change(self, act: str) -> None:
        if act == "correct":
            ((revision,),) = await rows(self.db, "SELECT revision FROM notice")
            if await self.office.correct(self.notice, revision + 1):
                self.heard = set()
        else:
            await self.office.change(getattr(notice_changes, act), self.notice)
        self.log.append(act)

    async def step(self) -> None:
        many = self.random.random()
        tellable = [call for call in self.calls if call.to_tell]
        if many < 0.22:
            await self.lease()
        elif many < 0.47 and self.under_way:
            await self.answer(self.random.choice(self.under_way))
        elif many < 0.65 and tellable:
            call = self.random.choice(tellable)
            report = self.random.choice(call.to_tell)
            if self.random.random() < 0.8:
                call.to_tell.remove(report)
            await self.tell(call, report)
        elif many < 0.68:
            await self.die()
        elif many < 0.76 and (came := [call for call in self.calls if call.came]):
            await self.tap(self.random.choice(came))
        elif many < 0.80 and self.calls:
            await self.write(self.random.choice(self.calls).claimed.address)
        elif many < 0.90:
            acts, weights = ("pause", "resume", "correct", "cancel"), (3, 4, 3, 0.4)
            await self.change(self.random.choices(acts, weights)[0])
        elif not self.under_way:
            await self.later(seconds=self.random.choice((3, 61, 3601)))
        await self.check()

    async def check(self) -> None:
        """Who has said that they have read it is not asked again, except about other words."""
        now = {row.resident_id for row in await rows(self.db, LINKS) if row.heard}
        assert self.heard <= now, "an acknowledgement is gone"
        self.heard = now

    async def calm(self) -> None:
        """All is well from now on: what waits goes, and what there is to tell is told."""
        self.kind_again = True
        await self.change("resume")
        for _ in range(14):
            while self.under_way:
                await self.answer(self.under_way[0])
            for call in self.calls:
                while call.to_tell:
                    await self.tell(call, call.to_tell.pop(0))
            for (address,) in await rows(self.db, IN_ORDER):
                await self.write(address)
            await Clockwork(self.db.database, self.db.keyring, self.db.clock, int).work_due()
            await self.lease()
            if not self.under_way:
                await self.later(minutes=61)
            await self.check()

    async def over(self) -> None:
        """The invariants, when everything is quiet."""
        people = await rows(self.db, LINKS)
        deliveries = await rows(
            self.db, "SELECT d.id, d.outcome, m.revision FROM delivery AS d"
            " JOIN message AS m ON m.id = d.message_id WHERE m.notice_id IS NOT NULL"
        )  # fmt: skip
        assert all(row.outcome for row in deliveries), "without an outcome"
        for row in deliveries:
            calls = [call for call in self.calls if call.claimed.id == row.id]
            if any(call.told for call in calls):
                assert row.outcome in ARRIVED, f"it arrived, and is said to be {row.outcome}"
            if row.outcome == Outcome.SENT:
                assert any(call.ended_well() or call.came for call in calls), "nothing was sent"
        found = await counts(self.db, self.notice)
        assert found.total == len([row for row in people if not row.excluded])
        assert found.total == found.sent + found.announced + sum(found.failed.values())
        assert found.sent == sum("sent" in (row.outcome, row.second) for row in people)
        assert found.acknowledged == sum(row.heard for row in people)
        assert found.finished


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_order(office: Office, settle: Settler, seed: int) -> None:
    random = Random(seed)
    platform = Platform(office, random, parts=random.randint(1, 3))
    for _ in range(2):
        await platform.later(seconds=1)
        await settle(channel="whatsapp")
    await platform.later(seconds=1)
    _, shared = await settle(channel="whatsapp")
    await platform.later(seconds=1)
    other, _ = await settle(channel="whatsapp")
    async with office.db.unit() as unit:  # a family on one phone
        await unit.session.execute(
            text("UPDATE resident_address SET address_id = :a WHERE resident_id = :r"),
            {"a": shared, "r": other},
        )
    if random.random() < 0.5:
        await platform.later(seconds=1)
        await two_chats(office, settle)
    for (address,) in await rows(office.db, IN_ORDER):
        await platform.later(seconds=1)  # who wrote last gets it first: the same for each seed
        await platform.write(address)
    platform.notice = await office.send()
    try:
        for _ in range(STEPS):
            await platform.step()
        await platform.calm()
        await platform.over()
    except Exception:
        print(f"seed {seed}", *platform.log, sep="\n")
        raise
