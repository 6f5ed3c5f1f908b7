"""Where a channel gets the bytes and addresses of stored files."""

from typing import Protocol
from uuid import UUID

from conversation.message import FileRef


class FileSource(Protocol):
    """Stored files, as the channels need them; written by services.files, faked in tests."""

    async def telegram_file_id(self, file_id: UUID, account: UUID) -> str | None:
        """The id under which Telegram keeps the file for this bot, if it was given it before."""

    async def remember_telegram(self, file_id: UUID, account: UUID, telegram_id: str) -> None:
        """Keeps that id, in place of an older one."""

    async def bytes_of(self, file_id: UUID) -> bytes:
        """The clear bytes."""

    async def public_url(self, file: FileRef) -> str:
        """An address at which Twilio can fetch the file for the next 48 hours. It ends in the
        file's name: WhatsApp shows that, and Twilio has no field for it
        (twilio.com/docs/whatsapp/guidance-whatsapp-media-messages, "Filenames and Captions")."""
