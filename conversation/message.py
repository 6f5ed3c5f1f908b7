"""What comes in and what goes out, in words that fit every messenger.

`Incoming` is what a channel makes of an update. A handler answers with `Reply`s, which name
texts; put into the person's language a reply becomes `Content`, the neutral message that is
stored and that each channel draws in its own way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.languages import Language
from core.texts import Joined, T, Words


class ChannelName(StrEnum):
    """The messengers."""

    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"


class AliasKind(StrEnum):
    """What an address may be known by; a person is never keyed by one of these."""

    CHAT = "chat"  # Telegram chat id
    PHONE = "phone"  # E.164 with the plus
    SCOPED = "scoped"  # WhatsApp's business-scoped user id, "US.1234"


@dataclass(frozen=True, slots=True)
class Alias:
    """One identifier of an address, normalised."""

    kind: AliasKind
    value: str


class Kind(StrEnum):
    """What the person did."""

    START = "start"  # came in by /start or a deep link
    TEXT = "text"
    CHOICE = "choice"  # tapped: only callback data, ButtonPayload and ListId are payload
    CONTACT = "contact"
    ATTACHMENT = "attachment"
    EDITED = "edited"  # edited an earlier message: never repeats an effect
    BLOCKED = "blocked"  # stopped or blocked the bot in the messenger itself
    UNBLOCKED = "unblocked"
    OTHER = "other"  # something this version does not know


@dataclass(frozen=True, slots=True)
class Contact:
    """A shared contact. `own` only if the platform proves that it is the sender's."""

    phone: str
    own: bool


class Medium(StrEnum):
    """What kind of thing is attached."""

    PHOTO = "photo"
    DOCUMENT = "document"
    VOICE = "voice"
    VIDEO = "video"
    STICKER = "sticker"
    LOCATION = "location"
    OTHER = "other"


WORDLESS = (Medium.VOICE, Medium.VIDEO, Medium.STICKER, Medium.LOCATION)  # asked for nowhere


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file that the platform keeps for us; it is fetched after the commit, never in a turn."""

    medium: Medium
    reference: str  # Telegram file_id, Twilio media address
    mime: str | None = None
    size: int | None = None  # bytes
    name: str | None = None


Attachments = tuple[IncomingFile, ...]


def not_words(why: T, files: Attachments) -> Words:
    """`why` words are wanted, after what was sent in their place, where that has a name."""
    named = next((file.medium for file in files if file.medium in WORDLESS), None)
    return why if named is None else Joined([T(f"given-{named}"), why], " ")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One update of a messenger, its sender proved, its wording neutral."""

    account: UUID
    channel: ChannelName
    external_ids: tuple[str, ...]  # any of them seen before: a duplicate ("u:…", "c:…", "m:…")
    aliases: tuple[Alias, ...]  # the first is the one the platform answers to
    received_at: datetime
    kind: Kind
    text: str = ""
    payload: str | None = None
    start: str | None = None  # what the deep link named
    contact: Contact | None = None
    files: Attachments = ()
    album: str | None = None  # several photos sent as one
    language_hint: str | None = None  # of the messenger, e.g. "kk", "ru-RU"
    tapped_message: str | None = None  # platform id of the message that carried the button
    callback_id: str | None = None  # Telegram: to answer with a toast
    group: bool = False  # Telegram: written in a group, not in a private chat


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to tap. A step choice belongs to its turn; a durable one to what it names.

    `ids` are identifiers in their short form, or other values of [A-Za-z0-9_-]; together with
    the code they must fit 64 bytes. `label` may be a text key or a name.
    """

    code: str
    label: Words
    ids: tuple[str, ...] = ()
    description: Words | None = None
    durable: bool = False


class Ask(StrEnum):
    """What a reply asks for, besides words and taps."""

    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class FileRef:
    """A stored file that goes with a message."""

    id: UUID
    medium: Medium
    mime: str
    name: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: texts by key, choices, what is asked for.

    `heading` is a plain first line (sign and sender), `title` a bold one. `both` says the text
    in both languages, Kazakh first: for those whose language is not known yet. `nav` are the
    ways out (back, cancel, menu), drawn apart from the choices. `replaces_tapped` edits the
    message whose button was tapped where the messenger can.
    """

    text: Words
    choices: Sequence[Choice] = ()
    nav: Sequence[Choice] = ()
    heading: Words | None = None
    title: Words | None = None
    notice: Words | None = None  # a line before the text: an error, a receipt
    ask: Ask | None = None
    files: Sequence[FileRef] = ()
    both: bool = False
    template: tuple[Words, ...] | None = None  # (kind, variables…) outside the window
    opens: Choice | None = None  # what the template's button means
    replaces_tapped: bool = False
    buttons_only: bool = False  # of the tapped message; the text is said where that cannot be
    delivery: UUID | None = None  # its delivery's id, when somebody has to know it beforehand
    replaces: UUID | None = None  # the delivery whose message this one edits, where that can be
    before: "Sequence[Reply]" = ()  # messages of their own that are sent ahead of it
    screen: bool = True  # becomes the current screen: its choices can be answered by number
    offers: bool = False  # no screen, and yet its numbers and words are what is answered now
    listing: Choice | None = None  # outside a form: what shows this list again, for its next page

    def saying(self, notice: Words | None) -> "Reply":
        """The same reply with a line before its text; without one it stays as it is."""
        return replace(self, notice=notice) if notice else self

    def with_nav(self, nav: Sequence[Choice]) -> "Reply":
        """The same reply with these ways out, unless it brings its own."""
        return self if self.nav else replace(self, nav=tuple(nav))


