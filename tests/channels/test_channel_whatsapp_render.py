"""What a neutral message becomes on WhatsApp."""

import re

import pytest
from channels.strategies import CONTENTS, PDF, PHOTO
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.whatsapp_render import (
    BODY,
    CAPTION,
    InteractivePart,
    MediaPart,
    TemplatePart,
    TextPart,
    Withheld,
    _list_item,
    render,
    render_template,
)
from bot.channels.whatsapp_templates import Shape, Template, locale_texts, variable
from bot.channels.wording import fits, units
from conversation.message import Button, Content
from core.languages import Language
from core.outcomes import Outcome

KK, RU = Language.KK, Language.RU


def buttons(*labels: str) -> tuple[Button, ...]:
    return tuple(Button(f"1c.{n}", label) for n, label in enumerate(labels, start=1))


def filled(part: InteractivePart) -> dict[str, object]:
    """The resource with its variables in place, as Twilio would fill it."""

    def put(value: object) -> object:
        if isinstance(value, dict):
            return {key: put(item) for key, item in value.items()}
        if isinstance(value, list):
            return [put(item) for item in value]
        return re.sub(r"\{\{(\d+)\}\}", lambda m: part.values[int(m[1]) - 1], str(value))

    [(_, body)] = part.shape.types().items()
    found = put(body)
    assert isinstance(found, dict)
    return found


def test_notice_is_a_quick_reply() -> None:
    content = Content(
        KK, "Ертең су болмайды.\n\nАлдын ала құйып алыңыз.", "📢 Әкім", "Су құбыры жөнделеді",
        choices=buttons("Оқыдым"),
    )  # fmt: skip
    [part] = render(content)
    assert isinstance(part, InteractivePart)
    assert part.shape == Shape("quick", "0", "11101")
    assert part.shape.key == "quick:0:11101"
    assert filled(part) == {
        "body": "📢 Әкім\n*Су құбыры жөнделеді*\nЕртең су болмайды.\n\nАлдын ала құйып алыңыз.",
        "actions": [{"type": "QUICK_REPLY", "title": "Оқыдым", "id": "1c.1"}],
    }
    assert part.plain.endswith("Алдын ала құйып алыңыз.\n\n1 Оқыдым")


LABEL_24 = "Бугров ауылдық округі 24"
LABEL_25 = "Қызылжар ауданы, Бугровое"


@pytest.mark.parametrize(
    ("label", "choices", "nav", "shape"),
    [
        ("three", buttons("Иә", "Жоқ"), buttons("Артқа"), "quick:000:1"),
        ("four", buttons("Бір", "Екі", "Үш", "Төрт"), (), "list:0000:1"),
        ("ways out count", buttons("Бір", "Екі", "Үш"), buttons("Мәзір"), "list:0000:1"),
        ("20 characters", buttons("й" * 20), (), "quick:0:1"),
        ("21 characters", buttons("й" * 21), (), "list:0:1"),
        ("24 characters", buttons(LABEL_24), (), "list:0:1"),
        ("25 characters: cut, whole in the description", buttons(LABEL_25), (), "list:1:1"),
        ("a description", (Button("p", "Иә", "келісемін"),), (), "list:1:1"),
        ("ten", buttons(*map(str, range(10))), (), "list:0000000000:1"),
        ("only ways out", (), buttons("Артқа", "Мәзір"), "quick:00:1"),
    ],
)
def test_shape(
    label: str, choices: tuple[Button, ...], nav: tuple[Button, ...], shape: str
) -> None:
    [part] = render(Content(KK, "Қай ауыл?", choices=choices, nav=nav))
    assert isinstance(part, InteractivePart), label
    assert part.shape.key == shape, label


def test_list_picker() -> None:
    content = Content(
        RU, "Какое село?", choices=(*buttons(LABEL_25, "Бугровое"), Button("p", "Нет", "другое")),
        nav=buttons("Назад"), list_label="Выбрать село из списка",
    )  # fmt: skip
    [part] = render(content)
    assert isinstance(part, InteractivePart)
    assert filled(part) == {
        "body": "Какое село?",
        "button": "Выбрать село из спи…",
        "items": [
            {"item": "Қызылжар ауданы, Бугров…", "id": "1c.1", "description": LABEL_25},
            {"item": "Бугровое", "id": "1c.2"},
            {"item": "Нет", "id": "p", "description": "другое"},
            {"item": "Назад", "id": "1c.1"},
        ],
    }


