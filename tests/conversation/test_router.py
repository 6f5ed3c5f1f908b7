"""Whatever comes in, from wherever: an answer goes out, and the menu is one word away."""

import random
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text as sql
from support.talk import KK, RU, TELEGRAM, WHATSAPP, Person, Talk

from conversation.message import ChannelName, Incoming, Kind, Medium
from conversation.payload import MAX_BYTES, decode
from conversation.present import CAPACITY
from conversation.router import Router, deep_link
from core.languages import Language
from core.texts import T, texts
from handlers import home, make_router, profile

ROUTER: Router = make_router()
STEPS = 100
FAR = "595041000"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/menu", "menu"),
        (" /menu ", "menu"),
        ("/menu@zhiyn_bot", "menu"),
        ("/menu бәрі", "menu"),
        ("/Menu", "menu"),
        ("МӘЗІР", "menu"),
        ("мазир.", "menu"),
        ("«Меню»", "menu"),
        ("басты  бет", "menu"),
        ("Көмек", "help"),
        ("ПОМОЩЬ!!!", "help"),
        ("тіл", "lang"),
        ("Язык", "lang"),
        ("Тоқтату", "stop"),
        ("СТОП", "stop"),
        ("Stop", "stop"),
        ("бастау", "start"),
        ("Начать", "start"),
        ("Деректерім", "data"),
        ("Менің деректерім", "data"),
        ("мои данные", "data"),
        ("хабарлар", "notices"),
        ("Новости", "notices"),
        ("Артқа", "back"),
        ("назад", "back"),
        ("/back", "back"),
        ("Болдырмау", "cancel"),
        ("ОТМЕНА", "cancel"),
        ("/cancel", "cancel"),
        ("", None),
        ("/", None),
        ("/unknown", None),
        ("/menu/", "menu"),
        ("меню дня", None),
        ("где меню?", None),
        ("стоп кран", None),
        ("меню" * 20, None),
        ("/menu " + "x" * 5000, "menu"),
    ],
)
def test_commands(text: str, command: str | None) -> None:
    assert ROUTER.command_of(text) == command


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("key", ["nav-back", "nav-cancel", "nav-menu"])
def test_every_way_out_is_a_word_that_works_everywhere(language: Language, key: str) -> None:
    said = texts().say(language, T(key))
    assert ROUTER.command_of(said) == key.removeprefix("nav-")


@pytest.mark.parametrize("language", Language)
def test_every_word_that_help_names_works(language: Language) -> None:
    lines = [line for line in texts().say(language, T("help-text")).split("\n") if " — " in line]
    named = [line.split(" — ")[0] for line in lines[-6:]]
    assert all(ROUTER.command_of(word) for word in named), named


def test_every_choice_of_the_menu_has_a_handler() -> None:
    """ "Тіл · Язык" had none: whoever tapped it was told that the menu is old."""
    entries = [
        home.MENU, home.REGISTER, home.RESUME, home.SEND, home.NOTICES, home.PROFILE,
        home.SUBSCRIBE, home.LANGUAGE_ENTRY, home.HELP, profile.EDIT, profile.DELETE,
    ]  # fmt: skip
    assert {entry.code for entry in entries} <= set(ROUTER.routes.choices)


@pytest.mark.parametrize(
    ("kind", "text", "start", "link"),
    [
        (Kind.START, "", "i_ABCDEFGHJKLM", ("i", "ABCDEFGHJKLM")),
        (Kind.START, "", "v_595041100", ("v", "595041100")),
        (Kind.START, "", None, None),
        (Kind.START, "", "whatever", None),
        (Kind.START, "", "i_<script>", None),
        (Kind.TEXT, "v_595041100", None, ("v", "595041100")),
        (Kind.TEXT, "Сәлеметсіз бе! v_595041100", None, ("v", "595041100")),
        (Kind.TEXT, "/start v_595041100", None, ("v", "595041100")),
        (Kind.TEXT, "v_595041100 дегенім", None, ("v", "595041100")),
        (Kind.TEXT, "ov_595041100", None, None),
        (Kind.TEXT, "v_595041100!", None, None),
        (Kind.TEXT, "v_5", None, None),
        (Kind.TEXT, "x" * 200 + " v_595041100", None, None),
        (Kind.CHOICE, "v_595041100", None, None),
    ],
)
def test_deep_links(kind: Kind, text: str, start: str | None, link: tuple[str, str] | None) -> None:
    incoming = Incoming(
        UUID(int=1), WHATSAPP, ("m:1",), (), datetime.now(UTC), kind, text=text, start=start
    )
    assert deep_link(incoming) == link


