"""Status callbacks: queued, sent, delivered, read, or a failure, signed, in order or not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from emulator.config import Config, Switches
from emulator.store import Json
from emulator.tasks import Tasks
from emulator.twilio_post import Poster
from emulator.world import Message, World

if TYPE_CHECKING:
    from emulator.twilio_out import Sent

CHANNEL: Final = "XE" + "0" * 31 + "1"
TICKS: Final = ("sent", "delivered", "read", "failed", "undelivered")


Rest = Callable[[], Awaitable[list[tuple[str, int]]]]  # made only if it is waited for


class Statuses:
    """Follows every accepted message."""

    def __init__(self, world: World, config: Config, switches: Switches, poster: Poster) -> None:
        self.log: list[Json] = []  # every callback: {sid, status, http, error}
        self.held: list[tuple[Sent, str, int]] | None = None
        self.on_change: Callable[[Sent], None] = lambda sent: None
        self._world = world
        self._config = config
        self._switches = switches
        self._poster = poster
        self.tasks = Tasks(world.counters)

    def follow(self, sent: "Sent", rest: Rest) -> None:
        """Goes through the statuses in the background."""
        self.tasks.start(self._follow(sent, rest))

    def more(self, sent: "Sent", status: str, error: int = 0) -> None:
        """Takes a message one status further."""
        self.tasks.start(self.step(sent, status, error))

    async def _follow(self, sent: "Sent", rest: Rest) -> None:
        if self._switches.status_queued:
            await self.step(sent, "queued", 0)
        for status, error in await rest():
            await self.step(sent, status, error)

    async def step(self, sent: "Sent", status: str, error: int) -> None:
        """Takes the message to a status and reports it (or holds the report back)."""
        if self._switches.status_delay:
            await asyncio.sleep(self._switches.status_delay)
        sent.status, sent.error = status, error
        self.on_change(sent)
        self._tick(sent, status)
        if self.held is not None:
            self.held.append((sent, status, error))
            return
        for _ in range(self._switches.status_copies):
            await self._report(sent, status, error)

    def _tick(self, sent: "Sent", status: str) -> None:
        message = self._bubble(sent)
        if message and status in TICKS:
            message.status = status
            self._world.changed(message)

    def _bubble(self, sent: "Sent") -> Message | None:
        messages = reversed(self._world.messages.get(sent.person, []))
        return next((message for message in messages if message.sid == sent.sid), None)

    async def _report(self, sent: "Sent", status: str, error: int) -> None:
        if not sent.callback:
            return
        form = self.form(sent, status, error)
        answers = await self._poster.post(sent.callback, form, self._switches.inbound_timeout)
        for answer in answers:
            self.log.append(
                {"sid": sent.sid, "status": status, "http": answer.status, "error": error}
            )
        self._world.wake()

    def form(self, sent: "Sent", status: str, error: int) -> dict[str, str]:
        """The fields of "Track the message status": blank ones are not left out."""
        account = self._config.account.sid if self._config.account else ""
        form = {
            "ChannelPrefix": "whatsapp", "ApiVersion": "2010-04-01", "MessageStatus": status,
            "SmsSid": sent.sid, "SmsStatus": status, "ChannelInstallSid": CHANNEL,
            "To": sent.to, "From": sent.sender, "MessageSid": sent.sid, "AccountSid": account,
            "StructuredMessage": "true" if sent.content_sid else "false",
            "ChannelToAddress": sent.to.removeprefix("whatsapp:"),
        }  # fmt: skip
        if status in ("read", "undelivered", "delivered"):
            form["EventType"] = status.upper()
        if error:
            form |= {"ErrorCode": str(error), "ChannelStatusMessage": ""}
        return form

    def release(self, order: list[int] | None = None) -> None:
        """Lets held callbacks go, one after the other, as they came or in `order`."""
        held, self.held = self.held or [], None
        places = order if order is not None else list(range(len(held)))
        self.tasks.start(self._release([held[place] for place in places]))

    async def _release(self, held: list[tuple["Sent", str, int]]) -> None:
        for sent, status, error in held:
            await self._report(sent, status, error)
