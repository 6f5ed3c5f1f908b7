"""A correction goes only to readers of what was changed; the others' text and receipt stand."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from bot.clockwork import Clockwork
from core.clock import FrozenClock
from core.outcomes import Outcome
from services import notices, receipts
from services.notices import Newest
from services.receipts import Receipt
from tests.services.conftest import Settler
from tests.services.test_notices_in_depth import (
    KK,
    NEWER,
    RU,
    TEXTS,
    Office,
    claim,
    counts,
    office,
    rows,
    settle_all,
    two_chats,
)

__all__ = ["office"]

RUSSIAN = {KK: TEXTS[KK], RU: NEWER[RU]}


async def speaks(office: Office, address: UUID, language: str) -> None:
    async with office.db.session() as session:
        await session.execute(
            text("UPDATE address SET language = :language WHERE id = :address"),
            {"language": language, "address": address},
        )


async def taps(office: Office, notice: UUID, address: UUID, revision: int) -> tuple[int, bool]:
    async with office.db.unit() as unit:
        found = await notices.acknowledge(unit, notice, address, revision)
    assert found is not None
    return found.revision, found.newly


async def two_readers(office: Office, settle: Settler) -> tuple[UUID, UUID]:
    """The addresses of one who reads Kazakh and of one who reads Russian."""
    _, kazakh = await settle()
    _, russian = await settle()
    await speaks(office, russian, "ru")
    return kazakh, russian


async def two_have_it(office: Office, settle: Settler) -> tuple[UUID, UUID, UUID]:
    """`two_readers`, and a notice that both have."""
    kazakh, russian = await two_readers(office, settle)
    notice = await office.send()
    await settle_all(office.db, await claim(office.db))
    return kazakh, russian, notice


async def test_who_reads_the_other_language_gets_nothing_and_has_read_it(
    office: Office, settle: Settler
) -> None:
    kazakh, russian, notice = await two_have_it(office, settle)
    for address in (kazakh, russian):
        assert await taps(office, notice, address, 1) == (1, True)
    assert await office.correct(notice, 2, RUSSIAN)
    (one,) = await claim(office.db)
    assert (one.address, one.content["body"]) == (russian, "түзету Сегодня")
    await settle_all(office.db, [one])
    found = await counts(office.db, notice)
    assert (found.total, found.sent, found.acknowledged) == (2, 2, 1)
    assert await taps(office, notice, kazakh, 1) == (1, False)
    assert await taps(office, notice, russian, 1) == (2, False)
    assert await taps(office, notice, russian, 2) == (2, True)
    async with office.db.unit() as unit:
        assert not await notices.had_older(unit, notice, kazakh, None)
        assert await notices.had_older(unit, notice, russian, None)
        assert await notices.take_newest(unit, notice, kazakh) is Newest.HERE


async def test_the_button_of_the_unchanged_text_acknowledges_it_later(
    office: Office, settle: Settler
) -> None:
    """In a group with others, too; and the text that the list shows names the newest revision."""
    kazakh, russian, notice = await two_have_it(office, settle)
    assert await office.correct(notice, 2, RUSSIAN)
    async with office.db.unit() as unit:
        taps = ((kazakh, 1), (russian, 1), (kazakh, 2), (kazakh, 3))
        found = await receipts.acknowledge([Receipt(unit, notice, *one) for one in taps])
    assert [one.newly for one in found if one].count(True) == 1
    assert [one and one.revision for one in found] == [1, 2, 2, 2]
    assert (await counts(office.db, notice)).acknowledged == 1


async def test_what_has_not_gone_of_the_unchanged_text_goes_as_it_is(
    office: Office, settle: Settler
) -> None:
    """Also what a process had in hand, and what comes back from there."""
    kazakh, russian = await two_readers(office, settle)
    notice = await office.send()
    leased = await claim(office.db)
    assert await office.correct(notice, 2, RUSSIAN)
    await settle_all(office.db, leased, Outcome.TRANSIENT)
    assert isinstance(office.db.clock, FrozenClock)
    office.db.clock.advance(timedelta(seconds=61))
    went = {}
    for _ in range(3):
        leased = await claim(office.db)
        went |= {one.address: one.content["body"] for one in leased}
        await settle_all(office.db, leased)
    assert went == {kazakh: "Ертең", russian: "Сегодня"}
    assert (await counts(office.db, notice)).sent == 2


async def test_one_language_after_the_other(office: Office, settle: Settler) -> None:
    kazakh, russian, notice = await two_have_it(office, settle)
    assert await office.correct(notice, 2, RUSSIAN)
    await settle_all(office.db, await claim(office.db))
    assert await taps(office, notice, russian, 2) == (2, True)
    assert await office.correct(notice, 3, NEWER)
    (one,) = await claim(office.db)
    assert (one.address, one.content["body"]) == (kazakh, "түзету Бүгін")
    await settle_all(office.db, [one])
    assert await taps(office, notice, russian, 2) == (2, False)
    assert await taps(office, notice, russian, 1) == (3, False)
    assert await taps(office, notice, kazakh, 1) == (3, False)
    assert await taps(office, notice, kazakh, 2) == (3, False)
    assert await taps(office, notice, kazakh, 3) == (3, True)
    assert (await counts(office.db, notice)).acknowledged == 2


async def test_a_correction_that_waits_stays_when_the_other_language_is_corrected(
    office: Office, settle: Settler
) -> None:
    kazakh, russian, notice = await two_have_it(office, settle)
    assert await office.correct(notice, 2, RUSSIAN)
    assert await office.correct(notice, 3, NEWER)
    leased = await claim(office.db)
    said = {one.address: one.content["body"] for one in leased}
    assert said == {kazakh: "түзету Бүгін", russian: "түзету Сегодня"}


async def test_what_changes_nothing_is_no_correction(office: Office, settle: Settler) -> None:
    *_, notice = await two_have_it(office, settle)
    assert not await office.correct(notice, 2, TEXTS)
    assert await claim(office.db) == []
    (found,) = await rows(office.db, "SELECT revision, corrected_at FROM notice")
    assert (found.revision, found.corrected_at) == (1, None)


async def test_who_changed_the_language_has_the_text_that_came(
    office: Office, settle: Settler
) -> None:
    """It came in Russian; they read Kazakh since; only the Kazakh text is corrected."""
    _, russian, notice = await two_have_it(office, settle)
    await speaks(office, russian, "kk")
    assert await office.correct(notice, 2, {KK: NEWER[KK], RU: TEXTS[RU]})
    assert russian not in {one.address for one in await claim(office.db)}
    assert await taps(office, notice, russian, 1) == (1, True)


@pytest.mark.parametrize(("first", "expected"), [("kk", "Сегодня"), ("ru", "Ертең")])
async def test_the_other_messenger_gets_the_newest_of_its_language(
    office: Office, settle: Settler, first: str, expected: str
) -> None:
    """Their two chats are in two languages, and only the Russian text was corrected."""
    _, telegram, whatsapp = await two_chats(office, settle)
    await speaks(office, telegram, first)
    await speaks(office, whatsapp, "ru" if first == "kk" else "kk")
    notice = await office.send()
    await settle_all(office.db, await claim(office.db))
    assert await office.correct(notice, 2, RUSSIAN)
    await settle_all(office.db, await claim(office.db))
    assert isinstance(office.db.clock, FrozenClock)
    office.db.clock.advance(timedelta(hours=25))
    assert await Clockwork(
        office.db.database, office.db.keyring, office.db.clock, lambda: None
    ).work_due()
    (one,) = await claim(office.db)
    assert (one.address, one.content["body"]) == (whatsapp, expected)


async def test_a_family_keeps_what_it_read(office: Office, settle: Settler) -> None:
    kazakh, _ = await two_readers(office, settle)
    child, _ = await settle()
    async with office.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE resident_address SET address_id = :chat WHERE resident_id = :child"),
            {"chat": kazakh, "child": child},
        )
    notice = await office.send()
    await settle_all(office.db, await claim(office.db))
    assert await taps(office, notice, kazakh, 1) == (1, True)
    assert await office.correct(notice, 2, RUSSIAN)
    assert await taps(office, notice, kazakh, 1) == (1, False)
    assert (await counts(office.db, notice)).acknowledged == 2
