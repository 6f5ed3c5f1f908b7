"""Where a message goes: a command word, a choice, the form under way, or the menu.

Handlers declare what they answer to in `Routes`; the router decides, in one order, for every
messenger alike.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from conversation import forms
from conversation.forms import BACK, CANCEL, Form, Given
from conversation.matching import choose
from conversation.message import Choice, Incoming, Kind, Reply, not_words
from conversation.payload import Chosen, PayloadRefused, decode
from conversation.state import FormState
from conversation.turn import Tap, Turn
from core.languages import Language
from core.names import fold
from core.texts import Joined, T, Words, texts

Handler = Callable[[Turn], Awaitable[Sequence[Reply]]]
ChoiceHandler = Callable[[Turn, tuple[str, ...]], Awaitable[Sequence[Reply]]]
QuietHandler = Callable[[Turn], Awaitable[Sequence[Reply] | None]]
QuestionHandler = Callable[[Turn, str], Awaitable[Sequence[Reply] | None]]
StartHandler = Callable[[Turn, str], Awaitable[Sequence[Reply]]]
TogetherHandler = Callable[[Sequence[Tap]], Awaitable[Sequence[Sequence[Reply] | None]]]

PAGE = "page"
LONGEST_COMMAND = 40  # characters
_DEEP_LINK = re.compile(r"(?:^|\s)([a-z])_([A-Za-z0-9-]{3,60})(?:\s|$)")
_WAYS_OUT = {
    BACK: ("back", "назад", "вернуться", "артқа", "кері"),
    CANCEL: ("cancel", "отмена", "отменить", "болдырмау", "бас тарту"),
}  # each understood in both languages, whatever the buttons say
_WAY_WORDS = {fold(word): way for way, words in _WAYS_OUT.items() for word in words}
_COMMAND = re.compile(r"/([a-z]+)(?:@\w+)?(?:\s.*)?", re.DOTALL)


@dataclass(slots=True)
class Routes:
    """What a module of handlers answers to."""

    commands: dict[str, Handler] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)  # folded word → command
    choices: dict[str, ChoiceHandler] = field(default_factory=dict)
    starts: dict[str, StartHandler] = field(default_factory=dict)
    spoken: dict[str, str] = field(default_factory=dict)  # folded words → choice, out of forms
    forms: dict[str, Form] = field(default_factory=dict)
    questions: dict[str, QuestionHandler] = field(default_factory=dict)
    contacts: list[QuietHandler] = field(default_factory=list)  # the first that has an answer
    open_choices: set[str] = field(default_factory=set)  # allowed before a language is chosen
    durable: set[str] = field(default_factory=set)  # allowed without the turn that offered them
    beside: set[str] = field(default_factory=set)  # commands that leave a form as it stands
    together: dict[str, TogetherHandler] = field(default_factory=dict)  # durable and hot

    def command(self, name: str, *words: str, beside: bool = False) -> Callable[[Handler], Handler]:
        """Answers to /name and to these words of both languages, written alone; `beside` a form
        under way, or else the form is parked."""

        def declare(handler: Handler) -> Handler:
            self.commands[name] = handler
            self.words.update({fold(word): name for word in (name, *words)})
            if beside:
                self.beside.add(name)
            return handler

        return declare

    def choice(
        self,
        code: str,
        *,
        before_language: bool = False,
        durable: bool = False,
        words: Sequence[str] = (),
    ) -> Callable[[ChoiceHandler], ChoiceHandler]:
        """Answers to choices of this code outside forms; also to durable ones if so declared:
        a step choice forged into a durable one is refused. `words`: mean it without ids, also
        where it is not offered; in a form they are no more than an answer, but where it only
        offers choices those of a language are one's own."""

        def declare(handler: ChoiceHandler) -> ChoiceHandler:
            self.choices[code] = handler
            self.spoken.update({fold(one): code for one in words})
            if before_language:
                self.open_choices.add(code)
            if durable:
                self.durable.add(code)
            return handler

        return declare

    def said(self, entry: Choice) -> None:
        """The label of this choice means it outside forms, in either language and also where it is
        not on the screen, unless the words are a command."""
        for language in Language:
            self.spoken.setdefault(fold(texts().say(language, entry.label)), entry.code)

    def question(self, code: str) -> Callable[[QuestionHandler], QuestionHandler]:
        """A question outside a form, open while choices of this code are offered.

        Answers typed words that are none of them; for no words asks once more. None: these
        words answer nothing, or it is not this question that is open.
        """

        def declare(handler: QuestionHandler) -> QuestionHandler:
            self.questions[code] = handler
            return handler

        return declare

    def contact(self, handler: QuietHandler) -> QuietHandler:
        """Answers a shared contact that no form asks for; None: it is of no use."""
        self.contacts.append(handler)
        return handler

    def hot(self, code: str) -> Callable[[TogetherHandler], TogetherHandler]:
        """Answers to a durable choice that many tap at the same time, for all of them at once.

        Does for each what the choice's own handler does, in one statement for all; None for a
        tap that is not the simple case, which then had no effect and goes to that handler. The
        state of the conversation is neither read nor changed, so no reply is a screen.
        """

        def declare(handler: TogetherHandler) -> TogetherHandler:
            self.together[code] = handler
            return handler

        return declare

    def start(self, letter: str) -> Callable[[StartHandler], StartHandler]:
        """Answers to deep links `<letter>_<value>`."""

        def declare(handler: StartHandler) -> StartHandler:
            self.starts[letter] = handler
            return handler

        return declare

    def form(self, form: Form) -> Form:
        """Makes the form known, so that stored states find it again."""
        self.forms[form.name] = form
        return form

    def include(self, other: "Routes") -> None:
        """Adds another module's routes. Raises ValueError when both claim the same."""
        names = ("commands", "words", "choices", "spoken", "starts", "forms", "questions")
        for name in (*names, "together"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if twice := mine.keys() & theirs.keys():
                raise ValueError(f"declared twice: {name} {sorted(twice)}")
            mine.update(theirs)
        self.contacts += other.contacts
        self.open_choices |= other.open_choices
        self.beside |= other.beside
        self.durable |= other.durable


class Router:
    """Decides for one message. `hello` greets who has no language yet, `menu` is home."""

    def __init__(self, routes: Routes, hello: Handler, menu: Handler) -> None:
        self.routes, self.hello, self.menu = routes, hello, menu

    async def route(self, turn: Turn) -> Sequence[Reply]:
        """The replies to this message."""
        incoming = turn.incoming
        link = self._link(incoming)
        if turn.language is None:
            return await self._before_language(turn, link)
        if link is not None:
            return await self._follow(turn, link)
        match incoming.kind:
            case Kind.START:
                return await self._command(turn, "start")
            case Kind.CHOICE:
                return await self._tapped(turn, incoming.payload or "")
            case Kind.TEXT:
                return await self._typed(turn, incoming.text)
            case Kind.CONTACT | Kind.ATTACHMENT:
                return await self._gave(turn, incoming)
        return await self._lost(turn, T("unknown-kind"))

    def _link(self, incoming: Incoming) -> tuple[str, str] | None:
        """The deep link; in typed words only one that means something here."""
        link = deep_link(incoming)
        typed = incoming.kind is Kind.TEXT
        return None if link and typed and link[0] not in self.routes.starts else link

    async def _before_language(self, turn: Turn, link: tuple[str, str] | None) -> Sequence[Reply]:
        if link is not None:
            turn.state.start = "_".join(link)
        chosen = self._meant(turn)
        if chosen is not None and chosen.code in self.routes.open_choices:
            replies = await self.routes.choices[chosen.code](turn, chosen.ids)
            return await self._follow_waiting(turn) or replies
        hello, *_ = await self.hello(turn)
        return [replace(hello, text=await self._greeting(turn, hello.text))]

    async def _greeting(self, turn: Turn, hello: Words) -> Words:
        """The greeting; whoever asks for no messages, or for messages again, hears of that in
        both languages: the right to stop does not wait for a language to be chosen."""
        incoming = turn.incoming
        typed = self.command_of(incoming.text) if incoming.kind is Kind.TEXT else None
        if typed == "stop":
            said, *_ = await self.routes.commands["stop"](turn)
            return said.text
        if turn.stopped and (typed == "start" or incoming.kind is Kind.START):
            said, *_ = await self.routes.commands["start"](turn)
            return Joined([said.notice or said.text, hello], "\n\n")
        return hello

    def _meant(self, turn: Turn) -> Chosen | None:
        incoming = turn.incoming
        if incoming.kind is Kind.CHOICE:
            return _decoded(incoming.payload or "")
        if incoming.kind is Kind.TEXT:
            offered = choose(incoming.text, turn.state.offered, free_text=False)
            if offered is not None:
                return decode(offered.payload)
            code = self.routes.spoken.get(fold(incoming.text))
            return Chosen(code, (), None) if code else None
        return None

    async def _follow_waiting(self, turn: Turn) -> Sequence[Reply]:
        """Follows the deep link that waited for the language to be chosen."""
        start, turn.state.start = turn.state.start, None
        if start is None:
            return ()
        letter, _, value = start.partition("_")
        return await self._follow(turn, (letter, value))

    async def _follow(self, turn: Turn, link: tuple[str, str]) -> Sequence[Reply]:
        letter, value = link
        handler = self.routes.starts.get(letter)
        if handler is None:
            return await self._command(turn, "start")
        forms.park(turn)
        return await handler(turn, value)

    async def _command(self, turn: Turn, name: str) -> Sequence[Reply]:
        if name not in self.routes.beside:
            forms.park(turn)
        return await self.routes.commands[name](turn)

    async def _typed(self, turn: Turn, text: str) -> Sequence[Reply]:
        form = self._form(turn)
        step = form.step(turn.state.form.step) if form and turn.state.form else None
        offered = choose(text, turn.state.offered, free_text=bool(step and step.free_text))
        if offered is not None:
            return await self._tapped(turn, offered.payload)
        command = self.command_of(text)
        if command and form and step and step.claims and await step.claims(turn, text):
            return await forms.answer(turn, form, Given(text=text))
        if command == "help" and form:
            return await self._in_form_help(turn, form)
        if command in (BACK, CANCEL):
            return await self._way_out(turn, command)
        if command is not None:
            return await self._command(turn, command)
        code = self.routes.spoken.get(fold(text)) if len(text) <= LONGEST_COMMAND else None
        language = code in self.routes.open_choices and step and not step.free_text
        if form and not language:
            return await forms.answer(turn, form, Given(text=text))
        if not text.strip():
            return await self._lost(turn, T("unknown-kind"))
        if code:
            return await self.routes.choices[code](turn, ())
        if answered := await self._at_question(turn, text):
            return answered
        return await self._lost(turn, T("not-understood", typed=text[:200]))

    def command_of(self, text: str) -> str | None:
        """The command that these words are, when they stand alone: "/menu", "мәзір", "Стоп!"."""
        slash = _COMMAND.fullmatch(text.strip())
        if slash and slash[1] in (*self.routes.commands, *_WAYS_OUT):
            return slash[1]
        if len(text) > LONGEST_COMMAND:
            return None
        return self.routes.words.get(fold(text)) or _WAY_WORDS.get(fold(text))

    async def _in_form_help(self, turn: Turn, form: Form) -> Sequence[Reply]:
        help_text, *_ = await self.routes.commands["help"](turn)
        again = await forms.resume(turn, form)
        notice = help_text.text if isinstance(help_text.text, T) else None
        return [again[0].saying(notice), *again[1:]]

    async def _tapped(self, turn: Turn, payload: str) -> Sequence[Reply]:
        chosen = _decoded(payload)
        if chosen is None:
            turn.unit.audit("tap-refused", turn.address)
            return await self._lost(turn, T("stale-choice"))
        if chosen.turn is None:
            return await self._durable(turn, chosen)
        if chosen.turn != turn.state.turn:
            return await self._lost(turn, T("stale-choice"))
        if chosen.code == PAGE:
            return await self._page(turn, chosen)
        if chosen.code in (BACK, CANCEL):
            return await self._way_out(turn, chosen.code)
        form = self._form(turn)
        if form and chosen.code not in self.routes.choices:
            if all(payload != one.payload for one in turn.state.offered):
                turn.unit.audit("tap-refused", turn.address)  # forged: it was never a button here
                return await self._lost(turn, T("stale-choice"))
            return await forms.answer(turn, form, Given(text=turn.incoming.text, chosen=chosen))
        return await self._outside(turn, chosen)

    async def _page(self, turn: Turn, chosen: Chosen) -> Sequence[Reply]:
        """Another page: of the form's question, or of the list that the payload names."""
        page, *again = chosen.ids or ("",)
        turn.page = int(page) if page.isdecimal() else 0
        if not again:
            return await self.here(turn)
        return await self._outside(turn, Chosen(again[0], tuple(again[1:]), chosen.turn))

    async def _durable(self, turn: Turn, chosen: Chosen) -> Sequence[Reply]:
        if chosen.code not in self.routes.durable:
            turn.unit.audit("tap-refused", turn.address)
            return await self._lost(turn, T("stale-choice"))
        return await self.routes.choices[chosen.code](turn, chosen.ids)

    async def _outside(self, turn: Turn, chosen: Chosen) -> Sequence[Reply]:
        handler = self.routes.choices.get(chosen.code)
        if handler is None:
            turn.unit.audit("tap-refused", turn.address)
            return await self._lost(turn, T("stale-choice"))
        return await handler(turn, chosen.ids)

    async def _way_out(self, turn: Turn, way: str) -> Sequence[Reply]:
        form = self._form(turn)
        if form is None:
            return await self.menu(turn)
        if way == BACK:
            return await forms.back(turn, form)
        if (asked := await forms.ask_leave(turn, form)) is not None:
            return asked
        receipt = forms.cancel(turn, form)
        first, *rest = await self.menu(turn)
        return [first.saying(receipt), *rest]

    async def _gave(self, turn: Turn, incoming: Incoming) -> Sequence[Reply]:
        form = self._form(turn)
        if form is None:
            for handler in self.routes.contacts if incoming.contact else ():
                if replies := await handler(turn):
                    return replies
            return await self._lost(turn, not_words(T("not-asked"), incoming.files))
        given = Given(text=incoming.text, contact=incoming.contact, files=incoming.files)
        return await forms.answer(turn, form, given)

    async def _lost(self, turn: Turn, why: Words) -> Sequence[Reply]:
        first, *rest = await self.here(turn)
        return [first.saying(why), *rest]

    async def here(self, turn: Turn) -> Sequence[Reply]:
        """The current screen again: the question of the form under way, or one outside a form,
        or the menu."""
        if form := self._form(turn):
            return await forms.resume(turn, form)
        return await self._at_question(turn, "") or await self.menu(turn)

    async def _at_question(self, turn: Turn, typed: str) -> Sequence[Reply] | None:
        offered = (_decoded(one.payload) for one in turn.state.offered)
        open_ = {one.code for one in offered if one} & self.routes.questions.keys()
        for code in sorted(open_):
            if replies := await self.routes.questions[code](turn, typed):
                return replies
        return None

    def _form(self, turn: Turn) -> Form | None:
        if turn.state.form is not None and not forms.is_mine(turn, turn.state.form):
            forms.park(turn)  # somebody else speaks here meanwhile
        state: FormState | None = turn.state.form
        form = self.routes.forms.get(state.form) if state else None
        if state and form is None:
            turn.state.form = None
        return form


def deep_link(incoming: Incoming) -> tuple[str, str] | None:
    """(letter, value) of a deep link: Telegram's start parameter, or WhatsApp's prefilled text."""
    if incoming.kind is Kind.START and incoming.start:
        found = _DEEP_LINK.search(incoming.start)
    elif incoming.kind is Kind.TEXT and len(incoming.text) <= 200:
        found = _DEEP_LINK.search(incoming.text)
    else:
        found = None
    return (found[1], found[2]) if found else None


def _decoded(payload: str) -> Chosen | None:
    try:
        return decode(payload)
    except PayloadRefused:
        return None
