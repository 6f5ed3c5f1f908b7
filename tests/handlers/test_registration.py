"""Registration in both languages: what is wrong is explained, what was right is not lost."""

from datetime import UTC, date, datetime

import pytest
from support.talk import KK, NAME, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName, Kind, Medium
from core.languages import Language
from models.territory import Place
from services import residents

BOTH = pytest.mark.parametrize("language", [KK, RU])
VILLAGE = "595041100"


async def at(talk: Talk, step: str, language: Language, channel: ChannelName = TELEGRAM) -> Person:
    """Somebody who is asked this."""
    person = talk.person(channel)
    await person.chooses(language)
    await person.registers(until=step)
    assert (await answers(person))[0] == step
    return person


async def answers(person: Person) -> tuple[str, dict[str, object]]:
    form = await person.form()
    assert form is not None
    return form.step, form.answers


async def kept(talk: Talk, person: Person) -> residents.Profile | None:
    speaker = (await person.address())["speaker_id"]
    async with talk.db.unit() as unit:
        return await residents.profile(unit, speaker)  # type: ignore[arg-type]


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
async def test_all_of_it(talk: Talk, channel: ChannelName, language: Language) -> None:
    person = talk.person(channel)
    await person.chooses(language)
    assert person.hears("consent-ask")
    await person.pick("consent-more")
    assert person.hears("consent-more-text")
    assert person.t("consent-more") not in person.labels
    await person.pick("consent-yes")
    assert person.hears("name-ask")
    await person.say("  Ахметов   Серік ")
    assert person.hears("village-ask")
    await person.say("бугравое")
    await person.pick("village-yes")
    assert person.hears("street-ask")
    await person.pick("street-skip")
    assert person.hears("birth-ask")
    await person.say("5 наурыз 1986")
    if channel is TELEGRAM:
        assert person.hears("phone-ask")
        await person.share()
    assert "Ахметов Серік" in person.text
    assert "05.03.1986" in person.text
    assert person.phone in person.text
    await person.pick("summary-yes")
    profile = await kept(talk, person)
    assert profile is not None
    assert (profile.full_name, profile.place_code, profile.street, profile.birth_date) == (
        "Ахметов Серік", VILLAGE, None, date(1986, 3, 5)
    )  # fmt: skip
    assert (profile.phone, profile.level, profile.adult) == (person.phone, "phone", True)
    assert await person.form() is None
    assert person.t("menu-profile") in person.labels


@BOTH
@pytest.mark.parametrize(
    ("step", "typed", "key", "args"),
    [
        ("consent", "бәлкім", "consent-unclear", {"typed": "бәлкім"}),
        ("consent", "Келіспеймін", "consent-unclear", {"typed": "Келіспеймін"}),
        ("consent", "не согласен", "consent-unclear", {"typed": "не согласен"}),
        ("name", "Серік", "name-one-word", {"typed": "Серік"}),
        ("name", "Айгүл 😀", "name-letters", {"typed": "Айгүл 😀"}),
        ("name", "х" * 200, "name-long", {"length": 200}),
        ("village", "ъъъъъъъъ", "village-none", {"typed": "ъъъъъъъъ"}),
        ("village", "х" * 101, "village-long", {}),
        ("street", "х" * 101, "street-long", {"length": 101}),
        ("street", "12.04.1990", "street-date", {"typed": "12.04.1990"}),
        ("birth", "31.02.2010", "birth-no-such-day", {"typed": "31.02.2010"}),
        ("birth", "кеше", "birth-form", {"typed": "кеше"}),
        ("birth", "1", "birth-form", {"typed": "1"}),
        ("birth", "01.01.2030", "birth-future", {"typed": "01.01.2030"}),
        ("birth", "01.01.1890", "birth-too-old", {"typed": "01.01.1890", "age": 136}),
        ("phone", "кейінірек", "phone-typed", {}),
        ("phone", "12345", "phone-typed", {}),
        ("phone", "8 701 234 56 78", "phone-typed", {}),
        ("summary", "бәрі", "summary-unclear", {"typed": "бәрі"}),
    ],
)
async def test_a_wrong_answer_is_explained_and_loses_nothing(
    talk: Talk, language: Language, step: str, typed: str, key: str, args: dict[str, str | int]
) -> None:
    person = await at(talk, step, language)
    before = await answers(person)
    await person.say(typed)
    assert person.hears(key, **args)
    assert await answers(person) == before
    assert await kept(talk, person) is None


