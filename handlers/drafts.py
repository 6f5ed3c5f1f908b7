"""Drafts: notices that were put aside; each opens where it was left, or is deleted."""

from collections.abc import Sequence
from uuid import UUID

from conversation import forms
from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.state import FormState
from conversation.turn import Turn
from core.ids import from_short, short
from core.languages import Language
from core.texts import Joined, Named, Near, T, Words
from handlers import broadcast, family, home
from handlers.notice_preview import written
from handlers.notice_text import listed as in_list
from services import drafts
from services.drafts import DraftView

routes = Routes()

SHOWN_BODY = 200  # characters of a draft's text on its card


@routes.command("drafts", "жобалар", "жоба", "черновики", "черновик")
async def listed(turn: Turn) -> Sequence[Reply]:
    """The speaker's own, the newest first."""
    if asked := await family.who(turn, "drafts"):
        return asked
    found = await drafts.listed(turn.unit)
    if not found:
        return await home.menu_saying(turn, T("drafts-none"))
    return [
        Reply(
            T("drafts-list"),
            [_entry(turn, one) for one in found],
            title=T("menu-drafts"),
            nav=(home.MENU,),
            listing=home.DRAFTS,
        )
    ]


@routes.choice("drafts")
async def listed_chosen(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The list, from the menu."""
    forms.park(turn)
    return await listed(turn)


family.remember("drafts", listed_chosen)


def _entry(turn: Turn, draft: DraftView) -> Choice:
    saved = T("draft-saved", at=Near(draft.saved_at, turn.unit.now))
    title = broadcast.title_of(draft.answers)
    label = in_list(title) if isinstance(title, Named) else title
    return Choice("draft", label, (short(draft.id),), saved)


@routes.choice("draft")
async def shown(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """One of them: what it says, and what can be done."""
    if asked := await family.who(turn, "draft", ids):
        return asked
    draft = await drafts.view(turn.unit, _id(ids))
    if draft is None:
        return await home.menu_saying(turn, T("draft-gone"))
    beginning = _beginning(draft, turn.said)
    lines: list[Words] = [beginning] if beginning else []
    lines.append(T("draft-saved", at=Near(draft.saved_at, turn.unit.now)))
    choices = [
        Choice("draft-open", T("menu-resume"), (short(draft.id),)),
        Choice("draft-drop", T("leave-drop"), (short(draft.id),)),
        Choice("drafts", T("menu-drafts")),
    ]
    title = broadcast.title_of(draft.answers)
    return [Reply(Joined(lines, "\n\n"), choices, title=title, nav=(home.MENU,))]


family.remember("draft", shown)


def _beginning(draft: DraftView, language: Language) -> str:
    texts = written(draft.answers)
    text = texts.get(language) or texts.get(language.other)
    body = text.body if text else ""
    return body if len(body) <= SHOWN_BODY else f"{body[:SHOWN_BODY].rstrip()}…"


@routes.choice("draft-open")
async def opened(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Goes on where it was left; a notice that waits is put aside first."""
    if asked := await family.who(turn, "draft", ids):
        return asked
    draft = await drafts.view(turn.unit, _id(ids))
    if draft is None:
        return await home.menu_saying(turn, T("draft-gone"))
    forms.park(turn)
    waits = forms.waiting(turn, broadcast.FORM)
    again = waits is not None and waits.answers.get("draft") == str(draft.id)
    if waits is not None and again:
        return await forms.take_up(turn, broadcast.FORM, waits)
    if not await broadcast.put_aside(turn):
        return await home.menu_saying(turn, T("drafts-full", most=drafts.MOST_DRAFTS))
    state = FormState(
        draft.form, draft.version, draft.step, dict(draft.answers), owner=turn.speaker
    )
    replies = await forms.take_up(turn, broadcast.FORM, state)
    if waits is None or not broadcast.worth_keeping(waits.answers):
        return replies
    return [*replies[:-1], replies[-1].saying(T("draft-aside"))]


@routes.choice("draft-drop")
async def dropped(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Deletes it."""
    if asked := await family.who(turn, "draft", ids):
        return asked
    draft = await drafts.view(turn.unit, _id(ids))
    if draft is None:
        return await home.menu_saying(turn, T("draft-gone"))
    await drafts.drop(turn.unit, draft.id)
    return await home.menu_saying(turn, T("draft-dropped", title=broadcast.title_of(draft.answers)))


def _id(ids: tuple[str, ...]) -> UUID:
    """The draft of a button; the nil id, which none has, for one that none of ours carries."""
    try:
        return from_short(ids[0])
    except (ValueError, IndexError):
        return UUID(int=0)
