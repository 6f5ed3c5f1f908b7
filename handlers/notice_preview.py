"""The last look at a notice: as it will arrive, how many get it, when; then off it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import UUID

from conversation import albums
from conversation.forms import Accepted, Done, Given, Jump, Problem, Quiet, Stay
from conversation.matching import agrees
from conversation.message import ChannelName, Choice, Content, FileRef, Reply
from conversation.present import compose
from conversation.state import Answers
from conversation.turn import Turn
from core.clock import local
from core.ids import short
from core.languages import Language
from core.texts import Joined, Near, T, Words, texts
from handlers import notice_audience, notice_files, notice_words
from handlers.forms import shown, unclear, wordless
from handlers.notice import file_refs, letter
from handlers.notice_audience import KEEP, KEPT, kind_of, office
from handlers.notice_text import within
from rules.dates import NoSuchDay
from rules.moments import (
    LATEST,
    MomentPast,
    MomentTooFar,
    NoHour,
    NoSuchHour,
    read_moment,
)
from rules.notices import NoticeKind
from services import notices
from services.files import FileCard
from services.notices import NoticeText
from services.reach import Forecast, Reach, forecast, reach

TODAY_AT, TOMORROW_AT = time(18), time(9)  # what is offered without typing
EXAMPLE_AHEAD = timedelta(days=2)
_FIXES = ("own", "other", "attach", "audience", "kind", "when")


# The notice


def written(answers: Answers) -> dict[Language, NoticeText]:
    """The texts that there are."""
    return {
        one: NoticeText(*answers[f"text_{one}"]) for one in Language if answers.get(f"text_{one}")
    }


def only(answers: Answers) -> Language | None:
    """The only language, where the author declared one."""
    return Language(answers["only"]) if answers.get("only") else None


def send_at(answers: Answers) -> datetime | None:
    """The moment that the author chose; None: at once."""
    return datetime.fromisoformat(answers["send_at"]) if answers.get("send_at") else None


# The last look


async def ask(turn: Turn, answers: Answers) -> Reply:
    """The notice as its readers will have it, then the numbers and the question."""
    passed = _drop_passed(turn, answers)
    place, kind, at = answers["place"], kind_of(answers), send_at(answers)
    reached = await reach(turn.unit, place, answers["audience"], kind)
    ahead = await forecast(turn.unit, place, reached, kind, at)
    unchanged = answers.pop(KEPT, False)  # a correction was thought better of
    before = () if unchanged else await _letters(turn, answers)
    lines: list[Words] = [T("preview-above")] if before else []
    lines += notice_words.doubts(written(answers))
    lines += notice_words.days_named(written(answers), ahead.begins, turn.unit.now)
    lines += await notice_audience.line_to(turn.unit, place, answers["audience"])
    lines += _to_whom(reached)
    lines += await _elsewhere(turn, answers, reached)
    lines += await _when(turn, answers, ahead)
    notice = T("preview-passed") if passed else None
    question = Joined([Joined(lines), T("preview-ask")], "\n\n")
    return Reply(question, _choices(turn, answers), before=before).saying(notice)


def _drop_passed(turn: Turn, answers: Answers) -> bool:
    """A moment that is over by now is nobody's wish any more."""
    at = send_at(answers)
    if at is None or at > turn.unit.now:
        return False
    answers["send_at"] = None
    return True


async def _letters(turn: Turn, answers: Answers) -> list[Reply]:
    """A message of its own for each language, exactly as it will arrive, but for its button,
    which is drawn; the pictures go with the author's own language."""
    cards = await notice_files.standing(turn, answers)
    shown_now = [card.id for card in cards if card.here or not notice_files.is_whatsapp(turn)]
    attached = await file_refs(turn.unit, shown_now)
    own, *others = await _contents(turn, answers, attached)
    letters = _as_it_arrives(turn, own)
    for other in others:
        letters += _as_it_arrives(turn, replace(other, files=()))
    return letters


async def _contents(turn: Turn, answers: Answers, attached: Sequence[FileRef]) -> list[Content]:
    """What its readers would get, in each language that it is written in, the author's first."""
    name, notice, kind = await office(turn, answers), UUID(answers["id"]), kind_of(answers)
    return [
        compose(texts(), language, letter(name, notice, 1, words, kind, attached))
        for language, words in sorted(
            written(answers).items(), key=lambda one: one[0] is not turn.said
        )
    ]


def _as_it_arrives(turn: Turn, content: Content) -> list[Reply]:
    """WhatsApp puts no button under a picture: there the files come first, by themselves."""
    looks = turn.looks(turn.incoming.channel, content)
    apart = content.files if notice_files.is_whatsapp(turn) else ()
    files = [Reply("", files=apart, screen=False)] if apart else []
    if len(looks.pieces) > 1:
        *before, last = looks.pieces
        drawn = Reply(Joined([last, _button(content)], "\n\n"), screen=False)
        return [*files, *(Reply(piece, screen=False) for piece in before), drawn]
    drawn = Reply(
        Joined([content.body, _button(content)], "\n\n"),
        heading=content.heading,
        title=content.title,
        files=() if apart else content.files,
        screen=False,
    )
    return [*files, drawn]


