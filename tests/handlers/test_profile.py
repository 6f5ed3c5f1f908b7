"""The profile: what is kept in plain words, kinds of notices, what deletion means for others."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from support.database import TestDatabase
from support.talk import KK, NAME, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from bot.clockwork import Clockwork
from conversation.message import ChannelName, Medium
from core.crypto import SealBroken
from core.languages import Language
from models import Base
from models.delivery import Notice
from services import drafts, moves, people, roles, rulebook
from services.roles import RoleName

BOTH = pytest.mark.parametrize("language", [KK, RU])
WHERE = pytest.mark.parametrize("channel", ChannelName)
MUTED = "SELECT muted FROM resident"


async def speaker(person: Person) -> UUID:
    found = (await person.address())["speaker_id"]
    assert isinstance(found, UUID)
    return found


# What is kept


@BOTH
@WHERE
async def test_the_profile_is_short_and_plain(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """At most ten lines on an old phone, whatever is kept; at most ten things to tap."""
    person = await talk.resident(channel, language)
    talk.clock.advance(timedelta(days=3))
    await person.say("/data")
    level = "phone" if channel is WHATSAPP else "declared"
    assert person.hears(f"profile-level-{level}")
    await person.pick("profile-move")
    await person.says("Сосновка", "да", "да")
    await _also_on_the_other(talk, person)
    async with talk.db.unit() as unit:
        await people.prefer(unit, await speaker(person), "telegram")
    await person.say("/data")
    await person.pick("profile-mute")
    kind = person.t("notice-kind-event")
    await person.tap(person.t("mute-on", kind=kind))
    await person.say("/data")
    assert person.hears("profile-muted", kinds=kind)
    assert person.hears("profile-messengers-first", all="Telegram, WhatsApp", first="Telegram")
    assert len(person.text.splitlines()) <= 1 + 10  # with its title
    assert len(person.labels) <= 10


async def _also_on_the_other(talk: Talk, person: Person) -> Person:
    other = talk.person(TELEGRAM if person.channel is WHATSAPP else WHATSAPP)
    await other.start()
    await _reached_also(talk, person, other)
    return other


async def _reached_also(talk: Talk, person: Person, other: Person) -> None:
    row = {"resident": await speaker(person), "address": (await other.address())["id"]}
    async with talk.db.session() as session:
        await session.execute(
            text("INSERT INTO resident_address VALUES (:resident, :address, now())"), row
        )


@BOTH
@pytest.mark.parametrize("level", ["declared", "phone", "roll", "person"])
async def test_every_level_in_plain_words(talk: Talk, language: Language, level: str) -> None:
    person = await talk.resident(TELEGRAM, language)
    async with talk.db.session() as session:
        await session.execute(text("UPDATE resident SET level = :level"), {"level": level})
    await person.say("/data")
    assert person.hears(f"profile-level-{level}")


@BOTH
async def test_a_minor_becomes_an_adult_by_the_calendar_alone(
    talk: Talk, language: Language
) -> None:
    """The clock stands at 10:00 in Almaty on 20.11.2026; midnight there is 14 hours later."""
    person = talk.person()
    await person.chooses(language)
    await person.registers(until="birth")
    await person.says("21.11.2008", "1", "1")
    await person.say("/data")
    assert person.hears("profile-minor", day="21.11.2026")
    talk.clock.advance(timedelta(hours=13, minutes=50))
    await person.say("/data")
    assert person.hears("profile-minor", day="21.11.2026")
    talk.clock.advance(timedelta(minutes=10))
    await person.say("/data")
    assert not person.hears("profile-minor", day="21.11.2026")
    assert NAME in person.text


# Kinds of notices


@BOTH
@WHERE
async def test_kinds_are_switched_off_and_on(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    person = await talk.resident(channel, language)
    await person.say("/data")
    await person.pick("profile-mute")
    assert person.hears("mute-always", kinds=person.t("notice-kind-urgent"))
    kinds = [person.t(f"notice-kind-{one}") for one in ("announcement", "utilities", "event")]
    assert person.labels[:3] == [person.t("mute-on", kind=kind) for kind in kinds]
    await person.say("2")
    assert person.hears("mute-now-off", kind=kinds[1])
    assert person.labels[1] == kinds[1]
    assert await talk.one(MUTED) == ["utilities"]
    await person.say(kinds[2].upper())
    assert await talk.one(MUTED) == ["event", "utilities"]
    await person.say("2")
    assert person.hears("mute-now-on", kind=kinds[1])
    assert await talk.one(MUTED) == ["event"]
    await person.pick("menu-profile")
    assert person.hears("profile-muted", kinds=kinds[2])


async def test_the_same_tap_twice_switches_once(talk: Talk) -> None:
    person = await talk.resident()
    await person.say("/data")
    await person.pick("profile-mute")
    payload = person.buttons[0].payload
    await person.press(payload)
    await person.press(payload)
    assert person.hears("stale-choice")
    assert await talk.one(MUTED) == ["announcement"]


@BOTH
@pytest.mark.parametrize(
    "ids", ["urgent.off", "weather.off", "event.maybe", "event", "", "event.off.on"]
)
async def test_forged_taps_mute_nothing(talk: Talk, language: Language, ids: str) -> None:
    person = await talk.resident(TELEGRAM, language)
    await person.say("/data")
    await person.pick("profile-mute")
    turn = (await person.state()).turn
    await person.press(f"s.{turn:x}.mute-kind" + (f".{ids}" if ids else ""))
    assert person.hears("refused-urgent")
    assert await talk.one(MUTED) == []
    refused = {"mute-refused", "tap-refused"} & set(await talk.audited())
    assert len(refused) == 1


@BOTH
async def test_where_everything_is_urgent_nothing_can_be_muted(
    talk: Talk, language: Language
) -> None:
    person = await talk.resident(TELEGRAM, language)
    async with talk.db.unit() as unit:
        kinds = "urgent,utilities,announcement,event"
        await rulebook.decide(unit, "urgent-kinds", kinds, OKRUG, "Решение № 1")
    await person.say("/data")
    await person.pick("profile-mute")
    assert person.hears("mute-nothing")
    assert person.labels == [person.t("menu-profile"), person.t("nav-menu")]


# Deletion


async def _notice(db: TestDatabase, author: Person, status: str) -> None:
    address = await author.address()
    async with db.unit() as unit:
        made = Notice(
            id=unit.new_id(),
            author_id=address["speaker_id"],
            author_address_id=address["id"],
            place_code=OKRUG,
            audience=[],
            title_kk=b"x",
            text_kk=b"x",
            title_ru=b"x",
            text_ru=b"x",
            status=status,
            recipients=0,
            unreachable=0,
            created_at=unit.now,
            queued_at=None if status == "scheduled" else unit.now,
        )
        unit.session.add(made)


@BOTH
async def test_an_official_hears_what_ends_and_what_goes_on(talk: Talk, language: Language) -> None:
    akim = await talk.resident(WHATSAPP, language)
    await akim.say("/data")
    await akim.pick("profile-delete")
    for key in ("delete-under-way", "delete-scheduled"):
        assert not akim.hears(key)
    assert akim.t("role-akim") not in akim.text
    async with talk.db.unit() as unit:
        await roles.grant(unit, await speaker(akim), RoleName.AKIM, OKRUG)
    for status in ("sending", "scheduled", "finished"):
        await _notice(talk.db, akim, status)
    await akim.pick("delete-no")
    await akim.pick("profile-delete")
    okrug = "Бугров ауылдық округі" if language is KK else "Бугровский сельский округ"
    assert akim.hears("delete-roles", roles=f"{akim.t('role-akim')}, {okrug}")
    assert akim.hears("delete-under-way")
    assert akim.hears("delete-scheduled")
    await akim.say("иә")
    assert akim.hears("delete-done")
    assert await talk.one("SELECT count(*) FROM role WHERE revoked_at IS NULL") == 0
    assert await talk.one("SELECT count(*) FROM notice") == 3, "the office's notices stay"


@BOTH
@WHERE
@pytest.mark.parametrize("alone", [True, False])
async def test_the_other_messenger_hears_of_it(
    talk: Talk, language: Language, channel: ChannelName, alone: bool
) -> None:
    """Before, the other chat just fell silent: with whoever asked, with the family there too."""
    person = await talk.resident(channel, language)
    if alone:
        other = await _also_on_the_other(talk, person)
        await other.chooses(language)
    else:
        other = await talk.resident(TELEGRAM if channel is WHATSAPP else WHATSAPP, language)
        await _reached_also(talk, person, other)
    await person.say("/data")
    await person.pick("profile-delete")
    assert person.hears("delete-elsewhere", messenger=person.t(f"messenger-{other.channel}"))
    await person.pick("delete-yes")
    assert person.hears("delete-done")
    here = person.t(f"messenger-{channel}")
    said = (await other.received())[-1]
    if alone:
        assert said.body == other.t("deleted-elsewhere", messenger=here)
    else:
        assert said.body == other.t(
            "deleted-elsewhere-family", messenger=here, name="Серік А. 1986"
        )


@BOTH
@WHERE
async def test_other_words_delete_nothing_and_the_question_stays(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """Before, the question was gone with the first word that was no answer."""
    person = await talk.resident(channel, language)
    await person.say("/data")
    await person.pick("profile-delete")
    await person.say("не үшін?")
    assert person.hears("not-understood", typed="не үшін?")
    assert person.hears("delete-ask")
    await person.send_file(Medium.PHOTO)
    assert person.hears("delete-ask")
    assert await talk.one("SELECT count(*) FROM resident WHERE deleted_at IS NULL") == 1
    await person.pick("delete-yes")
    assert person.hears("delete-done")


@BOTH
async def test_the_others_on_this_phone_stay(talk: Talk, language: Language) -> None:
    person = await talk.resident(WHATSAPP, language)
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", "Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990", "да")
    await person.say("/data")
    await person.tap("Айгүл А.")
    await person.pick("profile-delete")
    assert person.hears("delete-family", names="Серік А.")
    yes = next(b.payload for b in person.buttons if b.label == person.t("delete-yes"))
    talk.clock.advance(timedelta(minutes=16))
    await person.press(yes)
    assert person.hears("family-who"), "long ago: who is it that taps now?"
    assert await talk.one("SELECT count(*) FROM resident WHERE deleted_at IS NULL") == 2
    await person.tap("Айгүл А.")
    await person.pick("delete-yes")
    assert person.hears("delete-done-family", name="Айгүл А.", names="Серік А.")
    await person.say("/data")
    assert NAME in person.text, "who is left speaks"


async def test_no_is_no(talk: Talk) -> None:
    person = await talk.resident()
    for no in ("нет", "жоқ", "2", "Жоқ!"):
        await person.say("/data")
        await person.pick("profile-delete")
        await person.say(no)
        assert NAME in person.text
    assert await talk.one("SELECT count(*) FROM resident WHERE deleted_at IS NULL") == 1


# Nothing is left


async def opened(talk: Talk) -> dict[str, str]:
    """All sealed values of all rows, by table, column and row."""
    found: dict[str, str] = {}
    async with talk.db.session() as session:
        for table in Base.metadata.sorted_tables:
            sealed = [c.name for c in table.columns if c.type.python_type is bytes]
            owner = next((name for name in ("id", "address_id") if name in table.c), None)
            for column in sealed if owner else ():
                query = f'SELECT {owner}, {column} FROM "{table.name}" WHERE {column} IS NOT NULL'
                for identifier, value in await session.execute(text(query)):
                    try:
                        plain = talk.db.keyring.open(f"{table.name}.{column}", identifier, value)
                    except (SealBroken, AttributeError):  # a hash; a wrapped key
                        continue
                    found[f"{table.name}.{column}.{identifier}"] = plain
    return found


def leaks(found: dict[str, str], person: Person) -> set[str]:
    words = (NAME, "Ахметов", "Серік", "Абай", "05.03.1986", "1986-03-05", person.phone)
    return {".".join(where.split(".")[:2]) for where, said in found.items()
            if any(word in said for word in words)}  # fmt: skip


@WHERE
async def test_after_deletion_no_key_opens_anything_of_the_person(
    talk: Talk, channel: ChannelName
) -> None:
    """Every sealed column of every row, opened with the keys: name, street, date, phone."""
    person = await talk.resident(channel, RU)
    talk.clock.advance(timedelta(days=3))
    await person.say("/data")
    await person.pick("profile-move")
    await person.says("Сосновка", "да", "да")
    await person.say("/data")
    await person.pick("profile-edit")
    await person.says("2", NAME, "меню")  # a correction waits, with all answers
    await talk.resident(channel, RU)  # the same person's other record, joined
    mine = await speaker(person)
    async with talk.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE resident SET merged_into = :mine WHERE id <> :mine"), {"mine": mine}
        )
        unit.actor = mine
        await drafts.save(unit, unit.new_id(), "notice", 1, "own", {"text": f"Звоните: {NAME}"})
    await person.say("/data")
    before = leaks(await opened(talk), person)
    assert {"resident.full_name", "resident.street", "resident.birth_date"} <= before
    said = {"address.state", "message.content", "draft.answers"}
    assert said <= before, "the walk finds what there is"
    await person.pick("profile-delete")
    await _everything_went_out(talk)
    await person.pick("delete-yes")
    await _everything_went_out(talk)
    left = leaks(await opened(talk), person)
    numbers = {"address.target", "address_alias.value"}
    assert left == (numbers if channel is WHATSAPP else set()), "only where the farewell goes"
    talk.clock.advance(timedelta(minutes=11))
    await _tidy(talk)
    assert leaks(await opened(talk), person) == set()
    assert await talk.one("SELECT count(*) FROM address WHERE target IS NULL") == 2
    for row in await talk.rows("SELECT * FROM resident"):
        kept = {name for name, value in row.items() if isinstance(value, bytes | memoryview)}
        assert kept == set()
    assert await talk.one("SELECT count(*) FROM move") == 0


@WHERE
async def test_who_comes_back_after_the_deletion_is_answered(
    talk: Talk, channel: ChannelName
) -> None:
    """The chat's number is forgotten, not who it was: writing brings it again."""
    person = await talk.resident(channel, RU)
    before = await _numbers(talk)
    await person.say("/data")
    await person.pick("profile-delete")
    await person.pick("delete-yes")
    await _tidy(talk)
    assert await _numbers(talk) == before, "the farewell is not out yet"
    await _everything_went_out(talk)
    talk.clock.advance(timedelta(minutes=11))
    await _tidy(talk)
    assert await _numbers(talk) == (0, 0)
    await person.start()
    await person.registers()
    assert await _numbers(talk) == before
    assert await talk.one("SELECT count(*) FROM address") == 1
    talk.clock.advance(timedelta(minutes=11))
    await _everything_went_out(talk)
    await _tidy(talk)
    assert await _numbers(talk) == before, "somebody is behind it"


