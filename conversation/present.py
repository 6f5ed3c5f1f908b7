"""Puts replies into words: text keys become Content, choices become buttons, long lists pages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from conversation.message import Button, ChannelName, Choice, Content, Reply
from conversation.payload import decode, encode
from conversation.router import PAGE
from conversation.state import Offered, State
from conversation.turn import Turn
from core.languages import Language
from core.texts import T, Texts, Words

LONGEST_TOGETHER = 1400  # characters: one message on either messenger
CAPACITY = 10  # items of a WhatsApp list: the smallest screen that shows choices


@dataclass(frozen=True, slots=True)
class Screen:
    """A reply in words, and what a typed number or label would mean after it."""

    content: Content
    offered: tuple[Offered, ...]


def present(texts: Texts, turn: Turn, replies: Sequence[Reply]) -> list[Content]:
    """The replies in the person's language; the last screen becomes the current one.

    Step choices get the number of a new turn, so that older ones are stale from now on; those of
    a reply that edits an earlier one without being a screen stay in its turn. A reply that is no
    screen and `offers` (a notice's card) leaves the question under way as it stands; one that
    edits the question itself takes its place. An edit that does not offer changes only itself.
    """
    if any(reply.screen for reply in replies):
        turn.state.turn += 1
    contents = []
    for reply in (one for each in replies for one in (*each.before, each)):
        screen = _screen(texts, turn, reply)
        content = screen.content
        if turn.state.keyboard and reply.screen:
            content = _closing(content)
            turn.state.keyboard = False
        if reply.screen or (reply.offers and reply.replaces):
            turn.state.offered = list(screen.offered)
        elif reply.offers:
            turn.state.offered = [*screen.offered, *_of_the_form(turn.state)]
        if reply.screen:
            turn.state.keyboard = content.ask is not None
        contents.append(content)
    return contents


def renewed(state: State, content: Content) -> bool:
    """A message with durable choices is renewed by itself: where it is what numbers and labels
    mean now, they mean its new ones. Did that change?"""
    first, *_ = content.choices
    mine = next((one for one in state.offered if one.number == 1), None)
    if mine is None or mine.payload != first.payload:
        return False
    before = state.offered
    state.offered = [*_offered(content.choices, content.nav), *_of_the_form(state)]
    return state.offered != before


def _of_the_form(state: State) -> list[Offered]:
    """What the question under way offers, by its words: its numbers are those of what came last."""
    if state.form is None:
        return []
    asked = [one for one in state.offered if decode(one.payload).turn is not None]
    return [replace(one, number=None) for one in asked]


def _offered(choices: Sequence[Button], nav: Sequence[Button]) -> list[Offered]:
    numbered = [Offered(b.payload, b.label, i) for i, b in enumerate(choices, 1)]
    return [*numbered, *(Offered(b.payload, b.label, None) for b in nav)]


def compose(texts: Texts, language: Language, reply: Reply) -> Content:
    """A reply that nobody asked for (a notice): only durable choices have a place in it."""
    choices = _buttons(texts, language, reply.choices, turn=0)
    return _content(texts, language, reply, choices, _buttons(texts, language, reply.nav, turn=0))


def together(contents: Sequence[Content]) -> Content | None:
    """Replies that piled up, as one message with the buttons of the last; None where they have
    to stay apart (files, edits and what they edit, too long)."""
    *older, last = contents
    if any(one.files or _edited(one) for one in contents):
        return None
    said = [_spoken(one) for one in contents]
    body = "\n\n".join(words for n, words in enumerate(said) if words not in said[n + 1 :])
    if len(body) > LONGEST_TOGETHER:
        return None
    closes = last.ask is None and any(one.closes_keyboard or one.ask for one in (*older, last))
    return replace(last, heading=None, title=None, body=body, closes_keyboard=closes)


def _edited(content: Content) -> bool:
    """Does it edit a message, or will others edit its own?"""
    return bool(content.replaces or content.replaces_platform_id or content.delivery)


def _spoken(content: Content) -> str:
    return "\n".join(part for part in (content.heading, content.title, content.body) if part)


def _screen(texts: Texts, turn: Turn, reply: Reply) -> Screen:
    language, number = turn.said, turn.state.turn
    nav = _buttons(texts, language, reply.nav, number)
    choices = _page(texts, turn, reply, CAPACITY - len(nav))
    content = _content(texts, language, reply, choices, nav)
    if reply.replaces_tapped:
        content = _replacing(turn, reply, content)
    elif reply.replaces and turn.incoming.channel is ChannelName.TELEGRAM:
        content = replace(content, replaces=reply.replaces)
    return Screen(content, tuple(_offered(choices, nav)))


def _page(texts: Texts, turn: Turn, reply: Reply, capacity: int) -> tuple[Button, ...]:
    """The buttons of the page that is asked for; numbers start at 1 on every page."""
    language, number = turn.said, turn.state.turn
    buttons = _buttons(texts, language, reply.choices, number)
    if len(buttons) <= capacity:
        return buttons
    size = capacity - 2
    last = (len(buttons) - 1) // size
    page = min(turn.page, last)
    shown = list(buttons[page * size : (page + 1) * size])
    if page > 0:
        shown.append(_turn_page(texts, language, turn, reply, page - 1, "list-previous"))
    if page < last:
        shown.append(_turn_page(texts, language, turn, reply, page + 1, "list-more"))
    return tuple(shown)


def _turn_page(
    texts: Texts, language: Language, turn: Turn, reply: Reply, page: int, key: str
) -> Button:
    again = (reply.listing.code, *reply.listing.ids) if reply.listing else ()
    return _button(texts, language, Choice(PAGE, T(key), (str(page), *again)), turn.state.turn)


def _buttons(
    texts: Texts, language: Language, choices: Sequence[Choice], turn: int
) -> tuple[Button, ...]:
    return tuple(_button(texts, language, choice, turn) for choice in choices)


def _button(texts: Texts, language: Language, choice: Choice, turn: int) -> Button:
    described = _say(texts, language, choice.description)
    return Button(encode(choice, turn), texts.say(language, choice.label), described)


def _content(
    texts: Texts,
    language: Language,
    reply: Reply,
    choices: tuple[Button, ...],
    nav: tuple[Button, ...],
) -> Content:
    spoken = [texts.say(one, reply.text) for one in (Language if reply.both else (language,))]
    if reply.notice is not None:
        spoken.insert(0, texts.say(language, reply.notice))
    return Content(
        language=language,
        body="\n\n".join(spoken),
        heading=_say(texts, language, reply.heading),
        title=_say(texts, language, reply.title),
        choices=choices,
        nav=nav,
        list_label=texts.say(language, T("list-open")),
        ask=reply.ask,
        ask_label=texts.say(language, T("contact-share")) if reply.ask else "",
        files=tuple(reply.files),
        template=_template(texts, language, reply),
        template_payload=encode(reply.opens, turn=0) if reply.opens else "",
        delivery=reply.delivery,
    )


def _template(texts: Texts, language: Language, reply: Reply) -> tuple[str, ...] | None:
    if reply.template is None:
        return None
    return tuple(texts.say(language, part) for part in reply.template)


def _say(texts: Texts, language: Language, text: Words | None) -> str | None:
    return None if text is None else texts.say(language, text)


def _closing(content: Content) -> Content:
    return replace(content, closes_keyboard=content.ask is None)


def _replacing(turn: Turn, reply: Reply, content: Content) -> Content:
    """An edit of the tapped message on Telegram; WhatsApp cannot, there it is a new message."""
    editable = turn.incoming.channel is ChannelName.TELEGRAM and turn.incoming.tapped_message
    if not editable:
        return content.without_buttons() if reply.buttons_only else content
    return replace(
        content,
        replaces_platform_id=turn.incoming.tapped_message,
        buttons_only=reply.buttons_only,
    )
