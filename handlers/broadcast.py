"""An akim writes a notice: of what kind, to whom, in Kazakh, in Russian, with pictures; one look
at it as it will arrive, and off it goes, now or later. What is not finished can be put aside."""

from collections.abc import Sequence
from uuid import UUID

from conversation import forms
from conversation.forms import Accepted, Done, Form, Given, Leave, Problem, Quiet, Stay, Step
from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.state import Answers
from conversation.turn import Turn
from core.ids import short
from core.languages import Language
from core.texts import Joined, Named, T, Words, texts
from handlers import family, home, notice_audience, notice_files, notice_preview, notice_words, sent
from handlers.forms import known, shown, unclear
from handlers.notice import composed, file_refs, latest_chosen
from handlers.notice_audience import KEEP, KEPT, kind_of, office
from handlers.notice_preview import first_of, written
from handlers.notice_words import Part, part_key, stored_part
from services import drafts, files, notices, roles
from services.notices import NoticeText
from services.roles import MAY_SEND_NOTICES, Power

routes = Routes()

VERSION = 2


@routes.choice("notice-new")
async def begin(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Starts a notice for the place of the role; one that waits is gone on with or put aside."""
    if asked := await family.who(turn, "notice-new"):
        return asked
    forms.park(turn)
    waits = forms.waiting(turn, FORM)
    if waits is None or not worth_keeping(waits.answers):
        return await begin_new(turn)
    await _places(turn)
    choices = [
        Choice("notice-go-on", T("menu-resume")),
        Choice("notice-aside", T("begun-new")),
    ]
    return [Reply(T("begun-ask", title=title_of(waits.answers)), choices, nav=(home.MENU,))]


family.remember("notice-new", begin)


@routes.choice("notice-word", words=("хабар", "хабарлама", "сообщение", "новое сообщение"))
async def by_a_word(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Of who may send notices, a new one; of others, those that came."""
    standing = await roles.standing(turn.unit, turn.speaker)
    may_send = any(view.role in MAY_SEND_NOTICES for view in standing)
    return await (begin(turn, ids) if may_send else latest_chosen(turn, ids))


@routes.choice("notice-go-on")
async def go_on(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The notice that waits, behind whatever else does."""
    if asked := await family.who(turn, "notice-new"):
        return asked
    forms.park(turn)
    waits = forms.waiting(turn, FORM)
    return await forms.take_up(turn, FORM, waits) if waits else await begin_new(turn)


@routes.choice("notice-aside")
async def aside(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The notice that waits becomes a draft, and a new one begins."""
    if asked := await family.who(turn, "notice-new"):
        return asked
    forms.park(turn)
    if not await put_aside(turn):
        return await home.menu_saying(turn, T("drafts-full", most=drafts.MOST_DRAFTS))
    first, *rest = await begin_new(turn)
    return [first.saying(T("draft-aside")), *rest]


async def begin_new(turn: Turn) -> list[Reply]:
    """The first question of a new notice. Raises Refused for who may send none."""
    places = await _places(turn)
    answers: Answers = {"id": str(turn.unit.new_id()), "places": places, "files": []}
    if len(places) == 1:
        answers["place"] = places[0]
    return await forms.begin(turn, FORM, answers)


async def _places(turn: Turn) -> list[str]:
    standing = await roles.standing(turn.unit, turn.speaker)
    places = [
        view.place_code
        for view in standing
        if view.role in MAY_SEND_NOTICES and (view.may(Power.SEND) or view.may(Power.URGENT))
    ]
    if not places:
        await roles.require(turn.unit, turn.speaker, MAY_SEND_NOTICES, "")
    return list(dict.fromkeys(places))


# Without the role


async def _barred(turn: Turn, answers: Answers) -> Sequence[Reply] | None:
    """Whoever may not send there any more is shown the words, to be copied or deleted; nothing
    else of it can be done, and nobody is shown who would get it."""
    standing = await roles.standing(turn.unit, turn.speaker)
    places = {
        view.place_code
        for view in standing
        if view.role in MAY_SEND_NOTICES and (view.may(Power.SEND) or view.may(Power.URGENT))
    }
    place = answers.get("place")
    if place in places or (place is None and places):
        return None
    turn.unit.audit("role-missing", turn.speaker, place=place)
    if not worth_keeping(answers):
        return await home.menu_saying(turn, T("refused-role-ended"))
    said = Joined([T("notice-barred"), *notice_words.all_written(answers)], "\n\n")
    choices = [Choice("ndrop", T("leave-drop"), _draft(answers))]
    return [Reply(said, choices, nav=(home.MENU,))]


@routes.choice("ndrop")
async def drop(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """What is written and cannot be sent goes, with its files and its draft."""
    if asked := await family.who(turn, "ndrop", ids):
        return asked
    forms.park(turn)
    waits = forms.waiting(turn, FORM)
    if waits is not None and _draft(waits.answers) == ids:
        await _forget(turn, waits.answers)
        forms.put_away(turn, FORM)
    for one in await drafts.listed(turn.unit):
        if (short(one.id),) == ids:
            await drafts.drop(turn.unit, one.id)
    return await home.menu_saying(turn, T("notice-undo"))


family.remember("ndrop", drop)


def _draft(answers: Answers) -> tuple[str, ...]:
    return (short(UUID(answers["draft"])),) if answers.get("draft") else ()


async def _forget(turn: Turn, answers: Answers) -> None:
    if answers.get("draft"):
        await drafts.drop(turn.unit, UUID(answers["draft"]))
    await files.forget_unsent(turn.unit, [UUID(file) for file in answers.get("files", [])])


# Drafts


def worth_keeping(answers: Answers) -> bool:
    """Was anything written or attached?"""
    begun = any(answers.get(part_key(one)) for one in Language)
    typed = notice_words.typed_before(answers)
    return bool(written(answers) or begun or typed or answers.get("files"))


def title_of(answers: Answers) -> Words:
    """What a draft is called: its title in the reader's language, or in the only one."""
    titles = {one: text.title for one, text in written(answers).items()}
    for language in Language:
        if part := stored_part(answers, language):
            titles.setdefault(language, part.title)
    if not titles:
        return T("draft-untitled")
    any_ = next(iter(titles.values()))
    return Named(titles.get(Language.KK, any_), titles.get(Language.RU, any_))


async def put_aside(turn: Turn) -> bool:
    """The notice that waits becomes a draft; False when there is no room for it."""
    waits = forms.waiting(turn, FORM)
    if waits is None:
        return True
    if worth_keeping(waits.answers):
        step = waits.step if waits.step != FORM.leave else forms.left_at(waits.answers)
        if not await _save(turn, step, waits.answers, waits.version):
            return False
    forms.put_away(turn, FORM)
    return True


async def _save(turn: Turn, step: str, answers: Answers, version: int = VERSION) -> bool:
    """As a draft; of one that was opened from a draft, in its place."""
    draft = UUID(answers["draft"]) if answers.get("draft") else turn.unit.new_id()
    kept = {**answers, "draft": str(draft)}
    return await drafts.save(turn.unit, draft, FORM.name, version, step, kept)


async def _ask_leave(turn: Turn, answers: Answers) -> Reply:
    choices = [
        Choice("n-save", T("leave-keep")),
        Choice("n-delete", T("leave-drop")),
        Choice(forms.BACK, T("leave-go-on")),
    ]
    return Reply(T("leave-ask"), choices, title=title_of(answers))


async def _leave(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """Kept as a draft, or gone with its files."""
    if given.chosen is not None and given.chosen.code == "n-save":
        step = forms.left_at(answers)
        if not await _save(turn, step, answers):
            return Problem(T("drafts-full", most=drafts.MOST_DRAFTS), repeats=True)
        return Leave(await home.menu_saying(turn, T("leave-kept")))
    if given.chosen is not None and given.chosen.code == "n-delete":
        await _forget(turn, answers)
        return Leave(await home.menu_saying(turn, T("notice-undo")))
    return unclear("notice-preview-unclear", given)


# What


async def _ask_own(turn: Turn, answers: Answers) -> Reply:
    first = first_of(turn, answers)
    if correction := _ask_corrected(answers, first):
        return correction
    key = "notice-both" if answers.get("alone") else f"notice-only-{first.other}"
    question, choice = T(f"notice-write-{first}"), Choice("n-alone", T(key))
    return notice_words.offered(answers, question, first, [choice])


async def _own(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """The first text; or it is said that there will be one in the other language only."""
    first = first_of(turn, answers)
    if given.chosen is not None and given.chosen.code == "n-alone":
        alone = not answers.get("alone")
        words = {_key(first): None, "alone": alone, "only": first.other if alone else None}
        return Stay({**words, "first": first.other.value})
    return await _words(turn, answers, given, first, {"first": first.value, "begun": True})


def in_both(answers: Answers) -> bool:
    """Is there to be a text in the second language, too?"""
    return not answers.get("alone")


async def _ask_other(turn: Turn, answers: Answers) -> Reply:
    first = first_of(turn, answers)
    if correction := _ask_corrected(answers, first.other):
        return correction
    only = Choice("n-only", T(f"notice-only-{first}"))
    return notice_words.offered(answers, T(f"notice-write-{first.other}"), first.other, [only])


async def _other(turn: Turn, answers: Answers, given: Given) -> Accepted:
    first = first_of(turn, answers)
    if given.chosen is not None and given.chosen.code == "n-only":
        return Done({"only": first.value, _key(first.other): None, part_key(first.other): None})
    return await _words(turn, answers, given, first.other, {"only": None, "alone": False})


def _ask_corrected(answers: Answers, language: Language) -> Reply | None:
    """What is missing of a text that was begun; or the text as it is, to be written anew."""
    if part := stored_part(answers, language):
        return Reply(*notice_words.ask(part))
    if not (forms.correcting(answers) and answers.get(_key(language))):
        return None
    title, body = answers[_key(language)]
    return Reply(T(f"correct-write-{language}", title=title, body=body), [KEEP])


async def _words(
    turn: Turn, answers: Answers, given: Given, language: Language, more: Answers
) -> Accepted:
    """The text in this language, whole or a part of it; a picture with it or by itself."""
    notice = None
    given = notice_words.taken(answers, given, language)
    if notice_words.is_a_button(given.text) and not given.files:
        return Problem(T("notice-not-a-text", typed=shown(given.text)), repeats=True)
    if given.files:
        together, refused = await notice_files.take(turn, answers, given)
        typed = notice_files.words_of(given)
        if refused is not None:
            if not typed:
                return notice_files.said_against(answers, refused)
            notice = refused
        elif together and not typed:
            return Quiet()
        else:
            notice = T("attach-count", count=len(answers["files"]))
        if not typed:
            return Stay(notice=notice)
        given = Given(text=typed)
    heard = _heard(turn, answers, given, language)
    if isinstance(heard, Part):
        return Stay({part_key(language): heard.stored()}, notice)
    if isinstance(heard, NoticeText):
        text = {_key(language): [heard.title, heard.body], part_key(language): None}
        first, corrected = first_of(turn, answers), forms.correcting(answers)
        last = language is not first or not in_both(answers)
        counted = notice is not None and notice.key == "attach-count"
        # The next question counts the files itself.
        return Done({**text, **more}, None if counted and last and not corrected else notice)
    return heard


def _heard(
    turn: Turn, answers: Answers, given: Given, language: Language
) -> NoticeText | Part | Accepted:
    if given.chosen is not None and given.chosen.code == "n-keep" and answers.get(_key(language)):
        return Done({part_key(language): None, KEPT: True})
    heard = notice_words.heard(given, stored_part(answers, language), turn.unit.now)
    return heard or Problem(T("notice-words-only"), repeats=True)


def _key(language: Language) -> str:
    return f"text_{language}"


# Off it goes


async def _finish(turn: Turn, answers: Answers) -> Sequence[Reply]:
    notice, kind, words = UUID(answers["id"]), kind_of(answers), written(answers)
    cards = await notice_files.standing(turn, answers)
    attached = [card.id for card in cards]
    live = turn.unit.new_id()
    status = await notices.announce(
        turn.unit,
        notice=notice,
        author_address=turn.address,
        place_code=answers["place"],
        audience=answers["audience"],
        kind=kind,
        texts=words,
        monolingual=notice_preview.only(answers),
        files=attached,
        send_at=notice_preview.send_at(answers),
        live_message=live,
        again=notice_preview.is_same(answers),
    )
    if answers.get("draft"):
        await drafts.drop(turn.unit, UUID(answers["draft"]), sent=True)
    if status is None:
        return await sent.card_saying(turn, notice, T("notice-sent-before"))
    if status == "sending":
        refs = await file_refs(turn.unit, attached)
        contents = composed(texts(), await office(turn, answers), notice, words, kind, refs)
        await notices.queue(turn.unit, notice, notice_preview.stored(contents))
    await sent.tell_akims(turn, notice, "clerk-sent", later="clerk-planned")
    return [await sent.announced_reply(turn, notice, live)]


def _upgrade(version: int, answers: Answers) -> Answers:
    """Version 1 knew one kind, no files and no moment."""
    kept = {"kind": "announcement", "files": [], "send_at": None, **answers}
    return kept | {"begun": True} if written(answers) else kept


def _cancelled(answers: Answers) -> T:
    return T("notice-stopped")


FORM = known(
    Form(
        name="notice",
        version=VERSION,
        steps=(
            Step(
                "place",
                notice_audience.ask_place,
                notice_audience.place,
                applies=notice_audience.several_places,
                holds=("place",),
            ),
            Step("kind", notice_audience.ask_kind, notice_audience.kind, holds=("kind",)),
            Step(
                "audience",
                notice_audience.ask_audience,
                notice_audience.audience,
                back_within=notice_audience.back_to_whole,
                holds=("audience",),
            ),
            Step(
                "own",
                _ask_own,
                _own,
                free_text=True,
                back_within=notice_words.begun_anew,
                holds=("begun",),
            ),
            Step(
                "other",
                _ask_other,
                _other,
                free_text=True,
                applies=in_both,
                back_within=notice_words.begun_anew,
                holds=("only",),
            ),
            Step("attach", notice_files.ask, notice_files.accept, holds=("attached",)),
            Step("preview", notice_preview.ask, notice_preview.accept),
            Step(
                "same",
                notice_preview.ask_same,
                notice_preview.same,
                applies=notice_preview.is_same,
            ),
            Step(
                "when",
                notice_preview.ask_when,
                notice_preview.when,
                free_text=True,
                applies=notice_preview.never,
            ),
            Step("leave", _ask_leave, _leave, applies=notice_preview.never, ways_out=False),
        ),
        finish=_finish,
        cancelled=_cancelled,
        upgrade=_upgrade,
        leave="leave",
        worth=worth_keeping,
        sure=family.sure,
        barred=_barred,
    )
)
routes.form(FORM)
