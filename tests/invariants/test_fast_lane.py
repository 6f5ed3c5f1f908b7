"""The fast lane does what the ordinary way does: the same rows, exactly once, whoever is near."""

import asyncio
import dataclasses
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from structlog.testing import capture_logs
from support.database import SECRET, TestDatabase, empty
from support.people import WORDS
from support.talk import OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk, start_talk

from bot.engine import Received, Result
from bot.fast_lane import FastLane
from conversation.message import Alias, AliasKind, Incoming, Kind
from core.ids import short
from core.languages import Language
from core.texts import T, texts
from handlers.notice import composed
from rules.notices import NoticeKind
from services import intake, keys, notices, receipts, residents, territory
from services.intake import ALIAS
from services.outbox import CONTENT
from services.residents import Registration
from services.territory_import import DEMO_PLACES, import_territory

VILLAGE = "595041100"
FIRST, CORRECTED, NOBODYS = UUID(int=0x71), UUID(int=0x72), UUID(int=0x73)
READ = f"d.read.{short(FIRST)}.1"


@dataclass
class Ground:
    """A village in conversation, two notices, one of them corrected meanwhile."""

    talk: Talk
    lane: FastLane
    people: list[Person]

    def tap(self, person: Person, number: int, payload: str = READ, **what: Any) -> Incoming:
        """A tap of this person's, an update of its own unless `external_ids` say otherwise."""
        kind, value = person.alias
        given = {
            "external_ids": (f"u:{number}", f"c:{number}"),
            "aliases": (Alias(AliasKind(kind), value),),
            "tapped_message": "77",
            "callback_id": str(number) if person.channel is TELEGRAM else None,
        }
        return Incoming(
            account=self.talk.accounts[person.channel],
            channel=person.channel,
            received_at=self.talk.clock.now() + timedelta(milliseconds=number),
            kind=Kind.CHOICE,
            payload=payload,
            **(given | what),
        )


async def settle_down(db: TestDatabase) -> Ground:
    """Four residents on two messengers in two languages, one who has only said hello, and two who
    share a phone."""
    talk = await start_talk(db)
    kinds = [(channel, language) for channel in (TELEGRAM, WHATSAPP) for language in Language]
    people = [await talk.resident(channel, language) for channel, language in kinds]
    family = await talk.resident(TELEGRAM, RU)
    async with talk.db.unit() as unit:
        second = Registration("Ахметова Айгүл", VILLAGE, date(1990, 1, 2), RU)
        await residents.register(unit, (await family.address())["id"], None, second)
    akim = await talk.official()
    author = await akim.address()
    for notice in (FIRST, CORRECTED):
        await _send(talk, notice, author)
    await talk.rows("UPDATE notice SET revision = 2 WHERE id = :id RETURNING 1", id=CORRECTED)
    await talk.rows(
        "INSERT INTO message (id, notice_id, revision, language, content, created_at)"
        " SELECT gen_random_uuid(), notice_id, 2, language, content, created_at"
        " FROM message WHERE notice_id = :id RETURNING 1",
        id=CORRECTED,
    )
    newcomer = talk.person()
    await newcomer.start()
    return Ground(talk, FastLane(talk.engine), [*people, newcomer, talk.person(WHATSAPP), family])


async def _send(talk: Talk, notice: UUID, author: dict[str, Any]) -> None:
    async with talk.db.unit() as unit:
        unit.actor = author["speaker_id"]
        office = await territory.akim_of(unit.session, OKRUG)
        contents = composed(texts(), office, notice, WORDS)
        await notices.announce(
            unit,
            again=True,
            notice=notice,
            author_address=author["id"],
            place_code=OKRUG,
            audience=[VILLAGE],
            texts=WORDS,
            monolingual=None,
            kind=NoticeKind.URGENT,
        )
        stored = {one: content.to_json() for one, content in contents.items()}
        assert await notices.queue(unit, notice, stored)


@pytest.fixture
async def ground(village: TestDatabase) -> Ground:
    """It, on an empty database."""
    return await settle_down(village)


async def again(db: TestDatabase) -> TestDatabase:
    """The same database, empty, with keys of its own."""
    await empty(db.database)
    async with AsyncSession(db.database.work) as session, session.begin():
        keyring = await keys.open_keyring(session, SECRET, db.clock.now())
        await import_territory(session, DEMO_PLACES, db.clock.now())
    return dataclasses.replace(db, keyring=keyring)