async def _numbers(talk: Talk) -> tuple[object, object]:
    return (
        await talk.one("SELECT count(*) FROM address WHERE target IS NOT NULL"),
        await talk.one("SELECT count(*) FROM address_alias WHERE value IS NOT NULL"),
    )


async def _tidy(talk: Talk) -> None:
    await Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None).tidy()


async def _everything_went_out(talk: Talk) -> None:
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE delivery SET outcome = 'sent', finished_at = created_at"
                 " WHERE outcome IS NULL")
        )  # fmt: skip


async def test_a_photo_at_the_question_whether_to_delete_deletes_nothing(talk: Talk) -> None:
    person = await talk.resident()
    await person.say("/data")
    await person.pick("profile-delete")
    await person.send_file(Medium.PHOTO)
    await person.say("удалить всех")
    assert await talk.one("SELECT count(*) FROM resident WHERE deleted_at IS NULL") == 1


# Nothing but what is so


@BOTH
@WHERE
async def test_a_correction_of_nothing_says_so(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """Before, the look at one's data ended in "corrected", though nothing was."""
    person = await talk.resident(channel, language)
    before = await talk.audited()
    await person.say("/data")
    await person.pick("profile-edit")
    await person.pick("summary-yes")
    assert person.hears("profile-unchanged")
    assert await talk.audited() == before
    await person.say("/data")
    await person.pick("profile-edit")
    await person.pick("summary-name")
    await person.say("Ахметов Серік")
    await person.pick("summary-yes")
    assert person.hears("profile-corrected")
    assert not person.hears("profile-unchanged")


@BOTH
@WHERE
async def test_another_date_of_birth_says_when_the_voice_counts(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """Before, who had corrected it to a minor's heard "corrected" and no more."""
    person = await talk.resident(channel, language)
    talk.clock.advance(timedelta(days=3))
    await corrects_birth(person, "20.11.2010")
    assert person.hears("profile-corrected-minor", age=18, day=date(2028, 11, 20))
    await corrects_birth(person, "20.11.1990")
    async with talk.db.unit() as unit:
        unit.actor = await speaker(person)
        stands = await moves.standing(unit, unit.actor)
    assert stands.adult_on is not None
    assert not stands.adult
    assert person.hears("profile-corrected-birth", day=stands.adult_on)
    await corrects_birth(person, "21.11.1990")
    assert person.hears("profile-corrected-birth", day=stands.adult_on)


async def corrects_birth(person: Person, day: str) -> None:
    await person.say("/data")
    await person.pick("profile-edit")
    await person.pick("summary-birth")
    await person.say(day)
    await person.pick("summary-yes")


# A guest's data


@BOTH
@WHERE
async def test_a_guest_with_answers_that_wait_hears_of_them(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """Before: "besides the chat and the language nothing is kept", and below it "your answers are
    kept"."""
    person = talk.person(channel)
    await person.chooses(language)
    await person.registers(until="street")
    await person.say("деректерім")
    assert person.hears("profile-guest-begun")
    assert not person.hears("profile-guest")
    await person.pick("menu-resume")
    assert person.hears("street-ask")
    await person.say("мои данные")
    await person.pick("answers-forget")
    assert person.hears("answers-forgotten")
    assert person.t("menu-resume") not in person.labels
    assert list((await person.state()).forms()) == []
    await person.say("/data")
    assert person.hears("profile-guest")


@BOTH
async def test_an_official_who_is_no_resident_hears_what_is_kept(
    talk: Talk, language: Language
) -> None:
    """Before, the same untrue sentence, with a role, sent notices and drafts."""
    akim = await talk.official(TELEGRAM, language)
    okrug = "Бугров ауылдық округі" if language is KK else "Бугровский сельский округ"
    await akim.say("/data")
    assert akim.hears("profile-guest-role", roles=f"{akim.t('role-akim')}, {okrug}")
    assert not akim.hears("profile-guest")
    assert akim.t("menu-register") in akim.labels
    await akim.pick("menu-register")
    await akim.registers(until="street")
    await akim.say("/data")
    assert akim.hears("profile-guest-role", roles=f"{akim.t('role-akim')}, {okrug}")
    assert akim.hears("profile-answers")
    await akim.pick("answers-forget")
    await akim.say("/data")
    assert not akim.hears("profile-answers")
    async with talk.db.unit() as unit:
        await roles.revoke(unit, await speaker(akim), RoleName.AKIM, OKRUG)
    await akim.say("/data")
    assert akim.hears("profile-guest-was")


@BOTH
async def test_an_akim_who_registered_sees_the_role_too(talk: Talk, language: Language) -> None:
    akim = await talk.resident(WHATSAPP, language)
    async with talk.db.unit() as unit:
        await roles.grant(unit, await speaker(akim), RoleName.AKIM, OKRUG)
    okrug = "Бугров ауылдық округі" if language is KK else "Бугровский сельский округ"
    await akim.say("/data")
    assert akim.hears("profile-roles", roles=f"{akim.t('role-akim')}, {okrug}")


# Words for what stands in the menu and in the profile


@BOTH
@WHERE
@pytest.mark.parametrize("typed", ["зарегистрироваться", "Тіркелу!", "ТИРКЕЛУ"])
async def test_to_register_can_be_typed(
    talk: Talk, language: Language, channel: ChannelName, typed: str
) -> None:
    """Before, "I do not understand" where a registration waits: the menu has no such button."""
    person = talk.person(channel)
    await person.chooses(language)
    await person.registers(until="street")
    await person.say("/menu")
    await person.say(typed)
    assert person.hears("street-ask")
    await person.says("1", "05.03.1986")
    if channel is TELEGRAM:
        await person.pick("phone-skip")
    await person.pick("summary-yes")
    await person.say(typed)
    assert person.hears("registered-already")
    assert await person.form() is None


@BOTH
@pytest.mark.parametrize("typed", ["удалить мои данные", "Деректерімді өшіру", "удалить данные"])
async def test_to_delete_can_be_typed(talk: Talk, language: Language, typed: str) -> None:
    person = await talk.resident(WHATSAPP, language)
    await person.say(typed)
    assert person.hears("delete-ask")
    await person.say("жоқ")
    await person.say("/menu")
    await person.say(typed)
    await person.pick("delete-yes")
    assert person.hears("delete-done")
    await person.say(typed)
    assert person.hears("profile-guest")


async def test_such_words_are_answers_in_a_form(talk: Talk) -> None:
    """The word "Тіркелу" as the text of a notice, or as somebody's village, is just that."""
    person = talk.person()
    await person.chooses(RU)
    await person.registers(until="street")
    await person.say("Тіркелу")
    assert person.hears("birth-ask")
    await person.says("05.03.1986", "1")
    assert "Тіркелу" in person.text


@BOTH
@pytest.mark.parametrize(
    ("typed", "key"),
    [("Я переехала", "village-ask"), ("көшіп кеттім", "village-ask"),
     ("виды сообщений", "mute-ask"), ("хабар түрлері", "mute-ask"),
     ("кто на этом телефоне", "family-add"), ("Осы телефондағылар", "family-add")],
)  # fmt: skip
async def test_what_the_profile_offers_can_be_typed(
    talk: Talk, language: Language, typed: str, key: str
) -> None:
    """The guides name these buttons; who types one from the menu comes there."""
    person = await talk.resident(TELEGRAM, language)
    await person.say("/menu")
    await person.say(typed)
    assert person.hears(key) or person.t(key) in person.labels


@pytest.mark.parametrize("language", [KK, RU])
@pytest.mark.parametrize("channel", ChannelName)
async def test_my_data_says_that_this_chat_gets_nothing(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Muted kinds stood there, and not that everything was stopped."""
    person = await talk.resident(channel, language)
    await person.say("/data")
    assert not person.hears("stopped-line")
    await person.say("стоп")
    await person.say("/data")
    assert person.hears("stopped-line")
    await person.pick("menu-subscribe")
    await person.say("/data")
    assert not person.hears("stopped-line")
