"""A running emulator, the real clients of both platforms, and a product that only listens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from emulator.app import Emulator

TOKEN = "4242:test-token"
SID = "AC" + "1" * 32
SECRET = "twilio-secret"
SENDER = "whatsapp:+77001112233"


@dataclass
class Product:
    """Takes webhooks, answers what the test says, and remembers everything."""

    url: str = ""
    updates: list[dict[str, Any]] = field(default_factory=list)
    inbound: list[dict[str, str]] = field(default_factory=list)
    statuses: list[dict[str, str]] = field(default_factory=list)
    signatures: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)  # statuses for the next requests
    updates_answer: dict[str, Any] | None = None
    gate: asyncio.Event | None = None
    at_once: int = 0
    most_at_once: int = 0

    def _status(self) -> int:
        return self.answers.pop(0) if self.answers else 200

    async def telegram(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.updates.append(await request.json())
        if self.gate:
            await self.gate.wait()
        self.at_once -= 1
        if self.updates_answer:
            return web.json_response(self.updates_answer)
        return web.Response(status=self._status())

    async def whatsapp(self, request: web.Request) -> web.Response:
        form = await self._signed(request)
        self.inbound.append(form)
        return web.Response(status=self._status(), text="<Response/>", content_type="text/xml")

    async def status(self, request: web.Request) -> web.Response:
        self.statuses.append(await self._signed(request))
        return web.Response(status=204)

    async def _signed(self, request: web.Request) -> dict[str, str]:
        form = {name: str(value) for name, value in (await request.post()).items()}
        signature = request.headers["X-Twilio-Signature"]
        self.signatures.append((f"{self.url}{request.path_qs}", form, signature))
        return form

    async def file(self, request: web.Request) -> web.Response:
        kind, size = request.query["type"], int(request.query.get("size", "10"))
        return web.Response(body=b"x" * size, headers={"Content-Type": kind})


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    product = Product()
    app = web.Application()
    app.router.add_post("/telegram", product.telegram)
    app.router.add_post("/whatsapp", product.whatsapp)
    app.router.add_post("/whatsapp/status", product.status)
    app.router.add_get("/files/{name}", product.file)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    product.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield product
    await runner.cleanup()


@pytest.fixture
async def emulator(product: Product) -> AsyncIterator[Emulator]:
    emulator = Emulator()
    emulator.add_bot(TOKEN, "zhiyn_bot")
    emulator.set_account(SID, SECRET)
    emulator.add_sender(SENDER, f"{product.url}/whatsapp")
    emulator.switch(webhook_pause=0.01)
    await emulator.start()
    yield emulator
    await emulator.stop()


def bot_of(emulator: Emulator, token: str = TOKEN) -> Bot:
    session = AiohttpSession(api=TelegramAPIServer.from_base(emulator.base))
    return Bot(token, session=session)


@pytest.fixture
async def bot(emulator: Emulator) -> AsyncIterator[Bot]:
    bot = bot_of(emulator)
    yield bot
    if bot.session._session is not None:  # aiogram's own close() waits a quarter of a second
        await bot.session._session.close()


class ToEmulator(AsyncTwilioHttpClient):
    """Twilio's own client with both hosts rewritten."""

    base = ""

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        for host in ("https://api.twilio.com", "https://content.twilio.com"):
            url = url.replace(host, self.base)
        headers = kwargs.get("headers") or {}
        if headers.get("Content-Type") == "application/json":
            kwargs["data"] = _json_text(kwargs.get("data"))
        return await super().request(method, url, *args, **kwargs)


def _json_text(data: Any) -> str:
    import json

    return json.dumps(data)


@pytest.fixture
async def twilio(emulator: Emulator) -> AsyncIterator[Client]:
    http = ToEmulator()
    http.base = emulator.base
    yield Client(SID, SECRET, http_client=http)
    await http.close()


Condition = Callable[[], bool]
