"""Whatever order people come, join, part, move, leave and come again in while notices go: counts
are right, who left gets nothing more, and nothing personal of them is kept.

More seeds than the usual few: ZHIYN_SEEDS=300.
"""

import os
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from bot.clockwork import Clockwork
from core.clock import FrozenClock
from core.outcomes import Outcome
from rules.notices import NoticeKind
from services import (
    audit,
    intake,
    moves,
    notice_changes,
    outbox,
    people,
    residents,
    roles,
    wishes,
)
from services.installation import ensure_account
from services.residents import Registration
from services.roles import RoleName
from services.unit import Refused
from tests.services.conftest import VILLAGE
from tests.services.test_notices_in_depth import (
    OKRUG,
    Office,
    claim,
    counts,
    office,
    rows,
    settle_all,
)

__all__ = ["office"]
SEEDS = range(int(os.environ.get("ZHIYN_FROM", "0")), int(os.environ.get("ZHIYN_SEEDS", "6")))
STEPS = 60
ENDS = (Outcome.SENT, Outcome.SENT, Outcome.BLOCKED, Outcome.UNREACHABLE, Outcome.TRANSIENT,
        Outcome.UNKNOWN, Outcome.WINDOW_CLOSED)  # fmt: skip
ACTS = {
    "register": 14, "join": 12, "part": 6, "take_off": 2, "move": 3, "mute": 3, "stop": 2,
    "come_back": 4, "leave": 5, "appoint": 4, "dismiss": 2, "send": 6, "correct": 4, "pause": 3,
    "resume": 4, "cancel": 1, "lease": 12, "answer": 14, "wait": 6,
}  # fmt: skip
STANDING = """
SELECT id FROM resident WHERE registered_at IS NOT NULL AND deleted_at IS NULL
  AND merged_into IS NULL AND id <> :akim ORDER BY created_at, id
"""
FOR_SOMEBODY = """
SELECT 1 FROM recipient AS r JOIN resident AS was ON was.id = r.resident_id
JOIN resident AS who ON who.id = coalesce(was.merged_into, was.id)
WHERE :id IN (r.delivery_id, r.second_id) AND r.excluded IS NULL AND who.deleted_at IS NULL
"""
KEPT = """
SELECT id FROM resident WHERE deleted_at IS NOT NULL AND num_nonnulls(
    full_name, street, birth_date, phone, phone_hash, adult_on, place_code, preferred_channel) > 0
UNION ALL SELECT d.id FROM draft AS d JOIN resident AS r ON r.id = d.author_id
WHERE r.deleted_at IS NOT NULL
UNION ALL SELECT r.id FROM resident_address AS ra JOIN resident AS r ON r.id = ra.resident_id
WHERE r.deleted_at IS NOT NULL
UNION ALL SELECT a.id FROM address AS a JOIN resident AS r ON r.id = a.speaker_id
WHERE r.deleted_at IS NOT NULL
"""
ROLES = """
SELECT 1 FROM role AS o JOIN resident AS r ON r.id = o.resident_id
WHERE o.revoked_at IS NULL AND (r.deleted_at IS NOT NULL OR r.merged_into IS NOT NULL)
"""


