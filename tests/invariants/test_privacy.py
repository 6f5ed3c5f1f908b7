"""Invariant 7: what went in is found nowhere in clear; what is deleted is gone."""

import aiohttp
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from support.database import TestDatabase
from support.people import one, rows, send_notice, settled, words
from support.world import World

from bot import logs
from models import Base
from services import audit, files, residents
from services.roles import RoleName

PERSONAL = {
    "name": "Құдайбергенова Шолпан",
    "street": "Бейбітшілік көшесі, 47",
    "birth": "17.08.1979",
    "phone": "+77017654321",
    "said": "Төлегенге айтпаңызшы құпия",
    "file": "жеке-құжат.pdf",
}
NOTICE = ("Ремонт водопровода", "Завтра не будет воды")


pytestmark = pytest.mark.usefixtures("unhurried")


async def dump(db: TestDatabase) -> str:
    """Every value of every table, bytes also as text and as hex."""
    found = []
    async with db.session() as session:
        for table in Base.metadata.sorted_tables:
            for row in await session.execute(text(f'SELECT * FROM "{table.name}"')):
                for value in row:
                    if isinstance(value, bytes | memoryview):
                        plain = bytes(value)
                        found += [plain.hex(), plain.decode("utf-8", "replace")]
                        found += [plain.decode("utf-16", "replace")]
                    else:
                        found.append(str(value))
    return "\n".join(found)


def traces(where: str, values: dict[str, str]) -> list[str]:
    """Which of these can be read there: whole, in pieces, as digits, as hex."""
    low, digits = where.lower(), "".join(c for c in where if c.isdigit() or c in "\n-")
    bad = []
    for name, value in values.items():
        pieces = [value, *(word for word in value.split() if len(word) > 4)]
        if any(piece.lower() in low or piece.encode().hex() in low for piece in pieces):
            bad.append(name)
    if PERSONAL["phone"][2:] in digits or "1979-08-17" in where:
        bad.append("digits")
    return bad


async def register(world: World) -> None:
    """Sholpan registers by hand on WhatsApp, says more than she is asked, and asks what is kept."""
    emulator = world.emulator
    emulator.add_person("sholpan", "Шолпан", "whatsapp", phone=PERSONAL["phone"])
    for typed, expected in (
        ("Сәлем", words("kk", "first-contact")),
        ("1", words("kk", "consent-ask")),
        ("1", words("kk", "name-ask")),
        (PERSONAL["name"], words("kk", "village-ask")),
        ("Бугровое", words("kk", "village-confirm")),
        ("иә", words("kk", "street-ask")),
        (PERSONAL["street"], words("kk", "birth-ask")),
        (PERSONAL["birth"], words("kk", "summary-ask")),
        ("1", words("kk", "registered")),
        (PERSONAL["said"], words("kk", "not-understood")),
        ("деректерім", words("kk", "profile-text")),
    ):
        emulator.say("sholpan", typed)
        await emulator.wait_for("sholpan", expected)


async def metrics(world: World) -> str:
    """What Prometheus is told."""
    async with aiohttp.ClientSession() as http, http.get(f"{world.url}/metrics") as answer:
        return await answer.text()