def _button(content: Content) -> T:
    return T("preview-button", label=content.choices[0].label)


def _to_whom(reached: Reach) -> list[Words]:
    ways = [
        T(f"preview-by-{channel}", people=reached.by_channel[channel])
        for channel in ChannelName
        if reached.by_channel.get(channel)
    ]
    by = T("preview-by", ways=Joined(ways, ", ")) if ways else ""
    lines: list[Words] = [T("preview-people", people=reached.people, by=by)]
    if reached.unreachable:
        lines.append(T("notice-preview-unreachable", people=reached.unreachable))
    if reached.muted:
        lines.append(T("live-muted", people=reached.muted))
    return lines


async def _elsewhere(turn: Turn, answers: Answers, reached: Reach) -> list[Words]:
    """How it differs from what the author sees here: on the other messenger, outside WhatsApp's
    window, and while files are on their way."""
    cards = await notice_files.standing(turn, answers)
    lines: list[Words] = []
    for channel in ChannelName:
        if channel is not turn.incoming.channel and reached.by_channel.get(channel):
            lines += await _looks(turn, answers, channel, cards)
    if reached.outside:
        line = Joined(await _announced(turn, answers))
        lines.append(T("preview-outside", people=reached.outside, line=line))
    if missing := sum(not card.here for card in cards):
        lines.append(T("preview-loading", count=missing))
    return lines


async def _looks(
    turn: Turn, answers: Answers, channel: ChannelName, cards: Sequence[FileCard]
) -> list[Words]:
    """In how many messages; said once when both languages agree."""
    attached = await file_refs(turn.unit, [card.id for card in cards])
    contents = await _contents(turn, answers, attached)
    found = {one.language: turn.looks(channel, one).messages for one in contents}
    alike = len(set(found.values())) == 1
    lines: list[Words] = []
    for content in contents[:1] if alike else contents:
        name: Words = T(f"messenger-{channel}")
        if not alike:
            name = Joined([name, T(f"language-{content.language}")], ", ")
        messages, button = found[content.language], _button(content)
        lines.append(T("preview-looks", messenger=name, messages=messages, button=button))
    if cards and channel is ChannelName.WHATSAPP:
        lines.append(T("preview-files-whatsapp"))
    return lines


async def _announced(turn: Turn, answers: Answers) -> list[Words]:
    """The line that WhatsApp lets us begin with, as readers of each language get it."""
    kind = "urgent" if kind_of(answers) is NoticeKind.URGENT else "notice"
    name, words = await office(turn, answers), written(answers)
    only_title = next(iter(words.values())).title
    return [
        texts().say(one, T("preview-line", line=T(
            f"template-{kind}",
            first=name,
            second=within(words[one].title if one in words else only_title),
        )))
        for one in Language
    ]  # fmt: skip


async def _when(turn: Turn, answers: Answers, ahead: Forecast) -> list[Words]:
    now = turn.unit.now
    lines: list[Words] = []
    if ahead.quiet:
        lines.append(T("preview-quiet", at=Near(ahead.begins, now)))
        allowed = await notice_audience.kinds(turn, answers["place"])
        if NoticeKind.URGENT in allowed and send_at(answers) is None:
            lines.append(T("preview-quiet-urgent"))
    elif send_at(answers) is not None:
        lines.append(T("preview-at", at=Near(ahead.begins, now)))
    if ahead.days > 1:
        lines.append(T("preview-days", days=ahead.days, first=ahead.first_day))
    elif ahead.seconds < 60:
        lines.append(T("preview-under-minute"))
    else:
        lines.append(T("preview-minutes", minutes=round(ahead.seconds / 60)))
    return lines


def _choices(turn: Turn, answers: Answers) -> list[Choice]:
    first = first_of(turn, answers)
    fixes = [
        Choice("n-fix", T(f"notice-fix-{one}"), (step,))
        for one, step in ((first, "own"), (first.other, "other"))
        if one in written(answers)
    ]
    if only(answers) is not None:
        fixes.append(Choice("n-fix", T(f"notice-add-{first.other}"), ("other",)))
    when = T("preview-when" if send_at(answers) is None else "preview-when-other")
    files = T("preview-attach" if not answers.get("files") else "preview-files")
    return [
        Choice("n-send", T("notice-send" if send_at(answers) is None else "notice-plan")),
        Choice("n-fix", when, ("when",)),
        *fixes,
        Choice("n-fix", files, ("attach",)),
        Choice("n-fix", T("notice-fix-audience"), ("audience",)),
        Choice("n-fix", T("preview-kind"), ("kind",)),
    ]


def first_of(turn: Turn, answers: Answers) -> Language:
    """The language that is written first: the author's own when the text was begun."""
    return Language(answers["first"]) if "first" in answers else turn.said


