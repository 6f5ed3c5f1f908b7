"""What a neutral message becomes on Telegram."""

from dataclasses import replace

import pytest
from channels.strategies import CONTENTS, PDF, PHOTO
from hypothesis import given

from bot.channels.telegram_render import CAPTION, TEXT, Keyboard, TelegramPart, render
from bot.channels.wording import fits, units
from conversation.message import Ask, Button, Content, FileRef
from core.languages import Language

KK = Language.KK
YES, NO = Button("1c.yes", "Иә"), Button("1c.no", "Жоқ")
BACK, MENU = Button("1c.back", "Артқа"), Button("1c.menu", "Мәзір")
SHORT = [Button(f"1c.{n}", f"Ауыл {n}") for n in range(5)]
LONG = Button("1c.long", "Бугров ауылдық округі")


def test_notice() -> None:
    content = Content(
        KK, "Ертең су болмайды.", "📢 Бугров ауылдық округінің әкімі", "Су құбыры жөнделеді",
        choices=(Button("1s.read", "Оқыдым"),),
    )  # fmt: skip
    [part] = render(content)
    assert part.text == (
        "📢 Бугров ауылдық округінің әкімі\nСу құбыры жөнделеді\nЕртең су болмайды."
    )
    # The sign counts for two in Telegram's offsets.
    assert part.bold == (units("📢 Бугров ауылдық округінің әкімі\n"), 19) == (34, 19)
    assert part.inline == ((Button("1s.read", "Оқыдым"),),)


def labels(part: TelegramPart) -> list[list[str]]:
    return [[button.label for button in row] for row in part.inline]


@pytest.mark.parametrize(
    ("choices", "nav", "rows"),
    [
        ((), (), []),
        ((YES, NO), (), [["Иә"], ["Жоқ"]]),
        ((YES, NO), (BACK, MENU), [["Иә"], ["Жоқ"], ["Артқа", "Мәзір"]]),
        ((), (BACK, MENU), [["Артқа", "Мәзір"]]),
        (SHORT[:4], (), [["Ауыл 0"], ["Ауыл 1"], ["Ауыл 2"], ["Ауыл 3"]]),
        (SHORT, (), [["Ауыл 0", "Ауыл 1"], ["Ауыл 2", "Ауыл 3"], ["Ауыл 4"]]),
        (
            (*SHORT[:1], LONG, *SHORT[1:]),
            (MENU,),
            [
                ["Ауыл 0"],
                ["Бугров ауылдық округі"],
                ["Ауыл 1", "Ауыл 2"],
                ["Ауыл 3", "Ауыл 4"],
                ["Мәзір"],
            ],
        ),
    ],
)
def test_rows(choices: tuple[Button, ...], nav: tuple[Button, ...], rows: list[list[str]]) -> None:
    [part] = render(Content(KK, "Қай ауыл?", choices=tuple(choices), nav=nav))
    assert labels(part) == rows


def test_contact_is_asked_by_a_keyboard() -> None:
    content = Content(
        KK, "Телефоныңыз?", choices=(YES,), nav=(BACK,), ask=Ask.CONTACT, ask_label="Нөмірім"
    )
    [part] = render(content)
    assert part.keyboard == Keyboard("Нөмірім", ("Иә", "Артқа"))
    assert not part.inline


def test_keyboard_is_closed_with_the_text() -> None:
    [part] = render(Content(KK, "Рақмет.", closes_keyboard=True))
    assert part == TelegramPart("Рақмет.", removes_keyboard=True)


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("Рақмет.\n\nҚай ауыл?\nАтын жазыңыз.", ["Рақмет.", "Қай ауыл?\nАтын жазыңыз."]),
        ("Рақмет.\nҚай ауыл?", ["Рақмет.", "Қай ауыл?"]),
        ("Қай ауыл?", ["✓", "Қай ауыл?"]),
    ],
)
def test_keyboard_is_closed_before_buttons(body: str, texts: list[str]) -> None:
    """Telegram takes one markup a message, and no later edit of a closing one."""
    first, last = render(Content(KK, body, choices=(YES,), closes_keyboard=True))
    assert [first.text, last.text] == texts
    assert first.removes_keyboard
    assert not first.inline
    assert labels(last) == [["Иә"]]
    assert not last.removes_keyboard


