"""WhatsApp's outbound side, through Twilio: the real client, one place that maps its refusals.

Sources: twilio.com/docs/messaging/api/message-resource, twilio.com/docs/content,
twilio.com/docs/whatsapp/tutorial/send-whatsapp-notification-messages-templates.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import structlog
from aiohttp import ClientConnectorError, ClientError
from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioRestException,
    TwilioServiceException,
)
from twilio.rest import Client  # type: ignore[import-untyped]
from twilio.rest.content.v1.content import ContentList  # type: ignore[import-untyped]
from twilio.rest.content.v1.content.approval_create import (  # type: ignore[import-untyped]
    ApprovalCreateList,
)

from bot.channels.base import DownloadRefused, Part
from bot.channels.files import FileSource
from bot.channels.template_store import TemplateStore
from bot.channels.twilio_client import MediaRefused
from bot.channels.twilio_errors import RESOURCE_GONE, outcome_of
from bot.channels.whatsapp_inbound import (
    ATTEMPT_PARAMETER,
    DELIVERY_PARAMETER,
    PART_PARAMETER,
    RETRIES,
    TEMPLATE_PARAMETER,
)
from bot.channels.whatsapp_render import (
    InteractivePart,
    MediaPart,
    TemplatePart,
    TextPart,
    WhatsAppPart,
    Withheld,
    render,
    render_template,
)
from bot.channels.whatsapp_templates import (
    SAMPLE,
    Template,
    TemplateTexts,
    Types,
    locale_texts,
)
from conversation.message import ChannelName, Content
from core.clock import Clock
from core.ids import short
from core.languages import Language
from core.outcomes import Outcome, SendResult
from services.content_templates import NEW, NOT_MADE, Remembered, Slot

RECHECK = timedelta(minutes=5)
REREAD = timedelta(seconds=5)  # another process may have heard that a template is paused
THROTTLE_SECONDS = 1.0  # Twilio names no time to wait
SESSION = "session"
APPROVED = "approved"
UNSUBMITTED = (NEW, "unsubmitted")
CATEGORY = "UTILITY"

_PREFIX = "whatsapp:"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_log = structlog.get_logger(__name__)


class _Unavailable(Exception):
    """The template is not approved, or not any more; the word is WhatsApp's, or Twilio's code."""


class _Gone(Exception):
    """Twilio does not know the template any more; the text is its code."""


@dataclass(slots=True)
class WhatsAppChannel:
    """One WhatsApp sender: draws neutral content and sends it through Twilio."""

    account: UUID
    client: Client
    sender: str  # "whatsapp:+7…"
    templates: TemplateStore
    files: FileSource
    status_callback_url: str
    clock: Clock
    wording: TemplateTexts = locale_texts
    name: ChannelName = ChannelName.WHATSAPP
    _known: dict[Slot, Remembered] = field(default_factory=dict)
    _read_at: dict[Slot, datetime] = field(default_factory=dict)  # of templates
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def prepare(self, content: Content, *, window_open: bool) -> Sequence[WhatsAppPart]:
        """The messages that show this content, or the template that announces it."""
        if window_open:
            return render(content)
        return render_template(content, self.wording)

    async def send(
        self, to: str, part: Part, delivery: UUID, *, attempt: int = 0, followed: int | None = None
    ) -> SendResult:
        """Hands one part to Twilio; whatever it answers is one of the outcomes."""
        about = {DELIVERY_PARAMETER: short(delivery), ATTEMPT_PARAMETER: str(attempt)}
        if followed is not None:
            about[PART_PARAMETER] = str(followed)
        match part:
            case Withheld():
                return SendResult(part.outcome)
            case TextPart():
                return await self._message(to, about, body=part.body)
            case MediaPart():
                url = await self.files.public_url(part.file)
                body = {"body": part.body} if part.body else {}
                return await self._message(to, about, media_url=[url], **body)
            case InteractivePart():
                return await self._interactive(to, part, about)
            case TemplatePart():
                return await self._template(to, part, about)
        raise TypeError(f"not a part of WhatsApp's: {type(part).__name__}")

    def opens_conversation(self, part: Part) -> bool:
        """A template is sent outside the window only."""
        return isinstance(part, TemplatePart)

    async def download(self, reference: str) -> bytes:
        """See Channel."""
        try:
            fetched: bytes = await self.client.http_client.fetch(reference, self.client.auth)
        except MediaRefused as refused:
            raise DownloadRefused(refused.fault) from refused
        return fetched

    async def close(self) -> None:
        """Gives back connections."""
        await self.client.http_client.close()

    # messages -----------------------------------------------------------------------------

    async def _message(self, to: str, about: Mapping[str, str], **what: Any) -> SendResult:
        query = urlencode(about)  # comes back with every status callback
        joint = "&" if "?" in self.status_callback_url else "?"
        try:
            sent = await self.client.messages.create_async(
                to=_PREFIX + to.removeprefix(_PREFIX),
                from_=self.sender,
                status_callback=f"{self.status_callback_url}{joint}{query}{RETRIES}",
                **what,
            )
        except (TwilioRestException, TwilioServiceException) as error:
            return refused(error)
        except (TimeoutError, ClientError) as error:
            return not_answered(error)
        if sent.error_code:
            return _result(outcome_of(int(sent.error_code)), str(sent.error_code))
        return SendResult(Outcome.SENT, platform_id=sent.sid)

    async def _content(
        self, to: str, about: Mapping[str, str], slot: Slot, sid: str, variables: dict[str, str]
    ) -> SendResult:
        """Sends a resource; one that Twilio does not know any more will be made anew."""
        written = json.dumps(variables, ensure_ascii=False)
        result = await self._message(to, about, content_sid=sid, content_variables=written)
        if result.detail and result.detail.isdecimal() and int(result.detail) in RESOURCE_GONE:
            await self._forget(slot, sid)
            return SendResult(Outcome.TRANSIENT, detail=result.detail)
        return result

    async def _interactive(
        self, to: str, part: InteractivePart, about: Mapping[str, str]
    ) -> SendResult:
        """Buttons; by numbers if Twilio refuses to make the resource for them."""
        slot = Slot(self.account, SESSION, part.language, part.shape.key)
        variables = {str(n): value for n, value in enumerate(part.values, start=1)}
        try:
            sid = await self._session_sid(slot, part.shape.types(), list(variables))
        except (TwilioRestException, TwilioServiceException) as error:
            result = refused(error)
            if result.outcome is not Outcome.REFUSED or not part.plain:
                return result
            _log.warning("content refused, numbered instead", shape=slot.shape, code=error.code)
            return await self._message(to, about, body=part.plain)
        except (TimeoutError, ClientError) as error:
            return _nothing_sent(error)
        return await self._content(to, about, slot, sid, variables)

    async def _template(self, to: str, part: TemplatePart, about: dict[str, str]) -> SendResult:
        """The announcement; its full text waits for the tap."""
        template = part.template
        slot = Slot(self.account, template.kind, template.language, template.key)
        try:
            sid = await self._approved_sid(slot, template)
        except _Unavailable as error:
            return SendResult(Outcome.TEMPLATE_UNAVAILABLE, detail=str(error))
        except _Gone as error:
            return SendResult(Outcome.TRANSIENT, detail=str(error))
        except (TwilioRestException, TwilioServiceException) as error:
            return refused(error)
        except (TimeoutError, ClientError) as error:
            return _nothing_sent(error)
        about |= {TEMPLATE_PARAMETER: sid}
        result = await self._content(to, about, slot, sid, template.fill(part.values, part.payload))
        if result.outcome is Outcome.TEMPLATE_UNAVAILABLE:
            await self._note(slot, sid, str(result.detail))
        if result.outcome is not Outcome.SENT:
            return result
        return SendResult(Outcome.ANNOUNCED, platform_id=result.platform_id)

    # resources ----------------------------------------------------------------------------

    async def _session_sid(self, slot: Slot, types: Types, places: list[str]) -> str:
        if slot not in self._known:
            async with self._making:
                samples = dict.fromkeys(places, SAMPLE)
                await self._resource(slot, f"zhiyn {slot.shape}", types, samples)
        return self._known[slot].sid

    async def _approved_sid(self, slot: Slot, template: Template) -> str:
        """Makes and submits the template at first use, asks again after five minutes; a refusal
        of Twilio's holds as long.

        Raises _Unavailable unless it is approved, _Gone if it will be made anew.
        """
        async with self._making:
            if self.clock.now() - self._read_at.get(slot, _LONG_AGO) > REREAD:
                self._known.pop(slot, None)
                self._read_at[slot] = self.clock.now()
            found = await self._remembered(slot)
            if found is None or not self._fresh(found):
                found = await self._ask_approval(slot, template)
        if found.status != APPROVED:
            raise _Unavailable(found.status)
        return found.sid

    async def _remembered(self, slot: Slot) -> Remembered | None:
        found = self._known.get(slot) or await self.templates.find(slot)
        if found is not None:
            self._known[slot] = found
        return found

    async def _resource(
        self, slot: Slot, name: str, types: Types, samples: dict[str, str]
    ) -> Remembered:
        found = await self._remembered(slot)
        if found is None or found.sid == NOT_MADE:
            sid = await self._create(name, slot.language, types, samples)
            found = await self.templates.remember(slot, sid, self.clock.now())
            self._known[slot] = found
        return found

    def _fresh(self, found: Remembered) -> bool:
        return found.checked_at is not None and self.clock.now() - found.checked_at < RECHECK

    async def _create(
        self, name: str, language: Language, types: Types, samples: dict[str, str]
    ) -> str:
        wanted = {
            "friendly_name": name,
            "language": language.value,
            "variables": samples,
            "types": _TypesAsTheyAre(types),
        }
        made = await self.client.content.v1.contents.create_async(
            ContentList.ContentCreateRequest(wanted)
        )
        return str(made.sid)

    async def _ask_approval(self, slot: Slot, template: Template) -> Remembered:
        """What WhatsApp says of the template now; or Twilio, where it refuses."""
        try:
            found = await self._resource(slot, template.name, template.types(), template.samples())
            status = await self._status(found, template.name)
        except (TwilioRestException, TwilioServiceException) as error:
            found, status = await self._refusal(slot, error)
        await self._note(slot, found.sid, status)
        return self._known[slot]

    async def _status(self, found: Remembered, name: str) -> str:
        status = found.status
        if status not in UNSUBMITTED:
            status = await self._fetch_status(found.sid)
        return await self._submit(found.sid, name) if status in UNSUBMITTED else status

    async def _refusal(
        self, slot: Slot, error: TwilioRestException | TwilioServiceException
    ) -> tuple[Remembered, str]:
        """What is known of the refused template, and Twilio's code: nobody was written to.

        Raises the error if it can pass, _Gone for a template that Twilio knew before. One that it
        has only just made is refused like any other: it would be made for every recipient.
        """
        result, found = refused(error), await self._remembered(slot)
        if result.outcome in (Outcome.TRANSIENT, Outcome.THROTTLED):
            raise error
        if found is not None and found.checked_at is not None and error.code in RESOURCE_GONE:
            await self._forget(slot, found.sid)
            raise _Gone(str(error.code)) from error
        code = str(result.detail)
        _log.error("template-refused", kind=slot.kind, language=slot.language.value, code=code)
        if found is None:
            found = await self.templates.remember(slot, NOT_MADE, self.clock.now())
        return found, code

    async def _note(self, slot: Slot, sid: str, status: str) -> None:
        now = self.clock.now()
        await self.templates.note(slot, status, now)
        self._known[slot] = Remembered(sid, status, now)

    async def _forget(self, slot: Slot, sid: str) -> None:
        self._known.pop(slot, None)
        await self.templates.forget(slot, sid)

    async def _submit(self, sid: str, name: str) -> str:
        """Submits the template and asks at once what became of it.

        A refusal may mean that it was submitted before: by another process, or by us when
        the answer was lost. So the status decides, and the refusal only counts without one.
        """
        asked = ApprovalCreateList.ContentApprovalRequest({"name": name, "category": CATEGORY})
        refusal: Exception | None = None
        try:
            await self.client.content.v1.contents(sid).approval_create.create_async(asked)
        except (TwilioRestException, TwilioServiceException) as error:
            refusal = error
        status = await self._fetch_status(sid)
        if refusal is not None and status in UNSUBMITTED:
            raise refusal
        return status

    async def _fetch_status(self, sid: str) -> str:
        answer = await self.client.content.v1.contents(sid).approval_fetch().fetch_async()
        return str((answer.whatsapp or {}).get("status") or NEW)


class _TypesAsTheyAre:
    """A resource's types for Twilio's client, without the nulls it adds for all other types."""

    def __init__(self, types: Types) -> None:
        self._types = types

    def to_dict(self) -> Types:
        return self._types


def refused(error: TwilioRestException | TwilioServiceException) -> SendResult:
    """Twilio's refusal as one of the outcomes; the detail is its code, never its words."""
    code = int(error.code or 0)
    return _result(outcome_of(code, int(error.status or 400)), str(code))


def not_answered(error: TimeoutError | ClientError) -> SendResult:
    """Not connected: nothing was sent. Anything later: it may have been."""
    before = isinstance(error, ClientConnectorError)
    outcome = Outcome.TRANSIENT if before else Outcome.UNKNOWN
    return SendResult(outcome, detail=type(error).__name__)


def _nothing_sent(error: TimeoutError | ClientError) -> SendResult:
    """Making a resource failed: whatever became of it, nobody was written to."""
    return SendResult(Outcome.TRANSIENT, detail=type(error).__name__)


def _result(outcome: Outcome, detail: str) -> SendResult:
    wait = THROTTLE_SECONDS if outcome is Outcome.THROTTLED else None
    return SendResult(outcome, retry_after=wait, detail=detail)
