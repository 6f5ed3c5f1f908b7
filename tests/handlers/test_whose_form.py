"""A form has an owner: on a family's phone nobody goes on with, overwrites or drops another's."""

import json
from collections.abc import Iterable
from uuid import UUID

import pytest
from sqlalchemy import text
from support.talk import KK, NAME, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName, Medium
from conversation.state import FormState
from core.ids import short
from core.languages import Language
from services import people, residents, roles
from services.roles import RoleName

BOTH = pytest.mark.parametrize("language", [KK, RU])
WHERE = pytest.mark.parametrize("channel", ChannelName)
SERIK, AIGUL = "Серік А.", "Айгүл А."
NOTICE = "Су жоқ\nЕртең болмайды."


async def family(talk: Talk, language: Language = RU, channel: ChannelName = TELEGRAM) -> Person:
    """Серік and Айгүл on one phone; Серік has just said that it is he."""
    person = await talk.resident(channel, language)
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", "Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990")
    if channel is TELEGRAM:
        await person.say("1")
    await person.pick("summary-yes")
    await speaks(person, SERIK)
    return person


async def speaks(person: Person, name: str) -> None:
    await person.say("/menu")
    await person.pick("family-change")
    await person.tap(name)


async def ids(person: Person) -> dict[str, UUID]:
    address = UUID(str((await person.address())["id"]))
    async with person.talk.db.unit() as unit:
        return {one.shown: one.id for one in await people.members(unit, address)}


async def akim(person: Person, *names: str) -> None:
    known = await ids(person)
    async with person.talk.db.unit() as unit:
        for name in names:
            await roles.grant(unit, known[name], RoleName.AKIM, OKRUG)


async def profile(person: Person, name: str) -> residents.Profile | None:
    known = await ids(person)
    async with person.talk.db.unit() as unit:
        return await residents.profile(unit, known[name])


async def waiting(person: Person) -> list[tuple[str, UUID | None]]:
    """What waits in the chat, the latest first: (form, whose)."""
    return [(form.form, form.owner) for form in (await person.state()).forms()]


def names(forms: Iterable[tuple[str, UUID | None]]) -> list[str]:
    return [form for form, _ in forms]


async def corrects(person: Person, street: str = "Мира 5") -> None:
    """Begins to correct the own data and leaves for the menu."""
    await person.say("/data")
    await person.pick("profile-edit")
    await person.pick("summary-street")
    await person.says(street, "меню")


async def writes(person: Person) -> None:
    """Begins a notice and leaves for the menu when its first text is there."""
    await person.say("/menu")
    await person.pick("menu-send")
    await person.pick("kind-announcement")
    await person.pick("audience-all-okrug")
    await person.says(NOTICE, "меню")


# Going on with it


@BOTH
@WHERE
async def test_a_correction_waits_for_whoever_began_it(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """Before, Айгүл's row was overwritten with Серік's name, date of birth and phone."""
    person = await family(talk, language, channel)
    before = await profile(person, AIGUL)
    await corrects(person)
    await speaks(person, AIGUL)
    assert person.t("menu-resume") not in person.labels
    assert not person.hears("parked-profile")
    turn = (await person.state()).turn
    await person.press(f"s.{_base36(turn)}.resume")
    assert await person.form() is None
    assert await profile(person, AIGUL) == before
    await speaks(person, SERIK)
    assert person.hears("parked-profile")
    await person.pick("menu-resume")
    assert "Мира 5" in person.text
    await person.pick("summary-yes")
    assert person.hears("profile-corrected")
    corrected = await profile(person, SERIK)
    assert corrected is not None
    assert corrected.street == "Мира 5"
    assert await profile(person, AIGUL) == before


@BOTH
async def test_each_has_a_correction_of_their_own(talk: Talk, language: Language) -> None:
    """The same form of two people: beginning one's own drops nobody else's."""
    person = await family(talk, language)
    await corrects(person, "Мира 5")
    await speaks(person, AIGUL)
    await corrects(person, "Жеңіс 7")
    await speaks(person, SERIK)
    await person.pick("menu-resume")
    assert "Мира 5" in person.text
    await person.pick("summary-yes")
    await speaks(person, AIGUL)
    await person.pick("menu-resume")
    assert "Жеңіс 7" in person.text
    await person.say("/cancel")
    assert await waiting(person) == []


async def test_a_form_under_way_is_put_aside_when_somebody_else_speaks(talk: Talk) -> None:
    """Another chat's deletion or joining changes who speaks here while a form is open."""
    person = await family(talk)
    known = await ids(person)
    await person.say("/data")
    await person.pick("profile-edit")
    async with talk.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE address SET speaker_id = :who"), {"who": known[AIGUL]}
        )
    await person.say("1")
    assert await person.form() is None
    assert await waiting(person) == [("profile", known[SERIK])]
    assert not person.hears("profile-corrected")