# The same as the ordinary way


def bursts(ground: Ground, seed: int) -> list[list[Incoming]]:
    """Taps that come at the same time: good, late, forged and broken ones, some of them twice."""
    chance = random.Random(seed)
    payloads = [
        *[READ] * 6,
        f"d.read.{short(FIRST)}.7",
        f"d.read.{short(FIRST)}.x",
        f"d.read.{short(CORRECTED)}.1",
        f"d.read.{short(CORRECTED)}.2",
        f"d.read.{short(NOBODYS)}.1",
        f"d.open.{short(FIRST)}.1",
        "d.read.x.1",
        "d.read",
        "d.nope.1",
        "s.1.read.x",
        "яяя",
    ]
    number, before, made = 0, [], []
    for _ in range(12):
        burst = []
        for person in chance.sample(ground.people, chance.randint(1, len(ground.people))):
            number += 1
            one = ground.tap(person, number, chance.choice(payloads))
            if person.channel is WHATSAPP and chance.random() < 0.3:
                scoped = Alias(AliasKind.SCOPED, f"KZ.{person.number}")
                one = dataclasses.replace(one, aliases=(*one.aliases, scoped))
            if before and chance.random() < 0.2:
                one = chance.choice(before)
            burst.append(one)
        seen: dict[Any, Incoming] = {one.aliases[0]: one for one in burst}
        made.append(list(seen.values()) + [one for one in seen.values() if chance.random() < 0.2])
        before += seen.values()
    return made


@pytest.mark.parametrize("seed", range(6))
async def test_the_same_rows_as_one_by_one(village: TestDatabase, seed: int) -> None:
    """Twelve bursts through the lane, and the same taps one after the other through the engine."""
    ground = await settle_down(village)
    many: list[list[Result]] = []
    for burst in bursts(ground, seed):
        many.append(list(await asyncio.gather(*(ground.lane.receive(one) for one in burst))))
    together = await found(ground)

    ground = await settle_down(await again(village))
    alone = [
        [await ground.talk.engine.receive(one) for one in burst] for burst in bursts(ground, seed)
    ]
    assert [told(results) for results in many] == [told(results) for results in alone]
    one_by_one = await found(ground)
    for table, rows in one_by_one.items():
        assert together[table] == rows, table
    assert one_by_one["recipient"], "nobody was told"
    assert any("notice-acknowledged" in str(row) for row in one_by_one["audit"])


def told(results: Sequence[Result]) -> list[tuple[str, str, int]]:
    """What the platform and the person hear at once."""
    return sorted((r.received.value, r.toast or "", len(r.deliveries)) for r in results)


async def found(ground: Ground) -> dict[str, list[str]]:
    """What lies in the database, with names for ids, in an order of its own."""
    talk = ground.talk
    names: dict[Any, str] = {account: str(channel) for channel, account in talk.accounts.items()}
    names[None] = "-"
    for row in await talk.rows("SELECT address_id, kind, value FROM address_alias"):
        value = talk.db.keyring.open(ALIAS, row["address_id"], row["value"])
        names[row["address_id"]] = min(value, names.get(row["address_id"], "я"))
    for row in await talk.rows("SELECT resident_id, address_id FROM resident_address"):
        names[row["resident_id"]] = f"resident at {names[row['address_id']]}"
    aliases = await talk.rows("SELECT address_id, kind, value FROM address_alias")
    tables = {
        "alias": [(names[row["address_id"]], row["kind"]) for row in aliases],
        "intake": await talk.rows("SELECT account_id, key, received_at FROM intake"),
        "address": await talk.rows(
            "SELECT id, language, speaker_id, turn, stopped_at, last_inbound_at FROM address"
        ),
        "recipient": await talk.rows(
            "SELECT notice_id, resident_id, acknowledged_at FROM recipient"
            " WHERE acknowledged_at IS NOT NULL"
        ),
        "delivery": await talk.rows(
            "SELECT address_id, account_id, priority, not_before, claimed_by IS NULL AS free,"
            " claimed_until, attempts, outcome, waiting_for, created_at FROM delivery"
        ),
        "audit": await talk.rows(
            "SELECT at, actor_id, channel, action, object_id, details::text FROM audit"
            " WHERE action IN ('notice-acknowledged', 'tap-refused')"
        ),
        "letters": await talk.rows("SELECT error FROM dead_letter"),
        "state": [(names[row], state) for row, state in await states(ground)],
        "said": await said(ground, names),
    }
    plain = {str(key): value for key, value in names.items()}
    return {
        table: sorted(str([plain.get(str(v), v) for v in _values(row)]) for row in rows)
        for table, rows in tables.items()
    }