@BOTH
@pytest.mark.parametrize("step", ["name", "village", "street", "birth", "phone", "summary"])
async def test_what_is_not_words_is_asked_for_in_words(
    talk: Talk, language: Language, step: str
) -> None:
    person = await at(talk, step, language)
    before = await answers(person)
    for medium in (Medium.PHOTO, Medium.VOICE, Medium.STICKER, Medium.LOCATION):
        await person.send_file(medium)
        key = "not-asked" if step == "summary" else "text-needed"
        assert person.hears(key)
        if medium is not Medium.PHOTO:
            assert person.hears(f"given-{medium}"), "and what was sent is named"
        assert "«»" not in person.text
    await person.does(Kind.OTHER)
    assert person.hears("unknown-kind")
    assert await answers(person) == before


@BOTH
async def test_what_a_very_long_answer_was_is_shown_short(talk: Talk, language: Language) -> None:
    person = await at(talk, "birth", language)
    await person.say("туған күнім " * 400)
    assert "туған күнім туған күнім" in person.text
    assert "…" in person.text
    assert len(person.text) < 300


@BOTH
async def test_somebody_elses_number_is_not_taken(talk: Talk, language: Language) -> None:
    person = await at(talk, "phone", language)
    await person.share(own=False)
    assert person.hears("phone-foreign")
    assert "phone" not in (await answers(person))[1]
    await person.share()
    assert (await answers(person))[1]["phone"] == person.phone


@BOTH
async def test_without_a_number_one_is_registered_as_declared(
    talk: Talk, language: Language
) -> None:
    person = await at(talk, "phone", language)
    await person.pick("phone-skip")
    await person.pick("summary-yes")
    profile = await kept(talk, person)
    assert profile is not None
    assert (profile.phone, profile.level) == (None, "declared")


@BOTH
async def test_a_whatsapp_that_hides_the_number_is_asked_for_it(
    talk: Talk, language: Language
) -> None:
    person = talk.person(WHATSAPP, phone_known=False)
    await person.chooses(language)
    await person.registers(until="phone")
    assert person.hears("phone-ask-typed")
    await person.say("12345")
    assert person.hears("phone-wrong", typed="12345")
    await person.says("8 (701) 234-56-78", "1")
    profile = await kept(talk, person)
    assert profile is not None
    assert (profile.phone, profile.level) == ("+77012345678", "declared")


@BOTH
@pytest.mark.parametrize(
    ("typed", "key"), [("20.11.2010", "registered-minor"), ("20.11.2008", "registered")]
)
async def test_a_minor_hears_from_when_to_vote(
    talk: Talk, language: Language, typed: str, key: str
) -> None:
    person = await at(talk, "birth", language)
    await person.says(typed, "1", "1")
    day = {"day": date(2028, 11, 20), "age": 18} if key == "registered-minor" else {}
    assert person.hears(key, village=_bugrovoe(language), **day)
    profile = await kept(talk, person)
    assert profile is not None
    assert profile.adult == (key == "registered")


@BOTH
async def test_a_child_hears_who_may_register(talk: Talk, language: Language) -> None:
    """And becomes an adult by the calendar alone, at midnight in Almaty."""
    person = await at(talk, "birth", language)
    await person.say("20.11.2015")
    assert person.hears("birth-too-young", typed="20.11.2015", age=11, youngest=14)
    await person.says("21.11.2008", "1", "1")
    talk.clock.at = datetime(2026, 11, 20, 18, 59, 59, tzinfo=UTC)
    profile = await kept(talk, person)
    assert profile is not None
    assert not profile.adult
    talk.clock.at = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
    profile = await kept(talk, person)
    assert profile is not None
    assert profile.adult


def _bugrovoe(language: Language) -> str:
    return "Бугровое ауылы" if language is KK else "село Бугровое"


@BOTH
async def test_no_consent_keeps_address_and_language_only(talk: Talk, language: Language) -> None:
    person = talk.person(WHATSAPP)
    await person.start(f"v_{VILLAGE}")
    await person.chooses(language)
    await person.pick("consent-no")
    assert person.hears("consent-declined")
    assert person.t("menu-register") in person.labels
    state = await person.state()
    assert (state.form, state.parked, state.start) == (None, None, None)
    assert await talk.one("SELECT count(*) FROM resident") == 0
    address = await person.address()
    assert (address["language"], address["speaker_id"]) == (language, None)


@BOTH
@pytest.mark.parametrize(
    ("fix", "typed", "shown"),
    [
        ("summary-name", ["Серікова Айгүл"], "Серікова Айгүл"),
        ("summary-street", ["Мира 5"], "Мира 5"),
        ("summary-birth", ["01.02.1990"], "01.02.1990"),
        ("summary-birth", ["31.02.1990", "мен", "01.02.1990"], "01.02.1990"),
        ("summary-village", ["сосновка", "иә"], "Сосновка"),
    ],
)
async def test_a_correction_comes_back_to_the_summary(
    talk: Talk, language: Language, fix: str, typed: list[str], shown: str
) -> None:
    person = await at(talk, "summary", language)
    _, before = await answers(person)
    await person.pick(fix)
    await person.says(*typed)
    step, after = await answers(person)
    assert step == "summary"
    assert shown in person.text
    assert len([name for name in before if before[name] != after[name]]) == 1
    assert set(after) == set(before)