@pytest.mark.parametrize(
    ("label", "choices", "nav"),
    [
        ("eleven", buttons(*map(str, range(11))), ()),
        ("a label of 73", buttons("й" * 73), ()),
        ("two that look the same", buttons("й" * 30 + "1", "й" * 30 + "2"), ()),
    ],
)
def test_numbers_where_no_button_can_be(
    label: str, choices: tuple[Button, ...], nav: tuple[Button, ...]
) -> None:
    [part] = render(Content(KK, "Қайсысы?", choices=choices, nav=buttons("Артқа", "Мәзір")))
    lines = "\n".join(f"{n} {choice.label}" for n, choice in enumerate(choices, start=1))
    assert part == TextPart(f"Қайсысы?\n\n{lines}\n\nАртқа · Мәзір"), label


@pytest.mark.parametrize(
    ("length", "kinds"),
    [
        (1024, ["interactive"]),
        (1025, ["text", "interactive"]),
        (BODY + 500, ["text", "interactive"]),
        (BODY + 1100, ["text", "text", "interactive"]),
    ],
)
def test_long_text_with_buttons(length: int, kinds: list[str]) -> None:
    parts = render(Content(KK, "й" * length, choices=buttons("Оқыдым")))
    names = ["interactive" if isinstance(p, InteractivePart) else "text" for p in parts]
    assert names == kinds


def test_more_than_twenty_lines_are_two_messages() -> None:
    """Nothing is lost, and the button stands under the last lines."""
    lines = [f"{n} жол" for n in range(25)]
    [twenty] = render(Content(KK, "\n".join(lines[:20]), choices=buttons("Иә")))
    [before, more] = render(Content(KK, "\n".join(lines), choices=buttons("Иә")))
    assert isinstance(twenty, InteractivePart)
    assert isinstance(more, InteractivePart)
    assert before == TextPart("\n".join(lines[:5]))
    assert list(more.values[:20]) == lines[5:]


@pytest.mark.parametrize(
    ("title", "line"),
    [("Су жоқ", "*Су жоқ*"), ("2*3 метр", "2*3 метр"), ("Су\nжоқ ", "*Су жоқ*")],
)
def test_bold(title: str, line: str) -> None:
    assert render(Content(KK, "Бүгін.", title=title)) == [TextPart(f"{line}\nБүгін.")]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (Content(KK, "Көпір", files=(PHOTO,)), [MediaPart(PHOTO, "Көпір")]),
        (Content(KK, "", files=(PHOTO,)), [MediaPart(PHOTO)]),
        (Content(KK, "й" * 1025, files=(PHOTO,)), [MediaPart(PHOTO), TextPart("й" * 1025)]),
        (Content(KK, "Хаттама", files=(PDF,)), [MediaPart(PDF), TextPart("Хаттама")]),
        (Content(KK, "Екеуі", files=(PDF, PHOTO)), [MediaPart(PDF), MediaPart(PHOTO, "Екеуі")]),
    ],
)
def test_files(content: Content, parts: list[object]) -> None:
    assert render(content) == parts


def test_a_picture_with_buttons_comes_before_them() -> None:
    picture, words = render(Content(KK, "Көпір", files=(PHOTO,), choices=buttons("Иә")))
    assert picture == MediaPart(PHOTO)
    assert isinstance(words, InteractivePart)


@given(content=CONTENTS)
def test_no_part_exceeds_a_limit(content: Content) -> None:
    for part in render(content):
        match part:
            case TextPart():
                assert fits(part.body, BODY)
                assert part.body.strip()
            case MediaPart():
                assert fits(part.body, CAPTION)
            case InteractivePart():
                check_interactive(part)
            case _:
                raise AssertionError(part)


