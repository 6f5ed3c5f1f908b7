"""The memory of Content resources: found by slot; of two made at once the first is kept."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from core.ids import new_id
from core.languages import Language
from models.content_templates import ContentTemplate

NEW = "new"  # made at Twilio; not yet submitted for approval, which only templates need
NOT_MADE = ""  # in place of a resource: Twilio refused to make it; the status is its code


@dataclass(frozen=True, slots=True)
class Slot:
    """What a resource is for."""

    account: UUID
    kind: str  # "session", or the kind of template
    language: Language
    shape: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """A resource that exists at Twilio, or (NOT_MADE) that it refused to make."""

    sid: str
    status: str
    checked_at: datetime | None


async def find(session: AsyncSession, slot: Slot) -> Remembered | None:
    """The resource for this slot, if one was made."""
    row = (await session.execute(select(ContentTemplate).where(_is(slot)))).scalar_one_or_none()
    return Remembered(row.sid, row.status, row.checked_at) if row else None


async def remember(session: AsyncSession, slot: Slot, sid: str, now: datetime) -> Remembered:
    """Keeps the resource, or that it was NOT_MADE, unless the slot is taken: then what is there
    is returned."""
    made = insert(ContentTemplate).values(
        id=new_id(now),
        account_id=slot.account,
        kind=slot.kind,
        language=slot.language.value,
        shape=slot.shape,
        sid=sid,
        status=NEW,
        created_at=now,
    )
    await session.execute(
        made.on_conflict_do_update(
            index_elements=["account_id", "kind", "language", "shape"],
            set_={"sid": sid, "status": NEW, "checked_at": None},
            where=ContentTemplate.sid == NOT_MADE,
        )
    )
    found = await find(session, slot)
    if found is None:  # forgotten by another process between the two statements
        return Remembered(sid, NEW, None)
    return found


async def note(session: AsyncSession, slot: Slot, status: str, now: datetime) -> None:
    """Keeps what WhatsApp says of the template's approval, and when it was asked."""
    changed = update(ContentTemplate).where(_is(slot)).values(status=status, checked_at=now)
    await session.execute(changed)


async def refused(
    connection: AsyncConnection, account: UUID, sid: str, status: str, now: datetime
) -> None:
    """A status callback says that WhatsApp does not take this template (any more)."""
    changed = update(ContentTemplate).where(
        ContentTemplate.account_id == account, ContentTemplate.sid == sid
    )
    await connection.execute(changed.values(status=status, checked_at=now))


async def forget(session: AsyncSession, slot: Slot, sid: str) -> None:
    """Forgets the resource, unless another has taken its place already."""
    await session.execute(delete(ContentTemplate).where(_is(slot), ContentTemplate.sid == sid))


def _is(slot: Slot) -> ColumnElement[bool]:
    return and_(
        ContentTemplate.account_id == slot.account,
        ContentTemplate.kind == slot.kind,
        ContentTemplate.language == slot.language.value,
        ContentTemplate.shape == slot.shape,
    )
