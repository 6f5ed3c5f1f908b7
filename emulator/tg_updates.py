"""A bot's updates: kept until confirmed, fetched by long polling or posted to its webhook."""

# ruff: noqa: ASYNC109 - these timeouts are what the platforms and the scripts ask for
import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from emulator import limits
from emulator.clock import Clock
from emulator.config import Switches
from emulator.store import Json, Store
from emulator.tasks import Tasks
from emulator.tg_params import BotApiError
from emulator.wire import Answer, post

# Bot API, getUpdates.allowed_updates: these kinds come only when they are asked for by name.
ON_REQUEST: Final = {"chat_member", "message_reaction", "message_reaction_count"}
LONGEST_PAUSE: Final = 60.0
KEPT: Final = 20_000  # deliveries remembered for scripts
InlineCall = Callable[[str, Json], Awaitable[None]]


@dataclass
class Webhook:
    """What setWebhook was told, and how it goes."""

    url: str = ""
    secret_token: str = ""
    max_connections: int = 40
    allowed_updates: list[str] = field(default_factory=list)
    last_error_at: int = 0
    last_error: str = ""


class Updates:
    """The queue of one bot."""

    def __init__(
        self,
        bot: str,
        store: Store,
        clock: Clock,
        switches: Switches,
        session: Callable[[], aiohttp.ClientSession],
        wake: Callable[[], None],
        inline_call: InlineCall,
        tasks: Tasks,
    ) -> None:
        self.bot = bot
        self.webhook = Webhook()
        self.attempts: deque[Json] = deque(maxlen=KEPT)  # every delivery: {id, status, update}
        self.held: list[Json] | None = None  # a list while deliveries are held back
        self.copies = 0  # the next new update is delivered that many times more at once
        self._store = store
        self._clock = clock
        self._switches = switches
        self._session = session
        self._wake = wake
        self._inline_call = inline_call
        self._waiting: dict[int, Json] = {}  # update_id -> update, in order
        self._again: list[Json] = []  # repeated for the next getUpdates, whatever its offset
        self._queues: dict[str, deque[Json]] = defaultdict(deque)
        self.tasks = tasks
        self._slots = asyncio.Semaphore(self.webhook.max_connections)
        self._poll: asyncio.Future[None] | None = None
        self._new = asyncio.Event()

    # life -----------------------------------------------------------------------------------
    def load(self) -> None:
        """Takes up what an earlier run left."""
        for body in self._store.load(f"webhook:{self.bot}"):
            self.webhook = Webhook(**body)
            self._slots = asyncio.Semaphore(self.webhook.max_connections)
        for update in self._store.load(f"update:{self.bot}"):
            self._waiting[update["update_id"]] = update
        self._start_all()

    async def stop(self) -> None:
        """Ends deliveries and polls."""
        await self.tasks.stop()
        self._end_poll()

    def clear(self) -> None:
        """Forgets all waiting updates."""
        for update_id in list(self._waiting):
            self._forget(update_id)
        self._again.clear()
        self._queues.clear()

    # new updates ----------------------------------------------------------------------------
    def add(self, update: Json) -> int:
        """Gives the update its number (unless it brings one) and sends it on its way."""
        update_id = update.get("update_id")
        if update_id is None:
            update_id = self._store.next_id(f"update_id:{self.bot}", 700_000_001)
        update = {"update_id": update_id} | update
        if not self._wanted(update):
            return int(update_id)
        update["_at"] = self._clock.now()
        if self.held is not None:
            self.held.append(update)
        else:
            self._accept(update)
        return int(update_id)

    def _wanted(self, update: Json) -> bool:
        kinds = set(update) - {"update_id"}
        if self.webhook.allowed_updates:
            return bool(kinds & set(self.webhook.allowed_updates))
        return not kinds <= ON_REQUEST

    def _accept(self, update: Json) -> None:
        update_id = int(update["update_id"])
        self._waiting[update_id] = update
        self._store.put(f"update:{self.bot}", str(update_id), lambda: update)
        copies, self.copies = self.copies, 0
        self._dispatch(update)
        for _ in range(copies):
            self.repeat(update)
        self._new.set()

    def release(self, order: list[int] | None = None) -> None:
        """Lets the held updates go, as they came or in the order of `order` (places)."""
        held, self.held = self.held or [], None
        for place in order if order is not None else range(len(held)):
            self._accept(held[place])

    def repeat(self, update: Json) -> None:
        """Delivers an update once more, beside everything else."""
        if self.webhook.url:
            self.tasks.start(self._deliver_once(update))
        else:
            self._again.append(update)
            self._new.set()

    def acknowledged(self, update_id: int) -> bool:
        """Whether the bot has confirmed it (2xx, or a later offset)."""
        held = {update["update_id"] for update in self.held or []}
        return update_id not in self._waiting and update_id not in held

    @property
    def pending(self) -> int:
        """How many updates wait."""
        return len(self._waiting)

    def _forget(self, update_id: int) -> None:
        if self._waiting.pop(update_id, None) is not None:
            self._store.drop(f"update:{self.bot}", str(update_id))
            self._wake()

    def _expire(self) -> None:
        oldest = self._clock.now() - limits.TG_UPDATE_SECONDS
        for update_id, update in list(self._waiting.items()):
            if update["_at"] >= oldest:
                return
            self._forget(update_id)

    # long polling ---------------------------------------------------------------------------
    async def poll(self, offset: int, limit: int, timeout: float, allowed: Any) -> list[Json]:
        """getUpdates: confirms below the offset, then waits up to `timeout` for something."""
        if self.webhook.url:
            raise BotApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"
                " to delete the webhook first",
            )
        if isinstance(allowed, list):
            self.webhook.allowed_updates = allowed
        self._end_poll()
        mine = self._poll = asyncio.get_running_loop().create_future()
        self._confirm(offset)
        try:
            return await self._first_updates(mine, limit, timeout)
        finally:
            if self._poll is mine:
                self._poll = None

    async def _first_updates(
        self, mine: asyncio.Future[None], limit: int, timeout: float
    ) -> list[Json]:
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            if mine.done():
                raise BotApiError(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one"
                    " bot instance is running",
                )
            self._new.clear()
            found = self._take(limit)
            left = deadline - asyncio.get_running_loop().time()
            if found or left <= 0:
                return found
            await _either(self._new.wait(), mine, left)

    def _take(self, limit: int) -> list[Json]:
        self._expire()
        again, self._again = self._again, []
        updates = again + sorted(self._waiting.values(), key=lambda u: int(u["update_id"]))
        chosen = updates[: max(1, min(limit, limits.TG_UPDATES))]
        for update in chosen:
            self.attempts.append({"id": update["update_id"], "status": 200, "update": update})
        return [_clean(update) for update in chosen]

    def _confirm(self, offset: int) -> None:
        numbers = sorted(self._waiting)
        last = offset if offset >= 0 else (numbers[offset:] or [0])[0]
        for update_id in numbers:
            if update_id < last:
                self._forget(update_id)

    def _end_poll(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    # webhook --------------------------------------------------------------------------------
    def set_webhook(self, webhook: Webhook, drop_pending: bool) -> None:
        """Changes where updates go; what waits goes there too unless it is dropped."""
        self._end_poll()
        self.webhook = webhook
        self._slots = asyncio.Semaphore(webhook.max_connections)
        self._store.put(f"webhook:{self.bot}", "webhook", lambda: vars(webhook))
        if drop_pending:
            self.clear()
        for queue in self._queues.values():
            queue.clear()  # their tasks end
        self._queues = defaultdict(deque)
        self._start_all()

    def _start_all(self) -> None:
        for update_id in sorted(self._waiting):
            self._dispatch(self._waiting[update_id])

    def _dispatch(self, update: Json) -> None:
        if not self.webhook.url:
            return
        chat = chat_of(update)
        queue = self._queues[chat]
        queue.append(update)
        if len(queue) == 1:
            self.tasks.start(self._deliver_chat(chat, queue))

    async def _deliver_chat(self, chat: str, queue: deque[Json]) -> None:
        """One chat's updates one after the other; other chats go in parallel."""
        pause = self._switches.webhook_pause
        while queue and self.webhook.url:
            update = queue[0]
            if update["update_id"] not in self._waiting or await self._deliver_once(update):
                self._forget(int(update["update_id"]))
                if queue and queue[0] is update:
                    queue.popleft()
                pause = self._switches.webhook_pause
                continue
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        if self._queues.get(chat) is queue and not queue:
            del self._queues[chat]

    async def _deliver_once(self, update: Json) -> bool:
        secret = self.webhook.secret_token
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        async with self._slots:
            answer = await post(
                self._session(),
                self.webhook.url,
                self._switches.webhook_timeout,
                json=_clean(update),
                headers=headers,
            )
        self._note(update, answer)
        if answer.ok:
            await self._answer_call(answer)
        return answer.ok

    def _note(self, update: Json, answer: Answer) -> None:
        self.attempts.append({"id": update["update_id"], "status": answer.status, "update": update})
        if not answer.ok:
            self.webhook.last_error_at = int(self._clock.now())
            self.webhook.last_error = _wrong(answer)
        self._wake()

    async def _answer_call(self, answer: Answer) -> None:
        """A method call in the webhook's answer is executed (Bot API, "Making requests")."""
        if answer.content_type != "application/json" or not answer.body:
            return
        try:
            call = json.loads(answer.body)
        except ValueError:
            return
        if isinstance(call, dict) and "method" in call:
            await self._inline_call(str(call.pop("method")), call)


def _wrong(answer: Answer) -> str:
    if not answer.status:
        return "Connection failed"
    return f"Wrong response from the webhook: {answer.status}"


def _clean(update: Json) -> Json:
    return {name: value for name, value in update.items() if not name.startswith("_")}


def chat_of(update: Json) -> str:
    """The chat (else the user) an update belongs to: order is kept within it."""
    for kind, body in update.items():
        if kind == "update_id" or not isinstance(body, dict):
            continue
        chat = body.get("chat") or (body.get("message") or {}).get("chat") or body.get("from")
        if isinstance(chat, dict):
            return str(chat.get("id", ""))
    return ""


async def _either(event: Awaitable[Any], future: asyncio.Future[None], timeout: float) -> None:
    waiter = asyncio.ensure_future(event)
    await asyncio.wait({waiter, future}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