def check_interactive(part: InteractivePart) -> None:
    assert fits(part.plain, BODY)
    assert part.shape.variables == len(part.values) <= 100
    for value in part.values:
        assert value.strip()
        assert fits(value, BODY)
        assert not re.search(r"[\n\r\t]| {5,}", value)
    shown = filled(part)
    assert units(str(shown["body"])) <= 1024
    assert units(str(shown.get("button", ""))) <= 20
    for item in shown.get("items") or shown["actions"]:  # type: ignore[attr-defined]
        title = item.get("item") or item["title"]
        assert units(title) <= (24 if "item" in item else 20)
        assert units(item.get("description", "")) <= 72
        assert len(item["id"].encode()) <= 64
    assert len(shown.get("items", ())) <= 10  # type: ignore[arg-type]
    assert len(shown.get("actions", ())) <= 3  # type: ignore[arg-type]


@given(content=CONTENTS)
def test_no_character_of_the_text_is_lost(content: Content) -> None:
    said = "".join(
        ((content.heading or "") + (content.title or "") + content.body).replace("*", "").split()
    )
    shown = ""
    for part in render(content):
        match part:
            case TextPart() | MediaPart():
                shown += part.body
            case InteractivePart():
                shown += str(filled(part)["body"])
    assert "".join(shown.replace("*", "").split()).startswith(said)


def test_outside_the_window_without_a_template_nothing_goes() -> None:
    assert render_template(Content(KK, "Су жоқ")) == [Withheld(Outcome.WINDOW_CLOSED)]


def test_template() -> None:
    def wording(kind: str, language: Language) -> tuple[str, str]:
        assert (kind, language) == ("notice", RU)
        return "Сообщение от акима ({{1}}): {{2}}. Нажмите.", "Прочитать"

    content = Content(
        RU, "…", template=("notice", "Бугровский округ", "Ремонт\nводопровода  \t завтра"),
        choices=buttons("Прочитал(а)"),
    )  # fmt: skip
    [part] = render_template(content, wording)
    assert isinstance(part, TemplatePart)
    assert part.template.types() == {
        "twilio/quick-reply": {
            "body": "Сообщение от акима ({{1}}): {{2}}. Нажмите.",
            "actions": [{"type": "QUICK_REPLY", "title": "Прочитать", "id": "{{3}}"}],
        }
    }
    assert part.template.fill(part.values, part.payload) == {
        "1": "Бугровский округ", "2": "Ремонт водопровода завтра", "3": "1c.1",
    }  # fmt: skip
    assert re.fullmatch(r"zhiyn_notice_ru_[0-9a-f]{8}", part.template.name)


def test_a_missing_variable_is_a_dash() -> None:
    template = Template("notice", KK, "Хабар: {{1}}, {{2}}.", "Оқу")
    assert template.fill(("су",), "p") == {"1": "су", "2": "—", "3": "p"}


def test_new_words_are_a_new_template() -> None:
    old, new = (
        Template("notice", KK, "Хабар: {{1}}.", "Оқу"),
        Template("notice", KK, "Х {{1}}", "Оқу"),
    )
    assert old.name != new.name
    assert old.key != new.key


@given(text=st.text() | st.sampled_from(["а" * 300, "a     b", "\n", "x\r\n\ty"]))
def test_a_template_variable_is_what_whatsapp_takes(text: str) -> None:
    value = variable(text)
    assert 1 <= units(value) <= 255
    assert not re.search(r"[\n\r\t]| {5,}", value)
    assert value.strip()


@pytest.mark.parametrize("language", Language)
def test_the_locales_words_are_a_template(language: Language) -> None:
    """WhatsApp refuses a template that begins or ends with a variable."""
    body, button = locale_texts("notice", language)
    assert re.findall(r"\{\{\d\}\}", body) == ["{{1}}", "{{2}}"]
    assert not body.startswith("{{")
    assert not body.endswith("}}")
    assert units(body) <= 1024 - 2 * 255
    assert 1 <= units(button) <= 20


def test_a_long_label_leaves_room_for_what_is_said_of_it() -> None:
    long = "20.11 · Бугровое ауылында су құбыры жөнделеді, су болмайды"
    said = "уақытша тоқтатылған, 20.11 15:00"
    item = _list_item(Button("p", long, said))
    assert item is not None
    assert item.description is not None
    assert item.description.endswith(f"…. {said}")
    assert units(item.description) <= 72
