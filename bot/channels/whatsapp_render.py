"""How a neutral message looks on WhatsApp: pure, no network, no twilio.

Buttons where WhatsApp has them, numbered text where it has not. Limits: Twilio's Body 1600
(error 21617), quick reply: body 1024, 3 buttons, title 20; list: body 1024, 10 items, title
24, description 72, button 20 (twilio.com/docs/content); WhatsApp's bold is *so*.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.channels.whatsapp_templates import (
    Shape,
    Template,
    TemplateTexts,
    locale_texts,
)
from bot.channels.wording import fits, one_line, shorten, split, units
from conversation.message import Button, Content, FileRef, Medium
from core.languages import Language
from core.outcomes import Outcome

BODY = 1500  # of 1600: whether other letters than Latin ones count for more is not documented
CAPTION = 1024
INTERACTIVE = 1024
QUICK_BUTTONS, QUICK_TITLE = 3, 20
LIST_ITEMS, LIST_TITLE, LIST_TEXT, LIST_BUTTON = 10, 24, 72, 20
LINES = 20  # more lines make too many shapes
SILENT = "…"  # where WhatsApp demands words and there are none
LIST_LABEL = "☰"  # where the content names no word for the button that opens the list
READ = "read"  # the id of a template's button when the content has none


@dataclass(frozen=True, slots=True)
class TextPart:
    """A message of words."""

    body: str


@dataclass(frozen=True, slots=True)
class MediaPart:
    """A file, a picture's caption with it."""

    file: FileRef
    body: str = ""


@dataclass(frozen=True, slots=True)
class InteractivePart:
    """Buttons or a list. `plain` says the same by numbers, if it fits one message."""

    shape: Shape
    language: Language
    values: tuple[str, ...]
    plain: str
    body: str  # without the buttons


@dataclass(frozen=True, slots=True)
class TemplatePart:
    """The announcement that may be sent outside the window."""

    template: Template
    values: tuple[str, ...]
    payload: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """Nothing that may be sent: the outcome without a call."""

    outcome: Outcome


WhatsAppPart = TextPart | MediaPart | InteractivePart | TemplatePart | Withheld


def render(content: Content) -> list[WhatsAppPart]:
    """The messages that show this content inside the window; buttons are on the last one."""
    text, buttons = _compose(content), (*content.choices, *content.nav)
    files: list[WhatsAppPart] = [MediaPart(file) for file in content.files]
    if not content.files or buttons:
        return [*files, *_words(content, text)]
    last = content.files[-1]
    if last.medium is Medium.PHOTO and fits(text, CAPTION):
        return [*files[:-1], MediaPart(last, text)]
    return [*files, *_texts(text)]


def render_template(content: Content, wording: TemplateTexts = locale_texts) -> list[WhatsAppPart]:
    """The announcement that stands for this content outside the window.

    Raises MissingText for a kind of template that has no text.
    """
    if not content.template:
        return [Withheld(Outcome.WINDOW_CLOSED)]
    kind, *values = content.template
    template = Template(kind, content.language, *wording(kind, content.language))
    button = next(iter((*content.choices, *content.nav)), None)
    payload = content.template_payload or (button.payload if button else READ)
    return [TemplatePart(template, tuple(values), payload)]


def _compose(content: Content) -> str:
    heading, title = (content.heading or "").strip(), one_line(content.title or "")
    lines = (heading, _bold(title), content.body.strip())
    return "\n".join(line for line in lines if line)


def _bold(title: str) -> str:
    """WhatsApp has no escape for an asterisk: a title with one stays as it is."""
    return f"*{title}*" if title and "*" not in title else title


def _words(content: Content, text: str) -> list[WhatsAppPart]:
    """Text pieces; the last one carries the buttons, or, where there can be none, the whole is
    numbered."""
    if not content.choices and not content.nav:
        return _texts(text or SILENT)
    for pieces in (split(text or SILENT, BODY), _ending_short(text)):
        interactive = _interactive(content, pieces[-1]) if pieces else None
        if interactive is not None:
            return [*(TextPart(piece) for piece in pieces[:-1]), interactive]
    return _texts(numbered(content, text))


