"""Drafts: notices that their author has put aside; each one's own, sealed, ninety days long."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select

from models.delivery import Draft
from services import files
from services.unit import Unit

ANSWERS = "draft.answers"
MOST_DRAFTS = 20
KEPT = timedelta(days=90)  # since it was last opened or saved


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft, opened: the form as it was left."""

    id: UUID
    form: str
    version: int
    step: str
    answers: dict[str, Any]
    saved_at: datetime


async def save(
    unit: Unit, draft: UUID, form: str, version: int, step: str, answers: dict[str, Any]
) -> bool:
    """Keeps the form as the actor has left it, in place of an earlier state of the same draft;
    False when there are twenty already, or it is somebody else's (noted)."""
    if unit.actor is None:
        return False
    found = await unit.session.get(Draft, draft, with_for_update=True)
    if found is not None and found.author_id != unit.actor:
        unit.audit("tap-refused", draft)
        return False
    if found is None and await count(unit, unit.actor) >= MOST_DRAFTS:
        return False
    kept = {"version": version, "step": step, "answers": answers}
    sealed = unit.keyring.seal(ANSWERS, draft, json.dumps(kept, ensure_ascii=False))
    if found is None:
        found = Draft(id=draft, author_id=unit.actor, form=form, answers=sealed, saved_at=unit.now)
        unit.session.add(found)
    found.form, found.answers, found.saved_at = form, sealed, unit.now
    await unit.session.flush()
    return True


async def count(unit: Unit, author: UUID | None) -> int:
    """How many drafts this person has."""
    if author is None:
        return 0
    return (
        await unit.session.scalar(
            select(func.count()).select_from(Draft).where(Draft.author_id == author)
        )
        or 0
    )


async def listed(unit: Unit) -> list[DraftView]:
    """The actor's drafts, the newest first."""
    found = await unit.session.scalars(
        select(Draft).where(Draft.author_id == unit.actor).order_by(Draft.saved_at.desc(), Draft.id)
    )
    return [_view(unit, one) for one in found]


async def view(unit: Unit, draft: UUID) -> DraftView | None:
    """The actor's draft; None when there is none such, or it is somebody else's (noted)."""
    found = await unit.session.get(Draft, draft)
    if found is None:
        return None
    if found.author_id != unit.actor:
        unit.audit("tap-refused", draft)
        return None
    return _view(unit, found)


async def drop(unit: Unit, draft: UUID, *, sent: bool = False) -> None:
    """Deletes the actor's draft; its files with it unless it was `sent`."""
    found = await view(unit, draft)
    if found is None:
        return
    await unit.session.execute(delete(Draft).where(Draft.id == draft))
    if not sent:
        await files.forget_unsent(unit, _files(found))


async def forget(unit: Unit, author: UUID) -> None:
    """Deletes all drafts of a person whose data are deleted, with their files."""
    await _drop_all(unit, Draft.author_id == author)


async def tidy(unit: Unit) -> None:
    """Deletes drafts that nobody has touched for ninety days."""
    await _drop_all(unit, Draft.saved_at < unit.now - KEPT)


async def _drop_all(unit: Unit, which: Any) -> None:
    found = await unit.session.scalars(select(Draft).where(which).with_for_update())
    opened = [_view(unit, one) for one in found]
    await unit.session.execute(delete(Draft).where(Draft.id.in_([one.id for one in opened])))
    await files.forget_unsent(unit, [file for one in opened for file in _files(one)])


def _files(draft: DraftView) -> list[UUID]:
    return [UUID(file) for file in draft.answers.get("files", [])]


def _view(unit: Unit, found: Draft) -> DraftView:
    kept = json.loads(unit.keyring.open(ANSWERS, found.id, found.answers))
    return DraftView(
        found.id, found.form, kept["version"], kept["step"], kept["answers"], found.saved_at
    )
