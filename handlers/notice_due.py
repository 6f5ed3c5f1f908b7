"""What the clock does for notices: sends the scheduled, turns to the silent, makes reports."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from conversation.message import ChannelName, Content, FileRef, Medium, Reply
from conversation.present import compose
from core.clock import local
from core.languages import Language
from core.texts import Named, T, Words, texts
from documents import tables
from handlers.notice import contents_of
from handlers.sent import live_button
from services import (
    appointments,
    due,
    files,
    installation,
    notice_changes,
    notice_report,
    notices,
    outbox,
    roles,
    second_messenger,
    territory,
)
from services.due import DueRow
from services.installation import AddressView
from services.notice_report import ReportRow
from services.notices import NoticeView, Readiness
from services.roles import RoleName
from services.unit import Refused, Unit

FILES_PAUSE = timedelta(seconds=2)  # between looks whether a notice's files are here
REPORT_KEPT = timedelta(hours=48)  # as long as the link to it lives (services.files)
_COLUMNS = ("name", "village", "messenger", "outcome", "sent", "delivered", "read", "receipt",
            "shared")  # fmt: skip


async def send(unit: Unit, row: DueRow) -> None:
    """A scheduled notice whose moment has come: out to everybody, once."""
    match await notices.readiness(unit, row.object_id):
        case Readiness.READY:
            await _queue(unit, row.object_id)
        case Readiness.EARLY:
            await _until_its_moment(unit, row)
        case Readiness.FILES_AWAITED:
            await _again(unit, row, FILES_PAUSE)
        case Readiness.FILES_FAILED:
            await notice_changes.hold(unit, row.object_id)
            await _tell_author(unit, row.object_id, "sent-file-failed")
        case Readiness.ROLE_ENDED:
            await notice_changes.withdraw(unit, row.object_id, "role-ended")
            await _tell_author(unit, row.object_id, "sent-role-ended")
            await _tell_akims(unit, row.object_id, "sent-role-ended-office")


async def to_the_silent(unit: Unit, row: DueRow) -> None:
    """Who has not read it by now gets it on the other messenger as well; of very many people so
    many at a time, each portion a row of its own."""
    portions = 1 if row.details else await second_messenger.portions(unit, row.object_id)
    if portions == 1:
        await second_messenger.for_the_silent(unit, row.object_id, **row.details)
        return
    for part in range(portions):
        details = {"part": part, "of": portions}
        key = f"{row.kind}:{row.id}:{part}"
        await due.plan(unit, unit.now, row.kind, row.object_id, key=key, details=details)


async def settle(unit: Unit, row: DueRow) -> None:
    """What was in a process' hands when the notice was paused or cancelled."""
    if await notice_changes.settle(unit, row.object_id):
        await _again(unit, row, outbox.LEASE)


async def report(unit: Unit, row: DueRow) -> None:
    """The outcome per resident, as a file to whoever asked: CSV, on WhatsApp XLSX, because
    Twilio takes no CSV there (guidance-whatsapp-media-messages)."""
    found = await notices.view(unit, row.object_id)
    target = await installation.address_view(unit, UUID(row.details["address"]))
    if found is None or target is None:
        return
    try:
        listed = await notice_report.rows(unit, row.object_id, UUID(row.details["resident"]))
    except Refused:
        return  # the role ended meanwhile; the attempt is in the trail
    language = target.language
    name = texts().say(language, T("report-file", at=f"{local(unit.now):%Y-%m-%d %H-%M}"))
    as_csv = target.channel == ChannelName.TELEGRAM
    make, mime, end = (
        (tables.csv_bytes, tables.CSV_MIME, "csv")
        if as_csv
        else (tables.xlsx_bytes, tables.XLSX_MIME, "xlsx")
    )
    content = await _table(unit, listed, language, make)
    kept = await files.keep(unit, Medium.DOCUMENT.value, mime, f"{name}.{end}", content)
    await due.plan(unit, unit.now + REPORT_KEPT, notice_report.FORGET_DUE, kept)
    sent = FileRef(kept, Medium.DOCUMENT, mime, f"{name}.{end}")
    said = Reply(T("report-here", title=found.title), files=(sent,), screen=False)
    composed = compose(texts(), language, said)
    await outbox.enqueue(
        unit, target.id, target.account, language, composed.to_json(), outbox.REPLY
    )


