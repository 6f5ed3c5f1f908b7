"""Where the WhatsApp channel remembers the Content resources that it made at Twilio."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from services import content_templates
from services.content_templates import Remembered, Slot

Sessions = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class TemplateStore(Protocol):
    """What was made, per account, kind, language and shape."""

    async def find(self, slot: Slot) -> Remembered | None:
        """The resource for this slot, if one was made."""

    async def remember(self, slot: Slot, sid: str, now: datetime) -> Remembered:
        """Keeps the resource, unless another process was faster: then that one's is returned."""

    async def note(self, slot: Slot, status: str, now: datetime) -> None:
        """Keeps what WhatsApp says of the template's approval, and when it was asked."""

    async def forget(self, slot: Slot, sid: str) -> None:
        """Twilio does not know this resource any more."""


@dataclass(frozen=True, slots=True)
class StoredTemplates:
    """The memory in the database, one short transaction for each step."""

    sessions: Sessions

    async def find(self, slot: Slot) -> Remembered | None:
        """See TemplateStore."""
        async with self.sessions() as session:
            return await content_templates.find(session, slot)

    async def remember(self, slot: Slot, sid: str, now: datetime) -> Remembered:
        """See TemplateStore."""
        async with self.sessions() as session, session.begin():
            return await content_templates.remember(session, slot, sid, now)

    async def note(self, slot: Slot, status: str, now: datetime) -> None:
        """See TemplateStore."""
        async with self.sessions() as session, session.begin():
            await content_templates.note(session, slot, status, now)

    async def forget(self, slot: Slot, sid: str) -> None:
        """See TemplateStore."""
        async with self.sessions() as session, session.begin():
            await content_templates.forget(session, slot, sid)