def _values(row: Any) -> Sequence[Any]:
    return list(row.values()) if isinstance(row, dict) else list(row)


async def states(ground: Ground) -> list[tuple[UUID, str]]:
    """What is remembered of each conversation."""
    rows = await ground.talk.rows("SELECT id, state FROM address WHERE state IS NOT NULL")
    opened = ground.talk.db.keyring.open
    return [(row["id"], opened(intake.STATE, row["id"], row["state"])) for row in rows]


async def said(ground: Ground, names: dict[Any, str]) -> list[Sequence[Any]]:
    """What everybody was told, each in its order."""
    rows = await ground.talk.rows(
        "SELECT m.id, d.address_id, m.language, m.content, m.created_at FROM delivery AS d"
        " JOIN message AS m ON m.id = d.message_id WHERE d.priority = 0 ORDER BY d.seq"
    )
    opened = ground.talk.db.keyring.open
    told: dict[str, list[Any]] = {}
    for row in rows:
        content = json.loads(opened(CONTENT, row["id"], row["content"]))
        told.setdefault(names[row["address_id"]], []).append((content, row["created_at"]))
    return list(told.items())


# In a group


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """What is sent to the database by this engine meanwhile."""
    seen: list[str] = []

    def note(connection, cursor, statement, parameters, context, many) -> None:
        seen.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


async def acknowledged(ground: Ground) -> int:
    """How often "I have read it" is in the trail."""
    return (await ground.talk.audited()).count("notice-acknowledged")


async def test_many_at_once_take_three_statements(ground: Ground) -> None:
    """Intake, effect, finish: for four people as for one (DESIGN part 2, "shape")."""
    taps = [ground.tap(person, n) for n, person in enumerate(ground.people[:4], 1)]
    with statements(ground.talk.db.database.turns) as seen:
        results = await asyncio.gather(*(ground.lane.receive(tap) for tap in taps))
    assert len(seen) == 3, seen
    assert [result.received for result in results] == [Received.DONE] * 4
    languages = [person.language for person in ground.people[:4]]
    assert [result.toast for result in results] == [
        texts().say(language, T("notice-read-receipt")) for language in languages
    ]
    assert len({delivery for result in results for delivery in result.deliveries}) == 4
    assert await acknowledged(ground) == 4


@pytest.mark.parametrize("hot", [True, False])
async def test_a_tap_on_a_familys_phone_is_said_to_be_for_all_of_it(
    ground: Ground, hot: bool
) -> None:
    """Before, the receipt said nothing of the others whom the tap acknowledged too."""
    family, alone = ground.people[6], ground.people[1]
    way = ground.lane.receive if hot else ground.talk.engine.receive
    taps = [ground.tap(family, 1), ground.tap(alone, 2), ground.tap(family, 3)]
    results = await asyncio.gather(*map(way, taps)) if hot else [await way(tap) for tap in taps]
    assert [result.toast for result in results] == [
        family.t("notice-read-receipt-family", people=2),
        alone.t("notice-read-receipt"),
        family.t("notice-read-before-family", people=2),
    ]
    assert all(len(result.toast or "") <= 200 for result in results)
    read = "SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT NULL"
    assert await ground.talk.one(read) == 3


async def test_one_person_taps_thrice_at_once(ground: Ground) -> None:
    """In the order in which they came: the first is new, the others were read before."""
    person = ground.people[1]
    taps = [ground.tap(person, number) for number in (1, 2, 3)]
    results = await asyncio.gather(*(ground.lane.receive(tap) for tap in taps))
    heard = [person.t("notice-read-receipt"), *[person.t("notice-read-before")] * 2]
    assert [result.toast for result in results] == heard
    assert await acknowledged(ground) == 1
    rows = await ground.talk.rows("SELECT id FROM delivery WHERE id = ANY(:ids) ORDER BY seq",
                                  ids=[d for r in results for d in r.deliveries])  # fmt: skip
    assert [row["id"] for row in rows] == [r.deliveries[0] for r in results]