@BOTH
async def test_the_phone_can_be_added_at_the_summary(talk: Talk, language: Language) -> None:
    person = await at(talk, "summary", language)
    await person.pick("summary-phone")
    await person.share()
    assert person.phone in person.text
    await person.pick("summary-yes")
    profile = await kept(talk, person)
    assert profile is not None
    assert (profile.phone, profile.level) == (person.phone, "phone")


@pytest.mark.parametrize("back", ["Артқа", "назад", "/back", "артка", "НАЗАД!", "back"])
async def test_back_by_any_word_of_either_language(talk: Talk, back: str) -> None:
    """Before, "назад" in a Kazakh conversation was looked for among the villages."""
    person = await at(talk, "village", KK)
    await person.say(back)
    step, said = await answers(person)
    assert (step, said["name"]) == ("name", NAME)
    assert person.hears("name-ask")


@pytest.mark.parametrize("cancel", ["Болдырмау", "отмена", "/cancel", "болдырмау", "Отмена."])
async def test_cancel_by_any_word_of_either_language(talk: Talk, cancel: str) -> None:
    person = await at(talk, "street", KK)
    await person.say(cancel)
    assert person.hears("registration-cancelled")
    state = await person.state()
    assert (state.form, state.parked) == (None, None)


@BOTH
async def test_help_in_the_middle_asks_the_same_again(talk: Talk, language: Language) -> None:
    person = await at(talk, "birth", language)
    before = await answers(person)
    for word in ("көмек", "помощь", "/help"):
        await person.say(word)
        assert person.hears("help-text")
        assert person.hears("birth-ask")
    assert await answers(person) == before


@BOTH
@pytest.mark.parametrize("word", ["мәзір", "Меню", "/menu", "мои данные", "стоп"])
async def test_the_menu_parks_and_takes_up_again(talk: Talk, language: Language, word: str) -> None:
    person = await at(talk, "street", language)
    before = await answers(person)
    await person.say(word)
    assert await person.form() is None
    await person.say("/menu")
    assert person.labels[0] == person.t("menu-resume")
    await person.pick("menu-resume")
    assert person.hears("street-ask")
    assert await answers(person) == before


@BOTH
async def test_another_language_in_the_middle_keeps_all(talk: Talk, language: Language) -> None:
    person = await at(talk, "birth", language)
    before = await answers(person)
    await person.say("/lang")
    await person.chooses(language.other)
    assert person.hears("birth-ask")
    assert person.hears("language-changed")
    assert await answers(person) == before
    await person.says("05.03.1986", "1", "1")
    assert await talk.one("SELECT language FROM resident") == language.other


@BOTH
async def test_start_again_in_the_middle_loses_nothing(talk: Talk, language: Language) -> None:
    person = await at(talk, "birth", language)
    before = await answers(person)
    await person.start()
    assert person.hears("parked-registration")
    await person.pick("menu-resume")
    assert await answers(person) == before


@BOTH
async def test_the_link_of_a_village_in_the_middle_loses_nothing(
    talk: Talk, language: Language
) -> None:
    """Before, tapping the neighbour's link a second time began all over."""
    person = await at(talk, "birth", language)
    step, before = await answers(person)
    await person.start("v_595041600")
    assert person.hears("birth-ask")
    after_step, after = await answers(person)
    assert after_step == step
    assert {**after, "find": {}} == before


@BOTH
async def test_a_village_abolished_meanwhile_costs_no_answers(
    talk: Talk, language: Language
) -> None:
    """Before, the refusal at the end threw all answers away."""
    person = await at(talk, "summary", language)
    async with talk.db.unit() as unit:
        place = await unit.session.get_one(Place, VILLAGE)
        place.abolished_at = talk.clock.now()
    await person.pick("summary-yes")
    assert person.hears("refused-place")
    assert await talk.one("SELECT count(*) FROM resident") == 0
    await person.pick("menu-resume")
    await person.pick("summary-village")
    await person.says("сосновка", "да")
    assert NAME in person.text
    await person.pick("summary-yes")
    profile = await kept(talk, person)
    assert profile is not None
    assert profile.place_code == "595041600"


@BOTH
async def test_the_last_tap_twice_is_one_registration(talk: Talk, language: Language) -> None:
    person = await at(talk, "summary", language)
    payload = next(b.payload for b in person.buttons if b.label == person.t("summary-yes"))
    await person.press(payload)
    await person.press(payload)
    assert person.hears("stale-choice")
    assert await talk.one("SELECT count(*) FROM resident") == 1
