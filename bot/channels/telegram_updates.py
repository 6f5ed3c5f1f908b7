"""What comes from Telegram: one update of the Bot API becomes one `Incoming`.

Works on the JSON as it arrives: this is the hot path, and `import aiogram` costs seconds.
Source: core.telegram.org/bots/api, "Update", "Message", "CallbackQuery", "ChatMemberUpdated".
"""

import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

from bot.channels.commands import is_start, start_payload
from bot.channels.phones import e164
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

Json = dict[str, Any]

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")

# Updates that nobody expects an answer to, should they come although not asked for.
_SILENT = frozenset(
    {
        "channel_post", "edited_channel_post", "inline_query", "chosen_inline_result",
        "shipping_query", "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer",
        "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost",
        "message_reaction", "message_reaction_count", "business_connection",
        "business_message", "edited_business_message", "deleted_business_messages",
    }
)  # fmt: skip
# In the order in which they are looked for: an animation also comes as a document.
_MEDIA = {
    "animation": Medium.VIDEO,
    "document": Medium.DOCUMENT,
    "voice": Medium.VOICE,
    "audio": Medium.VOICE,
    "video": Medium.VIDEO,
    "video_note": Medium.VIDEO,
    "sticker": Medium.STICKER,
}
_WITHOUT_FILE = ("poll", "dice", "story", "game", "checklist", "paid_media", "invoice")


def secret_matches(header: str | None, expected: str) -> bool:
    """Whether X-Telegram-Bot-Api-Secret-Token is ours; an empty secret admits nobody."""
    if not header or not expected:
        return False
    return hmac.compare_digest(header.encode(errors="surrogateescape"), expected.encode())


def parse_update(account: UUID, update: Json, received_at: datetime) -> Incoming | None:
    """The update in neutral words; None where nobody is to be answered.

    Updates of a kind this version does not know become `Kind.OTHER` when a person sent them
    in a private chat, so that the person is told something.
    """
    name, event = _event(update)
    if name is None:
        return None
    chat = _chat(event)
    sender = _object(event.get("from"))
    if chat is None or not _answerable(chat, sender):
        return None
    facts = _facts(name, event, chat, sender)
    if facts is None:
        return None
    ids = (f"u:{update.get('update_id')}", *facts.pop("ids", ()))
    return Incoming(
        account=account,
        channel=ChannelName.TELEGRAM,
        external_ids=ids,
        aliases=(Alias(AliasKind.CHAT, str(chat["id"])),),
        received_at=received_at,
        language_hint=sender.get("language_code"),
        group=chat.get("type") != "private",
        **facts,
    )


def chat_id_of(update: Json) -> int | None:
    """The chat in which the update happened: updates of one chat are dealt with in order."""
    for event in update.values():
        if isinstance(event, dict):
            chat = _chat(event)
            identifier = chat.get("id") if chat else None
            return identifier if isinstance(identifier, int) else None
    return None


def migration(update: Json) -> tuple[int, int] | None:
    """(old, new) chat id when the update says that a group became a supergroup."""
    message = update.get("message")
    if not isinstance(message, dict):
        return None
    here = _object(message.get("chat")).get("id")
    old, new = message.get("migrate_from_chat_id", here), message.get("migrate_to_chat_id", here)
    if isinstance(old, int) and isinstance(new, int) and old != new:
        return old, new
    return None


def _event(update: Json) -> tuple[str | None, Json]:
    for name, value in update.items():
        if name != "update_id" and isinstance(value, dict):
            return (None, {}) if name in _SILENT else (name, value)
    return None, {}