async def test_the_same_update_at_once_and_half_of_it(ground: Ground) -> None:
    """Once done, else a duplicate; of an update that shares one number nothing is kept."""
    first, second = ground.people[:2]
    one, other = ground.tap(first, 1), ground.tap(second, 2)
    results = await asyncio.gather(*(ground.lane.receive(tap) for tap in (one, one, other, one)))
    assert sorted(result.received.value for result in results) == [
        "done", "done", "duplicate", "duplicate",
    ]  # fmt: skip
    renumbered = dataclasses.replace(one, external_ids=("u:900", "c:1"))
    third = ground.tap(ground.people[2], 3)
    results = await asyncio.gather(*(ground.lane.receive(tap) for tap in (renumbered, third)))
    assert [result.received.value for result in results] == ["duplicate", "done"]
    kept = await ground.talk.rows("SELECT 1 FROM intake WHERE key = :key",
                                  key=intake.digest("u:900"))  # fmt: skip
    assert not kept
    assert await acknowledged(ground) == 3


async def test_a_forged_tap_harms_no_neighbour(ground: Ground) -> None:
    """Refused and logged; those beside it are read."""
    forged = ground.tap(ground.people[0], 1, f"d.read.{short(NOBODYS)}.1")
    good = [ground.tap(person, n) for n, person in enumerate(ground.people[1:4], 2)]
    results = await asyncio.gather(*(ground.lane.receive(tap) for tap in (forged, *good)))
    assert [result.received for result in results] == [Received.DONE] * 4
    assert results[0].toast == ground.people[0].t("notice-not-yours")
    assert await acknowledged(ground) == 3
    assert (await ground.talk.audited()).count("tap-refused") == 1


async def test_a_locked_address_holds_nobody_up(ground: Ground) -> None:
    """Somebody's long turn: the others do not wait for it, and that one is done after it."""
    busy, *others = ground.people[:4]
    address = await busy.address()
    async with ground.talk.db.database.work.connect() as connection:
        await connection.execute(
            text("SELECT 1 FROM address WHERE id = :id FOR UPDATE"), {"id": address["id"]}
        )
        taps = [ground.tap(person, n) for n, person in enumerate((busy, *others), 1)]
        waiting, *going = [asyncio.create_task(ground.lane.receive(tap)) for tap in taps]
        with capture_logs() as logs:
            results = await asyncio.gather(*going)
        assert not logs, "the group waited until it was ended"
        assert [result.received for result in results] == [Received.DONE] * 3
        assert not waiting.done()
        await connection.rollback()
    assert (await waiting).received is Received.DONE
    assert await acknowledged(ground) == 4


async def test_a_notice_being_queued_holds_up_no_tap(ground: Ground) -> None:
    """Queuing refers to the addresses for as long as it takes: their taps go on meanwhile."""
    person = ground.people[0]
    address = await person.address()
    async with ground.talk.db.database.work.connect() as connection:
        await connection.execute(
            text("SELECT 1 FROM address WHERE id = :id FOR KEY SHARE"), {"id": address["id"]}
        )
        for way in (ground.lane.receive, ground.talk.engine.receive):
            tap = ground.tap(person, 1 if way == ground.lane.receive else 2)
            result = await asyncio.wait_for(way(tap), 30)
            assert result.received is Received.DONE
        await connection.rollback()


@pytest.mark.parametrize("broken", [KeyError("bug"), ConnectionResetError()])
async def test_a_group_that_fails_is_done_one_by_one(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, broken: Exception
) -> None:
    """After the effect, before the commit: nothing of the group stays, everybody is served."""
    acknowledge, seen = receipts.acknowledge, []

    async def once(asked: Sequence[receipts.Receipt]) -> Any:
        done = await acknowledge(asked)
        seen.append(len(asked))
        if len(asked) > 1:
            raise broken
        return done

    monkeypatch.setattr(receipts, "acknowledge", once)
    taps = [ground.tap(person, n) for n, person in enumerate(ground.people[:4], 1)]
    with capture_logs() as logs:
        results = await asyncio.gather(*(ground.lane.receive(tap) for tap in taps))
    assert seen == [4, 1, 1, 1, 1]
    assert [entry["event"] for entry in logs] == ["group-apart"]
    assert [result.received for result in results] == [Received.DONE] * 4
    assert await acknowledged(ground) == 4


