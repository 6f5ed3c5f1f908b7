"""Coming in, the menu, the languages, stop and start, invitations, one's own data."""

from datetime import timedelta

import pytest
from support.talk import KK, NAME, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName, Kind, Medium
from core.languages import Language
from services import roles
from services.roles import RoleName

BOTH = pytest.mark.parametrize("language", [KK, RU])
WHERE = pytest.mark.parametrize("channel", ChannelName)


@WHERE
@pytest.mark.parametrize("typed", ["Сәлем", "/start", "меню", "😀", "5", ""])
async def test_the_first_contact_is_in_both_languages(
    talk: Talk, channel: ChannelName, typed: str
) -> None:
    person = talk.person(channel)
    await person.say(typed)
    for language in Language:
        person.language = language
        assert person.hears("first-contact")
    assert person.labels == ["Қазақша", "Русский"]


@WHERE
@pytest.mark.parametrize("typed", ["Стоп", "тоқтату", "STOP", "/stop", "Токтату!", "unsubscribe"])
async def test_stop_needs_no_language(talk: Talk, channel: ChannelName, typed: str) -> None:
    """Before, "Стоп" as the first message was only greeted, and messages went on."""
    person = talk.person(channel)
    await person.say(typed)
    for language in Language:
        person.language = language
        assert person.hears("stopped")
    assert person.labels == ["Қазақша", "Русский"], "and one may still go on"
    assert (await person.address())["stopped_at"]
    await person.say(typed)
    assert (await talk.audited()).count("address-stopped") == 1
    await person.say("?")
    assert (await person.address())["stopped_at"]
    await person.start()
    for language in Language:
        person.language = language
        assert person.hears("resumed")
        assert person.hears("first-contact")
    assert not (await person.address())["stopped_at"]
    await person.say("бастау")
    assert not person.hears("resumed")
    assert (await talk.audited()).count("address-resumed") == 1


@pytest.mark.parametrize(
    ("typed", "language"),
    [
        ("1", KK),
        ("2", RU),
        ("қазақша", KK),
        ("казакша", KK),
        ("Русский", RU),
        ("русски", RU),
        ("2.", RU),
        ("орысша", RU),
        ("По-русски", RU),
        ("на казахском", KK),
    ],
)
async def test_the_language_is_chosen_by_words_too(
    talk: Talk, typed: str, language: Language
) -> None:
    person = talk.person(WHATSAPP)
    await person.says("Сәлем", typed)
    person.language = language
    assert person.hears("consent-ask")
    assert (await person.address())["language"] == language


@WHERE
async def test_the_language_is_changed_by_its_name_in_the_other(
    talk: Talk, channel: ChannelName
) -> None:
    person = await talk.resident(channel, KK)
    await person.say("по-русски")
    person.language = RU
    assert person.hears("language-changed")
    assert (await person.address())["language"] == RU


@WHERE
async def test_also_in_a_form_but_where_a_text_is_asked_for(
    talk: Talk, channel: ChannelName
) -> None:
    """Before, whoever was asked for consent in a language not theirs was told "not understood"."""
    person = talk.person(channel)
    await person.chooses(KK)
    await person.say("По-русски")
    person.language = RU
    assert person.hears("consent-ask")
    await person.pick("consent-yes")
    await person.say("орысша")
    assert not person.hears("language-changed"), "that was the answer"
    form = await person.form()
    assert form is not None
    assert form.step == "name"


@BOTH
@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("/menu", "мәзір", "МӘЗІР", "мазир", "Меню!", "menu", "/menu@zhiyn_bot", "/Menu"), "menu"),
        (("/help", "көмек", "Помощь", "комек", "справка"), "help"),
        (("/lang", "тіл", "Язык", "тил"), "lang"),
        (("/notices", "хабарлар", "Новости", "жаналыктар"), "notices"),
        (("/data", "деректерім", "Мои данные", "деректерим"), "data"),
        (("/stop", "стоп", "Тоқтату", "токтату", "СТОП!!"), "stop"),
    ],
)
async def test_commands_in_every_spelling(
    talk: Talk, language: Language, words: tuple[str, ...], key: str
) -> None:
    person = await talk.resident(TELEGRAM, language)
    heard = {"menu": "menu-title", "help": "help-text", "lang": "language-choose"}
    heard |= {"notices": "notice-none", "data": "profile-text", "stop": "stopped"}
    for word in words:
        await person.say(word)
        if key == "data":
            assert NAME in person.text
        else:
            assert person.hears(heard[key]), word


