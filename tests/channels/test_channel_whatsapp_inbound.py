"""Twilio's own requests, as files, and what they mean."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlparse
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator, add_port, remove_port

from bot.channels.whatsapp_inbound import (
    DeliveryStatus,
    parse_message,
    parse_status,
    sender_of,
    verify,
)
from conversation.message import (
    Alias,
    AliasKind,
    ChannelName,
    Incoming,
    IncomingFile,
    Kind,
    Medium,
)
from core.ids import short
from core.outcomes import Outcome

RECORDED = Path(__file__).parent.parent / "recorded" / "twilio"
ACCOUNT = UUID("0192f0c1-0000-7000-8000-000000000001")
DELIVERY = UUID("0192f0c1-0000-7000-8000-000000000002")
NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
PHONE = Alias(AliasKind.PHONE, "+77051234567")
SCOPED = Alias(AliasKind.SCOPED, "KZ.1234abcd")
MEDIA = "https://api.twilio.com/2010-04-01/Accounts"


def recorded(name: str) -> dict[str, str]:
    text = (RECORDED / f"{name}.txt").read_text(encoding="utf-8").strip()
    return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))


def attached(medium: Medium, reference: str, mime: str | None, **facts: Any) -> dict[str, Any]:
    return {"kind": Kind.ATTACHMENT, "files": (IncomingFile(medium, reference, mime),), **facts}


CASES: dict[str, dict[str, Any]] = {
    "text": {"kind": Kind.TEXT, "text": "Сәлем! Су неге жоқ? 1+1=2 & т.б."},
    "text_stop": {"kind": Kind.TEXT, "text": "ТОҚТАТУ"},
    "start_from_link": {
        "kind": Kind.START, "text": "/start inv-7Gk2_Q", "start": "inv-7Gk2_Q",
    },
    "blank_body": {"kind": Kind.OTHER},
    "unsupported": {"kind": Kind.OTHER},
    "button": {
        "kind": Kind.CHOICE, "payload": "1s.read.BBBB", "text": "Оқыдым",
        "tapped_message": "MM0123456789abcdef0123456789abcdef",
    },
    "button_text_only": {"kind": Kind.TEXT, "text": "Оқыдым"},
    "list": {
        "kind": Kind.CHOICE, "payload": "1c.pick.CCCC", "text": "Қызылжар",
        "tapped_message": "SM0123456789abcdef0123456789abcdef",
    },
    "list_text_only": {"kind": Kind.TEXT, "text": "Қызылжар"},
    "photo": attached(
        Medium.PHOTO,
        f"{MEDIA}/AC0123456789abcdef0123456789abcdef/Messages/MM01/Media/ME01",
        "image/jpeg",
        text="Көпір сынып тұр",
    ),
    "document": attached(
        Medium.DOCUMENT, f"{MEDIA}/AC01/Messages/MM02/Media/ME02", "application/pdf",
        text="Өтініш.pdf",
    ),
    "voice": attached(Medium.VOICE, f"{MEDIA}/AC01/Messages/MM03/Media/ME03", "audio/ogg"),
    "sticker": attached(Medium.STICKER, f"{MEDIA}/AC01/Messages/MM04/Media/ME04", "image/webp"),
    "contact_card": attached(Medium.OTHER, f"{MEDIA}/AC01/Messages/MM05/Media/ME05", "text/vcard"),
    "two_media": {
        "kind": Kind.ATTACHMENT,
        "files": (
            IncomingFile(Medium.PHOTO, "https://api.twilio.com/a", "image/jpeg"),
            IncomingFile(Medium.VIDEO, "https://api.twilio.com/b", "video/mp4"),
        ),
    },
    "location": {
        "kind": Kind.ATTACHMENT,
        "files": (IncomingFile(Medium.LOCATION, "54.897212,69.145623", name="Мектеп"),),
    },
    "with_scoped_id": {"kind": Kind.TEXT, "text": "Иә", "aliases": (PHONE, SCOPED)},
    "scoped_id_only": {"kind": Kind.TEXT, "text": "Иә", "aliases": (SCOPED,)},
    "scoped_id_and_wa_id": {"kind": Kind.TEXT, "text": "Иә", "aliases": (SCOPED, PHONE)},
    "invalid_external_id": {"kind": Kind.TEXT, "text": "Иә", "aliases": (PHONE,)},
    "without_prefix": {"kind": Kind.TEXT, "text": "Иә"},
}  # fmt: skip
STATUSES: dict[str, tuple[DeliveryStatus, Outcome | None, str | None] | None] = {
    "status_queued": (DeliveryStatus.QUEUED, None, None),
    "status_sending": (DeliveryStatus.QUEUED, None, None),
    "status_sent": (DeliveryStatus.SENT, None, None),
    "status_delivered": (DeliveryStatus.DELIVERED, None, None),
    "status_read": (DeliveryStatus.READ, None, None),
    "status_canceled": (DeliveryStatus.FAILED, Outcome.UNREACHABLE, None),
    "status_undelivered_window": (DeliveryStatus.UNDELIVERED, Outcome.WINDOW_CLOSED, "63016"),
    "status_failed_opted_out": (DeliveryStatus.FAILED, Outcome.BLOCKED, "21610"),
    "status_failed_without_code": (DeliveryStatus.FAILED, Outcome.UNREACHABLE, None),
    "status_failed_unknown_code": (DeliveryStatus.FAILED, Outcome.UNREACHABLE, "63999"),
    "status_unknown_word": None,
    "status_without_sid": None,
}


@pytest.mark.parametrize("name", CASES)
def test_means(name: str) -> None:
    form, facts = recorded(name), dict(CASES[name])
    expected = Incoming(
        account=ACCOUNT,
        channel=ChannelName.WHATSAPP,
        external_ids=(f"m:{form['MessageSid']}",),
        aliases=facts.pop("aliases", (PHONE,)),
        received_at=NOW,
        **facts,
    )
    assert parse_message(ACCOUNT, form, NOW) == expected


def test_from_nobody_is_nothing() -> None:
    assert parse_message(ACCOUNT, recorded("from_nobody"), NOW) is None
    assert parse_message(ACCOUNT, {}, NOW) is None


def test_the_sender_selects_the_account() -> None:
    assert sender_of(recorded("text")) == "whatsapp:+77172990011"


def test_every_recorded_request_is_in_a_table() -> None:
    names = {path.stem for path in RECORDED.glob("*.txt")}
    assert names == {*CASES, *STATUSES, "from_nobody"}


@pytest.mark.parametrize("name", STATUSES)
def test_status(name: str) -> None:
    form, expected = recorded(name), STATUSES[name]
    update = parse_status(form, {"d": short(DELIVERY)})
    if expected is None:
        assert update is None
        return
    assert update is not None
    assert (update.sid, update.delivery) == (form["MessageSid"], DELIVERY)
    assert (update.status, update.outcome, update.detail) == expected


@pytest.mark.parametrize("query", [{}, {"d": ""}, {"d": "asdf"}, {"d": "é" * 22}])
def test_status_with_somebody_elses_parameter(query: dict[str, str]) -> None:
    update = parse_status(recorded("status_sent"), query)
    assert update is not None
    assert update.delivery is None


URL = "https://zhiyn.example/whatsapp"


def sign(url: str, form: dict[str, str], token: str = "token") -> str:
    return str(RequestValidator(token).compute_signature(url, form))


@pytest.mark.parametrize("name", ["text", "blank_body", "button", "scoped_id_only"])
def test_signature_covers_every_parameter(name: str) -> None:
    form = recorded(name)
    signature = sign(URL, form)
    assert verify("token", URL, form, signature)
    assert verify("token", URL, MultiDict(form), signature)
    for parameter in form:
        without = {key: value for key, value in form.items() if key != parameter}
        assert not verify("token", URL, without, signature)
        assert not verify("token", URL, form | {parameter: "x"}, signature)
    assert not verify("token", URL, form | {"New": "parameter"}, signature)


def test_signature_of_another_token_or_address() -> None:
    form = recorded("text")
    assert not verify("other", URL, form, sign(URL, form))
    assert not verify("token", URL, form, sign("https://other.example/whatsapp", form))
    assert not verify("token", URL, form, None)
    assert not verify("token", URL, form, "")
    assert not verify("", URL, form, sign(URL, form, ""))


def test_signature_with_or_without_the_connection_overrides() -> None:
    form, configured = recorded("text"), f"{URL}#rc=5&rp=all"
    assert verify("token", configured, form, sign(URL, form))
    assert verify("token", configured, form, sign(configured, form))
    assert not verify("token", URL, form, sign(configured, form))


@given(
    url=st.sampled_from(
        [
            URL,
            "https://zhiyn.example:443/whatsapp",
            "https://zhiyn.example:8443/whatsapp?d=1&e=ә",
            "http://127.0.0.1:8080/whatsapp/status?d=x",
            "http://zhiyn.example/whatsapp#rc=5&rp=all",
        ]
    ),
    signed=st.sampled_from(["as it is", "port", "no port", "no fragment", "other", "nothing"]),
    form=st.dictionaries(st.text("AbБ1 =&", max_size=4), st.text(max_size=20), max_size=6),
    token=st.text("ab", min_size=1, max_size=3),
    several=st.booleans(),
)
def test_signature_as_twilios_own_library_sees_it(
    url: str, signed: str, form: dict[str, str], token: str, several: bool
) -> None:
    """The same verdict as RequestValidator's on the address, and on it without its fragment."""
    parameters = MultiDict([*form.items(), *form.items(), ("A", "2")] if several else form)
    validator, bare = RequestValidator(token), url.partition("#")[0]
    addresses = {
        "as it is": url,
        "port": add_port(urlparse(url)),
        "no port": remove_port(urlparse(url)),
        "no fragment": add_port(urlparse(bare)),
        "other": f"{url}x",
    }
    signature = (
        validator.compute_signature(addresses[signed], parameters)
        if signed in addresses
        else "c2lnbmVk\udcff"
    )
    theirs = any(validator.validate(each, parameters, signature) for each in (url, bare))
    assert verify(token, url, parameters, signature) == theirs


def test_signature_of_a_status_callback_covers_the_query() -> None:
    form, url = recorded("status_sent"), f"{URL}/status?d={short(DELIVERY)}"
    assert verify("token", url, form, sign(url, form))
    assert not verify("token", f"{URL}/status?d=other", form, sign(url, form))