TYPED = (
    "1", "2", "3", "4", "9", "0", "10", "99", " 2. ", "Сәлем", "да", "нет", "иә", "жоқ", "ок",
    "Ахметов Серік", "О'Нил Джон", "Мамин-Сибиряк Дмитрий", "Айгүл 😀", "😀", "❤️🇰🇿", "",
    "   ", "\n", "х" * 5000, "сөз " * 1250, "31.02.2010", "05.03.1986", "01.01.1890",
    "20.11.2030", "29.02.2012", "5 наурыз 1986", "8 701 234 56 78", "+7", "жамбыл", "бугравое",
    "Сосновка", "тоқта", "бастау", "Bugrovoe", "Су құбыры\nЕртең су болмайды.", "т\n" + "x" * 3001,
    "/menu", "/help", "/lang", "/start", "/stop", "/cancel", "/back", "мәзір", "меню", "көмек",
    "помощь", "тіл", "ертең 9:00", "завтра в 9", "бүгін 9:00", "25.11", "черновики", "жобалар",
    "Т" * 101, "назад", "артқа", "отмена", "болдырмау", "тоқтату", "стоп", "начать",
    "деректерім", "хабарлар", "v_595041100", "v_000000000", "i_AAAABBBBCCCC", "q_abcdef", "%s",
    "{ $name }", "{0}", "<b>x</b>", "'; DROP TABLE resident; --", "\u202eкері", "٣", "ﷺ", "İ",
)  # fmt: skip
FORGED = (
    "", "s", "d", "x", "s.0.menu", "s.1.lang.ru", "s.zz.s-yes", "s.a-b.c", "d.menu", "d.read.a.1",
    "d.read.AAAAAAAAAAAAAAAAAAAAAA.1", "d.open.AAAAAAAAAAAAAAAAAAAAAA.9", "d.open.a", "d.live",
    "d.live.a", "d.notice-new", "d.vote.1", "😀", "d.lang.xx", "s." + "a" * 61, "d.page.1",
)  # fmt: skip
# With the turn that is current: choices of other steps, of nobody, with wrong identifiers.
MISPLACED = (
    "v-pick.595041100", "v-pick.590000000", "v-pick", "v-into.000000000", "v-into.590000000",
    "v-area.590000000", "v-area.x", "v-yes", "v-no", "v-walk", "s-yes", "s-fix.name", "s-fix.x",
    "s-fix", "c-yes", "c-no", "n-send", "n-done", "n-village.595041100", "n-fix.own", "n-fix.place",
    "n-only", "n-place.595041000", "page.1", "page.99999", "page.x", "page", "back", "cancel",
    "resume", "register", "profile-edit", "st-skip", "ph-skip", "lang.ru", "lang.kk", "lang",
    "notice-new", "language", "help", "n-kind.urgent", "n-kind.x", "n-kind", "n-keep", "n-take",
    "n-drop.x", "n-drop", "n-at.today", "n-at.x", "n-now", "n-again", "n-save", "n-delete",
    "n-fix.when", "n-fix.leave", "n-fix", "notice-aside", "notice-go-on", "drafts", "draft",
    "draft.x", "draft-open", "draft-drop.AAAAAAAAAAAAAAAAAAAAAA", "n-village.595041100.x",
)  # fmt: skip


