"""The Bot API over HTTP: /bot<token>/<method> and /file/bot<token>/<path>."""

from collections.abc import Awaitable
from typing import Any

from aiohttp import web

from emulator.files import Files
from emulator.guard import Guard
from emulator.store import Json
from emulator.telegram import METHODS, Bot, Telegram
from emulator.tg_params import BotApiError, Params, read_params

NAMES = {name.lower(): name for name in METHODS}


class TelegramHttp:
    """Routes of the Bot API."""

    def __init__(self, telegram: Telegram, files: Files, guard: Guard) -> None:
        self._telegram = telegram
        self._files = files
        self._guard = guard

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [
            web.get("/bot{token:[^/]+}/{method}", self.call),
            web.post("/bot{token:[^/]+}/{method}", self.call),
            web.get("/file/bot{token:[^/]+}/{path:.+}", self.file),
        ]

    async def call(self, request: web.Request) -> web.Response:
        """One method call."""
        bot = self._telegram.bots.get(request.match_info["token"])
        if bot is None:
            return _refused(BotApiError(401, "Unauthorized"))
        method = request.match_info["method"].lower()
        if method not in self._telegram.methods:
            return _refused(BotApiError(404, "Not Found"))
        params = await read_params(request)

        async def effect() -> web.Response:
            return await self._run(bot, method, params)

        return await self._guard.run(
            request, NAMES[method], params.text("chat_id") or None, effect, _scripted
        )

    async def _run(self, bot: Bot, method: str, params: Params) -> web.Response:
        try:
            return _ok(await self.execute(bot, method, params))
        except BotApiError as error:
            if error.code == 429:
                self._guard.counters.too_many += 1
            self._guard.counters.refuse(NAMES[method], error.description)
            return _refused(error)

    def execute(self, bot: Bot, method: str, params: Params) -> Awaitable[Any]:
        """Runs a method that was checked to exist."""
        if method.startswith(("send", "edit")):
            bot.pace.check_penalty()
        return self._telegram.methods[method](bot, params)

    async def file(self, request: web.Request) -> web.Response:
        """Downloads a file that getFile told of."""
        if request.match_info["token"] not in self._telegram.bots:
            return _refused(BotApiError(401, "Unauthorized"))
        known = self._files.get(request.match_info["path"].rsplit("/", 1)[-1])
        if known is None:
            return _refused(BotApiError(404, "Not Found"))
        return web.Response(body=known[1], content_type="application/octet-stream")


def _ok(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _refused(error: BotApiError) -> web.Response:
    return web.json_response(error.body(), status=error.code)


def _scripted(status: int, body: Json | None, retry_after: int | None) -> web.Response:
    if body is not None:
        return web.json_response(body, status=status)
    if status == 429:
        seconds = retry_after or 1
        text = f"Too Many Requests: retry after {seconds}"
        return _refused(BotApiError(429, text, {"retry_after": seconds}))
    texts = {500: "Internal Server Error", 502: "Bad Gateway", 403: "Forbidden: bot was blocked"
             " by the user", 401: "Unauthorized"}  # fmt: skip
    return _refused(BotApiError(status, texts.get(status, "Bad Request: scripted")))
