"""Notices: whom they reach, by whom, in which languages, and never twice."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from conversation.message import Content
from core.languages import Language
from models.delivery import Notice
from rules.notices import NoticeKind
from services import installation, intake, notices, residents, roles
from services.notices import NoticeText
from services.reach import reach
from services.receipts import Acknowledged
from services.roles import RoleName
from services.unit import Refused, Unit
from tests.services.conftest import VILLAGE, Settler

KK, RU = Language
KIND = NoticeKind.ANNOUNCEMENT
OKRUG, SOSNOVKA = "595041000", "595041600"
TEXTS = {KK: NoticeText("Су жоқ", "Ертең"), RU: NoticeText("Нет воды", "Завтра")}
BIRTH = date(1990, 1, 1)
CONTENTS = {one: Content(one, TEXTS[one].body).to_json() for one in Language}


async def akim(db: TestDatabase, settle: Settler, place: str = OKRUG) -> tuple[UUID, UUID]:
    person, address = await settle("595030100")
    async with db.unit() as unit:
        await roles.grant(unit, person, RoleName.AKIM, place)
    return person, address


async def sent(
    unit: Unit,
    author: tuple[UUID, UUID],
    notice: UUID,
    audience: Sequence[str] = (VILLAGE, SOSNOVKA),
    words: Mapping[Language, NoticeText] = TEXTS,
    monolingual: Language | None = None,
    place: str = OKRUG,
) -> bool:
    unit.actor, address = author
    status = await notices.announce(
        unit,
        again=True,
        notice=notice,
        author_address=address,
        place_code=place,
        audience=audience,
        texts=words,
        monolingual=monolingual,
    )
    return status is not None and await notices.queue(unit, notice, CONTENTS)


async def count(db: TestDatabase, table: str, where: str = "true") -> int:
    async with db.session() as session:
        found = await session.execute(text(f"SELECT count(*) FROM {table} WHERE {where}"))
        return int(found.scalar_one())


NOTICES = "delivery AS d JOIN message AS m ON m.id = d.message_id AND m.notice_id IS NOT NULL"


async def test_reach_counts_by_messenger(settled: TestDatabase, settle: Settler) -> None:
    await settle()
    await settle(channel="whatsapp")
    await settle(channel="whatsapp")
    stopped, address = await settle()
    forgotten, _ = await settle()
    await settle(SOSNOVKA)
    async with settled.unit() as unit:
        await unit.session.execute(
            text("UPDATE address SET stopped_at = now() WHERE id = :id"), {"id": address}
        )
        await residents.forget(unit, forgotten)
        found = await reach(unit, OKRUG, [VILLAGE], KIND)
        assert (found.by_channel, found.unreachable) == ({"telegram": 1, "whatsapp": 2}, 1)
        assert found.people == 4
        assert (await reach(unit, OKRUG, [VILLAGE, SOSNOVKA], KIND)).people == 5
        assert (await reach(unit, OKRUG, [VILLAGE, VILLAGE], KIND)).people == 4
        assert (await reach(unit, OKRUG, [], KIND)).people == 0
        assert stopped


async def test_everybody_gets_one_in_their_language(settled: TestDatabase, settle: Settler) -> None:
    author = await akim(settled, settle)
    await settle(language="kk")
    await settle(language="ru", channel="whatsapp")
    _, stopped = await settle(SOSNOVKA)
    async with settled.session() as session:
        await session.execute(
            text("UPDATE address SET stopped_at = now() WHERE id = :id"), {"id": stopped}
        )
    async with settled.unit() as unit:
        assert await sent(unit, author, uuid4())
    assert await count(settled, NOTICES, "m.language = 'kk'") == 1
    assert await count(settled, NOTICES, "m.language = 'ru'") == 1
    assert await count(settled, "recipient") == 3
    assert await count(settled, "recipient", "delivery_id IS NULL") == 1
    async with settled.session() as session:
        row = (await session.execute(text("SELECT recipients, unreachable FROM notice"))).one()
    assert tuple(row) == (3, 1)


async def test_a_family_on_one_phone_gets_one_and_is_several(
    settled: TestDatabase, settle: Settler
) -> None:
    author = await akim(settled, settle)
    _, address = await settle()
    async with settled.unit() as unit:
        given = residents.Registration("Ахметова Айгүл", VILLAGE, BIRTH, "kk")
        await residents.register(unit, address, None, given)
    notice = uuid4()
    async with settled.unit() as unit:
        await sent(unit, author, notice)
        assert await notices.addressed_to(unit, notice, address)
        assert not await notices.addressed_to(unit, notice, author[1])
    assert await count(settled, NOTICES) == 1
    assert await count(settled, "recipient") == 2
    async with settled.unit() as unit:
        assert await notices.acknowledge(unit, notice, address, 1) == Acknowledged(1, True, 2)
        assert await notices.acknowledge(unit, notice, address, 1) == Acknowledged(1, False, 2)
        counts = await notices.progress(await unit.connection(), notice)
    assert (counts.total, counts.acknowledged, counts.pending) == (2, 2, 2)


async def test_the_same_notice_twice_goes_once(settled: TestDatabase, settle: Settler) -> None:
    author = await akim(settled, settle)
    await settle()
    notice = uuid4()
    for expected in (True, False, False):
        async with settled.unit() as unit:
            assert await sent(unit, author, notice) is expected
    assert await count(settled, "notice") == await count(settled, NOTICES) == 1
    assert await count(settled, "audit", "action = 'notice-sent'") == 1


async def test_a_person_of_two_messengers_gets_it_where_they_wrote_last(
    settled: TestDatabase, settle: Settler
) -> None:
    author = await akim(settled, settle)
    person, first = await settle()
    settled.clock.offset += timedelta(hours=1)
    other, second = await settle(SOSNOVKA, channel="whatsapp")
    async with settled.unit() as unit:
        await residents.register(
            unit, second, person, residents.Registration("А Б", VILLAGE, BIRTH, "kk")
        )
        await residents.forget(unit, other)
        await sent(unit, author, uuid4())
    async with settled.session() as session:
        reached = (await session.execute(text(f"SELECT d.address_id FROM {NOTICES}"))).scalars()
        assert list(reached) == [second]
    assert first != second


@pytest.mark.parametrize(
    ("words", "monolingual", "allowed"),
    [
        pytest.param(TEXTS, None, True, id="both"),
        pytest.param({KK: TEXTS[KK]}, KK, True, id="kazakh only, said so"),
        pytest.param({RU: TEXTS[RU]}, RU, True, id="russian only, said so"),
        pytest.param({KK: TEXTS[KK]}, None, False, id="kazakh only, not said"),
        pytest.param({RU: TEXTS[RU]}, None, False, id="russian only, not said"),
        pytest.param({RU: TEXTS[RU]}, KK, False, id="the other one was declared"),
        pytest.param(TEXTS, KK, False, id="both, and declared one"),
        pytest.param({}, None, False, id="none"),
    ],
)
async def test_languages(
    settled: TestDatabase,
    settle: Settler,
    words: dict[Language, NoticeText],
    monolingual: Language | None,
    allowed: bool,
) -> None:
    author = await akim(settled, settle)
    await settle(language="kk")
    await settle(language="ru")
    async with settled.unit() as unit:
        if not allowed:
            with pytest.raises(Refused, match="refused-one-language"):
                await sent(unit, author, uuid4(), words=words, monolingual=monolingual)
        else:
            assert await sent(unit, author, uuid4(), words=words, monolingual=monolingual)
    assert await count(settled, NOTICES) == (2 if allowed else 0)


@pytest.mark.parametrize(
    ("place", "audience"),
    [
        pytest.param(OKRUG, ["595030100"], id="a neighbour's village"),
        pytest.param(OKRUG, [VILLAGE, "595030100"], id="one of two outside"),
        pytest.param(OKRUG, ["595000000"], id="the district above"),
        pytest.param(OKRUG, ["000000000"], id="nowhere"),
        pytest.param("595030000", ["595030100"], id="another okrug altogether"),
    ],
)
async def test_nobody_outside_the_place_is_written_to(
    settled: TestDatabase, settle: Settler, place: str, audience: list[str]
) -> None:
    author = await akim(settled, settle)
    await settle()
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-role"):
            await sent(unit, author, uuid4(), audience, place=place)
        assert unit.audit_rows[-1].action in ("audience-outside", "role-missing")
    assert await count(settled, "notice") == await count(settled, NOTICES) == 0


async def test_an_akim_of_the_district_may_write_to_its_okrugs(
    settled: TestDatabase, settle: Settler
) -> None:
    author = await akim(settled, settle, "595000000")
    await settle()
    async with settled.unit() as unit:
        assert await sent(unit, author, uuid4())


async def test_without_a_role_nothing_goes(settled: TestDatabase, settle: Settler) -> None:
    author = await settle()
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-role"):
            await sent(unit, author, uuid4())
    assert await count(settled, "notice") == 0


async def test_the_text_is_stored_sealed_and_read_in_the_readers_language(
    settled: TestDatabase, settle: Settler
) -> None:
    author = await akim(settled, settle)
    reader, _ = await settle()
    notice = uuid4()
    async with settled.unit() as unit:
        await sent(unit, author, notice, words={KK: TEXTS[KK]}, monolingual=KK)
        row = await unit.session.get_one(Notice, notice)
        assert row.title_kk is not None
        assert "Су жоқ".encode() not in row.title_kk
        found = await notices.view(unit, notice)
        assert found is not None
        assert found.text(KK) == found.text(RU) == TEXTS[KK]
        assert [one.id for one in await notices.latest(unit, reader)] == [notice]
        assert [one.id for one in await notices.of_offices(unit, [OKRUG])] == [notice]
        assert await notices.latest(unit, author[0]) == []


async def test_a_tap_on_somebody_elses_notice_is_refused_and_noted(
    settled: TestDatabase, settle: Settler
) -> None:
    author = await akim(settled, settle)
    await settle()
    _, stranger = await settle("595030100")
    notice = uuid4()
    async with settled.unit() as unit:
        await sent(unit, author, notice)
        assert await notices.acknowledge(unit, notice, stranger, 1) is None
        assert await notices.acknowledge(unit, uuid4(), stranger, 1) is None
        assert [row.action for row in unit.audit_rows].count("tap-refused") == 2
    assert await count(settled, "recipient", "acknowledged_at IS NOT NULL") == 0


async def test_an_alias_of_two_addresses_stays_where_it_was(
    settled: TestDatabase, settle: Settler
) -> None:
    """Joining two addresses is offered, never done silently."""
    _, first = await settle()
    _, second = await settle()
    async with settled.unit() as unit:
        view = await installation.address_view(unit, first)
        assert view is not None
        account = view.account
        assert await intake.add_aliases(unit, account, first, [("phone", "+77010000001")]) == 1
        assert await intake.add_aliases(unit, account, second, [("phone", "+77010000001")]) == 0