async def test_a_connection_lost_before_the_commit(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends it after the effect: nothing of the group stays, everybody is served."""
    database, broken = ground.talk.db.database, []
    commit = AsyncConnection.commit

    async def ended(connection: AsyncConnection) -> None:
        if not broken:
            raw = await connection.get_raw_connection()
            broken.append(raw.driver_connection.get_server_pid())
            async with database.work.begin() as other:
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": broken[0]})
        await commit(connection)

    taps = [ground.tap(person, n) for n, person in enumerate(ground.people[:4], 1)]
    monkeypatch.setattr(AsyncConnection, "commit", ended)
    results = await asyncio.gather(*(ground.lane.receive(tap) for tap in taps))
    assert broken
    assert [result.received for result in results] == [Received.DONE] * 4
    assert await acknowledged(ground) == 4
    replies = "SELECT count(*) FROM delivery WHERE id = ANY(:ids)"
    ids = [delivery for result in results for delivery in result.deliveries]
    assert await ground.talk.one(replies, ids=ids) == 4


async def test_committed_though_the_answer_was_lost(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit went through and its answer did not come: duplicates, acknowledged, once."""
    commit, broken = AsyncConnection.commit, []

    async def lost(connection: AsyncConnection) -> None:
        await commit(connection)
        if not broken:
            broken.append(True)
            raise ConnectionResetError

    taps = [ground.tap(person, n) for n, person in enumerate(ground.people[:4], 1)]
    monkeypatch.setattr(AsyncConnection, "commit", lost)
    results = await asyncio.gather(*(ground.lane.receive(tap) for tap in taps))
    assert broken
    assert [result.received for result in results] == [Received.DUPLICATE] * 4
    assert await acknowledged(ground) == 4


async def test_what_waited_for_their_message_is_woken(ground: Ground) -> None:
    """A tap opens WhatsApp's window: what waited for it may go; what waits elsewhere stays."""
    mine, other = ground.people[2:4]
    for person in (mine, other):
        await ground.talk.rows(
            "UPDATE delivery SET waiting_for = 'window-closed', not_before = 'infinity'"
            " WHERE address_id = :a AND priority >= 2 RETURNING 1",
            a=(await person.address())["id"],
        )
    await ground.lane.receive(ground.tap(mine, 1))
    rows = await ground.talk.rows(
        "SELECT DISTINCT address_id, waiting_for, not_before = 'infinity' AS far FROM delivery"
        " WHERE priority >= 2 AND address_id = ANY(:a)",
        a=[(await person.address())["id"] for person in (mine, other)],
    )
    found = {row["address_id"]: (row["waiting_for"], row["far"]) for row in rows}
    assert found[(await mine.address())["id"]] == (None, False)
    assert found[(await other.address())["id"]] == ("window-closed", True)


async def test_who_has_stopped_stays_stopped(ground: Ground) -> None:
    """A tap is an answer to what was sent before, not a wish for more."""
    person = ground.people[0]
    await person.say("стоп" if person.language is RU else "тоқтату")
    before = (await person.address())["stopped_at"]
    assert before is not None
    await ground.lane.receive(ground.tap(person, 1))
    assert (await person.address())["stopped_at"] == before


async def test_replies_are_left_in_the_outbox_when_the_account_is_busy(ground: Ground) -> None:
    """Whose slot is far away is nobody's yet: any process may send it when its time comes."""
    ground.talk.engine.sends_at_once = lambda account: account != ground.talk.accounts[TELEGRAM]
    taps = [ground.tap(person, n) for n, person in enumerate(ground.people[:4], 1)]
    results = await asyncio.gather(*(ground.lane.receive(tap) for tap in taps))
    assert [len(result.deliveries) for result in results] == [0, 0, 1, 1]
    rows = await ground.talk.rows(
        "SELECT c.channel, d.claimed_by IS NULL AND d.claimed_until IS NULL AS free"
        " FROM delivery AS d JOIN account AS c ON c.id = d.account_id"
        " WHERE d.priority = 0 AND d.created_at = ANY(:at)",
        at=[tap.received_at for tap in taps],
    )
    assert sorted((row["channel"], row["free"]) for row in rows) == [
        ("telegram", True), ("telegram", True), ("whatsapp", False), ("whatsapp", False),
    ]  # fmt: skip
    await ground.talk.engine.receive(ground.tap(ground.people[0], 9))
    free = "SELECT count(*) FROM delivery WHERE priority = 0 AND claimed_by IS NULL"
    assert await ground.talk.one(free) == 3, "the ordinary way leaves them alike"