@BOTH
async def test_a_registration_writes_over_nobody(talk: Talk, language: Language) -> None:
    """Nobody was known to speak when it began; then one of the family says who it is."""
    person = await family(talk, language)
    state = await person.state()
    kept = {
        "consent": True,
        "name": "Ахметов Әлі",
        "village": "595041100",
        "street": "",
        "birth": "1992-04-12",
        "phone": "",
        "proved": False,
    }
    state.parked = FormState("registration", 1, "summary", kept)
    await person.stores(state.dump())
    await person.say("/menu")
    await person.pick("menu-resume")
    await person.pick("summary-yes")
    assert set(await ids(person)) == {SERIK, AIGUL, "Әлі А."}


@BOTH
async def test_an_older_stored_form_is_the_speakers(talk: Talk, language: Language) -> None:
    """Forms that were stored before they had an owner."""
    person = await family(talk, language)
    await corrects(person)
    stored = json.loads((await person.state()).dump())
    stored["parked"] = ["registration", *stored["parked"][1:5]]
    await person.stores(json.dumps(stored))
    assert await waiting(person) == [("registration", None)]
    await speaks(person, AIGUL)
    assert person.t("menu-resume") not in person.labels
    await speaks(person, SERIK)
    await person.pick("menu-resume")
    await person.pick("summary-yes")
    assert person.hears("profile-corrected")


# Half typed registrations


@BOTH
async def test_a_relative_half_entered_survives_a_correction(
    talk: Talk, language: Language
) -> None:
    """Before, both were the form "registration": the correction dropped the relative."""
    person = await family(talk, language)
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", "Ахметов Әлі", "меню")
    assert person.hears("parked-relative")
    await person.say("/data")
    await person.pick("profile-edit")
    await person.say("/cancel")
    assert person.hears("profile-unchanged")
    assert person.t("menu-resume") in person.labels
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    assert person.hears("parked-relative"), "gone on with, not begun anew"
    await person.says("Бугровое", "да", "1", "12.04.1992", "1")
    assert "Ахметов Әлі" in person.text
    await person.pick("summary-yes")
    assert "Әлі А." in await ids(person)


@BOTH
async def test_a_correction_that_waits_is_gone_on_with(talk: Talk, language: Language) -> None:
    person = await talk.resident(TELEGRAM, language)
    await corrects(person)
    await person.say("/data")
    await person.pick("profile-edit")
    assert person.hears("parked-profile")
    assert "Мира 5" in person.text


# Refusals


