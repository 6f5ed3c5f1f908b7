"""Roles in the chat: the akim's office, an operator's places, a supervisor's look; both languages,
both messengers."""

import asyncio
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from support.talk import KK, OKRUG, RU, TELEGRAM, WHATSAPP, Person, Talk, _contents

from bot.clockwork import Clockwork
from conversation.message import ChannelName, Choice
from conversation.payload import encode
from core.clock import end_of, local
from core.ids import short
from core.languages import Language
from services import roles
from services.installation import Links
from services.residents import NAME
from services.roles import Power, RoleName
from services.unit import Unit

DISTRICT = "595000000"
EACH = pytest.mark.parametrize(
    ("language", "channel"), [(one, channel) for one in Language for channel in ChannelName]
)
BOTH = pytest.mark.parametrize("language", [KK, RU])
BUGROV = {KK: "Бугров ауылдық округі", RU: "Бугровский сельский округ"}


async def invites(akim: Person, *, until: str = "") -> str:
    """The akim invites a clerk who may do what is ticked at the start; the code."""
    await akim.say("/menu")
    await akim.pick("menu-roles")
    await akim.pick("roles-invite")
    await akim.pick("powers-done")
    if until:
        await akim.say(until)
    else:
        await akim.pick("invite-until-open")
    assert akim.hears("invitation-title")
    found = re.search(r"\bi_[A-Z2-9]{12}\b", akim.text)
    assert found, akim.text
    return found[0]


async def told(talk: Talk, person: Person) -> str:
    """All that this person was told unasked so far."""
    address = await person.address()
    ids = await talk.rows(
        "SELECT d.id FROM delivery AS d WHERE d.address_id = :id ORDER BY d.seq", id=address["id"]
    )
    contents = await _contents(talk.db, [row["id"] for row in ids])  # type: ignore[misc]
    return "\n".join(content.body for content in contents)


def _base36(number: int) -> str:
    return encode(Choice("x", "x"), number).split(".")[1]


async def held(talk: Talk) -> list[tuple[object, object]]:
    """Roles that stand, with their powers."""
    rows = await talk.rows(
        "SELECT role, powers FROM role WHERE revoked_at IS NULL ORDER BY granted_at"
    )
    return [(row["role"], row["powers"]) for row in rows]


