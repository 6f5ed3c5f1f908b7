"""What an office reads of each outcome: on the card in numbers, in the report by name."""

import csv
import io
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from support.talk import KK, TELEGRAM, WHATSAPP, Person, Talk

from bot.clockwork import Clockwork
from conversation.message import ChannelName
from core.clock import local, local_date
from core.ids import short
from core.languages import Language
from core.texts import Near
from services import files, residents
from tests.handlers.test_sent import EACH, announced

TOMORROW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the notice for one person, and how the report says it."""

    state: str  # the text's key
    outcome: str | None = None
    waiting_for: str | None = None
    channel: ChannelName | None = WHATSAPP
    seen: bool = False  # delivered, opened, acknowledged


FATES = {
    "Абаев Арман": Fate("state-sent", "sent", seen=True),
    "Бекова Дана": Fate("state-announced", "announced"),
    "Вагнер Иван": Fate("state-window-closed", None, "window-closed"),
    "Гусев Пётр": Fate("state-daily-limit", None, "daily-limit"),
    "Дюсенов Ерлан": Fate("state-blocked", "blocked", channel=TELEGRAM),
    "Ёлкина Анна": Fate("state-unreachable", "unreachable", channel=TELEGRAM),
    "Жақып Әсел": Fate("state-pending", channel=TELEGRAM),
    "Зиятов Қанат": Fate("state-sent", "blocked"),  # the other messenger brought it
    "Ибраев Дамир": Fate("state-expired", "expired"),
    "Иманов Сәкен": Fate("state-muted", channel=None),
    "Қалиев Ғани": Fate("state-blocked", channel=None),
}


async def registered(talk: Talk, name: str, channel: ChannelName) -> UUID:
    person = talk.person(channel)
    await person.chooses(KK)
    await person.says("1", name, "Бугровое", "да", "1", "05.03.1986")
    if channel is TELEGRAM:
        await person.say("1")
    await person.say("1")
    return UUID(str((await person.address())["speaker_id"]))


async def mixed(talk: Talk, channel: ChannelName, language: Language) -> tuple[Person, UUID]:
    """An akim whose notice had every fate."""
    people = {}
    for name, fate in FATES.items():
        first = TELEGRAM if name == "Зиятов Қанат" else fate.channel or TELEGRAM
        people[name] = await registered(talk, name, first)
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE resident SET muted = '[\"announcement\"]' WHERE id = :id"),
            {"id": people["Иманов Сәкен"]},
        )
        await session.execute(
            text(
                "UPDATE address SET stopped_at = :now WHERE id IN"
                " (SELECT address_id FROM resident_address WHERE resident_id = :id)"
            ),
            {"id": people["Қалиев Ғани"], "now": talk.clock.now()},
        )
    akim = await talk.official(channel, language)
    notice = await announced(talk, akim)
    for name, fate in FATES.items():
        await befalls(talk, people[name], fate)
    await arrives_elsewhere(talk, people["Зиятов Қанат"])
    return akim, notice


async def befalls(talk: Talk, person: UUID, fate: Fate) -> None:
    now = talk.clock.now()
    seen = now if fate.seen else None
    sent = now if fate.outcome == "sent" else None
    tomorrow = now + TOMORROW if fate.waiting_for == "daily-limit" else now
    async with talk.db.session() as session:
        await session.execute(
            text(
                "UPDATE delivery SET outcome = :outcome, waiting_for = :waiting_for,"
                " delivered_at = :seen, read_at = :seen, sent_at = :sent, not_before = :due"
                " WHERE id = (SELECT delivery_id FROM recipient WHERE resident_id = :person)"
            ),
            {
                "outcome": fate.outcome,
                "waiting_for": fate.waiting_for,
                "seen": seen,
                "sent": sent,
                "due": tomorrow,
                "person": person,
            },
        )
        await session.execute(
            text("UPDATE recipient SET acknowledged_at = :seen WHERE resident_id = :person"),
            {"seen": seen, "person": person},
        )


async def arrives_elsewhere(talk: Talk, person: UUID) -> None:
    """The chat on WhatsApp of the same person got it."""
    async with talk.db.session() as session:
        await session.execute(
            text(
                "WITH other AS (INSERT INTO address (id, account_id, created_at)"
                " VALUES (gen_random_uuid(), :account, :now) RETURNING id, account_id),"
                " second AS (INSERT INTO delivery (id, message_id, address_id, account_id,"
                "  priority, not_before, created_at, outcome, sent_at)"
                " SELECT gen_random_uuid(), d.message_id, other.id, other.account_id, 2, :now,"
                "  :now, 'sent', :now FROM other, recipient AS r"
                "  JOIN delivery AS d ON d.id = r.delivery_id WHERE r.resident_id = :person"
                " RETURNING id)"
                " UPDATE recipient SET second_id = (SELECT id FROM second)"
                " WHERE resident_id = :person"
            ),
            {"account": talk.accounts[WHATSAPP], "now": talk.clock.now(), "person": person},
        )


@EACH
async def test_every_outcome_has_its_line_on_the_card(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim, notice = await mixed(talk, channel, language)
    await akim.press(f"d.live.{short(notice)}")
    now = talk.clock.now()
    tomorrow = Near(local_date(now + TOMORROW), now)
    failures = {"blocked": 2, "expired": 1, "unreachable": 1}
    reasons = [akim.t(f"outcome-{why}", people=people) for why, people in failures.items()]
    assert akim.text.splitlines()[1:] == [
        akim.t("live-sending", done=3, total=10),
        akim.t("live-delivered", delivered=1, read=1),
        akim.t("live-announced", people=1),
        akim.t("live-read", people=1, percent=10),
        akim.t("live-tomorrow", people=1, at=tomorrow),
        akim.t("live-waiting", people=1),
        akim.t("live-failed", people=4, why="; ".join(reasons)),
        akim.t("live-muted", people=1),
        akim.t("live-left", seconds=1),
    ]


async def reported(
    talk: Talk, akim: Person, notice: UUID
) -> tuple[files.StoredFile, list[list[str]]]:
    """The report, read back as its reader's program reads it."""
    await akim.press(f"d.n-report.{short(notice)}")
    talk.clock.advance(timedelta(seconds=1))
    await Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None).work_due()
    (kept,) = await talk.rows("SELECT id FROM file")
    async with talk.db.unit() as unit:
        stored = await files.fetch(unit, UUID(str(kept["id"])))
    assert stored is not None
    if akim.channel is TELEGRAM:
        table = stored.content.decode("utf-8-sig")
        return stored, list(csv.reader(io.StringIO(table), delimiter=";"))
    sheet = load_workbook(io.BytesIO(stored.content)).active
    assert sheet is not None
    return stored, [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]