class Walker:
    """Somebody who does anything at all."""

    def __init__(self, person: Person, seed: int) -> None:
        self.person = person
        self.random = random.Random(seed)
        self.seen: list[str] = ["d.menu"]
        self.did: list[str] = []

    async def step(self) -> None:
        """One thing, and what has to be true after anything."""
        silent = await self._act()
        person = self.person
        if silent:
            assert person.heard == []
            return
        if not person.heard and await self._gathers():
            return
        assert person.heard, self.did[-5:]
        for content in person.heard:
            buttons = [*content.choices, *content.nav]
            assert content.body.strip(), self.did[-5:]
            assert len(buttons) <= CAPACITY
            for button in buttons:
                assert len(button.payload.encode()) <= MAX_BYTES
                assert button.label.strip()
                decode(button.payload)
            self.seen += [button.payload for button in buttons]
        self.seen = self.seen[-60:]

    async def _gathers(self) -> bool:
        """A file of several in one go, sent for a notice, is taken without a word."""
        form = (await self.person.state()).form
        return self.did[-1].startswith("file") and form is not None and form.form == "notice"

    async def home(self) -> None:
        """The menu is one word away."""
        await self.person.say(self.random.choice(["/menu", "мәзір", "Меню"]))
        assert (await self.person.state()).form is None, self.did[-8:]
        codes = {decode(button.payload).code for button in self.person.buttons}
        assert {"language", "help"} <= codes, self.did[-8:]

    async def _act(self) -> bool:
        person, pick = self.person, self.random.choice
        what = self.random.random()
        if what < 0.45 and person.buttons:
            payload = pick(person.buttons).payload
            self.did.append(f"tap {payload}")
            await person.press(payload)
        elif what < 0.75:
            text = pick(TYPED)
            self.did.append(f"say {text[:30]!r}")
            await person.say(text)
        elif what < 0.87:
            turn = "0123456789abcdefghijklmnopqrstuvwxyz"
            now = (await person.state()).turn if person.updates else 0
            digits = turn[now] if now < 36 else turn[now // 36] + turn[now % 36]
            payload = pick([pick(self.seen), pick(FORGED), f"s.{digits}.{pick(MISPLACED)}"])
            self.did.append(f"press {payload}")
            await person.press(payload)
        elif what < 0.92:
            self.did.append("contact")
            await person.share(own=pick([True, False]))
        elif what < 0.96:
            medium = pick(list(Medium))
            self.did.append(f"file {medium}")
            await person.send_file(medium, caption=pick(["", "Ахметов Серік", "сөз\nсөз"]))
        else:
            kind = pick([Kind.OTHER, Kind.EDITED, Kind.BLOCKED, Kind.UNBLOCKED, Kind.START])
            self.did.append(kind)
            if kind is Kind.START:
                await person.start(
                    pick(["", "v_595041600", f"v_{FAR}", "i_X", "zzz", "i_ABCDEFGH"])
                )
            else:
                await person.does(kind)
                return kind is not Kind.OTHER
        return False


async def language_of(person: Person) -> object:
    return (await person.address())["language"]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("who", ["stranger", "resident", "akim"])
@pytest.mark.parametrize("channel", ChannelName)
async def test_a_walk_of_whatever_comes_never_gets_stuck(
    many: Talk, channel: ChannelName, who: str, seed: int
) -> None:
    language = (KK, RU)[seed % 2]
    if who == "stranger":
        person = many.person(channel, phone_known=seed == 1)
    elif who == "resident":
        person = await many.resident(channel, language)
    else:
        await many.resident(TELEGRAM, KK)
        person = await many.official(channel, language)
    walker = Walker(person, seed)
    for number in range(1, STEPS + 1):
        await walker.step()
        if number % 20 == 0 and await language_of(person):
            await walker.home()
    assert await many.one("SELECT count(*) FROM dead_letter") == 0
    people = await many.rows("SELECT place_code FROM resident WHERE registered_at IS NOT NULL")
    assert all(not str(row["place_code"]).endswith("000") for row in people if row["place_code"])


@pytest.mark.parametrize("language", [KK, RU])
@pytest.mark.parametrize("channel", ChannelName)
async def test_somebody_who_answers_every_screen_by_number_gets_to_the_end(
    many: Talk, channel: ChannelName, language: Language
) -> None:
    """Numbers are enough wherever there is a choice; pages of a long list included."""
    person = many.person(channel)
    await person.chooses(language)
    await person.says("1", "Ахметов Серік", "1")
    for _ in range(6):
        form = await person.form()
        assert form is not None
        if form.step != "village":
            break
        await person.say("1")
    await person.says("1", "05.03.1986")
    await person.say("1")
    if channel is TELEGRAM:
        await person.say("1")
    assert await many.one("SELECT count(*) FROM resident WHERE registered_at IS NOT NULL") == 1


@pytest.mark.parametrize("channel", ChannelName)
async def test_every_village_of_a_long_list_is_reached_by_pages(
    many: Talk, channel: ChannelName
) -> None:
    async with many.db.session() as session:
        await session.execute(
            sql(
                "INSERT INTO place (code, level, kind, type_code, parent_code, name_ru, name_kk,"
                " updated_at) SELECT '353031' || n, 'settlement', 'village', '2', '353031000',"
                " 'с.Село' || n, 'Ауыл' || n || ' а.', now() FROM generate_series(401, 425) AS n"
            )
        )
    person = many.person(channel)
    await person.chooses(KK)
    await person.registers(until="village")
    await person.pick("village-walk")
    await person.tap("Алматы облысы")
    await person.say("1")
    await person.say("1")
    reached: set[str] = set()
    for _ in range(10):
        assert len(person.buttons) <= CAPACITY
        reached |= {label for label in person.labels if label.startswith("Ауыл")}
        if person.t("list-more") not in person.labels:
            break
        await person.pick("list-more")
    assert len(reached) == 25
    await person.pick("list-previous")
    await person.tap(next(label for label in person.labels if label.startswith("Ауыл")))
    form = await person.form()
    assert form is not None
    assert form.step == "street"