@pytest.mark.parametrize(
    ("content", "edits"),
    [
        (Content(KK, "Мәзір", choices=(YES,), replaces_platform_id="309"), 309),
        (Content(KK, "Мәзір", replaces_platform_id="SM0"), None),
        (Content(KK, "Мәзір", files=(PHOTO,), replaces_platform_id="309"), None),
        (Content(KK, "Мәзір", ask=Ask.CONTACT, replaces_platform_id="309"), None),
        (Content(KK, "Мәзір", closes_keyboard=True, replaces_platform_id="309"), None),
    ],
)
def test_edits(content: Content, edits: int | None) -> None:
    assert render(content)[0].edits == edits


@pytest.mark.parametrize(
    ("files", "length", "kinds"),
    [
        ((PHOTO,), CAPTION, [(PHOTO, CAPTION)]),
        ((PHOTO,), CAPTION + 1, [(PHOTO, 0), (None, CAPTION + 1)]),
        ((PDF,), 10, [(PDF, 10)]),
        ((PHOTO, PDF), 10, [(PHOTO, 0), (PDF, 0), (None, 10)]),
        ((PHOTO, PDF), 5000, [(PHOTO, 0), (PDF, 0), (None, TEXT), (None, 5000 - TEXT)]),
        ((PHOTO,), 0, [(PHOTO, 0)]),
    ],
)
def test_files(
    files: tuple[FileRef, ...], length: int, kinds: list[tuple[FileRef | None, int]]
) -> None:
    parts = render(Content(KK, "а" * length, choices=(YES,), files=files))
    assert [(part.file, len(part.text)) for part in parts] == kinds
    assert [bool(part.inline) for part in parts] == [False] * (len(parts) - 1) + [True]


def test_a_long_title_is_bold_in_every_piece() -> None:
    parts = render(Content(KK, "соңы", title="т" * 5000))
    assert [part.bold for part in parts] == [(0, TEXT), (0, 5000 - TEXT)]
    assert parts[1].text.endswith("т\nсоңы")


@given(content=CONTENTS)
def test_no_part_exceeds_a_limit(content: Content) -> None:
    parts = render(content)
    assert parts
    for part in parts:
        assert fits(part.text, CAPTION if part.file else TEXT)
        assert part.text.strip() or part.file
        assert sum(map(bool, (part.inline, part.keyboard, part.removes_keyboard))) <= 1
        if part.bold:
            offset, length = part.bold
            assert 0 <= offset < offset + length <= units(part.text)
    assert [p.file for p in parts if p.file] == list(content.files)
    shown = [button for part in parts for row in part.inline for button in row]
    assert shown == ([] if content.ask else [*content.choices, *content.nav])
    assert any(p.removes_keyboard for p in parts) is (content.closes_keyboard and not content.ask)


@given(content=CONTENTS)
def test_no_character_is_lost(content: Content) -> None:
    parts = render(replace(content, closes_keyboard=False))
    said = (content.heading or "") + (content.title or "") + content.body
    said += "".join(f"{one.label}:{one.description}" for one in content.choices if one.description)
    shown = "".join("".join(part.text for part in parts).split())
    assert shown == "".join(said.split()) or (not said.strip() and shown == "✓")


def test_what_is_said_of_choices_stands_in_the_text() -> None:
    """A list of what was sent said of nothing that it was paused, planned or cancelled."""
    paused = Button("d.live.1", "20.11 · Су жоқ", "уақытша тоқтатылған, 20.11 15:00")
    plain = Button("1s.x", "Басқа")
    [part] = render(Content(KK, "Қайсысын көрсетейін?", choices=(paused, plain), nav=(MENU,)))
    assert part.text == ("Қайсысын көрсетейін?\n\n20.11 · Су жоқ: уақытша тоқтатылған, 20.11 15:00")
    assert labels(part) == [["20.11 · Су жоқ"], ["Басқа"], ["Мәзір"]]
