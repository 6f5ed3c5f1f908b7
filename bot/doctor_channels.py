"""What `zhiyn doctor` asks the messengers, once each: plain HTTP, no messenger's library.

Sources: core.telegram.org/bots/api (getMe, getWebhookInfo); twilio.com/docs: api v2010 Account,
whatsapp/api/senders (messaging v2 Channels/Senders), content-api-resources (ApprovalRequests).
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.channels.whatsapp_templates import Template, locale_texts
from bot.checks import Check, State, fault, fine, look
from core.clock import Clock
from core.languages import Language
from core.settings import Settings
from core.texts import texts
from services.content_templates import NOT_MADE, Remembered

TELEGRAM = "https://api.telegram.org"
TWILIO, CONTENT, MESSAGING = (
    f"https://{host}.twilio.com" for host in ("api", "content", "messaging")
)
SECONDS = ClientTimeout(10)
MANY = 100  # updates that wait at Telegram: more than a busy minute brings
RECENT = timedelta(hours=1)  # a failed delivery of Telegram's that is still worth a line
SLOW_CLOCK = 5  # seconds that the machine's clock may differ; a header tells whole seconds
WRONG_CLOCK = 60
PAGES = 20

_UNAVAILABLE = ("rejected", "paused", "disabled", "refused")
_TEMPLATE = re.compile(r"template-(.+)-button")

Json = dict[str, Any]


class _NoAnswer(Exception):
    """Not connected, timed out, or no JSON; the text is the error's class."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: Json
    date: str | None


@dataclass(slots=True)
class Messengers:
    """The two platforms, as the settings name them."""

    settings: Settings
    http: ClientSession
    told: str | None = None  # the newest Date header: what time it is out there

    async def ask(self, url: str, login: tuple[str, str] | None = None) -> _Answer:
        """One GET. Raises _NoAnswer."""
        headers = {"Authorization": _basic(*login)} if login else {}
        try:
            async with self.http.get(url, headers=headers, timeout=SECONDS) as answer:
                body = await answer.json(content_type=None)
                self.told = answer.headers.get("Date") or self.told
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise _NoAnswer(type(error).__name__) from None
        return _Answer(answer.status, body if isinstance(body, dict) else {}, self.told)


async def examine(
    settings: Settings, templates: Mapping[tuple[str, Language], Remembered], *, leader: bool
) -> list[Check]:
    """A line for each messenger that is set up, for the templates, and for this machine's clock.

    `templates`: the resources that were made at Twilio or refused by it, by kind and language.
    `leader`: a `zhiyn serve` is running.
    """
    checks: list[Check] = []
    async with ClientSession() as http:
        messengers = Messengers(settings, http)
        if settings.telegram_token:
            checks += await _telegram(messengers, leader=leader)
        if settings.twilio_account_sid and settings.twilio_auth_token:
            checks += await _twilio(messengers, templates)
        checks += _machine_clock(messengers.told)
    return checks


def template_kinds() -> list[str]:
    """The kinds of messages that have a template for outside WhatsApp's window."""
    found = (_TEMPLATE.fullmatch(key) for key in texts().keys(Language.KK))
    return sorted(one[1] for one in found if one)


def template_key(kind: str, language: Language) -> str:
    """Under which name the resource of this template's present wording is remembered."""
    return Template(kind, language, *locale_texts(kind, language)).key


# Telegram


async def _telegram(messengers: Messengers, *, leader: bool) -> list[Check]:
    settings = messengers.settings
    base = f"{settings.telegram_api_url or TELEGRAM}/bot{settings.telegram_token}"
    try:
        me = await messengers.ask(f"{base}/getMe")
        hook = await messengers.ask(f"{base}/getWebhookInfo")
    except _NoAnswer as error:
        return [fault("telegram", f"does not answer ({error})", "Is the network there?")]
    if me.status in (401, 404):
        advice = "Take the token from @BotFather anew into TELEGRAM_TOKEN, restart zhiyn serve"
        return [fault("telegram", "refuses the token", advice)]
    if not me.body.get("ok") or not hook.body.get("ok"):
        return [fault("telegram", f"answers with HTTP {max(me.status, hook.status)}", "Try later")]
    name = f"@{me.body['result'].get('username', '')}"
    return [_webhook(settings, name, hook.body["result"], leader=leader)]


def _webhook(settings: Settings, name: str, hook: Json, *, leader: bool) -> Check:
    url, waiting = str(hook.get("url") or ""), int(hook.get("pending_update_count") or 0)
    if settings.telegram_mode == "polling" and url:
        told = f"{name}, polling, but a webhook is set to {urlsplit(url).hostname}"
        advice = (
            "Somebody else uses this token: /revoke it at @BotFather"
            if leader
            else "zhiyn serve takes it away at its start"
        )
        return fault("telegram", told, advice)
    ours = f"{settings.public_url}/telegram"
    if settings.telegram_mode == "webhook" and url != ours:
        told = f"{name}, webhook at {urlsplit(url).hostname}" if url else f"{name}, no webhook"
        return fault("telegram", f"{told}, not at {ours}", "Restart zhiyn serve: it sets its own")
    told = f"{name}, {settings.telegram_mode}, {waiting} updates waiting"
    if error := _recent_error(hook):
        advice = "Is PUBLIC_URL reachable from outside, with a valid certificate?"
        return look("telegram", f"{told}; could not deliver lately: {error}", advice)
    if waiting > MANY:
        return look("telegram", told, "Is zhiyn serve running? Does it keep up?")
    return fine("telegram", told)


