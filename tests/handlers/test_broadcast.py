"""An akim writes a notice: whom it reaches, in which languages, and that it goes once."""

from collections.abc import ItemsView
from datetime import timedelta
from typing import Any

import pytest
from support.talk import KK, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName
from core.languages import Language
from services import roles
from services.roles import RoleName

BOTH = pytest.mark.parametrize("language", [KK, RU])
WRITTEN = {
    KK: "Су құбыры жөнделеді\nЕртең су болмайды.",
    RU: "Ремонт водопровода\nЗавтра не будет воды.",
}


async def villagers(talk: Talk) -> None:
    await talk.resident(TELEGRAM, KK, "Бугровое")
    await talk.resident(WHATSAPP, RU, "Бугровое")
    await talk.resident(WHATSAPP, KK, "Сосновка")


async def begun(talk: Talk, language: Language = KK, channel: ChannelName = TELEGRAM) -> Person:
    """An akim who is asked to whom."""
    await villagers(talk)
    akim = await talk.official(channel, language)
    await akim.pick("menu-send")
    await akim.pick("kind-announcement")
    return akim


async def previewed(talk: Talk, language: Language = KK, channel: ChannelName = TELEGRAM) -> Person:
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    await akim.says(WRITTEN[language], WRITTEN[language.other])
    await akim.pick("attach-skip")
    return akim


TWO_LINES = "Ертең болмайды.\nАлдын ала құйыңыз."


async def answers_of(person: Person) -> dict[str, Any]:
    form = await person.form()
    assert form is not None
    return form.answers


async def answers(person: Person) -> ItemsView[str, Any]:
    return (await answers_of(person)).items()


async def step(person: Person) -> str | None:
    form = await person.form()
    return form.step if form else None


async def deliveries(talk: Talk) -> list[str]:
    """The languages of the notices that lie in the outbox, one an address."""
    rows = await talk.rows(
        "SELECT m.language FROM delivery AS d JOIN message AS m ON m.id = d.message_id"
        " WHERE m.notice_id IS NOT NULL ORDER BY 1"
    )
    return [str(row["language"]) for row in rows]


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
async def test_to_all_in_both_languages(
    talk: Talk, language: Language, channel: ChannelName
) -> None:
    akim = await begun(talk, language, channel)
    assert akim.t("audience-people", people=3) in [b.description for b in akim.buttons]
    await akim.pick("audience-all-okrug")
    assert akim.hears(f"notice-write-{language}")
    await akim.say(WRITTEN[language])
    assert akim.hears(f"notice-write-{language.other}")
    await akim.say(WRITTEN[language.other])
    assert akim.hears("attach-ask", most=5)
    await akim.pick("attach-skip")
    for words in WRITTEN.values():
        assert words.partition("\n")[2] in akim.text
    assert await deliveries(talk) == []
    await akim.pick("notice-send")
    assert akim.hears("live-sending", done=0, total=3)
    assert await deliveries(talk) == ["kk", "kk", "ru"]
    assert await step(akim) is None


async def test_the_send_button_twice_is_one_notice(talk: Talk) -> None:
    akim = await previewed(talk)
    send = next(b.payload for b in akim.buttons if b.label == akim.t("notice-send"))
    await akim.press(send)
    await akim.press(send)
    assert akim.hears("stale-choice")
    assert await talk.one("SELECT count(*) FROM notice") == 1
    assert len(await deliveries(talk)) == 3


@BOTH
@pytest.mark.parametrize(
    "typed",
    ["не отправлять", "не отправить", "жібермеу", "жібермеңіз", "жоқ", "нет", "сәл тұра тұрыңыз"],
)
async def test_nothing_goes_by_words_that_do_not_say_so(
    talk: Talk, language: Language, typed: str
) -> None:
    akim = await previewed(talk, language)
    await akim.say(typed)
    assert akim.hears("notice-preview-unclear", typed=typed)
    assert await talk.one("SELECT count(*) FROM notice") == 0
    assert await step(akim) == "preview"


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
@pytest.mark.parametrize("typed", ["иә", "Да", "да!"])
async def test_a_plain_yes_sends(
    talk: Talk, language: Language, channel: ChannelName, typed: str
) -> None:
    akim = await previewed(talk, language, channel)
    await akim.say(typed)
    assert akim.hears("live-sending", done=0, total=3)
    assert await talk.one("SELECT count(*) FROM notice") == 1


