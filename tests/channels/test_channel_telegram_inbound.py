"""Telegram's own requests, as files, and what they mean."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram_updates import chat_id_of, migration, parse_update, secret_matches
from conversation.message import (
    Alias,
    AliasKind,
    ChannelName,
    Contact,
    Incoming,
    IncomingFile,
    Kind,
    Medium,
)

RECORDED = Path(__file__).parent.parent / "recorded" / "telegram"
ACCOUNT = UUID("0192f0c1-0000-7000-8000-000000000001")
NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
PERSON, GROUP = 501234567, -4012345678


def recorded(name: str) -> dict[str, Any]:
    update: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return update


def incoming(name: str, *ids: str, chat: int = PERSON, **facts: Any) -> Incoming:
    """What is expected: everything that is not named has its default."""
    return Incoming(
        account=ACCOUNT,
        channel=ChannelName.TELEGRAM,
        external_ids=(f"u:{recorded(name)['update_id']}", *ids),
        aliases=(Alias(AliasKind.CHAT, str(chat)),),
        received_at=NOW,
        language_hint="kk",
        **facts,
    )


M = f"m:{PERSON}:310"


def attached(medium: Medium, reference: str, *rest: Any, **facts: Any) -> dict[str, Any]:
    files = (IncomingFile(medium, reference, *rest),)
    return {"ids": (M,), "kind": Kind.ATTACHMENT, "files": files, **facts}


def contact(phone: str, own: bool) -> dict[str, Any]:
    return {"ids": (M,), "kind": Kind.CONTACT, "contact": Contact(phone, own)}


TEXT = "Сәлеметсіз бе! Су неге жоқ?"
TAP = {"kind": Kind.CHOICE, "language_hint": "kk"}
CASES: dict[str, dict[str, Any]] = {
    "text": {"ids": (M,), "kind": Kind.TEXT, "text": TEXT},
    "start": {"ids": (M,), "kind": Kind.START, "text": "/start"},
    "start_deep_link": {
        "ids": (M,), "kind": Kind.START, "text": "/start inv-7Gk2_Q", "start": "inv-7Gk2_Q",
    },
    "start_in_group": {
        "ids": (f"m:{GROUP}:310",), "chat": GROUP, "group": True, "kind": Kind.START,
        "text": "/start@zhiyn_bot inv-7Gk2_Q", "start": "inv-7Gk2_Q",
    },
    "start_typed_by_hand": {
        "ids": (M,), "kind": Kind.START, "text": "/start мен тіркелгім келеді",
    },
    "command_menu": {"ids": (M,), "kind": Kind.TEXT, "text": "/menu@zhiyn_bot"},
    "reply_to_message": {"ids": (M,), "kind": Kind.TEXT, "text": "Иә"},
    "tap": {
        "ids": ("c:2152734561234567890",), "kind": Kind.CHOICE, "payload": "1c.yes.AAAA",
        "tapped_message": "309", "callback_id": "2152734561234567890",
    },
    "tap_on_inaccessible_message": {
        "ids": ("c:2152734561234567891",), "kind": Kind.CHOICE, "payload": "1s.read.BBBB",
        "tapped_message": "12", "callback_id": "2152734561234567891",
    },
    "tap_on_inline_message": {
        "ids": ("c:2152734561234567892",), "kind": Kind.CHOICE, "payload": "1s.read.BBBB",
        "callback_id": "2152734561234567892",
    },
    "tap_in_group": {
        "ids": ("c:2152734561234567893",), "kind": Kind.CHOICE, "payload": "1s.read.BBBB",
        "tapped_message": "309", "callback_id": "2152734561234567893", "chat": GROUP,
        "group": True,
    },
    "tap_on_game": {
        "ids": ("c:2152734561234567894",), "kind": Kind.OTHER, "tapped_message": "309",
        "callback_id": "2152734561234567894",
    },
    "contact_own": contact("+77051234567", own=True),
    "contact_of_somebody_else": contact("+77057654321", own=False),
    "contact_without_user_id": contact("+77152334455", own=False),
    "contact_own_forwarded": contact("+77051234567", own=False),
    "contact_foreign": contact("+491701234567", own=True),
    "contact_not_a_number": contact("+112", own=False),
    "photo": attached(
        Medium.PHOTO, "AgACAgIAAxkBAAIB-large", "image/jpeg", 120345, text="Көпір сынып тұр"
    ),
    "photo_of_album": attached(
        Medium.PHOTO, "AgACAgIAAxkBAAIB-large", "image/jpeg", 120345, album="13589461234567890"
    ),
    "document": attached(
        Medium.DOCUMENT, "BQACAgIAAxkBAAIB", "application/pdf", 48211, "Өтініш.pdf"
    ),
    "animation": attached(Medium.VIDEO, "CgACAgIAAxkBAAIB", "video/mp4", 5000, "toi.mp4"),
    "voice": attached(Medium.VOICE, "AwACAgIAAxkBAAIB", "audio/ogg", 15012),
    "audio": attached(Medium.VOICE, "CQACAgIAAxkBAAIB", "audio/mpeg", 3200000, "kui.mp3"),
    "video": attached(Medium.VIDEO, "BAACAgIAAxkBAAIB", "video/mp4", 2500000, text="Жол"),
    "video_note": attached(Medium.VIDEO, "DQACAgIAAxkBAAIB", None, 300000),
    "sticker": attached(Medium.STICKER, "CAACAgIAAxkBAAIB", None, 30000),
    "location": attached(Medium.LOCATION, "54.897212,69.145623"),
    "venue": attached(Medium.LOCATION, "54.9,69.15"),
    "poll": attached(Medium.OTHER, "poll"),
    "dice": attached(Medium.OTHER, "dice"),
    "unknown_service_message": {"ids": (M,), "kind": Kind.OTHER},
    "edited": {
        "ids": (f"e:{PERSON}:305:1795150860",), "kind": Kind.EDITED, "text": "Бугровое",
    },
    "edited_caption": {
        "ids": (f"e:{PERSON}:306:1795150861",), "kind": Kind.EDITED, "text": "Көпір",
    },
    "blocked": {"kind": Kind.BLOCKED},
    "unblocked": {"kind": Kind.UNBLOCKED},
    "text_in_group": {
        "ids": (f"m:{GROUP}:310",), "chat": GROUP, "group": True, "kind": Kind.TEXT,
        "text": "Бәріңіз келіңіз",
    },
    "group_became_supergroup": {
        "ids": (f"m:{GROUP}:310",), "chat": GROUP, "group": True, "kind": Kind.OTHER,
    },
    "unknown_from_person": {"kind": Kind.OTHER},
}  # fmt: skip
NOBODY = (
    "supergroup_was_group", "message_of_a_bot", "channel_post", "inline_query", "reaction",
    "unknown_from_nobody", "kicked_from_group",
)  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_means(name: str) -> None:
    facts = dict(CASES[name])
    expected = incoming(name, *facts.pop("ids", ()), **facts)
    assert parse_update(ACCOUNT, recorded(name), NOW) == expected


@pytest.mark.parametrize("name", NOBODY)
def test_nobody_is_answered(name: str) -> None:
    assert parse_update(ACCOUNT, recorded(name), NOW) is None


def test_every_recorded_update_is_in_a_table() -> None:
    assert {path.stem for path in RECORDED.glob("*.json")} == {*CASES, *NOBODY}


@pytest.mark.parametrize(
    ("name", "chat"),
    [
        ("text", PERSON),
        ("edited", PERSON),
        ("tap", PERSON),
        ("tap_in_group", GROUP),
        ("tap_on_inline_message", PERSON),
        ("blocked", PERSON),
        ("channel_post", -1001111111111),
        ("unknown_from_nobody", None),
    ],
)
def test_chat_of(name: str, chat: int | None) -> None:
    assert chat_id_of(recorded(name)) == chat


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("group_became_supergroup", (GROUP, -1001987654321)),
        ("supergroup_was_group", (GROUP, -1001987654321)),
        ("text_in_group", None),
        ("tap", None),
    ],
)
def test_migration(name: str, moved: tuple[int, int] | None) -> None:
    assert migration(recorded(name)) == moved


@pytest.mark.parametrize(
    ("header", "expected", "matches"),
    [
        ("s3cret", "s3cret", True),
        ("s3creT", "s3cret", False),
        ("құпия", "s3cret", False),
        ("", "", False),  # an empty secret would admit everybody
        (None, "", False),
        (None, "s3cret", False),
        ("s3cret", "", False),
    ],
)
def test_secret(header: str | None, expected: str, matches: bool) -> None:
    assert secret_matches(header, expected) is matches


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["from", "chat", "id", "type", "text", "message", "data", "x"]), inner,
        max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@given(name=st.sampled_from(["new_thing", "another"]), value=JSON)
def test_an_update_of_tomorrow_breaks_nothing(name: str, value: Any) -> None:
    update = {"update_id": 1, name: value}
    assert parse_update(ACCOUNT, update, NOW) is None or isinstance(value, dict)
    chat_id_of(update)
    migration(update)