class Village:
    """People of a few chats on both messengers, in the order of one seed."""

    def __init__(self, office: Office, random: Random) -> None:
        self.office, self.db, self.random = office, office.db, random
        self.chats: list[UUID] = []
        self.told: dict[UUID, Registration] = {}
        self.notices: list[UUID] = []
        self.in_hand: list[outbox.Claimed] = []
        self.log: list[str] = []

    async def build(self) -> None:
        async with self.db.unit() as unit:
            for number in range(6):
                channel = ("telegram", "whatsapp")[number % 2]
                account = await ensure_account(unit, channel, f"sender-{channel}", None, {})
                found = await intake.new_address(unit, account.id, [("chat", f"v{number}")])
                assert found is not None
                self.chats.append(found.id)
            await unit.session.execute(
                text("UPDATE address SET last_inbound_at = :at"), {"at": unit.now}
            )

    async def somebody(self) -> UUID | None:
        found = [row.id for row in await rows(self.db, STANDING, akim=self.office.person)]
        return self.random.choice(found) if found else None

    async def chats_of(self, person: UUID) -> list[UUID]:
        found = await rows(
            self.db, "SELECT address_id FROM resident_address WHERE resident_id = :p", p=person
        )
        return sorted((row.address_id for row in found), key=self.chats.index)

    def later(self, **by: float) -> None:
        assert isinstance(self.db.clock, FrozenClock)
        self.db.clock.advance(timedelta(**by))

    # Who comes and goes

    async def register(self) -> None:
        number = self.random.randint(0, 2)
        given = Registration(
            f"Ахметов {'АБВ'[number]}{self.random.randint(0, 9)}", VILLAGE,
            date(1980 + number, 3, 5), self.random.choice(("kk", "ru")),
            phone=f"+7701000000{number}", phone_proved=True,
        )  # fmt: skip
        async with self.db.unit() as unit:
            person = await residents.register(unit, self.random.choice(self.chats), None, given)
        self.told[person] = given

    async def join(self) -> None:
        known, other = await self.somebody(), await self.somebody()
        if known is None or other is None:
            return
        where, given = await self.chats_of(other), self.told[known]
        if not where:
            return
        async with self.db.unit() as unit:
            unit.actor = other
            joined = await people.join(unit, known, other, where[0], given.phone, given.birth_date)
        self.log.append(f"  kept {joined.kept} gone {joined.gone}")

    async def part(self) -> None:
        for (person,) in await rows(self.db, STANDING, akim=self.office.person):
            async with self.db.unit() as unit:
                unit.actor = person
                joined = await people.joined(unit, person)
                if joined:
                    await people.part(unit, joined[0].merge)
                    return

    async def take_off(self) -> None:
        person = await self.somebody()
        if person and (where := await self.chats_of(person)):
            async with self.db.unit() as unit:
                await people.take_off(unit, person, self.random.choice(where))

    async def move(self) -> None:
        await self.itself(lambda unit, who: moves.move(
            unit, who, self.random.choice((VILLAGE, "595041500"))))  # fmt: skip

    async def mute(self) -> None:
        await self.itself(lambda unit, who: wishes.mute(
            unit, who, NoticeKind.ANNOUNCEMENT, muted=self.random.random() < 0.5))  # fmt: skip

    async def leave(self) -> None:
        await self.itself(residents.forget)

    async def itself(self, act: Any) -> None:
        if (person := await self.somebody()) is not None:
            self.log.append(f"  {person}")
            async with self.db.unit() as unit:
                unit.actor = person
                await act(unit, person)

    async def stop(self) -> None:
        await self.chat("stopped_at = :now, stop_reason = 'stop'")

    async def come_back(self) -> None:
        await self.chat("stopped_at = NULL, last_inbound_at = :now")

    async def chat(self, change: str) -> None:
        chat, now = self.random.choice(self.chats), self.db.clock.now()
        await rows(self.db, f"UPDATE address SET {change} WHERE id = :a RETURNING 1",
                   a=chat, now=now)  # fmt: skip

    async def appoint(self) -> None:
        await self.itself(lambda unit, who: roles.grant(unit, who, RoleName.CLERK, OKRUG))

    async def dismiss(self) -> None:
        await self.itself(lambda unit, who: roles.revoke(unit, who, RoleName.CLERK, OKRUG))

    # What the office does

    async def send(self) -> None:
        if len(self.notices) < 3:
            self.notices.append(await self.office.send())

    async def change(self, act: Any) -> None:
        if self.notices:
            await self.office.change(act, self.random.choice(self.notices))

    async def pause(self) -> None:
        await self.change(notice_changes.pause)

    async def resume(self) -> None:
        await self.change(notice_changes.resume)

    async def cancel(self) -> None:
        await self.change(notice_changes.cancel)

    async def correct(self) -> None:
        if self.notices:
            notice = self.random.choice(self.notices)
            ((revision,),) = await rows(
                self.db, "SELECT revision FROM notice WHERE id = :n", n=notice
            )
            await self.office.correct(notice, revision + 1)

    # What the sender does

    async def lease(self) -> None:
        found = await claim(self.db, self.random.randint(1, 6))
        for one in found:
            assert await rows(self.db, FOR_SOMEBODY, id=one.id), f"{one.id} goes, for nobody"
            self.log.append(f"  call {one.id} to {one.address}")
        self.in_hand += found

    async def answer(self) -> None:
        if self.in_hand:
            one = self.in_hand.pop(self.random.randrange(len(self.in_hand)))
            outcome = self.random.choice(ENDS)
            self.log.append(f"  {one.id} {outcome}")
            await settle_all(self.db, [one], outcome)

    async def wait(self) -> None:
        self.later(seconds=self.random.choice((5, 61, 3700, 90_000)))
        await Clockwork(self.db.database, self.db.keyring, self.db.clock, int).work_due()

    async def step(self) -> None:
        act = self.random.choices(list(ACTS), list(ACTS.values()))[0]
        self.log.append(act)
        try:
            await getattr(self, act)()
        except Refused as why:
            self.log.append(f"  refused: {why}")
        self.later(seconds=1)
        await self.check()

    async def check(self) -> None:
        """What holds at any moment."""
        assert not await rows(self.db, KEPT), "something personal is kept"
        assert not await rows(self.db, ROLES), "a role of somebody who is gone"
        for notice in self.notices:
            found = await counts(self.db, notice)
            ends = (found.sent, found.announced, found.pending)
            assert found.total == sum((*ends, *found.failed.values(), *found.waiting.values()))
            ((people_,),) = await rows(
                self.db,
                "SELECT count(*) FROM recipient WHERE notice_id = :n AND excluded IS NULL",
                n=notice,
            )
            assert found.total == people_

    async def calm(self) -> None:
        """What waits goes."""
        for notice in self.notices:
            await self.office.change(notice_changes.resume, notice)
        for _ in range(12):
            await settle_all(self.db, self.in_hand)
            self.in_hand = []
            await rows(self.db, "UPDATE delivery SET not_before = :now, waiting_for = NULL WHERE"
                       " waiting_for = 'window-closed' RETURNING 1",
                       now=self.db.clock.now())  # fmt: skip
            await self.lease()
            await self.check()
            if not self.in_hand:
                self.later(seconds=3700)
                await Clockwork(self.db.database, self.db.keyring, self.db.clock, int).work_due()

    async def over(self) -> None:
        assert not await rows(self.db, "SELECT id FROM delivery WHERE outcome IS NULL")
        for notice in self.notices:
            assert (await counts(self.db, notice)).finished
        async with self.db.database.work.begin() as connection:
            await audit.seal(connection, audit.EVER)
        async with self.db.session() as session:
            chain = await audit.verify(session)
        assert chain.broken_at is None
        assert chain.waiting == 0


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_order(office: Office, seed: int) -> None:
    village = Village(office, Random(seed))
    await village.build()
    try:
        for _ in range(STEPS):
            await village.step()
        await village.calm()
        await village.over()
    except Exception:
        print(f"seed {seed}", *village.log, sep="\n")
        raise