@BOTH
@pytest.mark.parametrize("channel", ChannelName)
@pytest.mark.parametrize("own", [True, False])
async def test_a_second_language_can_be_added_at_the_last_look(
    talk: Talk, language: Language, channel: ChannelName, own: bool
) -> None:
    """Thought better of, it stays as it was; written, the notice is in both."""
    first = language if own else language.other
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    if not own:
        await akim.pick(f"notice-only-{first}")
    await akim.say(WRITTEN[first])
    if own:
        await akim.pick(f"notice-only-{first}")
    await akim.pick("attach-skip")
    await akim.pick(f"notice-add-{first.other}")
    await akim.pick("nav-back")
    assert akim.t(f"notice-fix-{first.other}") not in akim.labels
    await akim.pick(f"notice-add-{first.other}")
    await akim.pick(f"notice-only-{first}")
    await akim.pick(f"notice-add-{first.other}")
    await akim.say(WRITTEN[first.other])
    assert await step(akim) == "preview"
    assert akim.t(f"notice-fix-{first.other}") in akim.labels
    assert akim.t(f"notice-add-{first.other}") not in akim.labels
    await akim.pick("notice-send")
    assert await talk.one("SELECT monolingual FROM notice") is None
    assert await deliveries(talk) == ["kk", "kk", "ru"]


@BOTH
async def test_in_the_other_language_only(talk: Talk, language: Language) -> None:
    """Said at the first question: no second one is asked; and it can be taken back."""
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    await akim.pick(f"notice-only-{language.other}")
    await akim.pick("notice-both")
    assert akim.hears(f"notice-write-{language}")
    await akim.pick(f"notice-only-{language.other}")
    await akim.say(WRITTEN[language.other])
    await akim.pick("attach-skip")
    assert await step(akim) == "preview"
    await akim.pick("notice-send")
    assert await talk.one("SELECT monolingual FROM notice") == language.other


@BOTH
async def test_in_one_language_only_when_said_so(talk: Talk, language: Language) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    await akim.say(WRITTEN[language])
    turn = (await akim.state()).turn
    await akim.press(f"s.{turn:x}.n-send")
    assert await step(akim) == "other"
    await akim.pick(f"notice-only-{language}")
    await akim.pick("attach-skip")
    assert WRITTEN[language.other].partition("\n")[2] not in akim.text
    assert akim.t(f"notice-fix-{language.other}") not in akim.labels
    await akim.pick("notice-send")
    assert await talk.one("SELECT monolingual FROM notice") == language
    assert len(await deliveries(talk)) == 3


LONG_LINE = "Су " * 60 + "жоқ"
LONG_BODY = "Бірінші сөйлем. " * 187 + "Соңғы сөйлем осы жерде аяқталады. Қалғаны."


@BOTH
async def test_a_title_alone_is_kept_and_its_text_asked_for(talk: Talk, language: Language) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    await akim.say("Су жоқ")
    assert akim.hears("words-no-body", title="Су жоқ")
    await akim.say("Ертең болмайды.\nАлдын ала құйыңыз.")
    assert await step(akim) == "other"
    assert await answers(akim) >= {f"text_{language}": ["Су жоқ", TWO_LINES]}.items()


@BOTH
@pytest.mark.parametrize("written_again", ["", "Су жоқ\n"])
async def test_the_title_written_again_with_the_text_is_not_part_of_it(
    talk: Talk, language: Language, written_again: str
) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    await akim.says("Су жоқ", f"{written_again}Ертең болмайды.")
    assert await answers(akim) >= {f"text_{language}": ["Су жоқ", "Ертең болмайды."]}.items()


@BOTH
async def test_of_a_title_that_is_too_long_only_the_title_is_asked_for(
    talk: Talk, language: Language
) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    await akim.say(f"{LONG_LINE}\nЕртең болмайды.")
    assert "183" in akim.text
    await akim.say("Т" * 101)
    assert "101" in akim.text
    await akim.say("Су жоқ")
    assert await step(akim) == "other"
    body = f"{LONG_LINE}\nЕртең болмайды."
    assert await answers(akim) >= {f"text_{language}": ["Су жоқ", body]}.items()


@BOTH
async def test_a_shortened_title_can_be_taken(talk: Talk, language: Language) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    await akim.say(LONG_LINE)
    await akim.pick("words-take-title")
    title, body = (await answers_of(akim))[f"text_{language}"]
    assert title.endswith("…")
    assert len(title) <= 100
    assert body == LONG_LINE


