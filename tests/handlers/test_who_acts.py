"""On a family's phone nobody acts unasked with another's role or things: hours later it is asked
who is speaking, once, and nothing that was typed or looked at is lost."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from support.talk import KK, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName, Content
from core.ids import short
from core.languages import Language
from services import notices, people, roles
from services.notices import NoticeText
from services.roles import RoleName

BOTH = pytest.mark.parametrize("language", [KK, RU])
WHERE = pytest.mark.parametrize("channel", ChannelName)
SERIK, AIGUL = "Серік А.", "Айгүл А."
WORDS = "Су жоқ\nЕртең болмайды."
TEXTS = {KK: NoticeText("Су жоқ", "Ертең"), RU: NoticeText("Нет воды", "Завтра")}


async def family(talk: Talk, language: Language = RU, channel: ChannelName = TELEGRAM) -> Person:
    """Серік, the akim, and Айгүл on one phone; Серік has just said that it is he."""
    person = await talk.resident(channel, language)
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", "Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990")
    if channel is TELEGRAM:
        await person.say("1")
    await person.pick("summary-yes")
    async with talk.db.unit() as unit:
        await roles.grant(unit, (await ids(person))[SERIK], RoleName.AKIM, OKRUG)
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


async def sent(person: Person) -> UUID:
    """A notice of Серік's that is on its way."""
    address = UUID(str((await person.address())["id"]))
    known = await ids(person)
    async with person.talk.db.unit() as unit:
        unit.actor, notice = known[SERIK], unit.new_id()
        await notices.announce(
            unit,
            again=True,
            notice=notice,
            author_address=address,
            place_code=OKRUG,
            audience=["595041100"],
            texts=TEXTS,
            monolingual=None,
        )
        contents = {one: Content(one, TEXTS[one].body).to_json() for one in Language}
        await notices.queue(unit, notice, contents)
    return notice


async def previewed(person: Person) -> None:
    await person.say("/menu")
    await person.pick("menu-send")
    await person.pick("kind-announcement")
    await person.pick("audience-all-okrug")
    await person.says(WORDS, WORDS)
    await person.pick("attach-skip")


def hours_later(person: Person) -> None:
    person.talk.clock.advance(timedelta(hours=3))


async def count(person: Person, table: str) -> object:
    return await person.talk.one(f"SELECT count(*) FROM {table}")


# What is begun, and sent