@EACH
async def test_the_report_has_a_row_for_every_fate(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim, notice = await mixed(talk, channel, language)
    at = f"{local(talk.clock.now()):%d.%m.%Y %H:%M}"
    stored, (header, *rows) = await reported(talk, akim, notice)
    assert stored.name.endswith(".csv" if channel is TELEGRAM else ".xlsx")
    columns = [
        "name",
        "village",
        "messenger",
        "outcome",
        "sent",
        "delivered",
        "read",
        "receipt",
        "shared",
    ]
    assert header == [akim.t(f"report-{column}") for column in columns]
    village = "Бугровое ауылы" if language is KK else "село Бугровое"
    expected = [
        [
            name,
            village,
            akim.t(f"messenger-{fate.channel}") if fate.channel else "",
            akim.t(fate.state),
            at if fate.state == "state-sent" else "",
            *[at if fate.seen else ""] * 3,
            "",
        ]
        for name, fate in FATES.items()
    ]
    assert sorted(rows) == sorted(expected)


@pytest.mark.parametrize("channel", ChannelName)
async def test_who_is_deleted_stays_a_row_without_a_name(talk: Talk, channel: ChannelName) -> None:
    person = await registered(talk, "Абаев Арман", TELEGRAM)
    akim = await talk.official(channel, KK)
    notice = await announced(talk, akim)
    async with talk.db.unit() as unit:
        await residents.forget(unit, person)
    _, (_, row) = await reported(talk, akim, notice)
    assert row[0] == akim.t("report-deleted")
    assert "Абаев" not in "".join(row)


@EACH
async def test_a_picture_that_has_not_come_is_in_the_report(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """WhatsApp took the text and could not fetch the picture before it."""
    akim, notice = await mixed(talk, channel, language)
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE delivery SET detail = 'part 1: 63019' WHERE outcome = 'sent'")
        )
    _, (_, *rows) = await reported(talk, akim, notice)
    states = {row[0]: row[3] for row in rows}
    assert states["Абаев Арман"] == akim.t("state-sent-in-part")
    assert states["Зиятов Қанат"] == akim.t("state-sent"), "the other messenger brought it whole"


@EACH
async def test_a_picture_that_has_not_come_is_on_the_card(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """One line with its reason, as the other failures have; nobody is counted as not reached."""
    akim, notice = await mixed(talk, channel, language)
    await akim.press(f"d.live.{short(notice)}")
    before = akim.text.splitlines()
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE delivery SET detail = 'part 1 refused: 63034' WHERE outcome = 'sent'")
        )
    await akim.press(f"d.live.{short(notice)}")
    (line,) = set(akim.text.splitlines()) - set(before)
    assert line == akim.t("live-in-part", people=1, why=akim.t("outcome-refused", people=1))
    assert len(akim.text.splitlines()) == len(before) + 1