@BOTH
async def test_of_a_text_that_is_too_long_what_goes_in_can_be_taken(
    talk: Talk, language: Language
) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    await akim.say(f"Тақырып\n{LONG_BODY}")
    assert "Қалғаны." in akim.text
    await akim.pick("words-take-body")
    title, body = (await answers_of(akim))[f"text_{language}"]
    assert title == "Тақырып"
    assert body.endswith("Бірінші сөйлем.")
    assert 2900 < len(body) <= 3000
    assert await step(akim) == "other"


@BOTH
async def test_of_a_text_that_is_too_long_only_the_text_is_written_again(
    talk: Talk, language: Language
) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    await akim.says(f"Тақырып\n{LONG_BODY}", "Қысқа мәтін.")
    assert await answers(akim) >= {f"text_{language}": ["Тақырып", "Қысқа мәтін."]}.items()


async def test_5000_characters_in_one_line_lose_nothing(talk: Talk) -> None:
    akim = await begun(talk)
    await akim.pick("audience-all-okrug")
    await akim.say("Т" * 5000)
    await akim.say("Тақырып")
    await akim.pick("nav-back")
    assert akim.hears("notice-write-kk")
    await akim.say("Т" * 5000)
    await akim.says("Тақырып", "Мәтін")
    assert await answers(akim) >= {"text_kk": ["Тақырып", "Мәтін"]}.items()


SENTENCE = "Алдын ала су құйып алыңыз. "


def cut_by_telegram(text: str) -> list[str]:
    """Telegram's apps send at most 4,096 characters at once, cut at a space or a line break."""
    pieces = []
    while len(text) > 4096:
        end = max(text.rfind(border, 0, 4096) for border in (" ", "\n"))
        pieces.append(text[:end].strip())
        text = text[end:].strip()
    return [*pieces, text]


