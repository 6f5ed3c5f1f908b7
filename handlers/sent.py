"""What an office has sent: how it goes, live; pause, resume, cancel, another moment; the report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.turn import Turn
from core.clock import local, local_date
from core.ids import from_short, short
from core.outcomes import Outcome
from core.texts import Joined, Named, Near, T, Words
from handlers import family, home, notice_files
from handlers.notice_audience import line_to, where
from handlers.notice_text import listed, within
from handlers.roles import name_of
from handlers.telling import tell
from models.territory import Place
from services import (
    appointments,
    live,
    notice_changes,
    notice_report,
    notices,
    roles,
    territory,
)
from services.notices import NoticeView, Progress
from services.roles import Power, RoleName, RoleView
from services.unit import Refused

routes = Routes()

LISTED = 30


# The list


@routes.command("sent", "жіберілген хабарлар", "жіберілгендер", "отправленные")
async def sent(turn: Turn) -> Sequence[Reply]:
    """The newest notices of the speaker's office, or of those that a supervisor looks after."""
    standing = await roles.standing(turn.unit, turn.speaker)
    places: set[str] = set()
    for view in standing:
        if view.role in roles.MAY_SEE_NOTICES:
            places |= set(await territory.codes_inside(turn.unit.session, view.place_code))
    if not places:
        await roles.require(turn.unit, turn.speaker, roles.MAY_SEE_NOTICES, "")
    found = await notices.of_offices(turn.unit, places, LISTED)
    if not found:
        return await home.menu_saying(turn, T("sent-none"))
    villages = {
        code: await territory.settlements(turn.unit.session, code)
        for code in {one.place_code for one in found}
    }
    choices = [_entry(one, villages[one.place_code]) for one in found]
    return [Reply(T("sent-list"), choices, title=T("menu-sent"), nav=(home.MENU,))]


