"""Messages from the product to WhatsApp: taken or refused by Twilio, then by WhatsApp."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import aiohttp

from emulator import limits
from emulator.config import Config, Switches, WhatsAppSender
from emulator.content import (
    LIST,
    Contents,
    Refused,
    Rendered,
    TwilioError,
    check_variables,
    read_variables,
    render,
)
from emulator.files import Files
from emulator.rate import Window
from emulator.store import Json
from emulator.twilio_status import Statuses
from emulator.wire import NotLoopback, fetch, must_be_loopback
from emulator.world import Chat, Message, Person, World

TO: Final = re.compile(r"whatsapp:(\+[1-9]\d{6,14}|[A-Z]{2}\.[A-Za-z0-9.]{1,128})")
# A refusal by WhatsApp's policy is "undelivered", one by Twilio's channel is "failed".
UNDELIVERED: Final = (63014, 63016, 63019, 63024, 12300)


@dataclass
class Sent:
    """A Message resource."""

    sid: str
    sender: str
    to: str
    body: str
    at: float
    callback: str = ""
    person: str = ""
    seq: int = 0
    status: str = "queued"
    error: int = 0
    media: int = 0
    content_sid: str = ""
    inbound: bool = False
    fields: Json = field(default_factory=dict)

    def to_json(self, account: str) -> Json:
        """The resource as Twilio's API shows it."""
        uri = f"/2010-04-01/Accounts/{account}/Messages/{self.sid}"
        at = format_datetime(datetime.fromtimestamp(int(self.at), UTC))
        return {
            "body": self.body, "num_segments": "1", "from": self.sender, "to": self.to,
            "direction": "inbound" if self.inbound else "outbound-api",
            "date_created": at, "date_updated": at,
            "date_sent": None if self.status == "queued" else at,
            "price": None, "price_unit": None, "error_code": self.error or None,
            "error_message": limits.TWILIO_ERRORS.get(self.error), "uri": f"{uri}.json",
            "account_sid": account, "num_media": str(self.media), "status": self.status,
            "messaging_service_sid": None, "sid": self.sid, "api_version": "2010-04-01",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }  # fmt: skip


