"""Moving from the profile, in both languages on both messengers; a correction that is a move."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from support.talk import KK, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName
from core.clock import local_date
from core.languages import Language
from services import rulebook

BOTH = pytest.mark.parametrize("language", [KK, RU])
WHERE = pytest.mark.parametrize("channel", ChannelName)
VILLAGE, SOSNOVKA = "595041100", "595041600"


async def settled_for_long(
    talk: Talk, language: Language = RU, channel: ChannelName = TELEGRAM
) -> Person:
    """Somebody who registered three days ago."""
    person = await talk.resident(channel, language)
    talk.clock.advance(timedelta(days=3))
    await person.say("/menu")
    return person


async def starts(person: Person) -> None:
    await person.say("/data")
    await person.pick("profile-move")


def in_days(talk: Talk, days: int) -> str:
    return f"{local_date(talk.clock.now()) + timedelta(days=days):%d.%m.%Y}"


def sosnovka(person: Person) -> str:
    return "Сосновка ауылы" if person.language is KK else "село Сосновка"


async def place(talk: Talk) -> tuple[object, object]:
    [row] = await talk.rows("SELECT place_code, counts_from FROM resident")
    return row["place_code"], row["counts_from"]


@BOTH
@WHERE
async def test_moving_says_what_it_means_and_from_which_day(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    person = await settled_for_long(talk, language, channel)
    await starts(person)
    here = "Бугровое ауылы" if language is KK else "село Бугровое"
    assert person.hears("move-begin", village=here)
    assert person.hears("village-ask")
    await person.says("соснофка", "иә")
    assert sosnovka(person) in person.text
    assert in_days(talk, 90) in person.text
    assert person.labels[:2] == [person.t("move-yes"), person.t("move-no")]
    assert (await place(talk))[0] == VILLAGE, "nothing has happened yet"
    await person.say("да")
    assert person.hears("move-done-later", village=sosnovka(person), day=in_days(talk, 90))
    assert (await place(talk))[0] == SOSNOVKA
    await person.say("/data")
    assert person.hears("profile-counts", day=in_days(talk, 90))
    assert sosnovka(person) in person.text


@BOTH
async def test_a_wrong_village_is_chosen_anew(talk: Talk, language: Language) -> None:
    person = await settled_for_long(talk, language)
    await starts(person)
    await person.says("Бесколь", "да", "жоқ")
    assert person.hears("village-ask")
    await person.says("Сосновка", "да")
    assert sosnovka(person) in person.text
    await person.say("қалай?")
    assert person.hears("move-unclear", typed="қалай?")
    await person.pick("move-yes")
    assert (await place(talk))[0] == SOSNOVKA


@BOTH
async def test_the_village_of_before_is_no_move(talk: Talk, language: Language) -> None:
    person = await settled_for_long(talk, language)
    await starts(person)
    await person.says("Бугровое", "да")
    here = "Бугровое ауылы" if language is KK else "село Бугровое"
    assert person.hears("move-same", village=here)
    assert await person.form() is None
    assert await place(talk) == (VILLAGE, None)


@BOTH
async def test_cancelling_moves_nobody(talk: Talk, language: Language) -> None:
    person = await settled_for_long(talk, language)
    await starts(person)
    await person.says("Сосновка", "да")
    await person.say("мәзір")
    assert person.hears("parked-moving")
    await person.pick("menu-resume")
    assert in_days(talk, 90) in person.text
    await person.pick("nav-cancel")
    assert person.hears("move-undo")
    assert await place(talk) == (VILLAGE, None)


@BOTH
async def test_a_slip_on_the_first_day_is_only_corrected(talk: Talk, language: Language) -> None:
    person = await talk.resident(TELEGRAM, language)
    await starts(person)
    await person.says("Сосновка", "да")
    assert person.text.startswith(person.t("move-look-slip", path="~").partition("~")[0])
    assert in_days(talk, 90) not in person.text
    await person.pick("move-yes")
    assert person.hears("move-done-now", village=sosnovka(person))
    assert await place(talk) == (SOSNOVKA, None)
    assert await talk.one("SELECT count(*) FROM move") == 0


@BOTH
async def test_coming_back_restores_the_right(talk: Talk, language: Language) -> None:
    person = await settled_for_long(talk, language)
    await starts(person)
    await person.says("Сосновка", "да", "1")
    talk.clock.advance(timedelta(days=10))
    await starts(person)
    await person.says("Бугровое", "да")
    now = person.t("move-look-now", path="~").split("~")[1].strip()
    assert now in person.text
    await person.pick("move-yes")
    assert not person.hears("move-done-later", village="", day="")
    assert (await place(talk))[0] == VILLAGE
    async with talk.db.unit() as unit:
        rules = await rulebook.of(unit.session, VILLAGE)
    assert in_days(talk, rules.move_cooling_off) not in person.text


@BOTH
async def test_a_minor_hears_of_the_later_of_the_two_days(talk: Talk, language: Language) -> None:
    person = talk.person()
    await person.chooses(language)
    await person.registers(until="birth")
    await person.says("05.03.2010", "1", "1")
    talk.clock.advance(timedelta(days=3))
    await starts(person)
    await person.says("Сосновка", "да")
    assert "05.03.2028" in person.text
    await person.pick("move-yes")
    assert person.hears("move-done-now", village=sosnovka(person))
    await person.say("/data")
    assert person.hears("profile-minor", day="05.03.2028")


async def test_the_last_tap_twice_is_one_move(talk: Talk) -> None:
    person = await settled_for_long(talk)
    await starts(person)
    await person.says("Сосновка", "да")
    yes = next(b.payload for b in person.buttons if b.label == person.t("move-yes"))
    await person.press(yes)
    await person.press(yes)
    assert person.hears("stale-choice")
    assert await talk.one("SELECT count(*) FROM move") == 1


@pytest.mark.parametrize(
    "payload", ["mv-yes", "v-pick.590000000", "v-pick.595041000", "mv-yes.595041600", "s-yes"]
)
async def test_forged_taps_move_nobody(talk: Talk, payload: str) -> None:
    person = await settled_for_long(talk)
    await starts(person)
    await person.press(f"s.{(await person.state()).turn:x}.{payload}")
    assert await place(talk) == (VILLAGE, None)
    await person.press(f"d.{payload}")
    assert await place(talk) == (VILLAGE, None)


@BOTH
async def test_a_village_abolished_meanwhile(talk: Talk, language: Language) -> None:
    person = await settled_for_long(talk, language)
    await starts(person)
    await person.says("Сосновка", "да")
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE place SET abolished_at = now() WHERE code = :code"), {"code": SOSNOVKA}
        )
    await person.pick("move-yes")
    assert person.hears("refused-place")
    assert await place(talk) == (VILLAGE, None)
    await person.pick("menu-resume")
    assert person.hears("refused-place")
    assert person.t("menu-resume") not in person.labels, "no way in circles"


async def test_a_guest_moves_nowhere(talk: Talk) -> None:
    person = await talk.official(WHATSAPP)
    await person.press(f"s.{(await person.state()).turn:x}.move")
    held = f"{person.t('role-akim')}, Бугровский сельский округ"
    assert person.hears("profile-guest-role", roles=held)


@BOTH
async def test_a_corrected_village_is_a_move_too(talk: Talk, language: Language) -> None:
    """Before, the summary's correction let somebody vote elsewhere the next day."""
    person = await settled_for_long(talk, language)
    await person.say("/data")
    await person.pick("profile-edit")
    await person.pick("summary-village")
    await person.says("Сосновка", "да", "да")
    assert person.hears("profile-corrected-later", day=in_days(talk, 90))
    code, counts = await place(talk)
    assert code == SOSNOVKA
    assert counts == local_date(talk.clock.now()) + timedelta(days=90)
    assert (await talk.audited()).count("resident-moved") == 1


