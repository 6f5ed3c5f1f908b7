"""How a neutral message looks on Telegram: pure, no network, no aiogram.

Limits: core.telegram.org/bots/api, sendMessage (4096), sendPhoto (caption 1024),
InlineKeyboardButton (64 bytes of callback data), MessageEntity (offsets in UTF-16 units).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.channels.wording import fits, one_line, spans, units
from conversation.message import Ask, Button, Content, FileRef

TEXT = 4096
CAPTION = 1024
SHORT_LABEL = 14  # two such buttons fit side by side on a small phone
MANY = 4  # from more choices than this on, short ones go in pairs
DONE = "✓"  # says "taken" where a keyboard is closed and nothing else is to be said
SHARE = "☎"

Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Keyboard:
    """A keyboard in place of the phone's own: the share button, then words to tap."""

    share: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TelegramPart:
    """One call: sendMessage, sendPhoto, sendDocument, or an edit of `edits`.

    `bold` is (offset, length) in UTF-16 units.
    """

    text: str = ""
    bold: tuple[int, int] | None = None
    inline: Rows = ()
    keyboard: Keyboard | None = None
    removes_keyboard: bool = False
    edits: int | None = None
    buttons_only: bool = False  # of the edited message: editMessageReplyMarkup
    file: FileRef | None = None


@dataclass(frozen=True, slots=True)
class _Styled:
    """A text of which the characters from `start` to `end` are bold."""

    text: str
    start: int = 0
    end: int = 0

    def piece(self, start: int, end: int) -> "_Styled":
        low, high = max(self.start, start), min(self.end, end)
        bold = (low - start, high - start) if low < high else (0, 0)
        return _Styled(self.text[start:end], *bold)

    def part(self) -> TelegramPart:
        if self.start == self.end:
            return TelegramPart(self.text)
        bold = (units(self.text[: self.start]), units(self.text[self.start : self.end]))
        return TelegramPart(self.text, bold)


def render(content: Content) -> list[TelegramPart]:
    """The calls that show this content, in order; buttons are on the last one."""
    target = content.replaces_platform_id
    if content.buttons_only and target and target.isdecimal():
        return [TelegramPart(inline=_inline(content), edits=int(target), buttons_only=True)]
    styled = _compose(content)
    inline = () if content.ask else _inline(content)
    if content.closes_keyboard and inline:
        return _closing(content, styled, inline)
    parts = _with_files(content, styled)
    last = replace(parts[-1], inline=inline, keyboard=_keyboard(content))
    parts[-1] = replace(last, removes_keyboard=content.closes_keyboard and not last.keyboard)
    return _editing(content, parts)


def _compose(content: Content) -> _Styled:
    """Heading, bold title and body on consecutive lines; below what there is to say of choices,
    for which a button has no room."""
    heading = (content.heading or "").strip()
    title = one_line(content.title or "")
    above = f"{heading}\n" if heading else ""
    text = "\n".join(line for line in (heading, title, content.body.strip()) if line)
    text = "\n\n".join(block for block in (text, _described(content.choices)) if block)
    return _Styled(text, len(above), len(above) + len(title)) if title else _Styled(text)


def _described(choices: Sequence[Button]) -> str:
    return "\n".join(
        f"{one_line(choice.label)}: {one_line(choice.description)}"
        for choice in choices
        if choice.description
    )


def _inline(content: Content) -> Rows:
    nav = (tuple(content.nav),) if content.nav else ()
    return (*_choice_rows(content.choices), *nav)


def _choice_rows(choices: Sequence[Button]) -> Iterator[tuple[Button, ...]]:
    waiting: Button | None = None
    for choice in choices:
        short = len(choices) > MANY and fits(choice.label, SHORT_LABEL)
        if waiting and short:
            yield (waiting, choice)
            waiting = None
            continue
        if waiting:
            yield (waiting,)
        waiting = choice if short else None
        if not short:
            yield (choice,)
    if waiting:
        yield (waiting,)


def _keyboard(content: Content) -> Keyboard | None:
    if content.ask is not Ask.CONTACT:
        return None
    words = tuple(button.label for button in (*content.choices, *content.nav))
    return Keyboard(content.ask_label or SHARE, words)


def _with_files(content: Content, styled: _Styled) -> list[TelegramPart]:
    files = [TelegramPart(file=file) for file in content.files]
    if not files:
        return _texts(styled)
    if len(files) == 1 and fits(styled.text, CAPTION):
        return [replace(styled.part(), file=content.files[0])]
    return [*files, *_texts(styled)]


def _texts(styled: _Styled) -> list[TelegramPart]:
    parts = [styled.piece(*span).part() for span in spans(styled.text, TEXT)]
    return parts or [TelegramPart(DONE)]


def _closing(content: Content, styled: _Styled, inline: Rows) -> list[TelegramPart]:
    """Closes the contact keyboard and shows buttons, which no single message can do.

    Nor may a message that closed a keyboard be given buttons later (Bot API,
    editMessageReplyMarkup). So the first message closes it with everything but the last
    paragraph, or with a tick, and the last paragraph carries the buttons.
    """
    cut = _last_paragraph(styled.text)
    before = _texts(styled.piece(0, cut)) if cut else [TelegramPart(DONE)]
    after = _texts(styled.piece(cut, len(styled.text)))
    parts = [*before, *(TelegramPart(file=file) for file in content.files), *after]
    parts[0] = replace(parts[0], removes_keyboard=True)
    parts[-1] = replace(parts[-1], inline=inline)
    return parts


def _last_paragraph(text: str) -> int:
    for border in ("\n\n", "\n"):
        at = text.rfind(border)
        if at > 0:
            return at + len(border)
    return 0


def _editing(content: Content, parts: list[TelegramPart]) -> list[TelegramPart]:
    """The first part edits the older message, unless an edit cannot show this content."""
    target = content.replaces_platform_id
    plain = not (content.files or content.ask or content.closes_keyboard)
    if target and target.isdecimal() and plain:
        parts[0] = replace(parts[0], edits=int(target))
    return parts