@BOTH
@WHERE
async def test_a_refused_tap_loses_nothing_that_was_typed(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """Before, an old "report" button of a clerk who may ask for none dropped the notice."""
    await talk.resident()
    clerk = await talk.official(channel, language, role=RoleName.CLERK)
    async with talk.db.session() as session:
        await session.execute(text("UPDATE role SET powers = '[\"send\"]'"))
    await writes(clerk)
    await clerk.pick("menu-resume")
    await clerk.press(f"d.n-report.{short(UUID(int=9))}")
    assert clerk.hears("refused-role")
    await clerk.pick("menu-resume")
    form = await clerk.form()
    assert form is not None
    assert "Ертең болмайды." in str(form.answers)


@BOTH
async def test_a_form_whose_question_is_refused_blocks_nothing(
    talk: Talk, language: Language
) -> None:
    """It could be neither answered nor cancelled: it goes, what waits behind it stays."""
    person = await family(talk, language)
    await akim(person, SERIK)
    await corrects(person)
    state = await person.state()
    serik = (await ids(person))[SERIK]
    answers = {"id": str(UUID(int=9)), "revision": 2, "asked_kk": True}
    state.parked = FormState("correction", 1, "preview", answers, state.parked, serik)
    await person.stores(state.dump())
    await speaks(person, SERIK)
    assert person.hears("parked-correction")
    await person.pick("menu-resume")
    assert person.hears("refused-role")
    assert names(await waiting(person)) == ["profile"]


# Drafts


@BOTH
async def test_a_notice_of_another_is_no_draft_of_mine(talk: Talk, language: Language) -> None:
    """Before, what Серік had written became a draft of Айгүл's when she began her own."""
    person = await family(talk, language)
    await akim(person, SERIK, AIGUL)
    await writes(person)
    known = await ids(person)
    await speaks(person, AIGUL)
    await person.pick("menu-send")
    assert person.t("begun-new") not in person.labels
    await person.say("/menu")
    assert await talk.one("SELECT count(*) FROM draft") == 0
    assert set(await waiting(person)) == {("notice", known[SERIK]), ("notice", known[AIGUL])}


# Deletion


async def deletes(person: Person) -> None:
    await person.say("/data")
    await person.pick("profile-delete")
    await person.pick("delete-yes")
    pairs = ((SERIK, AIGUL), (AIGUL, SERIK))
    of_two = [person.hears("delete-done-family", name=one, names=left) for one, left in pairs]
    assert person.hears("delete-done") or any(of_two)


@BOTH
async def test_one_relative_deleted_leaves_what_the_other_was_writing(
    talk: Talk, language: Language
) -> None:
    """Before, Серік's notice went with Айгүл's data, and nobody said so."""
    person = await family(talk, language)
    await akim(person, SERIK)
    await writes(person)
    await speaks(person, AIGUL)
    await corrects(person, "Жеңіс 7")
    known = await ids(person)
    await deletes(person)
    assert await waiting(person) == [("notice", known[SERIK])]
    assert "Жеңіс" not in (await person.state()).dump()
    await person.pick("menu-resume")
    form = await person.form()
    assert form is not None
    assert "Ертең болмайды." in str(form.answers)


@BOTH
@WHERE
async def test_what_the_deleted_were_typing_goes_in_all_their_chats(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """Серік deletes on the one messenger; on the other, shared one Айгүл was the last to speak."""
    shared = await family(talk, language, channel)
    await corrects(shared)
    await speaks(shared, AIGUL)
    await corrects(shared, "Жеңіс 7")
    known = await ids(shared)
    own = await talk.resident(TELEGRAM if channel is WHATSAPP else WHATSAPP, language)
    address = (await own.address())["id"]
    async with talk.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE address SET speaker_id = :who WHERE id = :id"),
            {"who": known[SERIK], "id": address},
        )
        await unit.session.execute(
            text("UPDATE resident_address SET resident_id = :who WHERE address_id = :id"),
            {"who": known[SERIK], "id": address},
        )
    await deletes(own)
    assert await waiting(shared) == [("profile", known[AIGUL])]
    left = (await shared.state()).dump()
    assert NAME not in left
    assert "Мира 5" not in left
    assert short(known[SERIK]) not in left
    assert str(known[SERIK]) not in left
    assert "Жеңіс 7" in left


async def test_files_of_a_notice_that_went_with_its_author_go_too(talk: Talk) -> None:
    person = await family(talk)
    await akim(person, SERIK)
    await writes(person)
    await person.pick("menu-resume")
    await person.send_file(Medium.PHOTO)
    await person.say("меню")
    assert await talk.one("SELECT count(*) FROM file") == 1
    await deletes(person)
    assert await talk.one("SELECT count(*) FROM file") == 0


async def test_what_was_taken_off_this_phone_leaves_nothing_typed(talk: Talk) -> None:
    """A deletion from another phone would not find it here."""
    person = await family(talk)
    await corrects(person)
    await speaks(person, AIGUL)
    await person.say("/data")
    await person.pick("family-menu")
    await person.tap(person.t("family-off", name=SERIK))
    await person.pick("family-off-yes")
    assert await waiting(person) == []
    assert NAME not in (await person.state()).dump()


# Joining


@BOTH
async def test_joined_records_share_what_was_begun(talk: Talk, language: Language) -> None:
    """What the record that went was typing is gone on with by the one that is kept."""
    first = await talk.resident(WHATSAPP, language)
    second = talk.person(TELEGRAM)
    second.number = first.number
    await second.chooses(language)
    await second.registers()
    await second.say("/data")
    await second.pick("profile-move")
    await second.says("Сосновка", "да", "меню")
    await second.say("/data")
    await second.pick("profile-edit")
    await second.pick("summary-phone")
    await second.share()
    await second.pick("summary-yes")
    await second.pick_first("join-yes")
    await second.say("05.03.1986")
    assert second.hears("joined")
    kept = (await first.address())["speaker_id"]
    assert await waiting(second) == [("moving", kept)]
    await second.say("/menu")
    await second.pick("menu-resume")
    await second.pick("move-yes")
    code = await talk.one("SELECT place_code FROM resident WHERE id = :id", id=kept)
    assert code == "595041600"


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"