@dataclass(frozen=True, slots=True)
class Button:
    """A choice in words, with its payload of at most 64 bytes."""

    payload: str
    label: str
    description: str | None = None


_WORDS = (
    "heading",
    "title",
    "list_label",
    "ask_label",
    "replaces_platform_id",
    "template_payload",
)


@dataclass(frozen=True, slots=True)
class Content:
    """A message in one language, drawn by each channel in its own way. Stored, versioned."""

    language: Language
    body: str
    heading: str | None = None
    title: str | None = None
    choices: tuple[Button, ...] = ()  # at most 10 together with nav: pages are made before
    nav: tuple[Button, ...] = ()
    list_label: str = ""  # the word on the button that opens a list (≤20 characters)
    ask: Ask | None = None
    ask_label: str = ""  # the word on the button that shares the contact
    files: tuple[FileRef, ...] = ()
    replaces: UUID | None = None  # the delivery whose message this one edits, where possible
    replaces_platform_id: str | None = None  # or the platform's own id of that message
    buttons_only: bool = False  # of the message it edits, only the buttons change
    closes_keyboard: bool = False  # a contact keyboard is still open on Telegram: close it
    template: tuple[str, ...] | None = None  # (template kind, variables…) outside the window
    template_payload: str = ""  # what a tap on the template's button brings back
    delivery: UUID | None = None  # the id that its delivery is to have: others will edit it

    def to_json(self) -> dict[str, Any]:
        """The stored form, version 1."""
        stored: dict[str, Any] = {"v": 1, "language": self.language.value, "body": self.body}
        for name in _WORDS:
            if value := getattr(self, name):
                stored[name] = value
        if self.ask:
            stored["ask"] = self.ask.value
        for name in ("replaces", "delivery"):
            if value := getattr(self, name):
                stored[name] = str(value)
        for flag in ("closes_keyboard", "buttons_only"):
            if getattr(self, flag):
                stored[flag] = True
        if self.template:
            stored["template"] = list(self.template)
        for name in ("choices", "nav"):
            if buttons := getattr(self, name):
                stored[name] = [[b.payload, b.label, b.description] for b in buttons]
        if self.files:
            stored["files"] = [[str(f.id), f.medium.value, f.mime, f.name] for f in self.files]
        return stored

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Content":
        """Reads what `to_json` wrote. Raises ValueError for a version it does not know."""
        if stored.get("v") != 1:
            raise ValueError(f"content of version {stored.get('v')!r}")
        return cls(
            language=Language(stored["language"]),
            body=stored["body"],
            heading=stored.get("heading"),
            title=stored.get("title"),
            choices=tuple(Button(*b) for b in stored.get("choices", ())),
            nav=tuple(Button(*b) for b in stored.get("nav", ())),
            list_label=stored.get("list_label", ""),
            ask=Ask(stored["ask"]) if "ask" in stored else None,
            ask_label=stored.get("ask_label", ""),
            files=tuple(
                FileRef(UUID(i), Medium(m), mime, name)
                for i, m, mime, name in stored.get("files", ())
            ),
            replaces=UUID(stored["replaces"]) if "replaces" in stored else None,
            replaces_platform_id=stored.get("replaces_platform_id"),
            buttons_only=stored.get("buttons_only", False),
            closes_keyboard=stored.get("closes_keyboard", False),
            template=tuple(stored["template"]) if "template" in stored else None,
            template_payload=stored.get("template_payload", ""),
            delivery=UUID(stored["delivery"]) if "delivery" in stored else None,
        )

    def without_buttons(self) -> "Content":
        """The same message when nothing is to be tapped any more."""
        return replace(self, choices=(), nav=(), ask=None)