@BOTH
@WHERE
async def test_a_notice_that_waits_is_sent_by_nobody_unasked(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """Before, "Continue" and "Send" sent it to the whole okrug, whoever tapped."""
    person = await family(talk, language, channel)
    await previewed(person)
    await person.say("/menu")
    hours_later(person)
    await person.pick("menu-resume")
    assert person.hears("family-who")
    await person.tap(AIGUL)
    assert await person.form() is None
    assert person.t("menu-resume") not in person.labels
    await speaks(person, SERIK)
    await person.pick("menu-resume")
    assert not person.hears("family-who"), "who has just said who they are is not asked again"
    await person.pick("notice-send")
    assert await count(person, "notice") == 1


@BOTH
@WHERE
async def test_send_on_the_screen_of_hours_ago_asks_first(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    person = await family(talk, language, channel)
    await previewed(person)
    hours_later(person)
    await person.pick("notice-send")
    assert person.hears("family-who")
    assert await count(person, "notice") == 0
    await person.tap(SERIK)
    assert person.hears("preview-above"), "where it was left, with all that was written"
    await person.pick("notice-send")
    assert await count(person, "notice") == 1


@BOTH
async def test_somebody_elses_name_is_no_answer_to_the_form(talk: Talk, language: Language) -> None:
    """The form waits while it is asked: a typed name does not become part of the notice."""
    person = await family(talk, language)
    notice = await sent(person)
    await person.say("/menu")
    await person.pick("menu-send")
    await person.pick("kind-announcement")
    await person.pick("audience-all-okrug")
    hours_later(person)
    await person.press(f"d.n-report.{short(notice)}")
    assert person.hears("family-who")
    await person.say("Айгүл")
    assert "Айгүл" not in (await person.state()).dump().split('"offered"')[0]


@BOTH
async def test_a_correction_of_hours_ago_asks_first(talk: Talk, language: Language) -> None:
    person = await family(talk, language)
    notice = await sent(person)
    await person.press(f"d.n-correct.{short(notice)}")
    await person.says("Су бар\nБүгін келеді.", "Вода есть\nСегодня будет.")
    hours_later(person)
    await person.pick("correct-send")
    assert person.hears("family-who")
    assert await talk.one("SELECT revision FROM notice") == 1
    await person.tap(SERIK)
    assert "Вода есть" in person.text
    await person.pick("correct-send")
    assert person.hears("correct-done")
    assert await talk.one("SELECT revision FROM notice") == 2


@BOTH
@pytest.mark.parametrize("name", [SERIK, AIGUL])
async def test_what_cannot_be_sent_any_more_is_dropped_by_who_wrote_it(
    talk: Talk, language: Language, name: str
) -> None:
    person = await family(talk, language)
    await person.press(f"d.n-correct.{short(await sent(person))}")
    await person.says("Су бар\nБүгін келеді.", "Вода есть\nСегодня будет.")
    async with talk.db.unit() as unit:
        await roles.revoke(unit, (await ids(person))[SERIK], RoleName.AKIM, OKRUG)
    await person.pick("correct-send")
    await person.pick("menu-resume")
    assert person.hears("correct-barred")
    hours_later(person)
    await person.pick("leave-drop")
    assert person.hears("family-who")
    await person.tap(name)
    await speaks(person, SERIK)
    assert (person.t("menu-resume") in person.labels) == (name is AIGUL)


# What is on its way


@BOTH
@pytest.mark.parametrize(
    ("code", "done"),
    [
        ("n-pause", "sent-paused"),
        ("n-resume", "sent-too-late"),
        ("n-cancel", "sent-cancel-yes"),
        ("n-report", "sent-report-coming"),
        ("n-correct", "correct-keep"),
    ],
)
async def test_an_old_button_of_a_notice_asks_and_then_does_it(
    talk: Talk, language: Language, code: str, done: str
) -> None:
    person = await family(talk, language)
    notice = await sent(person)
    hours_later(person)
    before = await talk.audited()
    await person.press(f"d.{code}.{short(notice)}")
    assert person.hears("family-who")
    assert await talk.audited() == before
    await person.tap(SERIK)
    assert person.hears(done) or person.t(done) in person.labels
    await person.press(f"d.{code}.{short(notice)}")
    assert not person.hears("family-who")


@BOTH
@pytest.mark.parametrize("code", ["n-pause", "n-resume", "n-cancel", "n-report", "n-correct"])
async def test_who_says_to_be_another_has_no_role(
    talk: Talk, language: Language, code: str
) -> None:
    person = await family(talk, language)
    notice = await sent(person)
    hours_later(person)
    await person.press(f"d.{code}.{short(notice)}")
    await person.tap(AIGUL)
    assert person.hears("refused-role")
    assert await talk.one("SELECT status FROM notice") == "sending"


async def test_the_last_word_of_cancelling_asks_too(talk: Talk) -> None:
    person = await family(talk)
    notice = await sent(person)
    await person.press(f"d.n-cancel.{short(notice)}")
    hours_later(person)
    await person.pick("sent-cancel-yes")
    assert person.hears("family-who")
    assert await talk.one("SELECT status FROM notice") == "sending"
    await person.tap(SERIK)
    await person.pick("sent-cancel-yes")
    assert await talk.one("SELECT status FROM notice") == "cancelled"


async def test_reading_is_never_asked_about(talk: Talk) -> None:
    """ "I have read it" is hot, and counts for the chat."""
    person = await family(talk)
    notice = await sent(person)
    hours_later(person)
    await person.press(f"d.read.{short(notice)}.1")
    assert not person.hears("family-who")


# Drafts


async def a_draft(person: Person) -> None:
    await previewed(person)
    await person.say("/cancel")
    await person.pick("leave-keep")


@BOTH
async def test_drafts_are_opened_and_dropped_by_who_says_so(talk: Talk, language: Language) -> None:
    person = await family(talk, language)
    await a_draft(person)
    for wish in ("menu-resume", "leave-drop"):
        hours_later(person)
        await person.say("/drafts")
        assert person.hears("family-who")
        await person.tap(SERIK)
        await person.tap(person.labels[0])
        hours_later(person)
        await person.pick(wish)
        assert person.hears("family-who")
        assert await count(person, "draft") == 1
        await person.tap(SERIK)
        assert person.t("leave-drop") in person.labels, "the draft's own card again"
    await person.pick("leave-drop")
    assert await count(person, "draft") == 0


@BOTH
async def test_drafts_of_another_are_not_shown(talk: Talk, language: Language) -> None:
    person = await family(talk, language)
    await a_draft(person)
    hours_later(person)
    await person.say("/drafts")
    await person.tap(AIGUL)
    assert person.hears("drafts-none")


# Roles


async def nothing(person: Person) -> None:
    """On the list itself."""


async def invites(person: Person) -> None:
    await person.pick("roles-invite")


async def looks(person: Person) -> None:
    await person.tap("Ахметова Айгүл")


async def ends(person: Person) -> None:
    await looks(person)
    await person.pick("role-end")


Step = Callable[[Person], Awaitable[None]]


@BOTH
async def test_the_roles_are_opened_by_who_says_so(talk: Talk, language: Language) -> None:
    """Before, hours later "Roles, Invite" opened for whoever held the phone."""
    person = await family(talk, language)
    hours_later(person)
    await person.say("/menu")
    await person.pick("menu-roles")
    assert person.hears("family-who")
    await person.tap(SERIK)
    assert person.t("roles-invite") in person.labels
    await person.say("/roles")
    assert not person.hears("family-who")


@BOTH
@pytest.mark.parametrize(
    ("before", "wish", "after"),
    [
        (nothing, "roles-invite", "powers-done"),
        (looks, "role-end", "role-end-yes"),
        (looks, "role-powers-change", "powers-done"),
        (ends, "role-end-yes", "role-end-yes"),
    ],
)
async def test_an_act_on_a_role_from_a_screen_of_hours_ago(
    talk: Talk, language: Language, before: Step, wish: str, after: str
) -> None:
    person = await family(talk, language)
    async with talk.db.unit() as unit:
        await roles.grant(unit, (await ids(person))[AIGUL], RoleName.CLERK, OKRUG)
    await person.say("/roles")
    await before(person)
    hours_later(person)
    await person.pick(wish)
    assert person.hears("family-who")
    assert await talk.one("SELECT count(*) FROM role WHERE revoked_at IS NULL") == 2
    await person.tap(SERIK)
    assert person.t(after) in person.labels, "on with what was wanted"


@BOTH
async def test_an_invitation_of_hours_ago_is_made_by_who_says_so(
    talk: Talk, language: Language
) -> None:
    person = await family(talk, language)
    await person.say("/roles")
    await invites(person)
    await person.pick("powers-done")
    hours_later(person)
    await person.pick("invite-until-open")
    assert person.hears("family-who")
    assert await count(person, "invitation") == 0
    await person.tap(SERIK)
    await person.pick("invite-until-open")
    assert await count(person, "invitation") == 1
    hours_later(person)
    await person.say("/roles")
    await person.tap(SERIK)
    await person.tap(person.t("roles-offer", role=person.t("role-clerk")))
    hours_later(person)
    await person.pick("invitation-withdraw")
    assert person.hears("family-who")
    await person.tap(SERIK)
    await person.pick("invitation-withdraw")
    assert person.hears("invitation-withdrawn")


# One's own things


async def on_two(person: Person) -> None:
    """Серік has both messengers."""
    other = await person.talk.resident(WHATSAPP)
    known = await ids(person)
    async with person.talk.db.unit() as unit:
        await unit.session.execute(
            text("UPDATE resident_address SET resident_id = :who WHERE address_id = :id"),
            {"who": known[SERIK], "id": (await other.address())["id"]},
        )


@BOTH
async def test_which_messenger_comes_first_is_for_who_says_so(
    talk: Talk, language: Language
) -> None:
    person = await family(talk, language)
    await on_two(person)
    await person.say("/data")
    hours_later(person)
    await person.pick("prefer-menu")
    assert person.hears("family-who")
    await person.tap(SERIK)
    assert person.hears("prefer-ask")
    hours_later(person)
    await person.tap("WhatsApp")
    assert person.hears("family-who")
    await person.tap(AIGUL)
    found = "SELECT preferred_channel FROM resident WHERE id = :id"
    known = await ids(person)
    assert await talk.one(found, id=known[SERIK]) is None
    assert await talk.one(found, id=known[AIGUL]) == "whatsapp"


@BOTH
async def test_parting_is_for_who_says_so(talk: Talk, language: Language) -> None:
    person = await family(talk, language)
    serik = (await ids(person))[SERIK]
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE resident SET level = 'phone', phone_hash = :hash WHERE id = :id"),
            {"hash": talk.db.keyring.index("phone", "+77010000009"), "id": serik},
        )
    other = talk.person(WHATSAPP)
    other.number = 9
    await other.chooses(language)
    await other.pick("consent-yes")
    await other.pick_first("join-yes")
    await other.say("05.03.1986")
    assert other.hears("joined")
    await person.say("/data")
    hours_later(person)
    await person.pick("part-menu")
    assert person.hears("family-who")
    await person.tap(SERIK)
    hours_later(person)
    await person.pick("part-yes")
    assert person.hears("family-who")
    await person.tap(SERIK)
    await person.pick("part-yes")
    assert person.hears("parted")


@BOTH
async def test_ones_own_data_are_changed_by_who_says_so(talk: Talk, language: Language) -> None:
    """The last word of a correction or of a move, on the screen of hours ago."""
    person = await family(talk, language)
    await person.say("/data")
    await person.pick("profile-edit")
    await person.pick("summary-street")
    await person.say("Мира 5")
    hours_later(person)
    await person.pick("summary-yes")
    assert person.hears("family-who")
    await person.tap(SERIK)
    assert "Мира 5" in person.text
    await person.pick("summary-yes")
    assert person.hears("profile-corrected")
    await person.say("/data")
    await person.pick("profile-move")
    await person.says("Сосновка", "да")
    hours_later(person)
    await person.pick("move-yes")
    assert person.hears("family-who")
    await person.tap(AIGUL)
    places = await talk.rows("SELECT DISTINCT place_code FROM resident")
    assert places == [{"place_code": "595041100"}]
