"""A notice as its readers have it: the letter, the receipt, the list of the newest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from conversation.message import Choice, Content, FileRef, Medium, Reply
from conversation.present import compose
from conversation.router import Routes
from conversation.turn import Tap, Turn
from core.ids import from_short, short
from core.languages import Language
from core.texts import T, Texts, Words
from handlers import home
from handlers.notice_text import within
from rules.notices import NoticeKind
from services import files, notices, receipts, territory
from services.notices import Newest, NoticeText, NoticeView
from services.receipts import Acknowledged, Receipt
from services.unit import Unit

routes = Routes()


def letter(
    office: Words,
    notice: UUID,
    revision: int,
    words: NoticeText,
    kind: NoticeKind = NoticeKind.ANNOUNCEMENT,
    attached: Sequence[FileRef] = (),
    *,
    seen: bool = False,
    corrected: bool = False,
) -> Reply:
    """A notice as its reader sees it; `seen` when it was acknowledged before, `corrected` for
    who had an older version of it."""
    ids = (short(notice), str(revision))
    read = Choice("read", T("notice-read"), ids, durable=True)
    urgent = kind is NoticeKind.URGENT
    return Reply(
        text=words.body,
        heading=_heading(office, kind, corrected=corrected),
        title=words.title,
        choices=() if seen else (read,),
        files=tuple(attached),
        template=(_template(urgent=urgent, corrected=corrected), office, within(words.title)),
        opens=Choice("open", T("template-notice-button"), ids, durable=True),
        screen=False,
    )


def _heading(office: Words, kind: NoticeKind, *, corrected: bool) -> T:
    if corrected:
        return T("notice-heading-corrected", office=office)
    if kind is NoticeKind.ANNOUNCEMENT:
        return T("notice-heading", office=office)
    return T("notice-heading-kind", office=office, kind=T(f"notice-kind-{kind}"))


def _template(*, urgent: bool, corrected: bool) -> str:
    """The approved template that announces it outside WhatsApp's window."""
    if corrected:
        return "correction"
    return "urgent" if urgent else "notice"


def composed(
    texts: Texts,
    office: Words,
    notice: UUID,
    words: Mapping[Language, NoticeText],
    kind: NoticeKind = NoticeKind.ANNOUNCEMENT,
    attached: Sequence[FileRef] = (),
    revision: int = 1,
    *,
    corrected: bool = False,
) -> dict[Language, Content]:
    """The notice for readers of each language; one that exists in a single language is the same
    text with the reader's own buttons."""
    only = next(iter(words.values()))

    def of(language: Language) -> Reply:
        text = words.get(language, only)
        return letter(office, notice, revision, text, kind, attached, corrected=corrected)

    return {language: compose(texts, language, of(language)) for language in Language}


async def file_refs(unit: Unit, ids: Sequence[UUID]) -> tuple[FileRef, ...]:
    """The files as messages carry them, in their order."""
    described = await files.described(unit, ids)
    return tuple(FileRef(one.id, Medium(one.medium), one.mime, one.name) for one in described)


async def contents_of(
    unit: Unit, texts: Texts, found: NoticeView, revision: int, *, corrected: bool = False
) -> dict[Language, Content]:
    """What is sent of this notice, for readers of each language."""
    office = await territory.akim_of(unit.session, found.place_code)
    attached = await file_refs(unit, found.files)
    return composed(
        texts, office, found.id, found.texts, found.kind, attached, revision, corrected=corrected
    )


