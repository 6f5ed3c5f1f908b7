"""A notice that is out already says something else from now on: the office corrects its text."""

from collections.abc import Sequence
from uuid import UUID

from conversation import forms
from conversation.forms import Accepted, Done, Form, Given, Jump, Problem, Stay, Step
from conversation.matching import agrees
from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.state import Answers
from conversation.turn import Turn
from core.ids import short
from core.languages import Language
from core.texts import Joined, Near, T, Words, texts
from handlers import family, home, notice_files, notice_words, sent
from handlers.forms import known, shown, unclear
from handlers.notice import composed, file_refs
from handlers.notice_words import Part, part_key, stored_part
from services import notice_changes, notices, territory
from services.notices import NoticeText, NoticeView, Progress
from services.unit import Refused

routes = Routes()
_TEXTS = ("own", "other")  # the steps: the author's own language before the second


@routes.choice("n-correct", durable=True)
async def begin(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Starts at the first text; each can be kept as it is."""
    if asked := await family.who(turn, "correct", ids):
        return asked
    notice = sent.notice_of(turn, ids)
    found = await notices.seen_by_office(turn.unit, notice, turn.speaker)
    power = await notices.power_at(turn.unit, found)
    await notices.changed_by(turn.unit, notice, turn.speaker, power)
    if found.status == "cancelled":
        return await sent.card_saying(turn, notice, T("sent-too-late"))
    forms.park(turn)
    waits = forms.waiting(turn, FORM)
    if waits is None or not _typed(waits.answers):
        return await _begin(turn, found)
    if waits.answers["id"] == str(notice):
        return await forms.take_up(turn, FORM, waits)
    other = await notices.view(turn.unit, UUID(waits.answers["id"]))
    if other is None:
        return await _begin(turn, found)
    choices = [
        Choice("k-go-on", T("correct-go-on")),
        Choice("k-anew", T("correct-begin"), (short(notice),)),
    ]
    question = T("correct-waits", waits=other.title, title=found.title)
    return [Reply(question, choices, nav=(home.MENU,))]


@routes.choice("k-go-on")
async def go_on(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The correction of another notice that waits."""
    forms.park(turn)
    waits = forms.waiting(turn, FORM)
    return await forms.take_up(turn, FORM, waits) if waits else await home.menu(turn)


@routes.choice("k-anew")
async def anew(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """This notice instead: what waits of the other one is dropped, as was said."""
    forms.park(turn)
    forms.put_away(turn, FORM)
    return await begin(turn, ids)


async def _begin(turn: Turn, found: NoticeView) -> Sequence[Reply]:
    own = [turn.said] if turn.said in found.texts else []
    languages = [*own, *(one for one in found.texts if one not in own)]
    answers: Answers = {"id": str(found.id), "revision": found.revision + 1}
    return await forms.begin(turn, FORM, answers | {"languages": languages})


family.remember("correct", begin)


def _typed(answers: Answers) -> bool:
    """Was anything written?"""
    return bool(notice_words.all_written(answers))


# Without the role


async def _barred(turn: Turn, answers: Answers) -> Sequence[Reply] | None:
    """Whoever has nothing to do with the notice any more is shown the words, to be copied or
    deleted."""
    if not _typed(answers):
        return None
    try:
        await _notice(turn, answers)
    except Refused:
        said = Joined([T("correct-barred"), *notice_words.all_written(answers)], "\n\n")
        choices = [Choice("kdrop", T("leave-drop"), _of(answers))]
        return [Reply(said, choices, nav=(home.MENU,))]
    return None


@routes.choice("kdrop")
async def drop(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """What is written and cannot be sent goes."""
    if asked := await family.who(turn, "kdrop", ids):
        return asked
    forms.park(turn)
    waits = forms.waiting(turn, FORM)
    if waits is not None and _of(waits.answers) == ids:
        forms.put_away(turn, FORM)
    return await home.menu_saying(turn, T("correct-undo"))


family.remember("kdrop", drop)


def _of(answers: Answers) -> tuple[str, ...]:
    return (short(UUID(answers["id"])),)


# The texts


def _step(name: str) -> Step:
    place = _TEXTS.index(name)

    def language_of(answers: Answers) -> Language:
        return Language(answers["languages"][place])

    async def ask(turn: Turn, answers: Answers) -> Reply:
        language = language_of(answers)
        keep = Choice("k-keep", T("correct-keep"))
        if part := stored_part(answers, language):
            missing, instead = notice_words.ask(part)
            return Reply(missing, [*instead, keep])
        found = await _notice(turn, answers)
        now = _corrected(found, answers)[language]
        return Reply(T(f"correct-write-{language}", title=now.title, body=now.body), [keep])

    async def accept(turn: Turn, answers: Answers, given: Given) -> Accepted:
        language = language_of(answers)
        if given.chosen is not None and given.chosen.code == "k-keep":
            return Done({name: True, part_key(language): None})
        notice = T("correct-no-files") if given.files else None
        if given.files:
            given = Given(text=notice_files.words_of(given))
        if notice_words.is_a_button(given.text) and notice is None:
            return Problem(T("notice-not-a-text", typed=shown(given.text)), repeats=True)
        read = notice_words.heard(given, stored_part(answers, language), turn.unit.now)
        match read:
            case Part():
                return Stay({part_key(language): read.stored()}, notice)
            case NoticeText(title, body):
                words = {f"text_{language}": [title, body], part_key(language): None}
                return Done({**words, name: True}, notice)
        return Problem(notice or T("notice-words-only"), repeats=True)

    return Step(
        name,
        ask,
        accept,
        free_text=True,
        applies=lambda answers: place < len(answers["languages"]),
        back_within=notice_words.begun_anew,
        holds=(name,),
    )


async def _ask_preview(turn: Turn, answers: Answers) -> Reply:
    found = await _notice(turn, answers)
    corrected = _corrected(found, answers)
    office = await territory.akim_of(turn.unit.session, found.place_code)
    changed = found.changed(corrected)
    rewritten = {one: words for one, words in corrected.items() if one in changed}
    samples = [
        texts().say(one, T("correct-sample", office=office, title=words.title, body=words.body))
        for one, words in rewritten.items()
    ]
    fixes = [Choice("k-fix", T(f"notice-fix-{one}"), (one.value,)) for one in corrected]
    if not changed:
        return Reply(T("correct-nothing"), fixes)
    text = T(
        "correct-preview",
        sample=Joined(samples, "\n\n"),
        who=Joined([*notice_words.doubts(rewritten), await _who(turn, found, changed)]),
        ask=T(f"correct-ask{_how(found)}") if _how(found) else T("correct-ask"),
    )
    send = T("correct-save" if _how(found) else "correct-send")
    return Reply(text, [Choice("k-send", send), *fixes])


async def _who(turn: Turn, found: NoticeView, changed: Sequence[Language]) -> Words:
    """Who gets the correction, who the new text alone, and who nothing."""
    if found.queued_at is None:
        return T("correct-who-before")
    counts = await notices.progress(await turn.unit.connection(), found.id, changed)
    if not _reached(counts):
        return T("correct-nobody")
    had = counts.sent + counts.announced
    who = T("correct-who", had=had, left=_reached(counts) - had)
    return Joined([T(f"correct-only-{changed[0]}"), who]) if len(changed) == 1 else who


def _reached(counts: Progress) -> int:
    """How many have got it or will."""
    return counts.total - sum(counts.failed.values())


def _how(found: NoticeView) -> str:
    """Does it go now, when the notice is resumed, or with the notice?"""
    if found.status == "paused":
        return "-paused"
    return "-before" if found.queued_at is None else ""


async def _preview(turn: Turn, answers: Answers, given: Given) -> Accepted:
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("k-send",):
            return await _send(turn, answers)
        case ("k-fix", language) if language in answers["languages"]:
            return Jump(_TEXTS[answers["languages"].index(language)])
    if agrees(given.text):
        return await _send(turn, answers)
    return unclear("notice-preview-unclear", given)


async def _send(turn: Turn, answers: Answers) -> Accepted:
    """Off it goes, unless somebody else corrected it meanwhile: then it is looked at again."""
    await notices.hold_still(turn.unit, UUID(answers["id"]))
    found = await _notice(turn, answers)
    if not found.changed(_corrected(found, answers)):
        return Stay({})
    if found.status == "cancelled" or found.revision + 1 == answers["revision"]:
        return Done()
    return Stay({"revision": found.revision + 1}, T("correct-meanwhile"))


async def _finish(turn: Turn, answers: Answers) -> Sequence[Reply]:
    found = await _notice(turn, answers)
    words = _corrected(found, answers)
    office = await territory.akim_of(turn.unit.session, found.place_code)
    attached = await file_refs(turn.unit, found.files)
    revision = int(answers["revision"])
    plain = composed(texts(), office, found.id, words, found.kind, attached, revision)
    again = composed(
        texts(), office, found.id, words, found.kind, attached, revision, corrected=True
    )
    done = await notice_changes.correct(
        turn.unit,
        found.id,
        texts=words,
        monolingual=found.monolingual,
        revision=revision,
        plain={one: content.to_json() for one, content in plain.items()},
        correction={one: content.to_json() for one, content in again.items()},
    )
    if done:
        await sent.tell_akims(turn, found.id, "clerk-corrected")
    return await sent.card_saying(
        turn,
        found.id,
        await _done(turn, found, found.changed(words)) if done else T("sent-too-late"),
    )


async def _done(turn: Turn, found: NoticeView, changed: Sequence[Language]) -> T:
    """When it goes."""
    if how := _how(found):
        return T(f"correct-done{how}")
    counts = await notices.progress(await turn.unit.connection(), found.id, changed)
    if not _reached(counts):
        return T("correct-done-nobody")
    morning = counts.quiet_until
    if morning is not None and morning > turn.unit.now:
        return T("correct-done-quiet", at=Near(morning, turn.unit.now))
    return T("correct-done")


async def _notice(turn: Turn, answers: Answers) -> NoticeView:
    return await notices.seen_by_office(turn.unit, UUID(answers["id"]), turn.speaker)


def _corrected(found: NoticeView, answers: Answers) -> dict[Language, NoticeText]:
    """The texts as they would be, the author's own language first."""

    def text_in(language: Language) -> NoticeText:
        typed = answers.get(f"text_{language}")
        return NoticeText(*typed) if typed else found.texts[language]

    return {language: text_in(language) for language in map(Language, answers["languages"])}


def _upgrade(version: int, answers: Answers) -> Answers:
    """Version 1 asked for Kazakh first, whoever wrote."""
    languages = [one for one in Language if answers.pop(f"asked_{one}", False)]
    seen = [answers.pop(f"seen_{one}", False) for one in languages]
    kept = {step: True for step, before in zip(_TEXTS, seen, strict=False) if before}
    return {**answers, **kept, "languages": languages}


FORM = known(
    Form(
        name="correction",
        version=2,
        steps=(
            *(_step(name) for name in _TEXTS),
            Step("preview", _ask_preview, _preview),
        ),
        finish=_finish,
        cancelled=T("correct-undo"),
        upgrade=_upgrade,
        sure=family.sure,
        barred=_barred,
    )
)
routes.form(FORM)
