"""The control API under /emulator/ and the page: what Python scripts can do, over HTTP."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from importlib.resources import files as package_files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from emulator.store import Json
from emulator.wire import NotLoopback, is_loopback, must_be_loopback, post

if TYPE_CHECKING:
    from emulator.app import Emulator

STATIC: Final = package_files("emulator") / "static"
TYPES: Final = {"html": "text/html", "css": "text/css", "js": "text/javascript",
                "svg": "image/svg+xml"}  # fmt: skip
OURS: Final = ("/emulator", "/static")
Work = Callable[[web.Request, Json], Awaitable[Any]]


@web.middleware
async def guard_page(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The page and the control API answer to this machine and to their own origin only."""
    ours = request.path == "/" or request.path.startswith(OURS)
    if ours and not (_local(request) and _same_origin(request)):
        raise web.HTTPForbidden(text="loopback only")
    return await handler(request)


def _local(request: web.Request) -> bool:
    host = urlsplit(f"//{request.host}").hostname or ""
    return is_loopback(request.remote or "") and is_loopback(host)


def _same_origin(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method in ("GET", "HEAD"):
        return True
    return site in ("same-origin", "none") and origin in (None, f"http://{request.host}")


class Control:
    """Routes for scripts and for the page."""

    def __init__(self, emulator: "Emulator") -> None:
        self._emulator = emulator

    def install(self, app: web.Application) -> None:
        """Adds the routes."""
        app.middlewares.append(guard_page)
        app.add_routes(self._routes())

    def _routes(self) -> list[web.RouteDef]:
        person = "/emulator/people/{person}"
        return [
            web.get("/", self._index), web.get("/static/{name}", self._static),
            web.get("/emulator/events", self._events),
            web.get("/emulator/files/{file}", self._file),
            web.get("/emulator/state", _json(self._state)),
            web.get("/emulator/counters", _json(self._counters)),
            web.get("/emulator/people", _json(self._people)),
            web.post("/emulator/people", _json(self._add)),
            web.get(f"{person}/chat", _json(self._chat)),
            web.get(f"{person}/wait", _json(self._wait)),
            web.patch(person, _json(self._change)),
            web.post(f"{person}/{{act}}", _json(self._act)),
            web.post("/emulator/config", _json(self._config)),
            web.post("/emulator/switches", _json(self._switches)),
            web.post("/emulator/faults", _json(self._fault)),
            web.post("/emulator/answers/release", _json(self._release_answers)),
            web.post("/emulator/inject", _json(self._inject)),
            web.post("/emulator/repeat", _json(self._repeat)),
            web.post("/emulator/duplicate_next", _json(self._duplicate)),
            web.post("/emulator/inbound/{what}", _json(self._inbound)),
            web.post("/emulator/statuses/{what}", _json(self._statuses)),
            web.get("/emulator/templates", _json(self._templates)),
            web.post("/emulator/templates/{sid}", _json(self._template)),
            web.post("/emulator/settle", _json(self._settle)),
            web.post("/emulator/clock", _json(self._clock)),
            web.post("/emulator/guide", _json(self._guide)),
            web.post("/emulator/counters/reset", _json(self._reset_counters)),
            web.post("/emulator/reset", _json(self._reset)),
        ]  # fmt: skip

    # page -----------------------------------------------------------------------------------
    async def _index(self, request: web.Request) -> web.Response:
        return _static("index.html")

    async def _static(self, request: web.Request) -> web.Response:
        return _static(request.match_info["name"])

    async def _file(self, request: web.Request) -> web.Response:
        known = self._emulator.files.get(request.match_info["file"])
        if known is None:
            raise web.HTTPNotFound
        meta, content = known
        shown = meta["mime"] if meta["mime"].startswith(("image/p", "image/j", "audio/")) else ""
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        if not shown:
            name = meta["name"].encode("ascii", "replace").decode().replace('"', "")
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return web.Response(
            body=content, content_type=shown or "application/octet-stream", headers=headers
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-Sent Events: people, chats, messages, toasts, clock, guide."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        queue: asyncio.Queue[Json] = asyncio.Queue()
        stop = self._emulator.world.listen(queue.put_nowait)
        try:
            await self._stream(response, queue)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            stop()
        return response

    async def _stream(self, response: web.StreamResponse, queue: asyncio.Queue[Json]) -> None:
        await response.write(b"retry: 1000\n\n")
        while True:
            try:
                news = await asyncio.wait_for(queue.get(), 15)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if news["type"] == "stop":
                return
            await response.write(f"data: {json.dumps(news, ensure_ascii=False)}\n\n".encode())

    # reading --------------------------------------------------------------------------------
    async def _state(self, request: web.Request, body: Json) -> Json:
        emulator = self._emulator
        people = [person for person in emulator.world.people.values() if person.on_page]
        ids = {person.id for person in people}
        return {
            "people": [asdict(person) for person in people],
            "chats": [asdict(c) for c in emulator.world.chats.values() if c.person in ids],
            "messages": [m.to_json() for p in people for m in emulator.world.messages[p.id]],
            "bots": [self._bot(account) for account in emulator.telegram.bots],
            "senders": [
                {"address": s.address, "name": s.name} for s in emulator.config.senders
            ],
            "guide": emulator.guide, "offset": emulator.clock.offset,
            "switches": emulator.switches.to_json(),
        }  # fmt: skip

    def _bot(self, token: str) -> Json:
        bot = self._emulator.telegram.bots[token]
        return {
            "account": bot.account, "username": bot.config.username, "profile": bot.profile,
            "pending": bot.updates.pending,
        }  # fmt: skip

    async def _counters(self, request: web.Request, body: Json) -> Json:
        return self._emulator.counters.to_json() | {"duplicates": self._emulator.duplicates()}

    async def _people(self, request: web.Request, body: Json) -> list[Json]:
        return [asdict(person) for person in self._emulator.world.people.values()]

    async def _chat(self, request: web.Request, body: Json) -> Json:
        person = request.match_info["person"]
        state = asdict(self._emulator.chat_state(person))
        return {"state": state, "messages": [m.to_json() for m in self._emulator.chat(person)]}

    async def _wait(self, request: web.Request, body: Json) -> Json:
        query = request.query
        message = await self._emulator.wait_for(
            request.match_info["person"], query.get("contains", ""),
            count=int(query.get("count", "1")), after=int(query.get("after", "0")),
            button=query.get("button", ""), timeout=float(query.get("timeout", "10")),
        )  # fmt: skip
        return message.to_json()

    # people ---------------------------------------------------------------------------------
    async def _add(self, request: web.Request, body: Json) -> Any:
        if "count" in body:
            return [person.id for person in self._emulator.add_people(**body)]
        return asdict(self._emulator.add_person(**body))

    async def _change(self, request: web.Request, body: Json) -> Json:
        return asdict(self._emulator.change_person(request.match_info["person"], **body))

    async def _act(self, request: web.Request, body: Json) -> Json:
        """say, start, open_link, tap, choose, contact, location, file, edit, block, unblock."""
        emulator, act = self._emulator, request.match_info["act"]
        acts: dict[str, Callable[..., Any]] = {
            "say": emulator.say, "start": emulator.press_start, "tap": emulator.tap,
            "choose": emulator.choose, "contact": emulator.share_contact,
            "location": emulator.send_location, "file": emulator.send_file,
            "edit": emulator.edit, "block": emulator.block, "unblock": emulator.unblock,
            "mark_read": emulator.mark_read, "open_link": emulator.open_link,
            "start_payload": emulator.start_bot,
        }  # fmt: skip
        if act not in acts:
            raise LookupError(f"no act {act!r}; there are {', '.join(acts)}")
        if "content" in body:
            body["content"] = base64.b64decode(body["content"])
        done = acts[act](request.match_info["person"], **body)
        return {"id": done} if isinstance(done, int | str) else {"id": None}

    # scripting ------------------------------------------------------------------------------
    async def _config(self, request: web.Request, body: Json) -> Json:
        emulator = self._emulator
        for bot in body.get("bots", []):
            emulator.add_bot(**bot)
        if "account" in body:
            emulator.set_account(**body["account"])
        for sender in body.get("senders", []):
            emulator.add_sender(**sender)
        emulator.config.clock_hook = body.get("clock_hook", emulator.config.clock_hook)
        return {}

    async def _switches(self, request: web.Request, body: Json) -> Json:
        self._emulator.switches.change(body)
        return self._emulator.switches.to_json()

    async def _fault(self, request: web.Request, body: Json) -> Json:
        return asdict(self._emulator.fault(**body))

    async def _release_answers(self, request: web.Request, body: Json) -> Json:
        self._emulator.release_answers()
        return {}

    async def _inject(self, request: web.Request, body: Json) -> Json:
        return {"id": self._emulator.inject(body["update"], body.get("account"))}

    async def _repeat(self, request: web.Request, body: Json) -> Json:
        self._emulator.repeat(body["id"])
        return {}

    async def _duplicate(self, request: web.Request, body: Json) -> Json:
        self._emulator.duplicate_next(**body)
        return {}

    async def _inbound(self, request: web.Request, body: Json) -> Json:
        if request.match_info["what"] == "hold":
            self._emulator.hold_inbound()
        else:
            self._emulator.release_inbound(**body)
        return {}

    async def _statuses(self, request: web.Request, body: Json) -> Json:
        if request.match_info["what"] == "hold":
            self._emulator.hold_statuses()
        else:
            self._emulator.release_statuses(**body)
        return {}

    async def _templates(self, request: web.Request, body: Json) -> list[Json]:
        return [asdict(content) for content in self._emulator.contents.all.values()]

    async def _template(self, request: web.Request, body: Json) -> Json:
        self._emulator.template(request.match_info["sid"], **body)
        return {}

    async def _settle(self, request: web.Request, body: Json) -> Json:
        await self._emulator.settle(**body)
        return {}

    async def _clock(self, request: web.Request, body: Json) -> Json:
        """Moves the clock, then tells the product when a hook is configured."""
        offset = self._emulator.advance(**body)
        hook, answer = self._emulator.config.clock_hook, None
        if hook:
            told = {"offset_seconds": offset, "now": self._emulator.clock.now()}
            url, session = must_be_loopback(hook), self._emulator.session()
            answer = (await post(session, url, 10.0, json=told | {"advanced": body})).status
        return {"offset": offset, "hook": answer}

    async def _guide(self, request: web.Request, body: Json) -> Json:
        self._emulator.set_guide(body["steps"])
        return {}

    async def _reset_counters(self, request: web.Request, body: Json) -> Json:
        self._emulator.reset_counters()
        return {}

    async def _reset(self, request: web.Request, body: Json) -> Json:
        self._emulator.reset()
        return {}


def _static(name: str) -> web.Response:
    kind = TYPES.get(name.rsplit(".", 1)[-1])
    file = STATIC / name
    if kind is None or "/" in name or not file.is_file():
        raise web.HTTPNotFound
    return web.Response(
        body=file.read_bytes(), content_type=kind, charset="utf-8",
        headers={"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"},
    )  # fmt: skip


def _json(work: Work) -> Callable[[web.Request], Awaitable[web.Response]]:
    """JSON in, JSON out; a mistake of the script is a 400 with its words."""

    async def handle(request: web.Request) -> web.Response:
        try:
            body = await request.json() if request.can_read_body else {}
            answer = await work(request, body)
        except (KeyError, LookupError, ValueError, TypeError, NotLoopback) as error:
            return web.json_response({"error": str(error)}, status=400)
        except TimeoutError as error:
            return web.json_response({"error": str(error)}, status=408)
        text = json.dumps(answer, ensure_ascii=False)
        return web.Response(text=text, content_type="application/json")

    return handle
