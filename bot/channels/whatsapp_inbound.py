"""What comes from WhatsApp through Twilio: messages, taps, status callbacks.

Sources: twilio.com/docs/messaging/guides/webhook-request, twilio.com/docs/usage/webhooks/
webhooks-security, twilio.com/docs/messaging/guides/track-outbound-message-status. Parameters
are added without notice, so nothing is taken for impossible.
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import urldefrag, urlparse
from uuid import UUID

from twilio.request_validator import (  # type: ignore[import-untyped]
    add_port,
    remove_port,
)

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

# Asks Twilio to come again after 5xx too ("Webhooks: connection overrides").
RETRIES = "#rc=5&rp=all"

# Of our StatusCallback address: the delivery's short id, the template that was sent, and the
# number of a part that others follow.
DELIVERY_PARAMETER, TEMPLATE_PARAMETER, PART_PARAMETER, ATTEMPT_PARAMETER = "d", "t", "p", "a"

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
    template: str | None = None  # the Content resource, where the message was an announcement
    part: int | None = None  # its number, where other parts of the delivery follow
    attempt: int | None = None  # how many calls for the delivery had ended before


def verify(auth_token: str, url: str, form: Form, signature: str | None) -> bool:
    """Whether Twilio signed this request to our configured public `url` with all parameters.

    `url` is the one given to Twilio, never the one seen behind a proxy. It may end in
    connection overrides ("#rc=5&rp=all"); whether these are signed is not documented, so
    either signature is good: both need the token.
    """
    if not auth_token or not signature:
        return False
    named = sorted(set(form))
    tail = "".join(name + value for name in named for value in sorted(set(_values(form, name))))
    given, key, parameters = signature.encode(errors="replace"), auth_token.encode(), tail.encode()
    signed = [
        base64.b64encode(hmac.digest(key, each + parameters, "sha1")) for each in _signed_urls(url)
    ]
    return any(hmac.compare_digest(each, given) for each in signed)


@lru_cache(maxsize=64)
def _signed_urls(url: str) -> tuple[bytes, ...]:
    """What Twilio may have signed of this address: with its port or without (its library tries
    both), with its fragment or without."""
    urls = [urlparse(each) for each in (url, urldefrag(url).url)]
    ported = [change(each) for each in urls for change in (remove_port, add_port)]
    return tuple(each.encode() for each in dict.fromkeys(ported))


def _values(form: Form, name: str) -> Sequence[str]:
    """All values of a parameter: the form may be a multidict."""
    several = getattr(form, "getall", None)
    return several(name) if several else (form[name],)


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
        template=query.get(TEMPLATE_PARAMETER) or None,
        part=_number(query.get(PART_PARAMETER, "")),
        attempt=_number(query.get(ATTEMPT_PARAMETER, "")),
    )


def _number(said: str) -> int | None:
    return int(said) if said.isdecimal() and len(said) < 10 else None


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