@BOTH
@pytest.mark.parametrize("characters", [4100, 5000, 9000])
async def test_a_text_that_telegram_cut_in_pieces_is_one_text(
    talk: Talk, language: Language, characters: int
) -> None:
    """The second piece took the place of the first, and the form went on with its few words."""
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    body = (SENTENCE * (characters // len(SENTENCE) + 1)).strip()
    pieces = cut_by_telegram(f"Тақырып\n{body}")
    assert len(pieces) > 1
    await akim.says(*pieces)
    assert await step(akim) == "own"
    kept = (await answers_of(akim))[f"part_{language}"]
    assert kept["title"] == "Тақырып"
    assert kept["body"].split() == body.split()
    talk.clock.advance(timedelta(minutes=1))
    await akim.say("Қысқа мәтін.")
    assert await answers(akim) >= {f"text_{language}": ["Тақырып", "Қысқа мәтін."]}.items()


async def test_a_first_line_that_telegram_cut_in_pieces_keeps_all_of_them(talk: Talk) -> None:
    akim = await begun(talk)
    await akim.pick("audience-all-okrug")
    words = "сөз " * 1250
    await akim.says(*cut_by_telegram(words))
    await akim.say("жаңа тақырып")  # at once, but what came before it was no whole piece
    kept = (await answers_of(akim))["part_kk"]
    assert kept["title"] == "жаңа тақырып"
    assert kept["body"].split() == words.split()


@BOTH
async def test_spaces_are_no_text(talk: Talk, language: Language) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-all-okrug")
    await akim.say("   ")
    assert akim.hears("notice-words-only")
    assert akim.hears(f"notice-write-{language}")


@BOTH
async def test_some_villages_are_picked_and_unpicked(talk: Talk, language: Language) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-some")
    assert akim.hears("audience-pick", chosen=akim.t("audience-none"))
    names = ("Бугровое ауылы", "Сосновка ауылы")
    bugrovoe, sosnovka = names if language is KK else ("село Бугровое", "село Сосновка")
    await akim.tap(bugrovoe)
    await akim.tap(sosnovka)
    assert akim.hears("audience-pick", chosen=f"{bugrovoe}, {sosnovka}")
    await akim.tap(f"✓ {bugrovoe}")
    assert akim.hears("audience-pick", chosen=sosnovka)
    await akim.pick("audience-done")
    await akim.says(WRITTEN[language], WRITTEN[language.other])
    await akim.pick("attach-skip")
    await akim.pick("notice-send")
    assert await talk.one("SELECT audience FROM notice") == ["595041600"]
    assert len(await deliveries(talk)) == 1


@BOTH
async def test_none_or_empty_villages_are_no_audience(talk: Talk, language: Language) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-some")
    village = "Новогеоргиевка ауылы" if language is KK else "село Новогеоргиевка"
    await akim.tap(village)
    await akim.pick("audience-done")
    assert akim.hears("audience-empty")
    await akim.tap(f"✓ {village}")
    turn = (await akim.state()).turn
    await akim.press(f"s.{turn:x}.n-done")
    assert akim.hears("audience-nothing")
    await akim.press(f"s.{turn + 1:x}.n-village.595030100.0")
    assert await step(akim) == "audience"
    assert (await akim.form()).answers["picked"] == []  # type: ignore[union-attr]


@BOTH
async def test_back_all_the_way_and_forth_again(talk: Talk, language: Language) -> None:
    akim = await begun(talk, language)
    await akim.pick("audience-some")
    await akim.say("2")
    await akim.pick("nav-back")
    assert akim.hears("audience-ask", office=_office(language))
    await akim.pick("audience-all-okrug")
    await akim.says(WRITTEN[language], WRITTEN[language.other])
    steps = []
    for _ in range(5):
        steps.append(await step(akim))
        await akim.say("назад")
    assert steps == ["attach", "other", "own", "audience", "kind"]
    form = await akim.form()
    assert form is not None
    assert form.answers[f"text_{language}"][0] == WRITTEN[language].partition("\n")[0]


def _office(language: Language) -> str:
    return (
        "Бугров ауылдық округінің әкімі" if language is KK else "Аким Бугровского сельского округа"
    )


@BOTH
async def test_every_part_can_be_corrected_before_it_goes(talk: Talk, language: Language) -> None:
    akim = await previewed(talk, language)
    await akim.pick(f"notice-fix-{language}")
    await akim.say("Жаңа тақырып\nЖаңа мәтін")
    assert "Жаңа мәтін" in akim.text
    await akim.pick(f"notice-fix-{language.other}")
    await akim.say("Новый заголовок\nНовый текст")
    assert "Новый текст" in akim.text
    await akim.pick("notice-fix-audience")
    await akim.pick("audience-some")
    await akim.tap("Сосновка ауылы" if language is KK else "село Сосновка")
    await akim.pick("audience-done")
    assert await step(akim) == "preview"
    await akim.pick("notice-send")
    assert await talk.one("SELECT recipients FROM notice") == 1


@BOTH
async def test_the_menu_keeps_the_text_and_cancel_drops_it(talk: Talk, language: Language) -> None:
    akim = await previewed(talk, language)
    await akim.say("мәзір")
    assert akim.hears("parked-notice")
    await akim.pick("menu-resume")
    assert WRITTEN[RU].partition("\n")[2] in akim.text
    await akim.pick("nav-cancel")
    assert akim.hears("leave-ask")
    assert akim.heard[-1].title == WRITTEN[language].partition("\n")[0]
    await akim.pick("leave-drop")
    assert akim.hears("notice-undo")
    assert akim.t("menu-resume") not in akim.labels
    assert akim.t("menu-drafts") not in akim.labels
    assert await talk.one("SELECT count(*) FROM notice") == 0


async def test_another_language_in_the_middle_does_not_swap_the_texts(talk: Talk) -> None:
    akim = await begun(talk, KK)
    await akim.pick("audience-all-okrug")
    await akim.say(WRITTEN[KK])
    await akim.say("/lang")
    await akim.chooses(RU)
    assert akim.hears("notice-write-ru")
    await akim.say(WRITTEN[RU])
    await akim.pick("attach-skip")
    await akim.pick("notice-send")
    assert await talk.one("SELECT monolingual FROM notice") is None
    assert await deliveries(talk) == ["kk", "kk", "ru"]


@BOTH
async def test_a_role_that_ended_meanwhile_sends_nothing(talk: Talk, language: Language) -> None:
    akim = await previewed(talk, language)
    speaker = (await akim.address())["speaker_id"]
    async with talk.db.unit() as unit:
        assert await roles.revoke(unit, speaker, RoleName.AKIM, OKRUG)  # type: ignore[arg-type]
    await akim.pick("notice-send")
    assert akim.hears("refused-role-ended")
    assert await talk.one("SELECT count(*) FROM notice") == 0
    assert "role-missing" in await talk.audited()
    assert akim.t("menu-send") not in akim.labels


@pytest.mark.parametrize("role", [RoleName.DEPUTY, RoleName.SUPERVISOR, RoleName.OPERATOR])
async def test_other_roles_send_no_notices(talk: Talk, role: RoleName) -> None:
    person = await talk.official(role=role)
    assert person.t("menu-send") not in person.labels
    turn = (await person.state()).turn
    await person.press(f"s.{turn:x}.notice-new")
    assert person.hears("refused-role")
    assert await person.form() is None
    assert "role-missing" in await talk.audited()


@BOTH
async def test_an_akim_of_two_places_says_from_which(talk: Talk, language: Language) -> None:
    await villagers(talk)
    akim = await talk.official(TELEGRAM, language)
    async with talk.db.unit() as unit:
        speaker = (await akim.address())["speaker_id"]
        await roles.grant(unit, speaker, RoleName.AKIM, "595030000")  # type: ignore[arg-type]
    await akim.pick("menu-send")
    assert akim.hears("role-where")
    await akim.tap(_office(language))
    assert akim.hears("kind-ask")
    await akim.pick("kind-event")
    assert akim.hears("audience-ask", office=_office(language))
    await akim.says("назад", "назад")
    assert akim.hears("role-where")


@BOTH
async def test_read_once_however_often_it_is_tapped(talk: Talk, language: Language) -> None:
    reader = await talk.resident(TELEGRAM, language)
    stranger = await talk.resident(TELEGRAM, language, "Сосновка")
    akim = await talk.official(TELEGRAM, KK)
    await akim.pick("menu-send")
    await akim.pick("kind-announcement")
    await akim.pick("audience-some")
    await akim.tap("Бугровое ауылы")
    await akim.pick("audience-done")
    await akim.says(WRITTEN[KK], WRITTEN[RU])
    await akim.pick("attach-skip")
    await akim.pick("notice-send")
    await reader.pick("menu-notices")
    assert WRITTEN[language].partition("\n")[0] in reader.labels
    await reader.say("1")
    assert WRITTEN[language].partition("\n")[2] in reader.text
    read = next(b.payload for b in reader.screen.choices)  # type: ignore[union-attr]
    for key in ("notice-read-receipt", "notice-read-before", "notice-read-before"):
        await reader.press(read)
        assert reader.hears(key)
    await stranger.press(read)
    assert stranger.hears("notice-not-yours")
    acknowledged = "SELECT count(*) FROM recipient WHERE acknowledged_at IS NOT NULL"
    assert await talk.one(acknowledged) == 1
    await reader.press(read.rpartition(".")[0] + ".2")
    assert reader.hears("notice-corrected") or WRITTEN[language].partition("\n")[2] in reader.text
    assert "tap-refused" in await talk.audited()


async def test_notices_of_nobody(talk: Talk) -> None:
    reader = await talk.resident()
    await reader.say("новости")
    assert reader.hears("notice-none")
    assert await talk.one("SELECT count(*) FROM notice") == 0


async def test_other_villages_are_picked_anew_from_the_beginning(talk: Talk) -> None:
    akim = await begun(talk, RU)
    await akim.pick("audience-some")
    await akim.tap("село Бугровое")
    await akim.pick("audience-done")
    await akim.says(WRITTEN[RU], WRITTEN[KK])
    await akim.pick("attach-skip")
    await akim.pick("notice-fix-audience")
    assert akim.hears("audience-ask", office=_office(RU))
    await akim.pick("audience-some")
    assert akim.hears("audience-pick", chosen=akim.t("audience-none"))


EACH = pytest.mark.parametrize(
    ("channel", "language"), [(TELEGRAM, KK), (TELEGRAM, RU), (WHATSAPP, KK), (WHATSAPP, RU)]
)


@EACH
@pytest.mark.parametrize(
    "button", ["notice-only-kk", "notice-only-ru", "attach-skip", "audience-done", "notice-send"]
)
@pytest.mark.parametrize("typed_in", [KK, RU])
async def test_the_words_of_a_button_that_is_not_here_are_no_title(
    talk: Talk, channel: ChannelName, language: Language, button: str, typed_in: Language
) -> None:
    """ "Только на русском", typed where only the other is offered, became the notice's title."""
    akim = await begun(talk, language, channel)
    await akim.pick("audience-all-okrug")
    akim.language = typed_in
    typed = akim.t(button).lower()
    akim.language = language
    here = typed_in is language and button == f"notice-only-{language.other}"
    await akim.say(typed)
    assert await step(akim) == "own"
    assert akim.hears("notice-not-a-text", typed=typed) != here
    assert not (await answers_of(akim)).get(f"part_{language}")
    if not here:
        assert akim.hears(f"notice-write-{language}")


@EACH
@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("су", "utilities"),
        ("Вода", "utilities"),
        ("свет", "utilities"),
        ("жол", "utilities"),
        ("сенбілік", "event"),
        ("срочно", "urgent"),
        ("барабан", None),
        ("ночью", None),
    ],
)
async def test_one_word_of_a_kind_is_that_kind(
    talk: Talk, channel: ChannelName, language: Language, typed: str, kind: str | None
) -> None:
    akim = await talk.official(channel, language)
    await akim.pick("menu-send")
    await akim.say(typed)
    assert await step(akim) == ("audience" if kind else "kind")
    assert (await answers_of(akim)).get("kind") == kind