class TwilioOut:
    """POST Messages.json and what follows."""

    def __init__(
        self, world: World, files: Files, contents: Contents, switches: Switches, config: Config,
        statuses: Statuses, session: Callable[[], aiohttp.ClientSession],
    ) -> None:  # fmt: skip
        self.world = world
        self.contents = contents
        self.sent: dict[str, Sent] = {}
        self._files = files
        self._switches = switches
        self._config = config
        self._statuses = statuses
        self._session = session
        self._windows: dict[str, Window] = {}
        self._reached: dict[str, dict[str, float]] = {}  # sender -> person -> when

    def load(self) -> None:
        """Reads what an earlier run left."""
        for body in self.world.store.load("sent"):
            self.sent[body["sid"]] = Sent(**body)
        for body in self.world.store.load("reached"):
            self._reached[body["sender"]] = body["people"]

    def clear(self) -> None:
        """Forgets messages and quotas."""
        self.sent.clear()
        self._reached.clear()

    def save(self, sent: Sent) -> None:
        """Writes the resource."""
        self.world.store.put("sent", sent.sid, lambda: asdict(sent))

    # taking ---------------------------------------------------------------------------------
    def create(self, form: Mapping[str, str]) -> Sent:
        """Checks like Twilio does before it answers 201; the rest follows by callback."""
        sender = self._sender(form.get("From", ""))
        to = self._to(form.get("To", ""))
        person = self.world.by_address(to)
        chat = self.world.chat(person.id, sender.address) if person else None
        self._check_opted_out(chat)
        self._check_callback(form.get("StatusCallback", ""))
        rendered, refused = self._what(form, chat)
        media = form.get("MediaUrl", "") or rendered.media
        sid = ("MM" if media else "SM") + uuid.uuid4().hex
        sent = Sent(sid, sender.address, to, rendered.body, self.world.clock.now(),
                    callback=form.get("StatusCallback", "") or sender.status_webhook,
                    person=person.id if person else "", media=1 if media else 0,
                    content_sid=form.get("ContentSid", ""))  # fmt: skip
        error = refused or self._whatsapp_refuses(sender, person, chat, form, sent)
        if error and error.code == 63016 and self._switches.window_refusal == "sync":
            raise TwilioError(400, 63016)
        self.sent[sid] = sent
        self.save(sent)
        self._go_on(sent, rendered, media, error)
        return sent

    def _sender(self, address: str) -> WhatsAppSender:
        if not address:
            raise TwilioError(400, 21603)
        for sender in self._config.senders:
            if sender.address == address:
                return sender
        raise TwilioError(400, 21606, address)

    def _to(self, address: str) -> str:
        if not address:
            raise TwilioError(400, 21604)
        if not TO.fullmatch(address):
            raise TwilioError(400, 21211, address)
        return address

    def _check_opted_out(self, chat: Chat | None) -> None:
        if chat and chat.opted_out and self._switches.stop_opts_out:
            raise TwilioError(400, 21610)

    def _check_callback(self, url: str) -> None:
        try:
            _ = must_be_loopback(url) if url else ""
        except NotLoopback:
            raise TwilioError(400, 21609, url) from None

    def _what(self, form: Mapping[str, str], chat: Chat | None) -> tuple[Rendered, Refused | None]:
        body, content, media = (form.get(n, "") for n in ("Body", "ContentSid", "MediaUrl"))
        if content:
            if body or media:
                raise TwilioError(400, 20001, detail="ContentSid excludes Body and MediaUrl")
            return self._content(form, chat)
        if not body and not media:
            raise TwilioError(400, 21619)
        if len(body) > limits.WA_BODY:
            raise TwilioError(400, 21617)
        return Rendered(body), None

    def _content(
        self, form: Mapping[str, str], chat: Chat | None
    ) -> tuple[Rendered, Refused | None]:
        sid = form["ContentSid"]
        if sid not in self.contents.all:
            raise TwilioError(400, 21655, sid)
        content = self.contents.all[sid]
        values = read_variables(form.get("ContentVariables", "")) or {}
        template = not self._open(chat)
        check_variables(content, values, template or self._switches.session_breaks_refused)
        try:
            return render(content, values), None
        except Refused as error:
            return Rendered(content.friendly_name), error

    # refusing afterwards --------------------------------------------------------------------
    def _open(self, chat: Chat | None) -> bool:
        if chat is None or chat.last_inbound is None:
            return False
        return self.world.clock.now() - chat.last_inbound < self._switches.window_seconds

    def _whatsapp_refuses(
        self, sender: WhatsAppSender, person: Person | None, chat: Chat | None,
        form: Mapping[str, str], sent: Sent,
    ) -> Refused | None:  # fmt: skip
        if not self._fits(sender.address):
            return Refused(63018, "throughput")
        if person is None or chat is None or person.deactivated:
            return Refused(63024)
        if chat.blocked:
            return Refused(63014)
        content = self.contents.all.get(form.get("ContentSid", ""))
        if content and content.paused:
            return Refused(63041)
        if self._open(chat):
            return None
        if content is None or not content.approved or content.kind == LIST:
            return Refused(63016)
        if not self._within_quota(sender.address, person.id):
            return Refused(self._switches.quota_error, "quota")
        return None

    def _fits(self, sender: str) -> bool:
        if not self._switches.whatsapp_limits:
            return True
        window = self._windows.setdefault(sender, Window(0, 1.0))
        window.limit = self._switches.whatsapp_per_second + self._switches.whatsapp_slack
        if window.wait() > 0:
            return False
        window.hit()
        return True

    def _within_quota(self, sender: str, person: str) -> bool:
        reached = self._reached.setdefault(sender, {})
        now = self.world.clock.now()
        for who, at in list(reached.items()):
            if now - at >= limits.WA_WINDOW:
                del reached[who]
        full = len(reached) >= self._switches.whatsapp_quota and self._switches.whatsapp_limits
        if full and person not in reached:
            return False
        reached.setdefault(person, now)
        body = {"sender": sender, "people": reached}
        self.world.store.put("reached", sender, lambda: body)
        return True

    # going on -------------------------------------------------------------------------------
    def _go_on(self, sent: Sent, rendered: Rendered, media: str, error: Refused | None) -> None:
        """Shows the message at once, except media, which is fetched first."""
        if error is None and not media:
            self._show(sent, rendered, None)
        self._statuses.follow(sent, lambda: self._rest(sent, rendered, media, error))

    async def _rest(
        self, sent: Sent, rendered: Rendered, media: str, error: Refused | None
    ) -> list[tuple[str, int]]:
        """The statuses that this message will go through."""
        try:
            if error:
                raise error
            if media:
                self._show(sent, rendered, await self._fetch(media))
        except Refused as refused:
            self.world.counters.refuse("messages.create", str(refused))
            status = "undelivered" if refused.code in UNDELIVERED else "failed"
            return [(status, refused.code)]
        reads = self.world.people[sent.person].reads if sent.person in self.world.people else False
        return [("sent", 0), ("delivered", 0)] + ([("read", 0)] if reads else [])

    async def _fetch(self, url: str) -> Json:
        try:
            answer = await fetch(self._session(), must_be_loopback(url))
        except NotLoopback:
            raise Refused(63019, "not on this machine") from None
        if not answer.ok or not answer.body:
            raise Refused(63019, f"HTTP {answer.status}")
        if not answer.content_type.startswith(limits.WA_MEDIA_TYPES):
            raise Refused(12300, answer.content_type)
        picture = answer.content_type.startswith("image/")
        most = limits.WA_PICTURE_BYTES if picture else limits.WA_MEDIA_BYTES
        if len(answer.body) > most:
            raise Refused(63019, "too large")
        name = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
        meta = self._files.add(answer.body, name, answer.content_type)
        return meta | {"kind": _kind(answer.content_type)}

    def _show(self, sent: Sent, rendered: Rendered, media: Json | None) -> None:
        if sent.person not in self.world.people:
            return
        hide = media and media["kind"] == "document" and not self._switches.document_captions
        content = self.contents.all.get(sent.content_sid)
        message = Message(
            self.world.next_seq(), sent.person, sent.sender, False,
            "" if hide else rendered.body, self.world.clock.now(), sid=sent.sid, media=media,
            buttons=[[button] for button in rendered.buttons], listing=rendered.listing,
            template=sent.content_sid if content and content.approved else "",
        )  # fmt: skip
        sent.seq = message.seq
        self.world.show(message)


def _kind(mime: str) -> str:
    if mime.startswith("image/"):
        return "photo"
    return "voice" if mime.startswith("audio/") else "document"


def form_of(values: Mapping[str, Any]) -> dict[str, str]:
    """A form's text fields."""
    return {name: value for name, value in values.items() if isinstance(value, str)}


def dump(value: Any) -> str:
    """JSON as Twilio writes it."""
    return json.dumps(value, ensure_ascii=False)