async def test_nothing_personal_anywhere(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A whole conversation, a notice, a file, a bug, failures: the database, logs, /metrics."""
    structlog.reset_defaults()
    logs.set_up("DEBUG")
    try:
        await register(world)
        akim = await settled(world, "akim", role=RoleName.AKIM, name="Досмағамбетов Қанат")
        world.emulator.fault("messages.create", status=500)
        await send_notice(world, akim)
        await world.emulator.wait_for("akim", "Ремонт водопровода")

        async def broken(turn) -> None:
            await turn.unit.session.execute(
                text("SELECT CAST(:typed AS integer)"), {"typed": turn.incoming.text}
            )

        async with world.db.unit() as unit:
            await files.keep(unit, "document", "application/pdf", PERSONAL["file"], b"%PDF")
        monkeypatch.setitem(world.app.engine.router.routes.commands, "menu", broken)
        commands = world.app.engine.router.routes.words
        monkeypatch.setitem(commands, PERSONAL["said"].lower(), "menu")
        monkeypatch.setattr(type(world.app.engine.router), "command_of", lambda self, text: "menu")
        world.emulator.say("sholpan", PERSONAL["said"])
        await world.emulator.wait_for("sholpan", words("kk", "apology"))
    finally:
        structlog.reset_defaults()
    stored, written = await dump(world.db), "".join(capfd.readouterr())
    assert '"event": "turn-failed"' in written, "the log was not captured"
    assert len(await rows(world.db, "SELECT 1 FROM dead_letter")) == 1
    assert traces(stored, PERSONAL | dict(enumerate(NOTICE))) == []
    assert traces(written, PERSONAL | dict(enumerate(NOTICE))) == []
    assert traces(await metrics(world), PERSONAL | dict(enumerate(NOTICE))) == []
    for place in (stored, written):
        assert "Досмағамбетов" not in place
        assert str(world.emulator.person("akim").telegram_id) not in place
    # And the search finds what is there: the same values, opened by the keys.
    async with world.db.unit() as unit:
        found = await one(world.db, "SELECT id FROM resident WHERE street IS NOT NULL")
        profile = await residents.profile(unit, found)
    assert profile is not None
    assert set(traces(f"{profile}", PERSONAL)) >= {"name", "street", "phone"}


async def test_delete_my_data(world: World) -> None:
    """At once: the person's fields, what was said to her; counts and receipts stay."""
    emulator, db = world.emulator, world.db
    await register(world)
    akim = await settled(world, "akim", role=RoleName.AKIM)
    await send_notice(world, akim)
    await emulator.wait_for("sholpan", "Су құбыры жөнделеді")
    emulator.tap("sholpan", words("kk", "notice-read"))
    await emulator.wait_for("sholpan", words("kk", "notice-read-receipt"))
    counts = "SELECT recipients, (SELECT count(acknowledged_at) FROM recipient) FROM notice"
    before = [tuple(row) for row in await rows(db, counts)]
    assert before == [(2, 1)]
    person = await one(db, "SELECT id FROM resident WHERE street IS NOT NULL")
    said = await one(
        db,
        "SELECT count(*) FROM delivery AS d JOIN address AS a ON a.id = d.address_id"
        " WHERE a.speaker_id = :p AND priority = 0",
        p=person,
    )

    emulator.say("sholpan", "деректерім")
    await emulator.wait_for("sholpan", words("kk", "profile-text"), count=2)
    emulator.tap("sholpan", words("kk", "profile-delete"))
    await emulator.wait_for("sholpan", words("kk", "delete-ask"))
    emulator.tap("sholpan", words("kk", "delete-yes"))
    await emulator.wait_for("sholpan", words("kk", "delete-done"))

    (row,) = await rows(
        db,
        "SELECT full_name, street, birth_date, phone, phone_hash, adult_on, place_code"
        " FROM resident WHERE id = :p",
        p=person,
    )
    assert set(row) == {None}
    assert [tuple(row) for row in await rows(db, counts)] == before
    assert await one(db, "SELECT count(*) FROM resident_address WHERE resident_id = :p",
                     p=person) == 0  # fmt: skip
    assert await one(db, "SELECT count(*) FROM audit WHERE action = 'resident-deleted'") == 1
    # Not even with the keys: no stored message repeats her name any more.
    left = []
    for stored in await rows(db, "SELECT id, content FROM message WHERE content <> ''"):
        left.append(db.keyring.open("message.content", stored.id, stored.content))
    state = await rows(db, "SELECT id, state FROM address WHERE state IS NOT NULL")
    left += [db.keyring.open("address.state", row.id, row.state) for row in state]
    assert traces("\n".join(left), {k: PERSONAL[k] for k in ("name", "street", "birth")}) == []
    kept = "SELECT count(*) FROM delivery WHERE priority = 0"
    assert await one(db, kept) > said, "what became of them stays"
    # Nothing reaches her any more, and she may come again.
    received = len(emulator.received("sholpan"))
    await send_notice(world, akim)
    await emulator.wait_for("akim", "Ремонт водопровода", count=2)
    assert len(emulator.received("sholpan")) == received
    emulator.say("sholpan", words("kk", "menu-register"))
    await emulator.wait_for("sholpan", words("kk", "consent-ask"), count=2)


# The audit trail


async def test_the_trail_only_grows(village: TestDatabase) -> None:
    """Neither row nor seal can be changed or removed while the triggers stand."""
    async with village.unit() as unit:
        unit.audit("tested", "x")
    async with village.database.work.begin() as connection:
        assert await audit.seal(connection) >= 1
    for statement in (
        "UPDATE audit SET action = 'other'",
        "DELETE FROM audit",
        "UPDATE audit_seal SET hash = ''",
        "DELETE FROM audit_seal",
    ):
        with pytest.raises(Exception, match="append-only"):
            await rows(village, statement + " RETURNING 1")


TAMPERING = (
    "UPDATE audit SET details = '{\"n\": 99}' WHERE id = :id",
    "UPDATE audit SET at = at - interval '1 second' WHERE id = :id",
    "UPDATE audit SET actor_id = gen_random_uuid() WHERE id = :id",
    "UPDATE audit SET object_id = NULL WHERE id = :id",
    "DELETE FROM audit_seal WHERE audit_id = :id",
    "UPDATE audit_seal SET audit_id = -1 WHERE audit_id = :id",
)


async def test_tampering_shows(db: TestDatabase) -> None:
    """Whoever removes the triggers and changes the past breaks the chain there."""
    async with db.unit() as unit:
        for number in range(5):
            unit.audit("tested", number, n=number)
    async with db.database.work.begin() as connection:
        assert await audit.seal(connection) == 5
    async with db.session() as session:
        assert (await audit.verify(session)).broken_at is None
    victim = await one(db, "SELECT audit_id FROM audit_seal WHERE seq = 3")
    for statement in TAMPERING:
        async with db.database.work.connect() as connection:  # rolled back each time
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            changed = await connection.execute(text(statement), {"id": victim})
            assert changed.rowcount == 1
            check = await audit.verify(AsyncSession(connection))
            assert check.broken_at in (3, 4), statement


async def test_two_sealers_and_many_writers(db: TestDatabase) -> None:
    """Rows committed out of order, sealed by two processes at once: no gap, no row twice."""
    import asyncio

    from bot.database import engines

    others = engines(db.database.url)

    async def write(number: int) -> None:
        async with db.unit() as unit:
            unit.audit("tested", number)

    async def seal(database) -> None:
        for _ in range(8):
            async with database.work.begin() as connection:
                await audit.seal(connection)

    try:
        work = [write(number) for number in range(40)]
        await asyncio.gather(*work, seal(db.database), seal(others), seal(others))
        await seal(db.database)
    finally:
        await others.turns.dispose()
        await others.work.dispose()
    async with db.session() as session:
        check = await audit.verify(session)
    assert (check.sealed, check.waiting, check.broken_at) == (40, 0, None)
    assert await one(db, "SELECT max(seq) FROM audit_seal") == 40


async def test_the_trail_names_nobody(world: World) -> None:
    """Codes and ids only, whatever was done."""
    await register(world)
    akim = await settled(world, "akim", role=RoleName.AKIM)
    await send_notice(world, akim)
    entries = await rows(world.db, "SELECT action, object_id, details::text FROM audit")
    assert {entry.action for entry in entries} >= {
        "language-chosen",
        "resident-registered",
        "role-granted",
        "notice-sent",
    }
    assert traces(str(entries), PERSONAL | dict(enumerate(NOTICE))) == []


# WhatsApp with and without a number


async def test_who_hides_the_number(world: World) -> None:
    """Known by the scoped id alone; a number that comes and goes is the same person."""
    emulator, db = world.emulator, world.db
    emulator.add_person("dana", "Дана", "whatsapp", phone="+77019998877", hidden=True)
    for typed, expected in (
        ("Сәлем", words("kk", "first-contact")),
        ("1", words("kk", "consent-ask")),
        ("1", words("kk", "name-ask")),
        ("Серікова Дана", words("kk", "village-ask")),
        ("Бугровое", words("kk", "village-confirm")),
        ("иә", words("kk", "street-ask")),
        (words("kk", "street-skip"), words("kk", "birth-ask")),
        ("1.1.1990", words("kk", "phone-ask-typed")),  # the channel carries none: asked
        ("8 701 999 88 77", words("kk", "summary-ask")),
        ("1", words("kk", "registered")),
    ):
        emulator.say("dana", typed)
        await emulator.wait_for("dana", expected)
    assert await one(db, "SELECT level FROM resident") == "declared", "typed is not proved"
    (alias,) = await rows(db, "SELECT kind FROM address_alias")
    assert alias.kind == "scoped"

    # The number appears, later only the number comes, then only the scoped id again.
    emulator.change_person("dana", hidden=False)
    emulator.say("dana", "көмек")
    await emulator.wait_for("dana", words("kk", "help-text"))
    scoped = emulator.person("dana").external_id
    emulator.change_person("dana", external_id="")
    emulator.say("dana", "көмек")
    await emulator.wait_for("dana", words("kk", "help-text"), count=2)
    emulator.change_person("dana", external_id=scoped, hidden=True)
    emulator.say("dana", "деректерім")
    await emulator.wait_for("dana", "Серікова Дана")
    kinds = await rows(db, "SELECT kind FROM address_alias ORDER BY kind")
    assert [row.kind for row in kinds] == ["phone", "scoped"]
    assert await one(db, "SELECT count(*) FROM address") == 1
    assert await one(db, "SELECT count(*) FROM resident") == 1


async def test_a_number_that_the_channel_proves_is_not_asked(world: World) -> None:
    await register(world)
    assert await one(world.db, "SELECT level FROM resident") == "phone"
    assert words("kk", "phone-ask-typed") not in str(world.emulator.texts("sholpan"))
