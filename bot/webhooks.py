"""The web server: webhooks, status callbacks, files, health. Acknowledges after the commit."""

from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from urllib.parse import quote

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import App
from bot.channels.telegram_updates import secret_matches
from bot.channels.whatsapp_inbound import (
    RETRIES,
    parse_message,
    parse_status,
    sender_of,
    verify,
)
from bot.database import pending
from bot.engine import Received, is_transient
from core.outcomes import Outcome
from services import files, reports
from services.dead_letters import where
from services.installation import AccountView
from services.reports import Report
from services.unit import Unit

log = structlog.get_logger()

APP = web.AppKey("zhiyn", App)
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105
SIGNATURE_HEADER = "X-Twilio-Signature"
PROXIED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")
MAX_BODY = 1024 * 1024
EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_server(app: App) -> web.Application:
    """The routes of DESIGN part 12."""
    server = web.Application(client_max_size=MAX_BODY, middlewares=[_transient_is_503])
    server[APP] = app
    server.router.add_post("/telegram", telegram)
    server.router.add_post("/whatsapp", whatsapp)
    server.router.add_post("/whatsapp/status", whatsapp_status)
    server.router.add_get("/files/{token}{name:(/[^/]*)?}", file)
    server.router.add_get("/health", health)
    server.router.add_get("/ready", ready)
    server.router.add_get("/metrics", metrics)
    return server


@web.middleware
async def _transient_is_503(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What may succeed later answers 503, and the platform comes again."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:
        transient = is_transient(error)
        log.log(30 if transient else 40, "request-failed", error=where(error))
        return web.Response(status=503 if transient else 500)


async def telegram(request: web.Request) -> web.Response:
    """One update, proved by the secret, which also tells the bot it is for."""
    app = request.app[APP]
    account = _by_secret(app, request.headers.get(SECRET_HEADER))
    if account is None:
        log.warning("telegram-refused", reason="secret")
        return web.Response(status=403)
    try:
        update = await request.json()
    except ValueError:
        return web.Response(status=400)
    if not isinstance(update, dict):
        return web.Response(status=400)
    return web.Response(status=_status(await app.take(account.id, update)))


async def whatsapp(request: web.Request) -> web.Response:
    """One message, proved by Twilio's signature; `To` tells which sender it is for."""
    app = request.app[APP]
    form, account = await _signed(request, "/whatsapp")
    if account is None:
        return web.Response(status=403)
    incoming = parse_message(account.id, form, app.clock.now())
    if incoming is None:
        return _twiml(200)
    return _twiml(_status(await app.receive(incoming)))


async def whatsapp_status(request: web.Request) -> web.Response:
    """How far a message has come; may arrive late, twice, before the response."""
    app = request.app[APP]
    form, account = await _signed(request, "/whatsapp/status", of=("From", "AccountSid"))
    if account is None:
        return web.Response(status=403)
    update = parse_status(form, request.query)
    if update is None or update.delivery is None:
        return web.Response()
    async with app.database.turns.begin() as connection:
        report = Report(
            update.delivery,
            update.sid,
            update.status.value,
            failure=update.outcome,
            detail=update.detail,
            attempt=update.attempt,
            part=update.part,
            template=update.template,
        )
        await reports.take(connection, report, app.clock.now())
    if update.outcome is Outcome.THROTTLED:
        log.warning("whatsapp-throttled", code=update.detail)
    return web.Response()


async def file(request: web.Request) -> web.Response:
    """A file, by the random word that Twilio was given; 404 for any other or an old one. The
    name behind it is for WhatsApp to show."""
    app = request.app[APP]
    async with AsyncSession(app.database.work) as session:
        unit = Unit(session, app.keyring, app.clock.now())
        found = await files.by_token(unit, request.match_info["token"])
    if found is None:
        return web.Response(status=404)
    return web.Response(
        body=found.content,
        content_type=found.mime,
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": f"inline; filename*=UTF-8''{quote(found.name)}",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def health(request: web.Request) -> web.Response:
    """The process is alive."""
    return web.json_response({"alive": True})


async def ready(request: web.Request) -> web.Response:
    """The database answers and its schema is the program's; calls no platform."""
    app = request.app[APP]
    try:
        async with app.database.work.connect() as connection:
            await connection.execute(text("SELECT 1"))
            behind = await pending(connection)
    except Exception as error:
        log.warning("not-ready", error=where(error))
        return web.json_response({"ready": False, "database": False}, status=503)
    return web.json_response({"ready": not behind, "migrations": not behind},
                             status=503 if behind else 200)  # fmt: skip


async def metrics(request: web.Request) -> web.Response:
    """For Prometheus, from this machine or a private network only; nobody else learns that it is
    there. What came through a proxy has no peer that could be trusted."""
    if not is_near(request.remote, request.headers):
        return web.Response(status=404)
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def is_near(peer: str | None, headers: Mapping[str, str]) -> bool:
    """Did this come straight from a loopback or private address?"""
    if any(name in headers for name in PROXIED):
        return False
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_private


def _by_secret(app: App, header: str | None) -> AccountView | None:
    for account in app.accounts:
        expected = account.secrets.get("webhook_secret", "")
        if account.channel == "telegram" and secret_matches(header, expected):
            return account
    return None


async def _signed(
    request: web.Request, path: str, of: tuple[str, ...] = ("To",)
) -> tuple[dict[str, str], AccountView | None]:
    """The parameters and the account, if Twilio signed them for our public address."""
    app = request.app[APP]
    form = {name: str(value) for name, value in (await request.post()).items()}
    account = _by_sender(app, form, of[0])
    url = f"{app.settings.public_url}{path}"
    if request.query_string:
        url += f"?{request.query_string}"
    signature = request.headers.get(SIGNATURE_HEADER)
    if account is None or not verify(account.secrets["auth_token"], url + RETRIES, form, signature):
        log.warning("whatsapp-refused", reason="sender" if account is None else "signature")
        return form, None
    return form, account


def _by_sender(app: App, form: dict[str, str], field: str) -> AccountView | None:
    sender = sender_of(form) if field == "To" else form.get(field, "")
    found = (a for a in app.accounts if a.channel == "whatsapp" and a.sender == sender)
    return next(found, None)


def _status(received: Received) -> int:
    return 503 if received is Received.TRANSIENT else 200


def _twiml(status: int) -> web.Response:
    return web.Response(status=status, text=EMPTY_TWIML, content_type="text/xml")