def _object(value: object) -> Json:
    """The object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def _chat(event: Json) -> Json | None:
    """The chat of a message, or of the message whose button was tapped, or of the tapper."""
    chat = _object(event.get("chat")) or _object(_object(event.get("message")).get("chat"))
    if isinstance(chat.get("id"), int):
        return chat
    person = _object(event.get("from")).get("id")
    return {"id": person, "type": "private"} if isinstance(person, int) else None


def _answerable(chat: Json, sender: Json) -> bool:
    return chat.get("type") != "channel" and "id" in sender and not sender.get("is_bot")


def _facts(name: str, event: Json, chat: Json, sender: Json) -> Json | None:
    match name:
        case "message":
            return _message(event, chat, sender)
        case "edited_message":
            return _edited(event, chat)
        case "callback_query":
            return _tap(event)
        case "my_chat_member":
            return _membership(event, chat)
    return {"kind": Kind.OTHER} if chat.get("type") == "private" else None


def _message(message: Json, chat: Json, sender: Json) -> Json:
    facts: Json = {"ids": (f"m:{chat['id']}:{message.get('message_id')}",)}
    text = message.get("text")
    if isinstance(text, str):
        return facts | _text(text)
    if contact := message.get("contact"):
        return facts | {"kind": Kind.CONTACT, "contact": _contact(contact, message, sender)}
    if files := _files(message):
        caption, album = message.get("caption") or "", message.get("media_group_id")
        return facts | {"kind": Kind.ATTACHMENT, "files": files, "text": caption, "album": album}
    return facts | {"kind": Kind.OTHER}


def _text(text: str) -> Json:
    if is_start(text):
        return {"kind": Kind.START, "text": text, "start": start_payload(text)}
    return {"kind": Kind.TEXT, "text": text}


def _contact(contact: Json, message: Json, sender: Json) -> Contact:
    """Own only with the sender's user id on it, and not forwarded: an old number may travel."""
    forwarded = "forward_origin" in message or "forward_date" in message
    own = contact.get("user_id") is not None and contact["user_id"] == sender.get("id")
    return Contact(phone=e164(str(contact.get("phone_number", ""))), own=own and not forwarded)


def _files(message: Json) -> tuple[IncomingFile, ...]:
    if photos := message.get("photo"):
        return (_file(Medium.PHOTO, max(photos, key=_area), "image/jpeg"),)
    for name, medium in _MEDIA.items():
        if found := message.get(name):
            return (_file(medium, found),)
    place = _object(message.get("venue")).get("location") or message.get("location")
    if place:
        reference = f"{place['latitude']},{place['longitude']}"
        return (IncomingFile(Medium.LOCATION, reference),)
    other = next((name for name in _WITHOUT_FILE if name in message), None)
    return (IncomingFile(Medium.OTHER, other),) if other else ()


def _area(photo: Json) -> int:
    return int(photo.get("width", 0)) * int(photo.get("height", 0))


def _file(medium: Medium, found: Json, mime: str | None = None) -> IncomingFile:
    return IncomingFile(
        medium=medium,
        reference=found["file_id"],
        mime=found.get("mime_type", mime),
        size=found.get("file_size"),
        name=found.get("file_name"),
    )


def _edited(message: Json, chat: Json) -> Json:
    own_id = f"e:{chat['id']}:{message.get('message_id')}:{message.get('edit_date')}"
    text = message.get("text") or message.get("caption") or ""
    return {"ids": (own_id,), "kind": Kind.EDITED, "text": text}


def _tap(query: Json) -> Json:
    """A tapped button; a game's button carries no data and is nothing to us."""
    payload = query.get("data")
    tapped = _object(query.get("message")).get("message_id")
    return {
        "ids": (f"c:{query['id']}",),
        "kind": Kind.OTHER if payload is None else Kind.CHOICE,
        "payload": payload,
        "tapped_message": None if tapped is None else str(tapped),
        "callback_id": query["id"],
    }


def _membership(event: Json, chat: Json) -> Json | None:
    """Blocked and unblocked in a private chat; groups are left to what sending answers."""
    if chat.get("type") != "private":
        return None
    status = _object(event.get("new_chat_member")).get("status")
    if status in ("kicked", "left"):
        return {"kind": Kind.BLOCKED}
    return {"kind": Kind.UNBLOCKED} if status == "member" else None