@routes.choice("read", durable=True)
async def read(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """ "I have read it": durable, counted once however often it is tapped."""
    notice, revision = named(turn, ids)
    known = await notices.acknowledge(turn.unit, notice, turn.address, revision) if notice else None
    if notice is None or known is None:
        turn.toast = T("notice-not-yours")
        return [Reply(T("notice-not-yours"), screen=False)]
    if revision > known.revision:
        return await _shown(turn, notice)
    if revision < known.revision:
        return await _corrected(turn, notice, known.revision)
    return _receipt(turn, ids, known)


@routes.command("read", "оқыдым", "прочитал", "прочитала", "прочитал(а)", beside=True)
async def read_by_word(turn: Turn) -> Sequence[Reply]:
    """The words of the button, typed: of the notice that came last."""
    last = await notices.came_last(turn.unit, turn.address)
    if last is None:
        return [Reply(T("notice-none"), screen=False)]
    return await read(turn, (short(last[0]), str(last[1])))


async def _corrected(turn: Turn, notice: UUID, revision: int) -> Sequence[Reply]:
    """Tapped under an older text: the newest one instead, unless this chat has it."""
    found = await notices.view(turn.unit, notice)
    newest = await notices.take_newest(turn.unit, notice, turn.address)
    if newest is Newest.SHOWN or (found and found.status == "cancelled"):
        turn.toast = T("notice-corrected")
        return await _shown(turn, notice)
    here = newest is Newest.HERE
    turn.toast = T("notice-corrected-here" if here else "notice-corrected-comes")
    again = Choice("open", T("notice-show-new"), (short(notice), str(revision)), durable=True)
    return [Reply(turn.toast, (again,), screen=False, replaces_tapped=True, buttons_only=True)]


@routes.hot("read")
async def read_together(taps: Sequence[Tap]) -> list[Sequence[Reply] | None]:
    """ "I have read it", of many people at once; who taps something else goes alone."""
    asked = [_asked(tap) for tap in taps]
    known = iter(await receipts.acknowledge([one for one in asked if one is not None]))
    found = [one and next(known) for one in asked]
    return [
        _receipt(tap.turn, tap.ids, one)
        if isinstance(one, Acknowledged) and one.revision == int(tap.ids[1])
        else None
        for tap, one in zip(taps, found, strict=True)
    ]


def _asked(tap: Tap) -> Receipt | None:
    try:
        notice, revision = tap.ids
        return Receipt(tap.turn.unit, from_short(notice), tap.turn.address, int(revision))
    except ValueError:
        return None


def _receipt(turn: Turn, ids: tuple[str, ...], known: Acknowledged) -> Sequence[Reply]:
    """A family on one phone hears that the tap stands for all of them."""
    key = "notice-read-receipt" if known.newly else "notice-read-before"
    shared = known.people > 1
    turn.toast = T(f"{key}-family", people=known.people) if shared else T(key)
    return [receipt(turn.toast, ids)]


def receipt(said: T, ids: tuple[str, ...]) -> Reply:
    """The button becomes a tick; where it cannot, the receipt is said."""
    done = Choice("read", T("notice-read-done"), ids, durable=True)
    return Reply(said, (done,), screen=False, replaces_tapped=True, buttons_only=True)


@routes.choice("open", durable=True)
async def open_(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The tap on an announcement outside the window: now the full text may be sent. What waits
    for this chat is said with it."""
    notice, _ = named(turn, ids)
    if notice is None or not await notices.addressed_to(turn.unit, notice, turn.address):
        return [Reply(T("notice-not-yours"), screen=False)]
    await notices.take_newest(turn.unit, notice, turn.address, in_hand=True)
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
    """The notice as it stands now."""
    found = await notices.view(turn.unit, notice)
    if found is None:
        return [Reply(T("notice-not-yours"), screen=False)]
    office = await territory.akim_of(turn.unit.session, found.place_code)
    attached = await file_refs(turn.unit, found.files)
    shown = letter(
        office,
        found.id,
        found.revision,
        found.text(turn.said),
        found.kind,
        attached,
        corrected=await notices.had_older(turn.unit, notice, turn.address, turn.speaker),
    )
    if found.status == "cancelled":
        shown = replace(shown.saying(T("notice-cancelled-line")), choices=())
    return [replace(shown, offers=True)]


def named(turn: Turn, ids: tuple[str, ...]) -> tuple[UUID | None, int]:
    """The notice and revision of a button; one that none of ours carries is noted."""
    try:
        notice, revision = ids
        return from_short(notice), int(revision)
    except ValueError:
        turn.unit.audit("tap-refused", turn.address)
        return None, 0