async def test_who_moves_is_who_began_it(talk: Talk) -> None:
    """A family on one phone: the form that waits is not taken up by somebody else."""
    person = await settled_for_long(talk, RU, WHATSAPP)
    await starts(person)
    await person.says("Сосновка", "да", "меню")
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", "Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990", "да")
    assert person.hears("family-speaking", name="Айгүл А.")
    assert person.t("menu-resume") not in person.labels
    await person.pick("family-change")
    await person.tap("Серік А.")
    await person.pick("menu-resume")
    assert person.t("move-yes") in person.labels, "it has waited for whoever began it"
    assert await talk.rows("SELECT DISTINCT place_code FROM resident") == [{"place_code": VILLAGE}]


@BOTH
async def test_a_minor_who_corrects_the_village_hears_the_day_of_the_profile(
    talk: Talk, language: Language
) -> None:
    """Before, a boy of fourteen was told that his voice counts in ninety days."""
    person = talk.person()
    await person.chooses(language)
    await person.registers(until="birth")
    await person.says("20.11.2012", "1", "1")
    talk.clock.advance(timedelta(days=3))
    await person.say("/data")
    await person.pick("profile-edit")
    await person.pick("summary-village")
    await person.says("Сосновка", "да", "да")
    assert person.hears("profile-corrected-later", day="20.11.2030")
    await person.say("/data")
    assert person.hears("profile-minor", day="20.11.2030")


@BOTH
async def test_who_comes_of_age_before_the_place_counts_hears_the_later_day(
    talk: Talk, language: Language
) -> None:
    """Deleted and registered elsewhere at seventeen: the receipt named the birthday, the profile
    the later day."""
    person = talk.person()
    await person.chooses(language)
    await person.registers(until="birth")
    await person.says("01.12.2008", "1", "1")
    await person.say("/data")
    await person.pick("profile-delete")
    await person.pick("delete-yes")
    await person.pick("menu-register")
    await person.registers("Сосновка", until="birth")
    await person.says("01.12.2008", "1", "1")
    later = local_date(talk.clock.now()) + timedelta(days=90)
    assert person.t("registered-minor", village=sosnovka(person), day=later, age=18) in person.text


@BOTH
async def test_the_day_of_the_mark_stands_in_the_sentence(talk: Talk, language: Language) -> None:
    """Before: "До 18 февраля 2027 года, четверг останется только отметка"."""
    person = await talk.resident(TELEGRAM, language)
    await person.say("/data")
    await person.pick("profile-delete")
    assert person.hears("delete-mark", until=in_days(talk, 90))


@BOTH
@WHERE
async def test_a_correction_that_waits_brings_no_old_village_back(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """Begun, left, moved, gone on with: "corrected", and the move was undone without a word."""
    person = await settled_for_long(talk, language, channel)
    await person.say("/data")
    await person.pick("profile-edit")
    await person.pick("summary-street")
    await person.says("Абай 7", "меню")
    await starts(person)
    await person.says("Сосновка", "иә", "иә")
    moved = await place(talk)
    assert moved[0] == SOSNOVKA
    await person.say("/menu")
    await person.pick("menu-resume")
    assert "Сосновка" in person.text
    assert "Абай 7" in person.text
    await person.pick("summary-yes")
    assert await place(talk) == moved
    await person.say("/data")
    assert "Абай 7" in person.text