@BOTH
async def test_what_is_not_understood_is_said_and_the_menu_comes(
    talk: Talk, language: Language
) -> None:
    person = await talk.resident(TELEGRAM, language)
    await person.say("ауа райы қандай?")
    assert person.hears("not-understood", typed="ауа райы қандай?")
    await person.say("х" * 5000)
    assert person.hears("not-understood", typed="х" * 200)
    await person.send_file(Medium.PHOTO)
    assert person.hears("not-asked")
    await person.share(own=False)
    assert person.hears("not-asked")
    await person.does(Kind.OTHER)
    assert person.hears("unknown-kind")
    assert person.t("menu-profile") in person.labels


@BOTH
async def test_every_entry_of_the_menu_leads_somewhere_and_home(
    talk: Talk, language: Language
) -> None:
    person = await talk.resident(TELEGRAM, language)
    for label in list(person.labels):
        await person.say("/menu")
        await person.tap(label)
        assert not person.hears("stale-choice")
        await person.say("мәзір")
        assert person.hears("menu-title")


@BOTH
@WHERE
async def test_an_old_button_does_nothing_and_shows_where_one_is(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    person = await talk.resident(channel, language)
    await person.pick("menu-profile")
    delete = next(b.payload for b in person.buttons if b.label == person.t("profile-delete"))
    await person.pick("profile-delete")
    really = next(b.payload for b in person.buttons if b.label == person.t("delete-yes"))
    await person.pick("delete-no")
    for old in (really, delete):
        await person.press(old)
        assert person.hears("stale-choice")
        assert person.hears("menu-title")
    assert await talk.one("SELECT count(*) FROM resident WHERE deleted_at IS NULL") == 1


@pytest.mark.parametrize(
    "payload", ["", "x", "s.1", "s.a-b.menu", "d.vote.a", "s.zzzzz.lang.ru", "Русский", "d..", "😀"]
)
async def test_a_forged_tap_does_nothing(talk: Talk, payload: str) -> None:
    person = await talk.resident(TELEGRAM, KK)
    await person.press(payload)
    assert person.hears("stale-choice")
    assert (await person.address())["language"] == "kk"


@BOTH
async def test_stop_and_start_again(talk: Talk, language: Language) -> None:
    person = await talk.resident(TELEGRAM, language)
    await person.say("тоқтату")
    assert person.hears("stopped")
    assert (await person.address())["stopped_at"]
    await person.say("/menu")
    assert person.hears("stopped-line")
    await person.pick("menu-subscribe")
    assert person.hears("resumed")
    assert not (await person.address())["stopped_at"]
    await person.says("стоп", "бастау")
    assert person.hears("resumed")
    audited = await talk.audited()
    assert audited.count("address-stopped") == audited.count("address-resumed") == 2


@BOTH
async def test_stop_on_a_family_phone_names_everybody(talk: Talk, language: Language) -> None:
    """Before, "no more messages", with no word that the others get none either."""
    person = await talk.resident(WHATSAPP, language)
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", "Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990", "да")
    await person.say("стоп")
    assert person.hears("stopped-family", names="Серік А., Айгүл А.")
    assert not person.hears("stopped")
    assert ".." not in person.text


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
async def test_stop_in_one_of_two_messengers_names_the_other(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    """Before, "no more messages", and they went on to the other messenger."""
    first, second = await _on_both(talk, language)
    here, there = (first, second) if channel is TELEGRAM else (second, first)
    await here.say("стоп")
    assert here.hears("stopped-here", messengers=here.t(f"messenger-{there.channel}"))
    assert not here.hears("stopped")
    await here.say("/menu")
    assert here.hears("stopped-line")
    await there.say("стоп")
    assert there.hears("stopped")
    await there.say("бастау")
    await here.say("стоп")
    assert here.hears("stopped-here", messengers=here.t(f"messenger-{there.channel}"))


@BOTH
async def test_stop_on_a_family_phone_says_who_is_reached_elsewhere(
    talk: Talk, language: Language
) -> None:
    _, person = await _on_both(talk, language)
    await person.say("/data")
    await person.pick("family-menu")
    await person.pick("family-add")
    await person.says("1", "Ахметова Айгүл", "Бугровое", "да", "1", "12.04.1990", "да")
    await person.say("стоп")
    assert person.hears("stopped-family", names="Серік А., Айгүл А.")
    assert person.hears("stopped-member", name="Серік А.", messengers="Telegram")
    assert not person.hears("stopped-member", name="Айгүл А.", messengers="Telegram")


async def _on_both(talk: Talk, language: Language) -> tuple[Person, Person]:
    """The same person on Telegram and on WhatsApp, joined."""
    first = talk.person(TELEGRAM)
    await first.chooses(language)
    await first.registers(until="phone")
    await first.share()
    await first.pick("summary-yes")
    second = talk.person(WHATSAPP)
    second.number = first.number
    await second.chooses(language)
    await second.pick("consent-yes")
    await second.pick_first("join-yes")
    await second.say("05.03.1986")
    assert second.hears("joined")
    return first, second


async def test_the_messengers_own_block_and_return(talk: Talk) -> None:
    person = await talk.resident()
    await person.does(Kind.BLOCKED)
    assert person.heard == []
    assert (await person.address())["stopped_at"]
    await person.does(Kind.UNBLOCKED)
    assert not (await person.address())["stopped_at"]


async def test_an_edited_message_changes_nothing(talk: Talk) -> None:
    person = await talk.resident()
    before = await person.address()
    await person.does(Kind.EDITED)
    assert (person.heard, await person.address()) == ([], before)


@BOTH
async def test_another_language_for_good(talk: Talk, language: Language) -> None:
    person = await talk.resident(TELEGRAM, language)
    await person.pick("menu-language")
    await person.chooses(language.other)
    assert person.hears("language-changed")
    assert await talk.one("SELECT language FROM resident") == language.other
    assert (await person.address())["language"] == language.other


@BOTH
async def test_my_data_corrected(talk: Talk, language: Language) -> None:
    person = await talk.resident(TELEGRAM, language)
    before = await talk.rows("SELECT registered_at, consented_at FROM resident")
    await person.pick("menu-profile")
    assert NAME in person.text
    assert "Абай көшесі, 12" in person.text
    await person.pick("profile-edit")
    await person.pick("summary-street")
    await person.say("Мира, 5")
    await person.pick("summary-yes")
    assert person.hears("profile-corrected")
    await person.say("мои данные")
    assert "Мира, 5" in person.text
    assert NAME in person.text
    assert await talk.rows("SELECT registered_at, consented_at FROM resident") == before


@BOTH
async def test_a_correction_that_is_cancelled_changes_nothing_and_says_so(
    talk: Talk, language: Language
) -> None:
    """Before, it said that the registration was cancelled and the answers deleted."""
    person = await talk.resident(TELEGRAM, language)
    await person.pick("menu-profile")
    await person.pick("profile-edit")
    await person.pick("summary-name")
    await person.say("Басқа Адам")
    await person.say("мәзір")
    assert person.hears("parked-profile")
    await person.pick("menu-resume")
    await person.pick("nav-cancel")
    assert person.hears("profile-unchanged")
    await person.say("/data")
    assert NAME in person.text


@BOTH
@WHERE
async def test_my_data_deleted(talk: Talk, language: Language, channel: ChannelName) -> None:
    person = await talk.resident(channel, language)
    await person.pick("menu-profile")
    await person.pick("profile-delete")
    assert person.hears("delete-ask")
    await person.pick("delete-yes")
    assert person.hears("delete-done")
    [row] = await talk.rows("SELECT * FROM resident")
    personal = ("full_name", "street", "birth_date", "phone", "phone_hash", "adult_on")
    assert {name: row[name] for name in personal} == dict.fromkeys(personal)
    assert await talk.one("SELECT count(*) FROM resident_address") == 0
    assert (await person.address())["speaker_id"] is None
    await person.say("/data")
    assert person.hears("profile-guest")
    assert person.t("menu-register") in person.labels


async def test_after_deleting_one_can_register_again(talk: Talk) -> None:
    person = await talk.resident()
    await person.pick("menu-profile")
    await person.pick("profile-delete")
    await person.pick("delete-yes")
    await person.pick("menu-register")
    await person.registers("Сосновка")
    assert person.t("menu-profile") in person.labels
    assert await talk.one("SELECT count(*) FROM resident WHERE deleted_at IS NULL") == 1


@BOTH
@WHERE
async def test_an_invitation_by_its_link(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    akim = await talk.official(channel, language)
    assert akim.hears("role-granted", role=akim.t("role-akim"), place=_okrug(language))
    assert akim.t("menu-send") in akim.labels
    assert akim.t("menu-register") in akim.labels
    assert await talk.one("SELECT count(*) FROM resident WHERE registered_at IS NOT NULL") == 0


def _okrug(language: Language) -> str:
    return "Бугров ауылдық округі" if language is KK else "Бугровский сельский округ"


@BOTH
@pytest.mark.parametrize("wrapped", ["i_{}", "/start i_{}", "Сәлем! i_{} дегенмін", " i_{}\n"])
async def test_an_invitation_in_typed_words(talk: Talk, language: Language, wrapped: str) -> None:
    person = await talk.resident(WHATSAPP, language)
    async with talk.db.unit() as unit:
        code = await roles.invite(unit, RoleName.DEPUTY, OKRUG)
    await person.say(wrapped.format(code))
    assert person.hears("role-granted", role=person.t("role-deputy"), place=_okrug(language))


@BOTH
async def test_invitations_that_grant_nothing(talk: Talk, language: Language) -> None:
    person = await talk.resident(TELEGRAM, language)
    async with talk.db.unit() as unit:
        used = await roles.invite(unit, RoleName.AKIM, OKRUG)
        late = await roles.invite(unit, RoleName.CLERK, OKRUG)
    other = await talk.resident(TELEGRAM, language)
    await other.start(f"i_{used}")
    await person.start(f"i_{used}")
    assert person.hears("refused-invitation-used")
    await person.start("i_AAAABBBBCCCC")
    assert person.hears("refused-invitation-unknown")
    talk.clock.advance(timedelta(days=8))
    await person.start(f"i_{late}")
    assert person.hears("refused-invitation-expired")
    assert person.t("menu-send") not in person.labels
    assert (await talk.audited()).count("invitation-refused") == 3


async def test_an_invitation_in_the_middle_of_registration(talk: Talk) -> None:
    person = talk.person()
    await person.chooses(KK)
    await person.registers(until="birth")
    async with talk.db.unit() as unit:
        code = await roles.invite(unit, RoleName.AKIM, OKRUG)
    await person.start(f"i_{code}")
    assert person.hears("role-granted", role="Әкім", place=_okrug(KK))
    await person.pick("menu-resume")
    await person.says("05.03.1986", "1", "1")
    assert person.t("menu-send") in person.labels
    assert person.t("menu-profile") in person.labels
    assert await talk.one("SELECT count(*) FROM resident") == 1


@pytest.mark.parametrize("typed", ["v_1 a_bcdef", "x_something", "көр: y_abc123", "start q_12345"])
async def test_words_that_only_look_like_a_link(talk: Talk, typed: str) -> None:
    """Before, "x_something" in a street left the form."""
    person = talk.person()
    await person.chooses(KK)
    await person.registers(until="street")
    await person.say(typed)
    form = await person.form()
    assert form is not None
    assert (form.step, form.answers["street"]) == ("birth", typed)


@WHERE
async def test_a_link_to_nothing_comes_in_all_the_same(talk: Talk, channel: ChannelName) -> None:
    person = talk.person(channel)
    await person.start("q_something")
    await person.chooses(RU)
    assert person.hears("consent-ask")


async def test_the_same_update_twice_is_answered_once(talk: Talk) -> None:
    person = await talk.resident()
    before = await talk.one("SELECT count(*) FROM delivery")
    person.updates -= 1
    with pytest.raises(AssertionError):
        await person.say("/menu")
    assert await talk.one("SELECT count(*) FROM delivery") == before


async def test_a_notice_that_waits_survives_a_look_at_my_data(talk: Talk) -> None:
    akim = await talk.resident()
    async with talk.db.unit() as unit:
        speaker = (await akim.address())["speaker_id"]
        await roles.grant(unit, speaker, RoleName.AKIM, OKRUG)  # type: ignore[arg-type]
    await akim.say("/menu")
    await akim.pick("menu-send")
    await akim.pick("kind-announcement")
    await akim.pick("audience-all-okrug")
    await akim.say("Тақырып\nМәтін")
    await akim.say("мои данные")
    await akim.pick("profile-edit")
    await akim.pick("nav-cancel")
    assert akim.t("menu-resume") in akim.labels


async def test_a_durable_payload_of_a_step_choice_is_forged(talk: Talk) -> None:
    person = await talk.resident()
    await person.press("d.delete-yes")
    assert await talk.one("SELECT count(*) FROM resident WHERE deleted_at IS NULL") == 1


async def test_what_was_queued_for_somebody_who_left_is_not_sent(talk: Talk) -> None:
    person = await talk.resident()
    akim = await talk.official()
    await akim.pick("menu-send")
    await akim.pick("kind-announcement")
    await akim.pick("audience-all-okrug")
    await akim.says("Су жоқ\nЕртең", "Нет воды\nЗавтра")
    await akim.pick("attach-skip")
    await akim.pick("notice-send")
    await person.pick("menu-profile")
    await person.pick("profile-delete")
    await person.pick("delete-yes")
    pending = (
        "SELECT count(*) FROM delivery AS d JOIN message AS m ON m.id = d.message_id"
        " WHERE m.notice_id IS NOT NULL AND d.outcome IS NULL"
    )
    assert await talk.one(pending) == 0


async def test_an_akim_who_is_forgotten_holds_no_role(talk: Talk) -> None:
    akim = await talk.resident()
    async with talk.db.unit() as unit:
        speaker = (await akim.address())["speaker_id"]
        await roles.grant(unit, speaker, RoleName.AKIM, OKRUG)  # type: ignore[arg-type]
    await akim.pick("menu-profile")
    await akim.pick("profile-delete")
    await akim.pick("delete-yes")
    assert await talk.one("SELECT count(*) FROM role WHERE revoked_at IS NULL") == 0


async def test_a_correction_that_waits_is_deleted_with_the_data(talk: Talk) -> None:
    person = await talk.resident()
    await person.pick("menu-profile")
    await person.pick("profile-edit")
    await person.says("мои данные")
    await person.pick("profile-delete")
    await person.pick("delete-yes")
    assert (await person.state()).parked is None
    assert person.t("menu-resume") not in person.labels


@BOTH
@pytest.mark.parametrize(
    ("typed", "key"),
    [("Спасибо!", "thanks-answer"), ("рақмет", "thanks-answer"), ("Рахмет 🙏", "thanks-answer"),
     ("Здравствуйте", "greeting"), ("сәлем!", "greeting"), ("Сәлеметсіз бе?", "greeting")],
)  # fmt: skip
async def test_thanks_and_greetings_are_answered(
    talk: Talk, language: Language, typed: str, key: str
) -> None:
    """Before: "I do not understand what «спасибо» means", to a neighbour."""
    person = await talk.resident(WHATSAPP, language)
    await person.say(typed)
    assert person.hears(key)
    assert person.t("menu-profile") in person.labels
