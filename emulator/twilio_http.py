"""Twilio over HTTP: messages and media of api.twilio.com, contents of content.twilio.com."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from emulator.config import Config, Switches
from emulator.content import Contents, TwilioError
from emulator.files import Files
from emulator.guard import Guard
from emulator.store import Json
from emulator.twilio_out import TwilioOut, form_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Work = Callable[[web.Request, Mapping[str, Any]], Awaitable[web.Response]]


class TwilioHttp:
    """Routes of the two hosts."""

    def __init__(
        self, out: TwilioOut, contents: Contents, files: Files, guard: Guard, config: Config,
        switches: Switches,
    ) -> None:  # fmt: skip
        self.base = ""
        self._out = out
        self._contents = contents
        self._files = files
        self._guard = guard
        self._config = config
        self._switches = switches

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        account = "/2010-04-01/Accounts/{account}"
        one = "/v1/Content/{sid}"
        return [
            web.post(f"{account}/Messages.json", self._route("messages.create", self.send)),
            web.get(f"{account}/Messages/{{sid}}.json", self._route("messages.fetch", self.fetch)),
            web.get(f"{account}.json", self._route("account.fetch", self.account)),
            web.get("/v2/Channels/Senders", self._route("senders.list", self.senders)),
            web.get(f"{account}/Messages/{{sid}}/Media/{{file}}",
                    self._route("media.fetch", self.media)),
            web.post("/v1/Content", self._route("content.create", self.create)),
            web.get("/v1/Content", self._route("content.list", self.contents)),
            web.get("/v1/ContentAndApprovals", self._route("content.list", self.approvals)),
            web.get(one, self._route("content.fetch", self.content)),
            web.delete(one, self._route("content.delete", self.delete)),
            web.post(f"{one}/ApprovalRequests/whatsapp",
                     self._route("approval.create", self.ask)),
            web.get(f"{one}/ApprovalRequests", self._route("approval.fetch", self.approval)),
        ]  # fmt: skip

    def _route(self, method: str, work: Work) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._call(request, method, work)

        return handle

    async def _call(self, request: web.Request, method: str, work: Work) -> web.Response:
        try:
            self._authenticate(request)
            values = await _values(request)
        except TwilioError as error:
            return self._refuse(method, error)

        async def effect() -> web.Response:
            try:
                return await work(request, values)
            except TwilioError as error:
                return self._refuse(method, error)

        return await self._guard.run(request, method, values.get("To"), effect, _scripted)

    def _refuse(self, method: str, error: TwilioError) -> web.Response:
        self._guard.counters.refuse(method, str(error))
        return web.json_response(error.body(), status=error.status)

    def _authenticate(self, request: web.Request) -> None:
        account = self._config.account
        given = request.headers.get("Authorization", "")
        if account is None or given != _basic(account.sid, account.auth_token):
            raise TwilioError(401, 20003)
        if request.match_info.get("account", account.sid) != account.sid:
            raise TwilioError(404, 20404, request.path)

    @property
    def _sid(self) -> str:
        return self._config.account.sid if self._config.account else ""

    # messages -------------------------------------------------------------------------------
    async def send(self, request: web.Request, form: Mapping[str, Any]) -> web.Response:
        """POST Messages.json."""
        if [name for name, _ in form.items()].count("MediaUrl") > 1:
            raise TwilioError(400, 21623)
        sent = self._out.create(form_of(form))
        return web.json_response(sent.to_json(self._sid), status=201)

    async def fetch(self, request: web.Request, form: Mapping[str, Any]) -> web.Response:
        """GET Messages/{sid}.json."""
        sent = self._out.sent.get(request.match_info["sid"])
        if sent is None:
            raise TwilioError(404, 20404, request.path)
        return web.json_response(sent.to_json(self._sid))

    async def media(self, request: web.Request, form: Mapping[str, Any]) -> web.Response:
        """GET a medium that a person sent."""
        known = self._files.get(request.match_info["file"])
        if known is None:
            raise TwilioError(404, 20404, request.path)
        meta, content = known
        return web.Response(body=content, headers={"Content-Type": meta["mime"]})

    # account and senders --------------------------------------------------------------------
    async def account(self, request: web.Request, form: Mapping[str, Any]) -> web.Response:
        """GET Accounts/{sid}.json (twilio.com/docs/iam/api/account)."""
        switches = self._switches
        return web.json_response({
            "sid": self._sid, "friendly_name": "Жиын", "status": switches.account_status,
            "type": switches.account_type, "uri": request.path,
        })  # fmt: skip

    async def senders(self, request: web.Request, form: Mapping[str, Any]) -> web.Response:
        """GET /v2/Channels/Senders of messaging.twilio.com (twilio.com/docs/whatsapp/api/senders):
        `Channel` is needed."""
        if request.query.get("Channel") != "whatsapp":
            raise TwilioError(400, 20001, detail="Channel")
        found = [
            {
                "sid": f"XE{number:032x}", "sender_id": sender.address,
                "status": self._switches.sender_status,
                "webhook": {"callback_url": sender.webhook, "callback_method": "POST"},
            }
            for number, sender in enumerate(self._config.senders, start=1)
        ]  # fmt: skip
        return self._page(request, found, "senders")

    # contents -------------------------------------------------------------------------------
    async def create(self, request: web.Request, body: Mapping[str, Any]) -> web.Response:
        """POST /v1/Content."""
        content = self._contents.create(self._sid, dict(body))
        return web.json_response(content.to_json(self.base), status=201)

    async def content(self, request: web.Request, body: Mapping[str, Any]) -> web.Response:
        """GET /v1/Content/{sid}."""
        content = self._contents.get(request.match_info["sid"])
        return web.json_response(content.to_json(self.base))

    async def delete(self, request: web.Request, body: Mapping[str, Any]) -> web.Response:
        """DELETE /v1/Content/{sid}."""
        self._contents.delete(request.match_info["sid"])
        return web.Response(status=204)

    async def contents(self, request: web.Request, body: Mapping[str, Any]) -> web.Response:
        """GET /v1/Content, in pages."""
        return self._page(request, [c.to_json(self.base) for c in self._contents.all.values()])

    async def approvals(self, request: web.Request, body: Mapping[str, Any]) -> web.Response:
        """GET /v1/ContentAndApprovals."""
        found = [
            content.to_json(self.base) | {"approval_requests": _approval(content.approval)}
            for content in self._contents.all.values()
        ]
        return self._page(request, found)

    def _page(self, request: web.Request, found: list[Json], key: str = "contents") -> web.Response:
        size = min(max(int(request.query.get("PageSize", "50")), 1), 1000)
        page = max(int(request.query.get("Page", "0")), 0)
        asked = "".join(f"{name}={value}&" for name, value in request.query.items()
                        if name not in ("PageSize", "Page"))  # fmt: skip
        url = f"{self.base}{request.path}?{asked}PageSize={size}&Page="
        more = len(found) > size * (page + 1)
        meta = {
            "page": page, "page_size": size, "first_page_url": f"{url}0", "key": key,
            "previous_page_url": f"{url}{page - 1}" if page else None,
            "url": f"{url}{page}", "next_page_url": f"{url}{page + 1}" if more else None,
        }  # fmt: skip
        return web.json_response({key: found[size * page : size * (page + 1)], "meta": meta})

    async def ask(self, request: web.Request, body: Mapping[str, Any]) -> web.Response:
        """POST ApprovalRequests/whatsapp."""
        sid = request.match_info["sid"]
        approval = self._contents.ask_approval(sid, dict(body), self._switches.auto_approve)
        shown = approval | {"status": "received"}  # the answer never says more than that
        return web.json_response(shown, status=201)

    async def approval(self, request: web.Request, body: Mapping[str, Any]) -> web.Response:
        """GET ApprovalRequests."""
        content = self._contents.get(request.match_info["sid"])
        return web.json_response({
            "sid": content.sid, "account_sid": content.account_sid,
            "whatsapp": _approval(content.approval),
            "url": f"{self.base}/v1/Content/{content.sid}/ApprovalRequests",
        })  # fmt: skip


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _approval(approval: Json) -> Json:
    return {"type": "whatsapp"} | approval if approval else {"status": "unsubmitted"}


async def _values(request: web.Request) -> Mapping[str, Any]:
    if request.content_type != "application/json":
        return await request.post()
    try:
        body = await request.json() if request.can_read_body else {}
    except json.JSONDecodeError:
        raise TwilioError(400, 20001, detail="no JSON") from None
    return body if isinstance(body, dict) else {}


def _scripted(status: int, body: Json | None, retry_after: int | None) -> web.Response:
    code = 20429 if status == 429 else 20500
    if body is None:
        text = "Too Many Requests" if status == 429 else "Internal Server Error"
        info = f"https://www.twilio.com/docs/errors/{code}"
        body = {"code": code, "message": text, "more_info": info, "status": status}
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return web.json_response(body, status=status, headers=headers)