@EACH
async def test_an_akim_invites_a_clerk(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """The whole way: powers, term, the code and both links, the clerk, what the akim is told."""
    talk.engine.links = Links("zhiyn_bot", "+77001112233")
    akim = await talk.official(channel, language)
    assert akim.t("menu-roles") in akim.labels
    await akim.pick("menu-roles")
    assert BUGROV[language] in akim.text
    assert akim.hears("role-akim")
    await akim.pick("roles-invite")
    chosen = f"{akim.t('power-send')}, {akim.t('power-correct')}"
    assert akim.hears("powers-ask", chosen=chosen)
    await akim.pick("power-report")
    await akim.tap(f"✓ {akim.t('power-correct')}")
    await akim.pick("powers-done")
    await akim.say("01.09.2029")
    for part in ("invitation-title", "role-clerk", "power-report"):
        assert akim.hears(part)
    assert akim.hears("role-until", until=date(2029, 9, 1))
    code = re.search(r"\bi_[A-Z2-9]{12}\b", akim.text)[0]  # type: ignore[index]
    pass_on = akim.heard[-1].body
    for link in (f"https://t.me/zhiyn_bot?start={code}", "https://wa.me/77001112233?text="):
        assert link in pass_on
    for one in Language:
        assert BUGROV[one] in pass_on, "the message to pass on is in both languages"
    stored = await talk.rows("SELECT * FROM invitation WHERE role = 'clerk'")
    assert code.removeprefix("i_") not in str(stored)

    clerk = await talk.resident(WHATSAPP, language.other)
    await clerk.start(code)
    assert clerk.hears("role-granted", role=clerk.t("role-clerk"), place=BUGROV[language.other])
    assert clerk.hears("role-powers", powers=f"{clerk.t('power-send')}, {clerk.t('power-report')}")
    assert clerk.hears("role-until", until=date(2029, 9, 1))
    assert clerk.hears("role-next-clerk")
    assert clerk.t("menu-send") in clerk.labels
    assert clerk.t("menu-roles") not in clerk.labels
    assert (await held(talk))[1] == ("clerk", ["report", "send"])
    said = await told(talk, akim)
    assert akim.t("invitation-taken", role=akim.t("role-clerk"), name="Ахметов Серік Болатұлы") in (
        said
    )
    trail = await talk.audited()
    for action in ("invitation-made", "invitation-redeemed", "role-granted", "roles-seen"):
        assert action in trail


@EACH
async def test_a_role_is_taken_from_who_should_not_have_it(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Forwarded to somebody else: the first has it, the second is told, the akim takes it back."""
    akim = await talk.official(channel, language)
    code = await invites(akim)
    stranger, meant = talk.person(WHATSAPP), await talk.resident(TELEGRAM, language)
    await stranger.start(code)
    await stranger.chooses(language)
    assert stranger.hears("role-granted", role=akim.t("role-clerk"), place=BUGROV[language])
    await meant.start(code)
    assert meant.hears("refused-invitation-used")
    [clerk] = await talk.rows("SELECT id, granted_at FROM role WHERE role = 'clerk'")
    nameless = akim.t(
        "role-nameless-phone",
        messenger="WhatsApp",
        end=stranger.phone[-4:],
        since=f"{local(clerk['granted_at']):%d.%m.%Y, %H:%M}",  # type: ignore[arg-type]
    )
    role = akim.t("role-clerk")
    assert akim.t("invitation-taken", role=role, name=nameless) in await told(talk, akim)
    await akim.press(f"d.r-card.{short(clerk['id'])}")  # type: ignore[arg-type]
    assert nameless in akim.text
    await akim.pick("role-end")
    assert akim.hears("role-end-ask", name=nameless, role=role)
    await akim.pick("role-end-no")
    assert len(await held(talk)) == 2
    await akim.pick("role-end")
    await akim.pick("role-end-yes")
    assert akim.hears("role-end-done", role=role, name=nameless)
    assert len(await held(talk)) == 1
    assert stranger.t("role-taken", role=role, place=BUGROV[language]) in await told(talk, stranger)
    await stranger.say("/menu")
    assert stranger.t("menu-send") not in stranger.labels


@EACH
async def test_what_a_clerk_may_do_is_changed(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await talk.official(channel, language)
    code = await invites(akim)
    clerk = await talk.resident(channel, language)
    await clerk.start(code)
    [role] = await talk.rows("SELECT id FROM role WHERE role = 'clerk'")
    await akim.press(f"d.r-card.{short(role['id'])}")  # type: ignore[arg-type]
    await akim.pick("role-powers-change")
    for power in ("send", "correct"):
        await akim.tap(f"✓ {akim.t(f'power-{power}')}")
    assert akim.hears("powers-ask", chosen=akim.t("powers-none"))
    assert akim.t("powers-done") not in akim.labels
    await akim.pick("power-report")
    await akim.pick("powers-done")
    assert akim.hears("role-powers-changed")
    assert (await held(talk))[1] == ("clerk", ["report"])
    powers = clerk.t("power-report")
    assert clerk.t("role-powers-told", powers=powers, place=BUGROV[language]) in await told(
        talk, clerk
    )
    await clerk.say("/menu")
    assert clerk.t("menu-send") not in clerk.labels
    assert clerk.t("menu-sent") in clerk.labels
    assert "role-delegated" in await talk.audited()


@EACH
async def test_the_same_again_is_said_and_nobody_is_told(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    akim = await talk.official(channel, language)
    code = await invites(akim)
    clerk = await talk.resident(channel, language)
    await clerk.start(code)
    [role] = await talk.rows("SELECT id FROM role WHERE role = 'clerk'")
    heard = len(await told(talk, clerk))
    await akim.press(f"d.r-card.{short(role['id'])}")  # type: ignore[arg-type]
    await akim.pick("role-powers-change")
    await akim.pick("powers-done")
    assert akim.hears("role-powers-same")
    assert len(await told(talk, clerk)) == heard


@BOTH
async def test_a_change_that_is_given_up_changes_nothing(talk: Talk, language: Language) -> None:
    akim = await talk.official(TELEGRAM, language)
    await akim.pick("menu-roles")
    await akim.pick("roles-invite")
    await akim.pick("nav-cancel")
    assert akim.hears("invitation-undo")
    assert await talk.one("SELECT count(*) FROM invitation WHERE role = 'clerk'") == 0
    await akim.pick("menu-roles")
    await akim.pick("roles-invite")
    await akim.say("/menu")
    assert akim.hears("parked-invitation")
    await akim.pick("menu-resume")
    assert akim.t("powers-done") in akim.labels


@EACH
@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("31.02.2030", "until-no-such-day"),
        ("20.11.2026", "until-past"),  # today
        ("01.09.29", "until-past"),  # 1929
        ("когда-нибудь", "until-form"),
        ("😀", "until-form"),
    ],
)
async def test_a_term_that_is_none(
    talk: Talk, channel: ChannelName, language: Language, typed: str, key: str
) -> None:
    akim = await talk.official(channel, language)
    await akim.pick("menu-roles")
    await akim.pick("roles-invite")
    await akim.pick("powers-done")
    await akim.say(typed)
    assert akim.hears(key, typed=typed, example="01.09.2027")
    await akim.say("21.11.2026")
    assert akim.hears("invitation-title")
    until = await talk.one("SELECT role_until FROM invitation WHERE role = 'clerk'")
    assert until == end_of(date(2026, 11, 21))


@BOTH
async def test_a_clerk_stays_no_longer_than_the_akim(talk: Talk, language: Language) -> None:
    akim = await talk.official(TELEGRAM, language)
    async with talk.db.unit() as unit:
        speaker = (await akim.address())["speaker_id"]
        last = end_of(date(2027, 3, 1))
        await roles.grant(unit, speaker, RoleName.AKIM, OKRUG, until=last)  # type: ignore[arg-type]
    await akim.pick("menu-roles")
    await akim.pick("roles-invite")
    await akim.pick("powers-done")
    await akim.say("02.03.2027")
    assert akim.hears("until-own", typed="02.03.2027", own="01.03.2027")
    await akim.pick("invite-until-own")
    assert akim.hears("role-until", until=date(2027, 3, 1))


@BOTH
async def test_an_invitation_is_withdrawn(talk: Talk, language: Language) -> None:
    akim = await talk.official(WHATSAPP, language)
    code = await invites(akim)
    await akim.pick("menu-roles")
    await akim.tap(akim.t("roles-offer", role=akim.t("role-clerk")))
    assert akim.t("invitation-withdraw") in akim.labels
    withdraw = next(b.payload for b in akim.buttons if b.label == akim.t("invitation-withdraw"))
    await akim.press(withdraw)
    assert akim.hears("invitation-withdrawn")
    assert akim.t("roles-offer", role=akim.t("role-clerk")) not in akim.labels
    late = await talk.resident(TELEGRAM, language)
    await late.start(code)
    assert late.hears("refused-invitation-withdrawn")


@BOTH
async def test_used_while_its_button_was_on_the_screen(talk: Talk, language: Language) -> None:
    akim = await talk.official(TELEGRAM, language)
    code = await invites(akim)
    await akim.pick("menu-roles")
    await akim.tap(akim.t("roles-offer", role=akim.t("role-clerk")))
    clerk = await talk.resident(TELEGRAM, language)
    await clerk.start(code)
    await akim.pick("invitation-withdraw")
    assert akim.hears("invitation-gone")
    assert len(await held(talk)) == 2


@EACH
async def test_invitations_that_give_nothing_say_why(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    person = await talk.resident(channel, language)
    akim = await talk.official(TELEGRAM, language)
    own = await invites(akim)
    await akim.start(own)
    assert akim.hears("refused-invitation-own")

    async def invited(unit: Unit, role: RoleName, **how: object) -> str:
        return f"i_{await roles.invite(unit, role, OKRUG, **how)}"  # type: ignore[arg-type]

    async with talk.db.unit() as unit:
        short_lived = await invited(
            unit, RoleName.AKIM, until=talk.clock.now() + timedelta(hours=1)
        )
        first, again = await invited(unit, RoleName.DEPUTY), await invited(unit, RoleName.DEPUTY)
        nowhere = await invited(unit, RoleName.SUPERVISOR)
        late = await invited(unit, RoleName.OPERATOR)
    await person.start(first)
    await person.start(first)
    assert person.hears("refused-invitation-yours")
    await person.start(again)
    assert person.hears("refused-invitation-held")
    talk.clock.advance(timedelta(hours=1))
    await person.start(short_lived)
    assert person.hears("refused-invitation-term")
    async with talk.db.session() as session:
        await session.execute(
            text("UPDATE place SET abolished_at = now() WHERE code = :code"), {"code": OKRUG}
        )
    await person.start(nowhere)
    assert person.hears("refused-invitation-place")
    talk.clock.advance(timedelta(days=7))
    await person.start(late)
    assert person.hears("refused-invitation-expired")
    reasons = await talk.rows(
        "SELECT details->>'reason' AS why FROM audit WHERE action = 'invitation-refused'"
        " ORDER BY id"
    )
    assert [str(row["why"]).removeprefix("refused-invitation-") for row in reasons] == [
        "own", "yours", "held", "term", "place", "expired",
    ]  # fmt: skip


@BOTH
async def test_whose_inviter_lost_the_role(talk: Talk, language: Language) -> None:
    akim = await talk.official(TELEGRAM, language)
    code = await invites(akim)
    async with talk.db.unit() as unit:
        speaker = (await akim.address())["speaker_id"]
        await roles.revoke(unit, speaker, RoleName.AKIM, OKRUG)  # type: ignore[arg-type]
    person = await talk.resident(TELEGRAM, language)
    await person.start(code)
    assert person.hears("refused-invitation-inviter")


@BOTH
async def test_a_form_under_way_of_who_lost_the_role_is_refused_at_its_end(
    talk: Talk, language: Language
) -> None:
    akim = await talk.official(TELEGRAM, language)
    await akim.pick("menu-roles")
    await akim.pick("roles-invite")
    await akim.pick("powers-done")
    async with talk.db.unit() as unit:
        speaker = (await akim.address())["speaker_id"]
        await roles.revoke(unit, speaker, RoleName.AKIM, OKRUG)  # type: ignore[arg-type]
    await akim.pick("invite-until-open")
    assert akim.hears("refused-role")
    assert akim.t("menu-roles") not in akim.labels
    assert await talk.one("SELECT count(*) FROM invitation WHERE role = 'clerk'") == 0
    assert "role-missing" in await talk.audited()


@BOTH
async def test_an_operator_invites_an_akim_two_levels_below(talk: Talk, language: Language) -> None:
    operator = await talk.official(WHATSAPP, language, DISTRICT, RoleName.OPERATOR)
    await operator.pick("menu-roles")
    okrug = next(label for label in operator.labels if label.startswith(BUGROV[language]))
    assert okrug.endswith("(0)")
    await operator.tap(okrug)
    assert operator.hears("roles-nobody")
    assert operator.t("nav-back") in operator.labels
    await operator.pick("roles-invite")
    assert operator.hears("invite-role", place=BUGROV[language])
    for role in RoleName:
        assert operator.t(f"role-{role}") in operator.labels
    await operator.say("абракадабра")
    assert operator.hears("roles-unclear", typed="абракадабра")
    await operator.pick("role-akim")
    await operator.pick("invite-until-open")
    code = re.search(r"\bi_[A-Z2-9]{12}\b", operator.text)[0]  # type: ignore[index]
    akim = await talk.resident(TELEGRAM, language)
    await akim.start(code)
    assert akim.t("menu-send") in akim.labels
    await operator.pick("menu-roles")
    await operator.pick("nav-back")
    assert any(label.endswith("(1)") for label in operator.labels)


@BOTH
async def test_a_supervisor_looks_and_changes_nothing(talk: Talk, language: Language) -> None:
    supervisor = await talk.official(TELEGRAM, language, DISTRICT, RoleName.SUPERVISOR)
    akim = await talk.official(TELEGRAM, language)
    await supervisor.pick("menu-roles")
    assert supervisor.t("roles-invite") not in supervisor.labels
    await supervisor.tap(next(b for b in supervisor.labels if b.startswith(BUGROV[language])))
    assert supervisor.hears("role-akim")
    await supervisor.pick("role-akim")
    assert supervisor.t("role-end") not in supervisor.labels
    turn = (await supervisor.state()).turn
    [role] = await talk.rows("SELECT id FROM role WHERE role = 'akim'")
    await supervisor.press(f"s.{_base36(turn)}.r-end-yes.{short(role['id'])}")  # type: ignore[arg-type]
    assert supervisor.hears("refused-role")
    turn = (await supervisor.state()).turn
    await supervisor.press(f"s.{_base36(turn)}.r-new.{OKRUG}")
    assert supervisor.hears("refused-role")
    assert len(await held(talk)) == 2
    await akim.say("/menu")
    assert akim.t("menu-send") in akim.labels


@BOTH
@pytest.mark.parametrize("role", [None, RoleName.CLERK, RoleName.DEPUTY])
async def test_forged_taps_of_people_whom_it_does_not_concern(
    talk: Talk, language: Language, role: RoleName | None
) -> None:
    """Somebody else's roles, invitations, places: refused, noted, nothing shown, no effect."""
    akim = await talk.official(TELEGRAM, KK)
    await invites(akim)
    [stands] = await talk.rows("SELECT id FROM role WHERE role = 'akim'")
    [offer] = await talk.rows("SELECT id FROM invitation WHERE role = 'clerk'")
    thief = (
        await talk.official(TELEGRAM, language, role=role)
        if role
        else await talk.resident(TELEGRAM, language)
    )
    before = await held(talk)
    for code, ids in (
        ("roles", ""),
        ("r-at", f".{OKRUG}"),
        ("r-at", ""),
        ("r-new", f".{OKRUG}"),
        ("r-card", f".{short(stands['id'])}"),  # type: ignore[arg-type]
        ("r-end", f".{short(stands['id'])}"),  # type: ignore[arg-type]
        ("r-end-yes", f".{short(stands['id'])}"),  # type: ignore[arg-type]
        ("r-end-yes", ".nonsense"),
        ("r-powers", f".{short(stands['id'])}"),  # type: ignore[arg-type]
        ("r-offer", f".{short(offer['id'])}"),  # type: ignore[arg-type]
        ("r-withdraw", f".{short(offer['id'])}"),  # type: ignore[arg-type]
        ("r-withdraw", ""),
        ("page", f".1.r-end-yes.{short(stands['id'])}"),  # type: ignore[arg-type]
    ):
        noted = (await talk.audited()).count("role-missing")
        turn = (await thief.state()).turn
        await thief.press(f"s.{_base36(turn)}.{code}{ids}")
        assert thief.hears("refused-role") or thief.hears("refused-role-gone"), (code, thief.text)
        assert (await talk.audited()).count("role-missing") > noted
        assert "Ахметов" not in thief.text
    assert await held(talk) == before
    assert await talk.one("SELECT count(withdrawn_at) FROM invitation") == 0


@BOTH
async def test_the_term_of_a_role_ends_by_the_calendar(talk: Talk, language: Language) -> None:
    """At midnight in Almaty after its last day: no menu, and the person is told, once."""
    akim = await talk.official(TELEGRAM, language)
    code = await invites(akim, until="21.11.2026")
    clerk = await talk.resident(WHATSAPP, language)
    await clerk.start(code)
    clock = Clockwork(talk.db.database, talk.db.keyring, talk.clock, lambda: None)
    midnight = end_of(date(2026, 11, 21))
    talk.clock.at = midnight - timedelta(seconds=5)
    await clock.work_due()
    await clerk.say("/menu")
    assert clerk.t("menu-send") in clerk.labels
    talk.clock.at = midnight
    for _ in range(2):
        await clock.work_due()
    await clerk.say("/menu")
    assert clerk.t("menu-send") not in clerk.labels
    said = clerk.t("role-over", role=clerk.t("role-clerk"), place=BUGROV[language])
    assert (await told(talk, clerk)).count(said) == 1
    assert (await talk.audited()).count("role-over") == 1


@BOTH
async def test_the_own_role_is_given_up(talk: Talk, language: Language) -> None:
    operator = await talk.official(TELEGRAM, language, DISTRICT, RoleName.OPERATOR)
    await operator.pick("menu-roles")
    await operator.pick("role-operator")
    await operator.pick("role-end")
    assert operator.hears("role-end-ask-own", role=operator.t("role-operator"))
    await operator.pick("role-end-yes")
    assert operator.t("menu-roles") not in operator.labels
    assert await held(talk) == []


@BOTH
async def test_a_long_list_is_turned_page_by_page(talk: Talk, language: Language) -> None:
    """Before, the second page of a list outside a form was the menu."""
    akim = await talk.official(WHATSAPP, language)
    for _ in range(9):
        code = await invites(akim)
        clerk = talk.person(TELEGRAM)
        await clerk.start(code)
        await clerk.chooses(language)
    await akim.say("/menu")
    await akim.pick("menu-roles")
    assert akim.t("roles-invite") in akim.labels
    assert len(akim.buttons) <= 10
    await akim.pick("list-more")
    assert akim.hears("roles-at", place=BUGROV[language])
    assert akim.t("list-previous") in akim.labels
    await akim.say("1")
    assert akim.t("role-end") in akim.labels


@BOTH
async def test_an_apostrophe_in_a_name(talk: Talk, language: Language) -> None:
    akim = await talk.official(TELEGRAM, language)
    code = await invites(akim)
    clerk = await talk.resident(TELEGRAM, language)
    async with talk.db.unit() as unit:
        who = (await clerk.address())["speaker_id"]
        sealed = unit.keyring.seal(NAME, who, "Д'Артаньян Жан")  # type: ignore[arg-type]
        await unit.session.execute(
            text("UPDATE resident SET full_name = :name WHERE id = :id"),
            {"name": sealed, "id": who},
        )
    await clerk.start(code)
    assert "Д'Артаньян Жан" in await told(talk, akim)
    await akim.say("/roles")
    assert "Д'Артаньян Жан" in akim.labels


@BOTH
async def test_the_same_link_twice_from_two_people_at_once(talk: Talk, language: Language) -> None:
    akim = await talk.official(TELEGRAM, language)
    code = await invites(akim)
    people = [await talk.resident(TELEGRAM, language) for _ in range(3)]
    await asyncio.gather(*(person.start(code) for person in people))
    assert len(await held(talk)) == 2
    assert [p.hears("refused-invitation-used") for p in people].count(True) == 2


async def test_powers_by_the_command_line_reach_the_clerk(talk: Talk) -> None:
    """`zhiyn invite --powers send`: what the clerk may not do is said plainly."""
    async with talk.db.unit() as unit:
        code = await roles.invite(unit, RoleName.CLERK, OKRUG, powers=[Power.REPORT])
    clerk = await talk.resident(TELEGRAM, RU)
    await clerk.start(f"i_{code}")
    assert clerk.hears("role-next-clerk-sees")


@EACH
async def test_clerks_without_a_name_are_told_apart(
    talk: Talk, channel: ChannelName, language: Language
) -> None:
    """Three times the same line and the same button: whom would the akim dismiss?"""
    akim = await talk.official(channel, language)
    clerks = []
    for _ in range(3):
        talk.clock.advance(timedelta(minutes=5))
        clerks.append(await talk.official(TELEGRAM, language, role=RoleName.CLERK))
    await akim.say("/roles")
    shown = [label for label in akim.labels if label.startswith("№")]
    granted = await talk.rows("SELECT granted_at FROM role WHERE role = 'clerk' ORDER BY 1")
    when = [f"{local(row['granted_at']):%d.%m.%Y, %H:%M}" for row in granted]  # type: ignore[arg-type]
    assert sorted(shown) == [f"№{n} · {at}" for n, at in enumerate(when, 1)]
    assert f"№2, {akim.t('role-nameless-chat', messenger='Telegram', since=when[1])}" in akim.text
    await akim.say(f"№2 · {when[1]}")
    await akim.pick("role-end")
    await akim.pick("role-end-yes")
    await clerks[1].say("/menu")
    assert clerks[1].t("menu-send") not in clerks[1].labels
    await clerks[0].say("/menu")
    assert clerks[0].t("menu-send") in clerks[0].labels