async def forget_file(unit: Unit, row: DueRow) -> None:
    """A report names people: its file goes when its link is over."""
    await files.forget(unit, row.object_id)


async def _table(
    unit: Unit,
    listed: Sequence[ReportRow],
    language: Language,
    make: Callable[[Sequence[str], Sequence[Sequence[str]]], bytes],
) -> bytes:
    places = {one.place_code for one in listed if one.place_code}
    named: dict[str | None, Named] = {
        code: territory.name_of(await territory.get_place(unit.session, code)).full
        for code in places
    }

    def say(words: Words) -> str:
        return texts().say(language, words)

    header = [say(T(f"report-{column}")) for column in _COLUMNS]
    rows = [
        [
            one.name or say(T("report-deleted")),
            say(named[one.place_code]) if one.place_code else "",
            say(T(f"messenger-{one.channel}")) if one.channel else "",
            say(_outcome(one.state)),
            *map(_moment, (one.sent_at, one.delivered_at, one.read_at, one.acknowledged_at)),
            say(T("report-shared-yes")) if one.shared else "",
        ]
        for one in listed
    ]
    return make(header, rows)


def _outcome(state: str) -> T:
    word, _, why = state.partition(":")
    return T(f"state-{why or word}")


def _moment(moment: datetime | None) -> str:
    return f"{local(moment):%d.%m.%Y %H:%M}" if moment else ""


async def _queue(unit: Unit, notice: UUID) -> None:
    found = await notices.view(unit, notice)
    if found is None:
        return
    contents = await contents_of(unit, texts(), found, found.revision)
    await notices.queue(unit, notice, _stored(contents))


def _stored(contents: dict[Language, Content]) -> dict[Language, dict[str, object]]:
    return {language: content.to_json() for language, content in contents.items()}


async def _until_its_moment(unit: Unit, row: DueRow) -> None:
    found = await notices.view(unit, row.object_id)
    if found is not None and found.send_at is not None:
        await due.put_off(unit, row, found.send_at)


async def _again(unit: Unit, row: DueRow, pause: timedelta) -> None:
    await due.put_off(unit, row, unit.now + pause)


async def _tell_author(unit: Unit, notice: UUID, key: str) -> None:
    found = await notices.view(unit, notice)
    if found is not None:
        await _tell(unit, await installation.address_view(unit, found.author_address), found, key)


async def _tell_akims(unit: Unit, notice: UUID, key: str) -> None:
    """Those of the office whose notice it is, unless they wrote it: it is theirs to do now."""
    found = await notices.view(unit, notice)
    if found is None:
        return
    author = await roles.same_person(unit, found.author)
    for one in await appointments.everybody(unit, [found.place_code]):
        if one.view.role is RoleName.AKIM and one.resident != author:
            await _tell(unit, await installation.address_of(unit, one.resident), found, key)


async def _tell(unit: Unit, target: AddressView | None, found: NoticeView, key: str) -> None:
    if target is None:
        return
    content = compose(texts(), target.language, _told(found, key))
    await outbox.enqueue(
        unit, target.id, target.account, target.language, content.to_json(), outbox.REPLY
    )


def _told(found: NoticeView, key: str) -> Reply:
    return Reply(T(key, title=found.title), (live_button(found.id),), screen=False)


DUE = {
    notices.SEND_DUE: send,
    notices.SILENT_DUE: to_the_silent,
    notice_changes.SETTLE_DUE: settle,
    notice_report.REPORT_DUE: report,
    notice_report.FORGET_DUE: forget_file,
}
