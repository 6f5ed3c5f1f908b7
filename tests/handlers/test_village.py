"""The village: confirmed, told apart among namesakes, walked to, named by a link, not known."""

import pytest
from sqlalchemy import text
from support.talk import KK, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName
from core.languages import Language

BOTH = pytest.mark.parametrize("language", [KK, RU])
WHERE = pytest.mark.parametrize("channel", ChannelName)


async def asked(talk: Talk, language: Language, channel: ChannelName = TELEGRAM) -> Person:
    person = talk.person(channel)
    await person.chooses(language)
    await person.registers(until="village")
    return person


async def found(person: Person) -> str | None:
    """The code that was found; the next question is about the street."""
    form = await person.form()
    assert form is not None
    if form.step == "village":
        return None
    assert form.step == "street"
    return str(form.answers["village"])


@BOTH
@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Бугровое", "595041100"),
        ("бугравое", "595041100"),
        ("Bugrovoe", "595041100"),
        ("село Бесколь", "595030100"),
        ("Бескөл ауылы", "595030100"),
        ("новогеоргевка", "595041500"),
    ],
)
async def test_one_is_only_confirmed(talk: Talk, language: Language, typed: str, code: str) -> None:
    person = await asked(talk, language)
    await person.say(typed)
    assert person.labels[:2] == [person.t("village-yes"), person.t("village-no")]
    assert await found(person) is None
    await person.pick("village-yes")
    assert await found(person) == code


@pytest.mark.parametrize("yes", ["да", "Да.", "иә", "ИӘ", "ия", "верно", "дұрыс", "1", "ok"])
async def test_yes_in_either_language(talk: Talk, yes: str) -> None:
    person = await asked(talk, RU)
    await person.says("Бугровое", yes)
    assert await found(person) == "595041100"


@pytest.mark.parametrize("no", ["нет", "жоқ", "жок", "2", "No"])
async def test_no_asks_again(talk: Talk, no: str) -> None:
    person = await asked(talk, RU)
    await person.says("Бугровое", no)
    assert person.hears("village-ask")
    await person.says("Сосновка", "да")
    assert await found(person) == "595041600"


async def test_another_name_in_place_of_yes_or_no(talk: Talk) -> None:
    person = await asked(talk, RU)
    await person.says("Бугровое", "Сосновка", "да")
    assert await found(person) == "595041600"


@BOTH
async def test_unknown_is_said_with_what_was_typed(talk: Talk, language: Language) -> None:
    person = await asked(talk, language)
    await person.say("Нью-Йорк")
    assert person.hears("village-none", typed="Нью-Йорк")
    assert person.t("village-walk") in person.labels


@BOTH
@WHERE
@pytest.mark.parametrize("typed", ["Астана", "астана қаласы", "Astana", "город Астана"])
async def test_a_name_that_no_village_bears_is_said_so_and_nothing_is_taken_for_it(
    talk: Talk, language: Language, channel: ChannelName, typed: str
) -> None:
    """Before, the only village a little alike stood there to be confirmed as what was typed."""
    person = await asked(talk, language, channel)
    await person.say(typed)
    assert person.hears("village-far", typed=typed, count=1)
    assert person.t("village-yes") not in person.labels
    assert person.t("village-walk") in person.labels
    await person.say("да")
    assert await found(person) is None
    await person.say(typed)
    await person.say("1")
    assert await found(person) == "595035100"


async def test_a_misspelt_name_among_other_words_is_still_only_confirmed(talk: Talk) -> None:
    person = await asked(talk, RU)
    await person.says("я живу в бугравом", "да")
    assert await found(person) == "595041100"


@BOTH
@WHERE
async def test_twelve_of_one_name_are_told_apart(
    many: Talk, language: Language, channel: ChannelName
) -> None:
    person = await asked(many, language, channel)
    await person.say("жамбыл")
    assert person.hears("village-which-oblast", name="Жамбыл", count=12)
    assert len(person.labels) == 3 + 2
    await person.tap("Ақмола облысы" if language is KK else "Акмолинская область")
    assert person.hears("village-which-district", name="Жамбыл", count=9)
    await person.tap("Бұланды ауданы" if language is KK else "Буландынский район")
    villages = [b for b in person.buttons if (b.description or "").count(",") >= 2]
    assert len(villages) == 4
    assert len({b.description for b in villages}) == 4
    await person.press(villages[2].payload)
    assert await found(person) == "115033100"


@BOTH
async def test_the_only_one_of_an_oblast_is_confirmed(many: Talk, language: Language) -> None:
    person = await asked(many, language)
    await person.say("Жамбыл")
    await person.tap("Алматы облысы" if language is KK else "Алматинская область")
    assert person.labels[0] == person.t("village-yes")
    await person.pick("village-yes")
    assert await found(person) == "353031100"


@BOTH
@WHERE
async def test_back_while_narrowing_is_one_level_up(
    many: Talk, language: Language, channel: ChannelName
) -> None:
    """Before, it threw away all that was told apart."""
    person = await asked(many, language, channel)
    await person.say("Жамбыл")
    oblasts = person.text
    await person.say("1")
    districts = person.text
    await person.say("1")
    for before in (districts, oblasts):
        await person.pick("nav-back")
        assert person.text == before
    await person.pick("nav-back")
    assert person.hears("village-ask")
    await person.pick("nav-back")
    assert person.hears("name-ask")


async def test_back_from_the_only_one_of_an_oblast_is_the_oblasts_again(many: Talk) -> None:
    person = await asked(many, RU)
    await person.say("Жамбыл")
    await person.tap("Алматинская область")
    assert person.labels[0] == person.t("village-yes")
    await person.pick("nav-back")
    assert person.hears("village-which-oblast", name="Жамбыл", count=12)