@routes.choice("sent")
async def sent_chosen(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The list, from the menu."""
    return await sent(turn)


def _entry(notice: NoticeView, villages: Sequence[Place]) -> Choice:
    """When, what, how it stands, and to which villages, where not to all."""
    to = where(villages, notice.audience)
    about = Joined([_when(notice), to], "; ") if to else _when(notice)
    label = Joined([_day(notice), listed(notice.title)], " · ")
    return Choice("live", label, (short(notice.id),), about, durable=True)


def _day(notice: NoticeView) -> str:
    return f"{local(notice.send_at or notice.created_at):%d.%m}"


def _when(notice: NoticeView) -> T:
    at = local(notice.send_at or notice.created_at)
    return T(f"sent-status-{notice.status}", at=f"{at:%d.%m %H:%M}")


# One of them


@routes.choice("live", durable=True)
async def shown(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """How far it has come: on request."""
    card, *older = await _card(turn, notice_of(turn, ids))
    return [replace(card, replaces_tapped=True), *older]


@routes.choice("n-pause", durable=True)
async def pause(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Holds what has not gone out."""
    if asked := await family.who(turn, "pause", ids):
        return asked
    notice = notice_of(turn, ids)
    done = await notice_changes.pause(turn.unit, notice)
    if done:
        await tell_akims(turn, notice, "clerk-paused")
    return await _said(turn, notice, T("sent-paused" if done else "sent-too-late"))


family.remember("pause", pause)


@routes.choice("n-resume", durable=True)
async def resume(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Goes on where it was held."""
    if asked := await family.who(turn, "go-on", ids):
        return asked
    notice = notice_of(turn, ids)
    done = await notice_changes.resume(turn.unit, notice)
    if done:
        await tell_akims(turn, notice, "clerk-resumed")
    return await _said(turn, notice, T("sent-resumed" if done else "sent-too-late"))


family.remember("go-on", resume)


@routes.choice("n-cancel", durable=True)
async def ask_cancel(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Says what cancelling can still do, and asks."""
    if asked := await family.who(turn, "cancel", ids):
        return asked
    notice = notice_of(turn, ids)
    found = await notices.changed_by(turn.unit, notice, turn.speaker)
    counts = await notices.progress(await turn.unit.connection(), notice)
    older = await notices.uncorrected(await turn.unit.connection(), notice)
    had = counts.sent + counts.announced
    left = counts.total - had - older if found.queued_at else 0
    key = "sent-cancel-ask" if found.queued_at else "sent-cancel-ask-scheduled"
    key = "sent-cancel-ask-older" if older else key
    choices = [
        Choice("n-cancel-yes", T("sent-cancel-yes"), (short(notice),)),
        Choice("live", T("sent-cancel-no"), (short(notice),)),
    ]
    question = T(key, had=had, older=older, left=left)
    return [Reply(question, choices)]


family.remember("cancel", ask_cancel)


@routes.choice("n-cancel-yes")
async def cancel(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Whoever has not got it does not get it."""
    if asked := await family.who(turn, "cancel", ids):
        return asked
    notice = notice_of(turn, ids)
    done = await notice_changes.cancel(turn.unit, notice)
    if done:
        await tell_akims(turn, notice, "clerk-cancelled")
    return await _said(turn, notice, T("sent-cancelled" if done else "sent-too-late"))


@routes.choice("n-report", durable=True)
async def report(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The outcome per resident, as a file that comes in a moment."""
    if asked := await family.who(turn, "report", ids):
        return asked
    notice = notice_of(turn, ids)
    await notice_report.ask(turn.unit, notice, turn.address)
    turn.toast = T("sent-report-coming")
    return [Reply(T("sent-report-coming"), screen=False)]


family.remember("report", report)


async def card_saying(turn: Turn, notice: UUID, receipt: T) -> Sequence[Reply]:
    """How the notice goes, with what has just happened before it."""
    card, *older = await _card(turn, notice)
    return [card.saying(receipt), *older]


async def _said(turn: Turn, notice: UUID, receipt: T) -> Sequence[Reply]:
    turn.toast = receipt
    card, *older = await card_saying(turn, notice, receipt)
    return [replace(card, replaces_tapped=True), *older]


async def _card(turn: Turn, notice: UUID) -> list[Reply]:
    """The card that is shown last is the live one: what the clock renews is what is looked at. The
    one before, where a message can be edited, says so and counts no more."""
    delivery = turn.unit.new_id()
    await turn.unit.session.flush()
    before = await live.moved(turn.unit, notice, turn.address, delivery)
    card = await announced_reply(turn, notice, delivery)
    tapped = turn.incoming.tapped_message
    if before is None or before.platform_id == tapped or notice_files.is_whatsapp(turn):
        return [card]
    older = Reply(T("live-elsewhere"), [live_button(notice)], title=card.title, screen=False)
    return [card, replace(older, replaces=before.delivery)]


async def _role_at(turn: Turn, place_code: str) -> RoleView:
    return await roles.require(turn.unit, turn.speaker, roles.MAY_SEE_NOTICES, place_code)


def notice_of(turn: Turn, ids: tuple[str, ...]) -> UUID:
    """The notice of a button. Raises Refused, and notes it, for one that none of ours carries."""
    try:
        return from_short(ids[0])
    except (ValueError, IndexError):
        turn.unit.audit("tap-refused", turn.address)
        raise Refused("refused-role") from None


# What the akim hears of


async def tell_akims(turn: Turn, notice: UUID, key: str, *, later: str | None = None) -> None:
    """What a clerk did with a notice of the office is told to its akims, with the way to the card;
    what an akim of it did is told to nobody. `later`: said before its moment."""
    found = await notices.view(turn.unit, notice)
    if found is None:
        return
    office = await appointments.everybody(turn.unit, [found.place_code])
    akims = [one.resident for one in office if one.view.role is RoleName.AKIM]
    clerk = next((one for one in office if one.resident == turn.speaker), None)
    if clerk is None or turn.speaker in akims:
        return
    at = found.send_at or turn.unit.now
    key = later if later and at > turn.unit.now else key
    title = Named(within(found.title.kk), within(found.title.ru))
    said = T(key, title=title, clerk=name_of(clerk), at=Near(at, turn.unit.now))
    for akim in akims:
        await tell(turn.unit, akim, Reply(said, (live_button(notice),), screen=False))


# The card


def card(
    notice: NoticeView,
    counts: Progress,
    now: datetime,
    to: Sequence[Words],
    role: RoleView,
    delivery: UUID | None = None,
) -> Reply:
    """What its office sees of a notice: what is sent, read, not reached and why, how long it
    still takes, and what can be done. `to`: the villages, where not all. `role`: of whoever
    looks."""
    lines = [*to, *_state_lines(notice, counts, now), *_left(notice, counts, now)]
    return Reply(
        text=Joined(lines),
        title=notice.title,
        choices=_actions(notice, counts, role),
        nav=(home.MENU,),
        screen=False,
        offers=True,
        delivery=delivery,
    )


def _state_lines(notice: NoticeView, counts: Progress, now: datetime) -> list[Words]:
    if notice.queued_at is None:
        corrected = notice.revision > 1 and notice.status != "cancelled"
        over = [T("live-corrected-over", revision=notice.revision)] if corrected else []
        return [_before(notice, now), *over]
    done = counts.sent + counts.announced
    key = {"paused": "live-paused", "cancelled": "live-cancelled"}.get(notice.status)
    key = key or ("live-finished" if counts.finished else "live-sending")
    lines: list[Words] = [T(key, done=done, total=counts.total)]
    if notice.revision > 1:
        going = notice.status == "sending" and not counts.finished and not _morning(counts, now)
        how = "-paused" if notice.status == "paused" else "" if going else "-over"
        said = T(f"live-corrected{how}" if how else "live-corrected", revision=notice.revision)
        lines.append(said)
    if counts.older:
        lines.append(T("live-older", people=counts.older))
    if counts.delivered:
        lines.append(T("live-delivered", delivered=counts.delivered, read=counts.read))
    if counts.announced:
        lines.append(T("live-announced", people=counts.announced))
    percent = round(100 * counts.acknowledged / counts.total) if counts.total else 0
    lines.append(T("live-read", people=counts.acknowledged, percent=percent))
    if counts.shared:
        lines.append(T("live-shared", people=counts.shared))
    for why, people in sorted(counts.waiting.items()):
        lines += _waiting(why, people, counts, now)
    lines += _failed("live-failed", counts.failed) + _failed("live-in-part", counts.in_part)
    if counts.muted:
        lines.append(T("live-muted", people=counts.muted))
    return lines


def _failed(key: str, failed: Mapping[str, int]) -> list[Words]:
    """How many, and why."""
    reasons = [T(f"outcome-{why}", people=people) for why, people in sorted(failed.items())]
    return [T(key, people=sum(failed.values()), why=Joined(reasons, "; "))] if failed else []


def _before(notice: NoticeView, now: datetime) -> T:
    if notice.status == "cancelled":
        return T("live-cancelled-before")
    if notice.status == "paused":
        return T("live-held")
    if notice.send_at is None or notice.send_at <= now:
        return T("live-files" if notice.files else "live-begins")
    return T("live-scheduled", at=Near(notice.send_at, now))


def _waiting(why: str, people: int, counts: Progress, now: datetime) -> list[Words]:
    if why == Outcome.QUIET_HOURS:  # in the morning it is on its way like the rest
        morning = _morning(counts, now)
        return [T("live-quiet", people=people, at=Near(morning, now))] if morning else []
    if why != Outcome.DAILY_LIMIT or counts.last_due is None:
        return [T("live-waiting", people=people)]
    return [T("live-tomorrow", people=people, at=Near(local_date(max(counts.last_due, now)), now))]


def _morning(counts: Progress, now: datetime) -> datetime | None:
    """When it goes on, while it waits for the morning."""
    at = counts.quiet_until
    return at if at is not None and at > now else None


def _left(notice: NoticeView, counts: Progress, now: datetime) -> list[Words]:
    seconds = counts.seconds_left
    if notice.status != "sending" or not seconds or _morning(counts, now):
        return []
    if seconds < 100:
        return [T("live-left", seconds=seconds)]
    return [T("live-left-minutes", minutes=round(seconds / 60))]


def live_button(notice: UUID) -> Choice:
    """Shows how it goes now."""
    return Choice("live", T("live-show"), (short(notice),), durable=True)


def _actions(notice: NoticeView, counts: Progress, role: RoleView) -> list[Choice]:
    ids = (short(notice.id),)
    may_change = _of_its_office(role, notice, Power.CORRECT)
    may_report = _of_its_office(role, notice, Power.REPORT)
    under_way = notice.status == "scheduled" or (
        notice.status in ("sending", "finished") and counts.unsettled > 0
    )
    actions = [live_button(notice.id)]
    if may_change and under_way:
        actions.append(Choice("n-pause", T("sent-pause"), ids, durable=True))
    if may_change and notice.status == "paused":
        actions.append(Choice("n-resume", T("sent-resume"), ids, durable=True))
    if may_change and has_moment(notice):
        actions.append(Choice("n-when", T("sent-when"), ids, durable=True))
    if may_change and notice.status != "cancelled":
        actions.append(Choice("n-correct", T("sent-correct"), ids, durable=True))
    if may_change and (under_way or notice.status == "paused"):
        actions.append(Choice("n-cancel", T("sent-cancel"), ids, durable=True))
    if may_report and notice.queued_at and notice_report.has_names(notice.place_code):
        actions.append(Choice("n-report", T("sent-report"), ids, durable=True))
    return actions


def has_moment(notice: NoticeView) -> bool:
    """Can another moment be chosen? Not once it has begun or is over."""
    return notice.queued_at is None and notice.status in ("scheduled", "paused")


def _of_its_office(role: RoleView, notice: NoticeView, power: Power) -> bool:
    """The office whose notice it is changes it and sees names, and nobody above it."""
    own = role.place_code == notice.place_code
    return own and role.role in roles.MAY_SEND_NOTICES and role.may(power)


async def announced_reply(turn: Turn, notice: UUID, delivery: UUID) -> Reply:
    """The card as the speaker may see it, carried by this delivery: after "send" the live message,
    or when it will be sent."""
    found = await notices.seen_by_office(turn.unit, notice, turn.speaker)
    counts = await notices.progress(await turn.unit.connection(), notice)
    role = await _role_at(turn, found.place_code)
    to = await line_to(turn.unit, found.place_code, found.audience)
    shown = card(found, counts, turn.unit.now, to, role, delivery=delivery)
    # A question of before ("cancel?") is over, unless it is one of a form, which goes on beside.
    return replace(shown, screen=turn.state.form is None)
