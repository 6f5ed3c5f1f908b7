"""What comes from WhatsApp through Twilio: messages, taps, status callbacks.

Sources: twilio.com/docs/messaging/guides/webhook-request, twilio.com/docs/usage/webhooks/
webhooks-security, twilio.com/docs/messaging/guides/track-outbound-message-status. Parameters
are added without notice, so nothing is taken for impossible.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urldefrag
from uuid import UUID

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from bot.channels.commands import is_start, start_payload
from bot.channels.phones import e164, is_number
from bot.channels.twilio_errors import outcome_of
from conversation.message import (
    Alias,
    AliasKind,
    ChannelName,
    Incoming,
    IncomingFile,
    Kind,
    Medium,
)
from core.ids import from_short
from core.outcomes import Outcome

Form = Mapping[str, str]

DELIVERY_PARAMETER = "d"  # of our StatusCallback address: the delivery's short id

_PREFIX = "whatsapp:"
_SCOPED = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]+")  # WhatsApp's business-scoped user id
_NUMBER = re.compile(r"\+?\d{5,15}")
_MEDIA = {"image": Medium.PHOTO, "audio": Medium.VOICE, "video": Medium.VIDEO}
_CARDS = ("text/vcard", "text/x-vcard", "text/directory")


class DeliveryStatus(StrEnum):
    """How far a message has come, by Twilio's word."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNDELIVERED = "undelivered"


# Twilio's other words; what is in none of the two lists is ignored.
_SAME = {
    "accepted": DeliveryStatus.QUEUED,
    "scheduled": DeliveryStatus.QUEUED,
    "sending": DeliveryStatus.QUEUED,
    "canceled": DeliveryStatus.FAILED,
}


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """One status callback. They come late, twice and out of order."""

    sid: str
    delivery: UUID | None  # from our own StatusCallback address
    status: DeliveryStatus
    outcome: Outcome | None = None  # of a failure
    detail: str | None = None  # Twilio's error code


def verify(auth_token: str, url: str, form: Form, signature: str | None) -> bool:
    """Whether Twilio signed this request to our configured public `url` with all parameters.

    `url` is the one given to Twilio, never the one seen behind a proxy. It may end in
    connection overrides ("#rc=5&rp=all"); whether these are signed is not documented, so
    either signature is good: both need the token.
    """
    if not auth_token or not signature:
        return False
    validator = RequestValidator(auth_token)
    urls = dict.fromkeys((url, urldefrag(url).url))
    return any(validator.validate(each, form, signature) for each in urls)


def sender_of(form: Form) -> str:
    """Which of our senders was written to: "whatsapp:+7…"; selects the account."""
    return form.get("To", "")


def parse_message(account: UUID, form: Form, received_at: datetime) -> Incoming | None:
    """The message in neutral words; None when it says neither what it is nor from whom."""
    sid = form.get("MessageSid") or form.get("SmsMessageSid")
    aliases = _aliases(form)
    if not sid or not aliases:
        return None
    return Incoming(
        account=account,
        channel=ChannelName.WHATSAPP,
        external_ids=(f"m:{sid}",),
        aliases=aliases,
        received_at=received_at,
        tapped_message=form.get("OriginalRepliedMessageSid") or None,
        **_facts(form),
    )


def parse_status(form: Form, query: Form) -> StatusUpdate | None:
    """The status callback; None when it names no message or a status we do not know."""
    sid = form.get("MessageSid") or form.get("SmsSid")
    status = _status(form.get("MessageStatus") or form.get("SmsStatus") or "")
    if not sid or status is None:
        return None
    code = form.get("ErrorCode") or ""
    failed = status in (DeliveryStatus.FAILED, DeliveryStatus.UNDELIVERED)
    return StatusUpdate(
        sid=sid,
        delivery=_delivery(query.get(DELIVERY_PARAMETER, "")),
        status=status,
        outcome=_failure(code) if failed else None,
        detail=code or None,
    )


def _aliases(form: Form) -> tuple[Alias, ...]:
    """First what `From` says, for that is answered to; then what else identifies the person."""
    names = [form.get("From", ""), form.get("ExternalUserId", "")]
    wa_id = form.get("WaId", "")
    if not _NUMBER.fullmatch(names[0].removeprefix(_PREFIX)) and is_number(f"+{wa_id}"):
        names.append(f"+{wa_id}")
    found = [alias for name in names if (alias := _alias(name.removeprefix(_PREFIX)))]
    return tuple(dict.fromkeys(found))


def _alias(name: str) -> Alias | None:
    if _NUMBER.fullmatch(name):
        return Alias(AliasKind.PHONE, e164(name if name.startswith("+") else f"+{name}"))
    return Alias(AliasKind.SCOPED, name) if _SCOPED.fullmatch(name) else None


def _facts(form: Form) -> dict[str, Any]:
    if payload := form.get("ButtonPayload") or form.get("ListId"):
        return {"kind": Kind.CHOICE, "payload": payload, "text": _tapped_label(form)}
    text = _tapped_label(form)
    if files := (*_media(form), *_place(form)):
        return {"kind": Kind.ATTACHMENT, "files": files, "text": text}
    if is_start(text):
        return {"kind": Kind.START, "text": text, "start": start_payload(text)}
    return {"kind": Kind.TEXT, "text": text} if text else {"kind": Kind.OTHER}


def _tapped_label(form: Form) -> str:
    return form.get("ButtonText") or form.get("ListTitle") or form.get("Body") or ""


def _media(form: Form) -> tuple[IncomingFile, ...]:
    count = form.get("NumMedia") or "0"
    numbers = range(int(count)) if count.isdecimal() else range(0)
    return tuple(
        IncomingFile(_medium(form, mime := form.get(f"MediaContentType{i}", "")), url, mime or None)
        for i in numbers
        if (url := form.get(f"MediaUrl{i}"))
    )


def _medium(form: Form, mime: str) -> Medium:
    if form.get("MessageType") == "sticker":
        return Medium.STICKER
    if mime in _CARDS or form.get("MessageType") == "contacts":
        return Medium.OTHER
    return _MEDIA.get(mime.partition("/")[0], Medium.DOCUMENT)


def _place(form: Form) -> tuple[IncomingFile, ...]:
    latitude, longitude = form.get("Latitude"), form.get("Longitude")
    if not latitude or not longitude:
        return ()
    name = form.get("Label") or form.get("Address") or None
    return (IncomingFile(Medium.LOCATION, f"{latitude},{longitude}", name=name),)


def _status(word: str) -> DeliveryStatus | None:
    known = set(DeliveryStatus)
    return DeliveryStatus(word) if word in known else _SAME.get(word)


def _delivery(written: str) -> UUID | None:
    try:
        return from_short(written)
    except ValueError:
        return None


def _failure(code: str) -> Outcome:
    """A failure without a code tells only that the person was not reached."""
    return outcome_of(int(code)) if code.isdecimal() else Outcome.UNREACHABLE