@BOTH
@WHERE
async def test_back_in_the_tree_is_one_level_up(
    many: Talk, language: Language, channel: ChannelName
) -> None:
    """Before, "back" in the list of districts asked for the name again."""
    person = await asked(many, language, channel)
    await person.pick("village-walk")
    seen = [person.text]
    for _ in range(3):
        seen.append(await person.say("1"))
    assert len(set(seen)) == 4
    for before in reversed(seen[:-1]):
        await person.pick("nav-back")
        assert person.text == before
    await person.say("1")
    await person.say("артқа")
    assert person.text == seen[0]
    await person.pick("nav-back")
    assert person.hears("village-ask")


async def test_the_list_that_a_search_offered_comes_back_after_the_tree(many: Talk) -> None:
    person = await asked(many, RU)
    await person.says("Жамбыл", "1", "1")
    listed = person.labels
    assert person.t("village-walk") in person.labels
    await person.pick("village-walk")
    await person.pick("nav-back")
    assert person.labels == listed
    assert len(listed) > 2


@pytest.mark.parametrize(
    ("typed", "code"), [("Тоқта", "353031200"), ("бастау", "353031300"), ("Тохта", "353031200")]
)
async def test_villages_that_are_called_like_commands(many: Talk, typed: str, code: str) -> None:
    """Тоқта and Бастау are real villages; typing them stopped messages, or left the form."""
    person = await asked(many, KK)
    await person.says(typed, "иә")
    assert await found(person) == code
    assert not (await person.address())["stopped_at"]


async def test_commands_are_commands_where_no_village_is_called_so(many: Talk) -> None:
    person = await asked(many, KK)
    await person.say("/start")
    assert await person.form() is None
    await person.say("тоқта")
    assert person.hears("stopped")


@BOTH
@WHERE
async def test_walking_down_the_tree(talk: Talk, language: Language, channel: ChannelName) -> None:
    person = await asked(talk, language, channel)
    await person.pick("village-walk")
    assert person.hears("village-walk-oblast")
    await person.say("1")
    await person.say("1")
    await person.tap("Бугров ауылдық округі" if language is KK else "Бугровский сельский округ")
    assert person.hears("village-walk-into", place=_okrug(language))
    await person.tap("Сосновка ауылы" if language is KK else "село Сосновка")
    assert await found(person) == "595041600"


def _okrug(language: Language) -> str:
    return "Бугров ауылдық округі" if language is KK else "Бугровский сельский округ"


async def test_a_name_can_be_typed_in_the_middle_of_the_walk(talk: Talk) -> None:
    person = await asked(talk, RU)
    await person.pick("village-walk")
    await person.says("1", "Плоское", "да")
    assert await found(person) == "595035500"


@BOTH
@WHERE
async def test_the_village_of_a_link_is_only_confirmed(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    person = talk.person(channel)
    await person.start("v_595041600")
    await person.chooses(language)
    await person.registers(until="village")
    assert "Сосновка" in person.text
    await person.pick("village-yes")
    assert await found(person) == "595041600"


@pytest.mark.parametrize("code", ["595041000", "590000000", "000000000", "abc", "595041601"])
async def test_a_link_to_no_village_asks(talk: Talk, code: str) -> None:
    person = talk.person(WHATSAPP)
    await person.start(f"v_{code}")
    await person.chooses(RU)
    await person.registers(until="village")
    assert person.hears("village-ask")


async def test_somebody_registered_stays_where_they_are(talk: Talk) -> None:
    person = await talk.resident()
    await person.start("v_595041600")
    assert person.t("menu-profile") in person.labels
    assert await talk.one("SELECT place_code FROM resident") == "595041100"


@pytest.mark.parametrize(
    ("code", "ids"),
    [
        pytest.param("v-pick", "590000000", id="an oblast"),
        pytest.param("v-pick", "595041000", id="an okrug"),
        pytest.param("v-pick", "000000000", id="nowhere"),
        pytest.param("v-into", "000000000", id="walks into nowhere"),
        pytest.param("v-area", "000000000", id="narrows to nowhere"),
        pytest.param("v-yes", "", id="confirms nothing"),
        pytest.param("v-pick", "595041100.595041600", id="two at once"),
        pytest.param("s-yes", "", id="a choice of another step"),
    ],
)
async def test_forged_taps_choose_no_village(talk: Talk, code: str, ids: str) -> None:
    """Before, a forged tap could register somebody as a resident of an oblast."""
    person = await asked(talk, RU)
    turn = (await person.state()).turn
    await person.press(f"s.{turn:x}.{code}" + (f".{ids}" if ids else ""))
    assert await found(person) is None
    await person.says("Бугровое", "да")
    assert await found(person) == "595041100"


async def test_a_territory_that_changes_in_the_middle(many: Talk) -> None:
    """What was found may be gone from the next edition."""
    person = await asked(many, RU)
    await person.say("Жамбыл")
    async with many.db.session() as session:
        await session.execute(
            text("UPDATE place SET abolished_at = now() WHERE code LIKE '11____100'")
        )
        await session.execute(text("UPDATE territory_revision SET revision = revision + 1"))
    await person.say("ъъъъъъъъ")
    assert len([label for label in person.labels if "Жамбыл" in label]) == 3
    await person.says("Тохта", "да")
    assert await found(person) == "353031200"


@BOTH
async def test_an_oblast_is_known_without_its_word(many: Talk, language: Language) -> None:
    """Before, "no village like «карагандинская»" to the question which oblast."""
    person = await asked(many, language)
    await person.say("Жамбыл")
    assert not [one for one in person.labels if "Жамбыл" in one]
    await person.say({KK: "Қарағанды", RU: "карагандинская"}[language])
    assert len([one for one in person.labels if "Жамбыл" in one]) == 2