def _recent_error(hook: Json) -> str | None:
    at = hook.get("last_error_date")
    if not at or Clock().now() - datetime.fromtimestamp(int(at), UTC) > RECENT:
        return None
    return str(hook.get("last_error_message") or "no reason told")


# Twilio


async def _twilio(
    messengers: Messengers, templates: Mapping[tuple[str, Language], Remembered]
) -> list[Check]:
    settings = messengers.settings
    sid, token = settings.twilio_account_sid or "", settings.twilio_auth_token or ""
    try:
        account = await messengers.ask(
            f"{settings.twilio_api_url or TWILIO}/2010-04-01/Accounts/{sid}.json", (sid, token)
        )
        if account.status != 200:
            return [_refused(account)]
        return [
            _account(account.body),
            await _sender(messengers, (sid, token)),
            await _templates(messengers, (sid, token), templates),
        ]
    except _NoAnswer as error:
        return [fault("twilio account", f"does not answer ({error})", "Is the network there?")]


def _refused(account: _Answer) -> Check:
    if account.status in (401, 403, 404):
        advice = "Copy Account SID and Auth Token (no API key) from Twilio's console"
        return fault("twilio account", f"refused (HTTP {account.status})", advice)
    return fault("twilio account", f"answers with HTTP {account.status}", "Try later")


def _account(body: Json) -> Check:
    status, kind = str(body.get("status", "")), str(body.get("type", ""))
    if status != "active":
        return fault("twilio account", status or "no status told", "See Twilio's console")
    if kind == "Trial":
        advice = "A trial account writes to verified numbers only: upgrade it"
        return look("twilio account", "active, trial", advice)
    return fine("twilio account", "active")


async def _sender(messengers: Messengers, login: tuple[str, str]) -> Check:
    settings, wanted = messengers.settings, messengers.settings.twilio_whatsapp_from
    base = settings.twilio_api_url or MESSAGING
    url: str | None = f"{base}/v2/Channels/Senders?Channel=whatsapp&PageSize=100"
    for _ in range(PAGES):
        if url is None:
            break
        answer = await messengers.ask(url, login)
        if answer.status != 200:
            advice = "Look at the sender in Twilio's console"
            return look("whatsapp sender", f"not told (HTTP {answer.status})", advice)
        for sender in answer.body.get("senders") or []:
            if sender.get("sender_id") == wanted:
                return _known_sender(settings, sender)
        url = (answer.body.get("meta") or {}).get("next_page_url")
    advice = "Is TWILIO_WHATSAPP_FROM a sender of this account?"
    return fault("whatsapp sender", f"{wanted} is none of this account", advice)


def _known_sender(settings: Settings, sender: Json) -> Check:
    status = str(sender.get("status", ""))
    if not status.startswith("ONLINE"):
        return fault("whatsapp sender", status.lower(), "See the sender in Twilio's console")
    hook = str((sender.get("webhook") or {}).get("callback_url") or "")
    ours = f"{settings.public_url}/whatsapp"
    if hook.partition("#")[0] != ours:
        told = f"online, webhook at {urlsplit(hook).hostname}" if hook else "online, no webhook"
        advice = f"Enter {ours}#rc=5&rp=all in the sender's settings, unless a service has it"
        return look("whatsapp sender", told, advice)
    return fine("whatsapp sender", "online")


async def _templates(
    messengers: Messengers,
    login: tuple[str, str],
    made: Mapping[tuple[str, Language], Remembered],
) -> Check:
    """The approval of each template of today's wording."""
    states = {
        f"{kind} {language}": await _approval(messengers, login, made.get((kind, language)))
        for kind in template_kinds()
        for language in Language
    }
    told = ", ".join(f"{name}: {state}" for name, state in states.items())
    if set(states.values()) == {"approved"}:
        return fine("whatsapp templates", told)
    if any(state.startswith(_UNAVAILABLE) for state in states.values()):
        advice = "See why in Twilio's console, Content; until then these wait for the person"
        return fault("whatsapp templates", told, advice)
    advice = "They are made and submitted when they are first needed; see operator.md part 6"
    return Check("whatsapp templates", State.LOOK, told, advice)


async def _approval(messengers: Messengers, login: tuple[str, str], made: Remembered | None) -> str:
    if made is None:
        return "not made yet"
    if made.sid == NOT_MADE:
        return f"refused ({made.status})"
    base = messengers.settings.twilio_api_url or CONTENT
    answer = await messengers.ask(f"{base}/v1/Content/{made.sid}/ApprovalRequests", login)
    if answer.status != 200:
        return f"not told (HTTP {answer.status})"
    status = str((answer.body.get("whatsapp") or {}).get("status") or "unsubmitted")
    if status == "unsubmitted":
        return f"refused ({made.status})" if made.status.isdecimal() else "not submitted"
    return status


# The machine's clock


def _machine_clock(told: str | None) -> list[Check]:
    """Ours against the messengers': legal days begin by it."""
    if told is None:
        return []
    try:
        there = parsedate_to_datetime(told)
    except ValueError:
        return []
    ahead = round((Clock().now() - there).total_seconds())
    if abs(ahead) <= SLOW_CLOCK:
        return [fine("machine clock", "right")]
    told = f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} the messengers'"
    advice = "Set it by NTP: timedatectl set-ntp true"
    made = fault if abs(ahead) > WRONG_CLOCK else look
    return [made("machine clock", told, advice)]


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
