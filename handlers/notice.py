"""A notice: read and acknowledged by residents, written and sent by akims, seen while it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from conversation.message import Choice, Content, Reply
from conversation.present import compose
from conversation.router import Routes
from conversation.turn import Turn
from core.ids import from_short, short
from core.languages import Language
from core.texts import Joined, T, Texts, Words
from handlers import home
from services import notices, territory
from services.notices import NoticeText, NoticeView, Progress

routes = Routes()


def letter(
    office: Words, notice: UUID, revision: int, words: NoticeText, *, seen: bool = False
) -> Reply:
    """A notice as its reader sees it; `seen` when it was acknowledged before."""
    ids = (short(notice), str(revision))
    read = Choice("read", T("notice-read"), ids, durable=True)
    return Reply(
        text=words.body,
        heading=T("notice-heading", office=office),
        title=words.title,
        choices=() if seen else (read,),
        template=("notice", office, words.title),
        opens=Choice("open", T("template-notice-button"), ids, durable=True),
        screen=False,
    )


def composed(
    texts: Texts, office: Words, notice: UUID, words: Mapping[Language, NoticeText]
) -> dict[Language, Content]:
    """The notice for readers of each language; one that exists in a single language is the same
    text with the reader's own buttons."""
    only = next(iter(words.values()))
    return {
        language: compose(texts, language, letter(office, notice, 1, words.get(language, only)))
        for language in Language
    }


@routes.choice("read", durable=True)
async def read(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """ "I have read it": durable, counted once however often it is tapped."""
    notice, revision = _named(turn, ids)
    known = await notices.acknowledge(turn.unit, notice, turn.address) if notice else None
    if notice is None or known is None:
        turn.toast = T("notice-not-yours")
        return [Reply(T("notice-not-yours"), screen=False)]
    current, newly = known
    if revision != current:
        turn.toast = T("notice-corrected")
        return await _shown(turn, notice)
    turn.toast = T("notice-read-receipt" if newly else "notice-read-before")
    done = Choice("read", T("notice-read-done"), ids, durable=True)
    return [Reply(turn.toast, (done,), screen=False, replaces_tapped=True, buttons_only=True)]


@routes.choice("open", durable=True)
async def open_(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The tap on an announcement outside the window: now the full text may be sent."""
    notice, _ = _named(turn, ids)
    if notice is None or not await notices.addressed_to(turn.unit, notice, turn.address):
        return [Reply(T("notice-not-yours"), screen=False)]
    await notices.shown_in_full(turn.unit, notice, turn.address)
    return await _shown(turn, notice)


@routes.command("notices", "хабарлар", "сообщения", "новости", "жаңалықтар")
async def latest(turn: Turn) -> Sequence[Reply]:
    """The newest notices that were for the speaker."""
    found = await notices.latest(turn.unit, turn.speaker) if turn.speaker else []
    if not found:
        return await home.menu_saying(turn, T("notice-none"))
    choices = [
        Choice("open", notice.text(turn.said).title, (short(notice.id), str(notice.revision)))
        for notice in found
    ]
    return [Reply(T("notice-list"), choices, title=T("menu-notices"), nav=(home.MENU,))]


@routes.choice("notices")
async def latest_chosen(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The newest notices, from the menu."""
    return await latest(turn)


async def _shown(turn: Turn, notice: UUID) -> Sequence[Reply]:
    found = await notices.view(turn.unit, notice)
    if found is None:
        return [Reply(T("notice-not-yours"), screen=False)]
    return [await _letter_of(turn, found)]


async def _letter_of(turn: Turn, found: NoticeView) -> Reply:
    office = await territory.akim_of(turn.unit.session, found.place_code)
    return letter(office, found.id, found.revision, found.text(turn.said))


def _named(turn: Turn, ids: tuple[str, ...]) -> tuple[UUID | None, int]:
    """The notice and revision of a button; one that none of ours carries is noted."""
    try:
        notice, revision = ids
        return from_short(notice), int(revision)
    except ValueError:
        turn.unit.audit("tap-refused", turn.address)
        return None, 0


# What the author sees while it goes out


@routes.choice("live", durable=True)
async def live(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """How far the newest notice of the author has come: on request."""
    mine = await notices.latest_by(turn.unit, turn.speaker, limit=1) if turn.speaker else []
    if not mine:
        return await home.menu_saying(turn, T("live-none"))
    counts = await notices.progress(await turn.unit.connection(), mine[0].id)
    return [replace(live_reply(mine[0].id, counts), replaces_tapped=True)]


def live_reply(
    notice: UUID, counts: Progress, seconds_left: int | None = None, delivery: UUID | None = None
) -> Reply:
    """The live message: what is sent, read, not reached and why, how long it still takes."""
    return Reply(
        text=Joined([*_live_lines(counts), *_live_left(counts, seconds_left)]),
        choices=(Choice("live", T("live-show"), (short(notice),), durable=True),),
        nav=(home.MENU,),
        screen=False,
        delivery=delivery,
    )


def _live_lines(counts: Progress) -> list[T]:
    done = counts.sent + counts.announced
    key = "live-finished" if counts.finished else "live-sending"
    lines = [T(key, done=done, total=counts.total)]
    if counts.announced:
        lines.append(T("live-announced", people=counts.announced))
    percent = round(100 * counts.acknowledged / counts.total) if counts.total else 0
    lines.append(T("live-read", people=counts.acknowledged, percent=percent))
    lines += [_waiting_line(why, people) for why, people in sorted(counts.waiting.items())]
    failed = sum(counts.failed.values())
    if failed:
        reasons = [T(f"outcome-{why}", people=n) for why, n in sorted(counts.failed.items())]
        lines.append(T("live-failed", people=failed, why=Joined(reasons, "; ")))
    return lines


def _waiting_line(why: str, people: int) -> T:
    key = "live-tomorrow" if why == "daily-limit" else "live-waiting"
    return T(key, people=people)


def _live_left(counts: Progress, seconds: int | None) -> list[T]:
    if counts.finished or not seconds:
        return []
    if seconds < 100:
        return [T("live-left", seconds=seconds)]
    return [T("live-left-minutes", minutes=round(seconds / 60))]
