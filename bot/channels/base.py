"""What every messenger's module offers to the engine and to delivery."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from conversation.message import ChannelName, Content
from core.outcomes import SendResult
from rules.attachments import FileFault


class UpdateRefused(Exception):
    """The request does not come from the platform (wrong secret, wrong signature)."""


class DownloadRefused(Exception):
    """What somebody sent cannot be had, and another try does not mend it."""

    def __init__(self, fault: FileFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class Part(Protocol):
    """One call to the platform, drawn from a content; opaque to everyone but its channel."""


class Channel(Protocol):
    """One account of a messenger: draws neutral content and sends it."""

    name: ChannelName
    account: UUID

    async def prepare(self, content: Content, *, window_open: bool) -> Sequence[Part]:
        """The calls that show this content, in order; a long one may need several.

        `window_open` says whether free text may be sent (WhatsApp's 24 hours; always on
        Telegram). Outside the window the content's template is used.
        """

    async def send(
        self, to: str, part: Part, delivery: UUID, *, attempt: int = 0, followed: int | None = None
    ) -> SendResult:
        """Hands one part to the platform. Never raises for what the platform may answer.

        `attempt`: how many calls for this delivery have ended before.
        `followed`: the part's number, from 1, where others of the delivery follow it.
        """

    def opens_conversation(self, part: Part) -> bool:
        """Does this part cost one of the day's new conversations (WhatsApp, outside the window)?"""

    async def download(self, reference: str) -> bytes:
        """The bytes of a file that somebody sent to this account, at most 16 MB.

        Raises DownloadRefused; anything else may go better another time.
        """

    async def close(self) -> None:
        """Gives back connections."""