@EACH
@pytest.mark.parametrize("at", ["kind", "audience"])
async def test_a_notice_that_is_typed_too_early_is_kept(
    talk: Talk, channel: ChannelName, language: Language, at: str
) -> None:
    """The whole notice, typed at "to whom?", was "I do not understand" and lost."""
    akim = await begun(talk, language, channel)
    if at == "kind":
        await akim.say("назад")
    assert await step(akim) == at
    await akim.say(WRITTEN[language])
    assert akim.hears("notice-typed-kept")
    assert await step(akim) == at
    if at == "kind":
        await akim.pick("kind-event")
    await akim.pick("audience-all-okrug")
    assert WRITTEN[language].partition("\n")[2] in akim.text
    await akim.pick("notice-typed-take")
    title, _, body = WRITTEN[language].partition("\n")
    assert (await answers_of(akim))[f"text_{language}"] == [title, body]
    assert akim.hears(f"notice-write-{language.other}")
    assert akim.t("notice-typed-take") not in akim.labels


@BOTH
async def test_what_was_typed_too_early_is_for_either_language(
    talk: Talk, language: Language
) -> None:
    akim = await begun(talk, language)
    await akim.say(WRITTEN[language.other])
    await akim.pick("audience-all-okrug")
    await akim.say(WRITTEN[language])
    await akim.pick("notice-typed-take")
    await akim.pick("attach-skip")
    assert WRITTEN[KK] in akim.text
    assert WRITTEN[RU] in akim.text
    assert akim.t("notice-send") in akim.labels