def _ending_short(text: str) -> list[str]:
    """Pieces of which the last one is short enough for buttons."""
    pieces = split(text, INTERACTIVE)
    lines = pieces[-1].splitlines() if pieces else []
    if len(lines) <= LINES:
        return pieces
    return [*pieces[:-1], *("\n".join(part).strip() for part in (lines[:-LINES], lines[-LINES:]))]


def _texts(text: str) -> list[WhatsAppPart]:
    return [TextPart(piece) for piece in split(text, BODY)]


def numbered(content: Content, text: str) -> str:
    """The choices as "1 …" lines, the ways out as words: answered by number or by word."""
    choices = [
        f"{number} {one_line(choice.label)}"
        + (f": {one_line(choice.description)}" if choice.description else "")
        for number, choice in enumerate(content.choices, start=1)
    ]
    ways_out = " · ".join(one_line(button.label) for button in content.nav)
    blocks = (text, "\n".join(choices), ways_out)
    return "\n\n".join(block for block in blocks if block)


def _interactive(content: Content, text: str) -> InteractivePart | None:
    """The text with real buttons, or None where WhatsApp's limits do not let it."""
    lines = [one_line(line) for line in text.strip().splitlines()]
    if len(lines) > LINES or not fits(text, INTERACTIVE):
        return None
    drawn = _quick(content) or _list(content)
    if drawn is None:
        return None
    kind, items, values = drawn
    shape = Shape(kind, items, "".join("1" if line else "0" for line in lines))
    plain = numbered(content, text)
    return InteractivePart(
        shape=shape,
        language=content.language,
        values=(*(line for line in lines if line), *values),
        plain=plain if fits(plain, BODY) else "",
        body=text,
    )


def _quick(content: Content) -> tuple[str, str, list[str]] | None:
    """Up to three buttons. Where the choices leave room, the first ways out fill it; the others
    are words that work everywhere: a tap is better than a list that has to be opened."""
    buttons = [*content.choices, *content.nav]
    if len(content.choices) < QUICK_BUTTONS:
        buttons = buttons[:QUICK_BUTTONS]
    labels = [one_line(button.label) for button in buttons]
    described = any(button.description for button in buttons)
    if len(buttons) > QUICK_BUTTONS or described or not _distinct(labels, QUICK_TITLE):
        return None
    values = [value for pair in zip(labels, (b.payload for b in buttons), strict=True)
              for value in pair]  # fmt: skip
    return "quick", "0" * len(buttons), values


def _list(content: Content) -> tuple[str, str, list[str]] | None:
    buttons = [_list_item(button) for button in (*content.choices, *content.nav)]
    whole = all(button is not None for button in buttons)
    items = [button for button in buttons if button is not None]
    if len(items) > LIST_ITEMS or not whole or not _distinct([i.label for i in items], LIST_TITLE):
        return None
    label = one_line(content.list_label) or LIST_LABEL
    values = [shorten(label, LIST_BUTTON)]
    for item in items:
        values += [item.label, item.payload, *([item.description] if item.description else [])]
    return "list", "".join("1" if item.description else "0" for item in items), values


def _list_item(button: Button) -> Button | None:
    """A label that is too long is cut and stands in full in the description, if that holds it."""
    label, description = one_line(button.label), one_line(button.description or "")
    if fits(label, LIST_TITLE):
        return replace(button, label=label, description=shorten(description, LIST_TEXT))
    if not fits(label, LIST_TEXT):
        return None
    both = f"{label}. {description}" if description else label
    if not fits(both, LIST_TEXT):  # the rest of the label may go, what is said of it may not
        short = shorten(label, LIST_TEXT - units(description) - len(". "))
        both = f"{short}. {description}" if units(description) < LIST_TITLE * 2 else label
    return replace(button, label=shorten(label, LIST_TITLE), description=both)


def _distinct(labels: Sequence[str], limit: int) -> bool:
    """Whether all fit and no two look the same, which WhatsApp refuses."""
    return len(set(labels)) == len(labels) and all(fits(label, limit) for label in labels)