async def accept(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """Off it goes, or a part of it is corrected first."""
    if given.files:
        return await _one_more_file(turn, answers, given)
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("n-send",):
            return await _send(turn, answers)
        case ("n-fix", str(step)) if step in _FIXES:
            if step == "audience":
                answers.pop("picked", None)
            return Jump(step)
    if agrees(given.text):
        return await _send(turn, answers)
    return _moment_typed(turn, given.text) or unclear("notice-preview-unclear", given)


def _moment_typed(turn: Turn, typed: str) -> Accepted | None:
    """ "Ертең 9:00" in answer to "Send?" is the moment; a number alone is one of the list."""
    if typed.strip().isdecimal():
        return None
    match _typed(turn, typed, local(turn.unit.now)):
        case Done(values):
            return Stay({**values, KEPT: True})
        case Problem(text):
            return Problem(text, repeats=True)
    return None


async def _one_more_file(turn: Turn, answers: Answers, given: Given) -> Accepted:
    together, refused = await notice_files.take(turn, answers, given)
    if refused is not None:
        return notice_files.said_against(answers, refused)
    return Quiet() if albums.quiet(turn, together) else Jump("attach")


async def _send(turn: Turn, answers: Answers) -> Accepted:
    """The same words to the same places within the rulebook's hours are asked about."""
    if _drop_passed(turn, answers):
        return Stay(notice=T("preview-passed"))
    before = await notices.same_before(
        turn.unit, answers["place"], written(answers), answers["audience"]
    )
    if before is None or str(before.notice) == answers["id"]:
        return Done({"same": None})
    return Done({"same": [str(before.notice), before.at.isoformat()]})


# The same again


def is_same(answers: Answers) -> bool:
    """Was the same sent before?"""
    return bool(answers.get("same"))


async def ask_same(turn: Turn, answers: Answers) -> Reply:
    """It went before: once more?"""
    notice, stored = answers["same"]
    at = datetime.fromisoformat(stored)
    key = "same-ask-planned" if at > turn.unit.now else "same-ask"
    earlier = Choice("live", T("same-show"), (short(UUID(notice)),), durable=True)
    choices = [Choice("n-again", T("same-again")), earlier]
    return Reply(T(key, at=Near(at, turn.unit.now)), choices)


async def same(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """Only the explicit word sends it again."""
    if given.chosen is not None and given.chosen.code == "n-again":
        return Done()
    return unclear("notice-preview-unclear", given)


# When


def never(answers: Answers) -> bool:
    """A question that is come to by a jump only."""
    return False


async def ask_when(turn: Turn, answers: Answers) -> Reply:
    """Now, at one of the usual moments, or at one that is typed?"""
    now = local(turn.unit.now)
    choices = [Choice("n-now", T("when-now"))]
    today = _at(now, TODAY_AT)
    if today > now:
        choices.append(Choice("n-at", T("when-today", hour=f"{today:%H:%M}"), ("today",)))
    tomorrow = f"{TOMORROW_AT:%H:%M}".lstrip("0")
    choices.append(Choice("n-at", T("when-tomorrow", hour=tomorrow), ("tomorrow",)))
    if send_at(answers) is not None:
        choices.append(KEEP)
    return Reply(T("when-ask", example=_example(turn)), choices)


async def when(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """The moment, not over and not too far."""
    now = local(turn.unit.now)
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("n-now",):
            return Done({"send_at": None})
        case ("n-at", "today") if _at(now, TODAY_AT) > now:
            return _chosen(_at(now, TODAY_AT))
        case ("n-at", "tomorrow"):
            return _chosen(_at(now + timedelta(days=1), TOMORROW_AT))
        case ("n-keep",):
            return Done({KEPT: True})
    if not given.text.strip() or given.files or given.chosen:
        return wordless("not-asked", given)
    if found := _typed(turn, given.text, now):
        return found
    return Problem(T("when-unclear", typed=shown(given.text), example=_example(turn)))


def _typed(turn: Turn, typed: str, now: datetime) -> Done | Problem | None:
    said, example = shown(typed), _example(turn)
    try:
        moment = read_moment(typed, now)
    except NoSuchDay:
        return Problem(T("when-no-day", typed=said, example=example))
    except NoSuchHour:
        return Problem(T("when-no-such-hour", typed=said, example=example))
    except NoHour:
        return Problem(T("when-no-hour", typed=said, example=example))
    except MomentPast as past:
        return Problem(T("when-past", at=Near(past.at, turn.unit.now), example=example))
    except MomentTooFar as far:
        return Problem(T("when-far", at=Near(far.at, turn.unit.now), days=LATEST.days))
    if moment is None:
        return None
    return Done({"send_at": None}) if moment <= now else _chosen(moment)


def _chosen(moment: datetime) -> Done:
    return Done({"send_at": moment.isoformat()})


def _at(day: datetime, hour: time) -> datetime:
    return datetime.combine(day.date(), hour, day.tzinfo)


def _example(turn: Turn) -> str:
    return f"{local(turn.unit.now) + EXAMPLE_AHEAD:%d.%m} 18:00"


def stored(contents: Mapping[Language, Content]) -> dict[Language, dict[str, object]]:
    """What is sent, as the outbox keeps it."""
    return {one: content.to_json() for one, content in contents.items()}
