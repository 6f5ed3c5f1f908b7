"""A notice that is out already says something else from now on: the office corrects its text."""

from collections.abc import Sequence
from uuid import UUID

from conversation import forms
from conversation.forms import Accepted, Done, Form, Given, Jump, Problem, Step
from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.state import Answers
from conversation.turn import Turn
from core.languages import Language
from core.texts import Joined, T, texts
from handlers import sent
from handlers.forms import known, unclear
from handlers.notice import composed, file_refs
from handlers.notice_text import read_text
from services import notice_changes, notices, roles, territory
from services.notices import NoticeText, NoticeView
from services.roles import Power

routes = Routes()


@routes.choice("n-correct", durable=True)
async def begin(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Starts at the first text; each can be kept as it is."""
    notice = sent.notice_of(turn, ids)
    found = await notices.seen_by_office(turn.unit, notice, turn.speaker)
    await roles.require(
        turn.unit, turn.speaker, roles.MAY_SEND_NOTICES, found.place_code, Power.CORRECT
    )
    if found.status == "cancelled":
        return await sent.card_saying(turn, notice, T("sent-too-late"))
    forms.park(turn)
    answers: Answers = {"id": str(notice), "revision": found.revision + 1}
    for language in found.texts:
        answers[f"asked_{language}"] = True
    return await forms.begin(turn, FORM, answers)


def _step(language: Language) -> Step:
    async def ask(turn: Turn, answers: Answers) -> Reply:
        found = await _notice(turn, answers)
        now = _corrected(found, answers)[language]
        text = T(f"correct-write-{language}", title=now.title, body=now.body)
        return Reply(text, [Choice("k-keep", T("correct-keep"))])

    async def accept(turn: Turn, answers: Answers, given: Given) -> Accepted:
        if given.chosen is not None:
            return Done({f"seen_{language}": True})
        read = read_text(given)
        if isinstance(read, Problem):
            return read
        return Done({f"text_{language}": [read.title, read.body], f"seen_{language}": True})

    def applies(answers: Answers) -> bool:
        return bool(answers.get(f"asked_{language}"))

    return Step(language.value, ask, accept, True, applies, holds=(f"seen_{language}",))


async def _ask_preview(turn: Turn, answers: Answers) -> Reply:
    found = await _notice(turn, answers)
    corrected = _corrected(found, answers)
    office = await territory.akim_of(turn.unit.session, found.place_code)
    samples = [
        texts().say(one, T("correct-sample", office=office, title=words.title, body=words.body))
        for one, words in corrected.items()
    ]
    fixes = [Choice("k-fix", T(f"notice-fix-{one}"), (one.value,)) for one in corrected]
    if corrected == found.texts:
        return Reply(T("correct-nothing"), fixes)
    counts = await notices.progress(await turn.unit.connection(), found.id)
    had = counts.sent + counts.announced
    text = T(
        "correct-preview",
        sample=Joined(samples, "\n\n"),
        had=had,
        left=counts.total - had - sum(counts.failed.values()),
    )
    return Reply(text, [Choice("k-send", T("correct-send")), *fixes])


async def _preview(turn: Turn, answers: Answers, given: Given) -> Accepted:
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("k-send",):
            return Done()
        case ("k-fix", step) if answers.get(f"asked_{step}"):
            return Jump(step)
    return unclear("notice-preview-unclear", given)


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
    return await sent.card_saying(turn, found.id, T("correct-done" if done else "sent-too-late"))


async def _notice(turn: Turn, answers: Answers) -> NoticeView:
    return await notices.seen_by_office(turn.unit, UUID(answers["id"]), turn.speaker)


def _corrected(found: NoticeView, answers: Answers) -> dict[Language, NoticeText]:
    """The texts as they would be."""
    return {
        language: NoticeText(*answers[key]) if (key := f"text_{language}") in answers else words
        for language, words in found.texts.items()
    }


FORM = known(
    Form(
        name="correction",
        version=1,
        steps=(
            *(_step(language) for language in Language),
            Step("preview", _ask_preview, _preview),
        ),
        finish=_finish,
        cancelled=T("correct-undo"),
    )
)
routes.form(FORM)
