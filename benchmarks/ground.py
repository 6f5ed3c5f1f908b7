"""The ground of a benchmark: a PostgreSQL of its own with default durability, a village, a notice.

The rows are made by the product's own services where that is quick, else in bulk as these would.
"""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from benchmarks.names import (
    AUTH,
    OKRUG,
    SECRET,
    SENDER,
    SID,
    TELEGRAM,
    TOKEN,
    VILLAGE,
    WEBHOOK_SECRET,
    WHATSAPP,
)
from bot.database import Database, EmbeddedServer, engines, migrate
from conversation.message import AliasKind
from core.clock import Clock
from core.crypto import Keyring
from core.ids import new_id, short
from core.languages import Language
from core.texts import texts
from handlers.notice import composed
from rules.notices import NoticeKind
from services import audit, installation, intake, keys, notices, residents, roles, territory
from services.intake import ALIAS, TARGET, alias_hash
from services.notices import NoticeText
from services.roles import RoleName
from services.territory_import import DEMO_PLACES, import_territory
from services.unit import Unit

NAME = {TELEGRAM: TOKEN.partition(":")[0], WHATSAPP: SENDER}
SECRETS = {
    TELEGRAM: {"token": TOKEN, "webhook_secret": WEBHOOK_SECRET},
    WHATSAPP: {"account_sid": SID, "auth_token": AUTH},
}


@asynccontextmanager
async def server() -> AsyncIterator[EmbeddedServer]:
    """A PostgreSQL of our own in a temporary folder; fsync and synchronous_commit stay on."""
    with tempfile.TemporaryDirectory(prefix="zhiyn-bench-", ignore_cleanup_errors=True) as folder:
        running = EmbeddedServer(Path(folder) / "server" / "data")
        try:
            yield running
        finally:
            running.stop()


async def postmaster(url: str) -> int:
    """The process id of the server."""
    connection = await plain(url)
    folder = Path(await connection.fetchval("SHOW data_directory"))
    await connection.close()
    return int((folder / "postmaster.pid").read_text().split()[0])


async def plain(url: str) -> asyncpg.Connection:
    """A bare connection, for bulk rows and counts."""
    return await asyncpg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )


async def make_database(server: EmbeddedServer, name: str) -> str:
    """An empty database beside the others of this server; its address."""
    engine = create_async_engine(server.url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f'CREATE DATABASE "{name}"'))
    await engine.dispose()
    return make_url(server.url).set(database=name).render_as_string(hide_password=False)


@dataclass
class Ground:
    """The migrated database with its keys and accounts."""

    url: str
    database: Database
    keyring: Keyring
    clock: Clock
    accounts: dict[str, UUID]

    async def close(self) -> None:
        """Gives back connections."""
        await self.database.turns.dispose()
        await self.database.work.dispose()

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """A unit of work that is committed at the end."""
        async with AsyncSession(self.database.work) as session, session.begin():
            unit = Unit(session, self.keyring, self.clock.now(), "benchmark")
            yield unit
            await session.flush()
            await audit.write(unit)

    async def people(self, channel: str, names: Sequence[str]) -> None:
        """So many registered residents, each with a chat of this name (chat id or phone)."""
        now, keyring, account = self.clock.now(), self.keyring, self.accounts[channel]
        kind = AliasKind.CHAT if channel == TELEGRAM else AliasKind.PHONE
        seal = keyring.seal
        rows: dict[str, list[tuple[object, ...]]] = {
            "resident": [], "address": [], "address_alias": [], "resident_address": []
        }  # fmt: skip
        for number, name in enumerate(names):
            person, address = new_id(now), new_id(now)
            language = "ru" if number % 2 else "kk"
            full_name = seal(residents.NAME, person, f"Тұрғын {number}")
            birth = seal(residents.BIRTH, person, "1980-01-01")
            rows["resident"].append(
                (person, full_name, birth, VILLAGE, "declared", language, now, now, now)
            )
            target = seal(TARGET, address, name)
            rows["address"].append((address, account, target, language, person, now, now))
            hashed = alias_hash(keyring, kind, name)
            value = seal(ALIAS, address, name)
            rows["address_alias"].append((account, hashed, address, kind.value, value, now))
            rows["resident_address"].append((person, address, now))
        columns = {
            "resident": "id full_name birth_date place_code level language consented_at"
            " registered_at created_at",
            "address": "id account_id target language speaker_id last_inbound_at created_at",
            "address_alias": "account_id hash address_id kind value first_seen_at",
            "resident_address": "resident_id address_id created_at",
        }
        connection = await plain(self.url)
        for table, records in rows.items():
            await connection.copy_records_to_table(
                table, records=records, columns=columns[table].split()
            )
        await connection.execute("ANALYZE")
        await connection.close()

    async def akim(self, channel: str, name: str) -> tuple[UUID, UUID]:
        """An akim of the okrug with a chat: (resident, address)."""
        kind = AliasKind.CHAT if channel == TELEGRAM else AliasKind.PHONE
        async with self.unit() as unit:
            made = await intake.new_address(unit, self.accounts[channel], [(kind.value, name)])
            person = await residents.new_person(unit, made.id, "kk")
            unit.actor = person
            await roles.grant(unit, person, RoleName.AKIM, OKRUG)
            await intake.seed_language(unit, made.id, "kk", last_inbound=True)
        return person, made.id

    async def notice(self, author: tuple[UUID, UUID], *, live: bool = False) -> UUID:
        """A notice to the whole village, queued as the akim's form does it."""
        words = {
            language: NoticeText("Ертең жиын", "Ертең сағат 18:00-де клубта жиын болады.")
            for language in Language
        }
        async with self.unit() as unit:
            notice, (unit.actor, address) = unit.new_id(), author
            office = await territory.akim_of(unit.session, OKRUG)
            contents = composed(texts(), office, notice, words)
            await notices.announce(
                unit,
                again=True,
                notice=notice,
                author_address=address,
                place_code=OKRUG,
                audience=[VILLAGE],
                texts=words,
                monolingual=None,
                kind=NoticeKind.URGENT,  # also at night
            )
            stored = {one: content.to_json() for one, content in contents.items()}
            await notices.queue(unit, notice, stored)
            if not live:
                await unit.session.execute(text("UPDATE notice SET live_at = NULL"))
        return notice

    async def delivered(self, notice: UUID) -> None:
        """As if all of it had been sent an hour ago."""
        connection = await plain(self.url)
        await connection.execute(
            "UPDATE delivery SET outcome = 'sent', sent_at = $2, finished_at = $2,"
            " platform_id = seq"
            " WHERE message_id IN (SELECT id FROM message WHERE notice_id = $1)",
            notice, self.clock.now() - timedelta(hours=1),
        )  # fmt: skip
        await connection.execute("VACUUM ANALYZE")
        await connection.close()


def button(notice: UUID) -> str:
    """The payload of "I have read it"."""
    return f"d.read.{short(notice)}.1"


async def ground(url: str) -> Ground:
    """Migrates the database, opens keys, adds both accounts and the places of the example."""
    database, clock = engines(url), Clock()
    await migrate(database.work)
    async with AsyncSession(database.work) as session, session.begin():
        keyring = await keys.open_keyring(session, SECRET, clock.now())
    async with AsyncSession(database.work) as session, session.begin():
        await import_territory(session, DEMO_PLACES, clock.now())
    made = Ground(url, database, keyring, clock, {})
    async with made.unit() as unit:
        for channel, secrets in SECRETS.items():
            view = await installation.ensure_account(
                unit, channel, NAME[channel], "zhiyn_bot", secrets
            )
            made.accounts[channel] = view.id
    return made
