"""What the fault suite shares: a crowd, another server, and the count at the end."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from core.outcomes import WAITING, Outcome
from models.people import Address, AddressAlias, Resident, ResidentAddress
from services import audit, intake, notices
from services.notices import Progress
from services.residents import NAME
from services.roles import RoleName
from support.database import TestDatabase, until
from support.people import (
    ELSEWHERE,
    VILLAGE,
    WORDS,
    Somebody,
    move_clock,
    one,
    rows,
    send_notice,
    settled,
)
from support.world import World

LEFT = "SELECT count(*) FROM delivery WHERE outcome IS NULL"
PATIENCE = 60.0  # seconds: for a busy machine; nothing takes nearly that long


async def crowd(
    world: World,
    prefix: str,
    count: int,
    channel: str = "telegram",
    *,
    window: bool = True,
    place: str = VILLAGE,
) -> list[Somebody]:
    """Many silent residents of the village at once, half of them Kazakh readers; `window`: have
    written within 24 hours."""
    people = world.emulator.add_people(count, channel, prefix=prefix, window_open=window)
    account = next(one.id for one in world.app.accounts if one.channel == channel)
    found: list[Somebody] = []
    columns: dict[type, list[dict[str, Any]]] = {
        Address: [], AddressAlias: [], Resident: [], ResidentAddress: [],
    }  # fmt: skip
    async with world.db.unit() as unit:
        keyring, now = unit.keyring, unit.now
        for number, person in enumerate(people):
            address, resident = unit.new_id(), unit.new_id()
            kind, value = "chat", str(person.telegram_id)
            if channel == "whatsapp":
                kind, value = "phone", person.phone
            language = ("kk", "ru")[number % 2]
            columns[Address].append({
                "id": address, "account_id": account, "language": language, "created_at": now,
                "target": keyring.seal(intake.TARGET, address, value),
                "last_inbound_at": now if window else None, "speaker_id": resident,
            })  # fmt: skip
            columns[AddressAlias].append({
                "account_id": account, "hash": intake.alias_hash(keyring, kind, value),
                "address_id": address, "kind": kind, "first_seen_at": now,
                "value": keyring.seal(intake.ALIAS, address, value),
            })  # fmt: skip
            columns[Resident].append({
                "id": resident, "language": language, "place_code": place, "created_at": now,
                "registered_at": now, "consented_at": now,
                "full_name": keyring.seal(NAME, resident, person.name),
            })  # fmt: skip
            columns[ResidentAddress].append(
                {"resident_id": resident, "address_id": address, "created_at": now}
            )
            found.append(Somebody(person.id, resident, address, account))
        for model in (Resident, Address, AddressAlias, ResidentAddress):
            await unit.session.execute(insert(model), columns[model])
    return found


async def office(world: World, channel: str = "telegram", **how: Any) -> Somebody:
    """The akim, who lives elsewhere: what the office sees is not counted among the letters."""
    return await settled(world, "akim", channel, place=ELSEWHERE, role=RoleName.AKIM, **how)


def letters(world: World, who: str) -> int:
    """How many messages about the notice this person has got."""
    titles = [words.title for words in WORDS.values()]
    return sum(any(title in said for title in titles) for said in world.emulator.texts(who))


async def nothing_left(db: TestDatabase, seconds: float = PATIENCE) -> None:
    """Waits until every delivery has its outcome."""

    async def done() -> bool:
        return not await one(db, LEFT)

    await until(done, seconds)


async def reckon(
    world: World, notice: UUID, people: Sequence[Somebody], *, twice: Collection[str] = ()
) -> Progress:
    """The count at the end: everybody has the notice once, only those of `twice` perhaps two
    times; every delivery has its outcome or says why it waits; the author's numbers add up; the
    notice was queued once; the audit chain holds."""
    counted = {who.id: letters(world, who.id) for who in people}
    assert [who for who, times in counted.items() if times == 0] == [], "got nothing"
    more = {who: times for who, times in counted.items() if times > 1}
    assert set(more) <= set(twice), f"got it again: {more}"
    assert max(more.values(), default=2) == 2
    return await add_up(world, notice)


async def add_up(world: World, notice: UUID) -> Progress:
    """The part of the count that does not ask what people have on their phones."""
    await every_delivery_is_accounted_for(world.db)
    async with world.db.database.work.connect() as connection:
        progress = await notices.progress(connection, notice)
    told = (progress.sent, progress.announced, progress.pending)
    assert progress.total == sum((*told, *progress.failed.values(), *progress.waiting.values()))
    sent = "SELECT count(*) FROM audit WHERE action = 'notice-sent' AND object_id = :n"
    assert await one(world.db, sent, n=str(notice)) == 1
    await chain_holds(world.db)
    return progress


async def every_delivery_is_accounted_for(db: TestDatabase) -> None:
    """No delivery without an outcome of the closed list, or a reason why it waits; what shows the
    author how it goes may be on its way still."""
    statement = "SELECT DISTINCT outcome, waiting_for FROM delivery"

    async def settled_or_waiting() -> bool:
        found = await rows(db, statement)
        assert {row.outcome for row in found} <= {None, *Outcome}
        return all(row.outcome or row.waiting_for in set(WAITING) for row in found)

    await until(settled_or_waiting, PATIENCE)


async def chain_holds(db: TestDatabase) -> None:
    """All audit rows are in the chain, and no link is broken."""

    async def sealed() -> bool:
        async with db.database.work.begin() as connection:
            await audit.seal(connection, audit.EVER)
        async with db.session() as session:
            found = await audit.verify(session)
        assert found.broken_at is None
        return found.waiting == 0

    await until(sealed, PATIENCE)


@asynccontextmanager
async def on_its_way(world: World, author: Somebody, *people: Somebody) -> AsyncIterator[UUID]:
    """A notice lies in the outbox, in nobody's hands: the accounts of these people are held for
    the time of the block. Then the clock moves by an hour, and it goes."""
    later = world.db.clock.now() + timedelta(hours=1)
    await rows(world.db, "UPDATE account SET next_slot = :at RETURNING 1", at=later)
    notice = await send_notice(world, author)
    senders = [world.app.senders[account] for account in {who.account for who in people}]

    async def held() -> bool:
        return all(sender._held() for sender in senders) and not await leases(world.db)

    await until(held, PATIENCE)
    yield notice
    await move_clock(world.db, [world.app], timedelta(hours=1, seconds=1))
    world.app.wake()
    await nothing_left(world.db)


async def leases(db: TestDatabase) -> dict[UUID, set[UUID]]:
    """Process → addresses of the deliveries that it holds and has not settled."""
    found = await rows(
        db,
        "SELECT claimed_by, address_id FROM delivery WHERE outcome IS NULL"
        " AND claimed_until IS NOT NULL",
    )
    held: dict[UUID, set[UUID]] = {}
    for row in found:
        held.setdefault(row.claimed_by, set()).add(row.address_id)
    return held


async def run_sql(db: TestDatabase, *statements: str) -> None:
    """Each statement by itself, at once."""
    async with db.database.work.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in statements:
            await connection.execute(text(statement))