LONG = {
    KK: "Су болмайды\nЖұма күні сағат 9-дан 18-ге дейін Абай көшесінде су болмайды.",
    RU: "Не будет воды\nВ пятницу с 9 до 18 часов не будет воды на улице Абая.",
}


@EACH
async def test_both_texts_typed_too_early_are_each_offered_in_its_place(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """The second one took the first one's place, which was lost without a word."""
    akim = await begun(talk, language, channel)
    for text in LONG.values():
        await akim.say(text)
    await akim.pick("audience-all-okrug")
    for one in (language, language.other):
        assert LONG[one] in akim.text
        assert LONG[one.other] not in akim.text
        await akim.pick("notice-typed-take")
    await akim.pick("attach-skip")
    for one, text in LONG.items():
        assert (await answers_of(akim))[f"text_{one}"] == text.split("\n")
    assert not akim.hears(f"words-not-{language}")


@BOTH
async def test_a_text_typed_too_early_is_kept_through_an_update(
    talk: Talk, language: Language
) -> None:
    """There was room for one, as it was."""
    akim = await begun(talk, language)
    state = await akim.state()
    assert state.form is not None
    state.form.answers["typed"] = LONG[language]
    await akim.stores(state.dump())
    await akim.pick("audience-all-okrug")
    assert LONG[language] in akim.text
    await akim.pick("notice-typed-take")
    assert (await answers_of(akim))[f"text_{language}"] == LONG[language].split("\n")


@EACH
async def test_a_text_typed_too_early_is_not_offered_in_the_other_languages_place(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await begun(talk, language, channel)
    await akim.say(LONG[language.other])
    await akim.pick("audience-all-okrug")
    assert akim.t("notice-typed-take") not in akim.labels
    await akim.say(LONG[language])
    assert akim.t("notice-typed-take") in akim.labels


@EACH
async def test_what_a_kind_is_about_has_no_colon_of_its_own(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """ "Шұғыл: қауіп төнсе: түнде…": a label and its description are joined by one already."""
    akim = await talk.official(channel, language)
    await akim.pick("menu-send")
    described = [b.description for b in akim.buttons if b.description]
    assert len(described) > 1
    assert not [one for one in described if ":" in one]
