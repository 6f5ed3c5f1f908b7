"""Stored files for the channels: each step a short transaction of its own."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.database import Database
from conversation.message import FileRef
from core.clock import Clock
from core.crypto import Keyring
from services import files
from services.unit import Unit


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """The FileSource of the running program (bot.channels.files)."""

    database: Database
    keyring: Keyring
    clock: Clock
    public_base: str  # of GET /files/{token}/{name}

    async def telegram_file_id(self, file_id: UUID, account: UUID) -> str | None:
        """See FileSource."""
        async with AsyncSession(self.database.work) as session:
            return await files.platform_id(self._unit(session), file_id, account)

    async def remember_telegram(self, file_id: UUID, account: UUID, telegram_id: str) -> None:
        """See FileSource."""
        async with AsyncSession(self.database.work) as session, session.begin():
            await files.remember_platform_id(self._unit(session), file_id, account, telegram_id)

    async def bytes_of(self, file_id: UUID) -> bytes:
        """See FileSource. Raises LookupError for a file that is gone."""
        async with AsyncSession(self.database.work) as session:
            found = await files.fetch(self._unit(session), file_id)
        if found is None:
            raise LookupError(f"no file {file_id}")
        return found.content

    async def public_url(self, file: FileRef) -> str:
        """See FileSource."""
        async with AsyncSession(self.database.work) as session, session.begin():
            token = await files.new_token(self._unit(session), file.id)
        return f"{self.public_base}/files/{token}/{quote(file.name, safe='')}"

    def _unit(self, session: AsyncSession) -> Unit:
        return Unit(session, self.keyring, self.clock.now())
