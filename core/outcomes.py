"""The closed list of what can become of a message to a person.

Each outcome says whether trying again can help and whether the address is to be left alone;
each has a text that an akim understands (`outcome-…` in both locales).
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a platform answered, or what we decided without asking it."""

    SENT = "sent"  # accepted by the platform
    ANNOUNCED = "announced"  # WhatsApp: the template went; the full text waits for the tap
    BLOCKED = "blocked"  # blocked us, said STOP, left: does not want messages
    NEVER_STARTED = "never-started"  # Telegram: has never written to the bot
    DEACTIVATED = "deactivated"  # the account no longer exists
    BAD_RECIPIENT = "bad-recipient"  # no such number or chat, or not on this messenger
    WINDOW_CLOSED = "window-closed"  # WhatsApp: over 24 h since the person's last message
    TEMPLATE_UNAVAILABLE = "template-unavailable"  # not approved, paused or rejected
    DAILY_LIMIT = "daily-limit"  # WhatsApp: the day's quota of new conversations is used up
    QUIET_HOURS = "quiet-hours"  # at night only what is urgent: it waits for the morning
    PAUSED = "paused"  # held by its author
    THROTTLED = "throttled"  # too fast: wait and come again
    TRANSIENT = "transient"  # not connected, 5xx: nothing was accepted
    UNKNOWN = "unknown"  # the answer was lost after the request was written
    REFUSED = "refused"  # the platform finds the message itself wrong: our fault
    UNREACHABLE = "unreachable"  # tries exhausted
    EXPIRED = "expired"  # waited for the person's own message for too long
    SUPERSEDED = "superseded"  # a newer reply took its place before it was sent
    CANCELLED = "cancelled"  # withdrawn by its sender before it was sent


ARRIVED = frozenset({Outcome.SENT, Outcome.ANNOUNCED})
RETRYABLE = frozenset({Outcome.THROTTLED, Outcome.TRANSIENT, Outcome.UNKNOWN})
WAITING = frozenset(
    {
        Outcome.WINDOW_CLOSED,
        Outcome.TEMPLATE_UNAVAILABLE,
        Outcome.DAILY_LIMIT,
        Outcome.QUIET_HOURS,
        Outcome.PAUSED,
    }
)
STOPS_ADDRESS = frozenset({Outcome.BLOCKED, Outcome.DEACTIVATED})


@dataclass(frozen=True, slots=True)
class SendResult:
    """What came of handing one message part to a platform."""

    outcome: Outcome
    platform_id: str | None = None  # Telegram message id, Twilio MessageSid
    retry_after: float | None = None  # seconds, for THROTTLED: the whole account waits
    moved_to: str | None = None  # a group's new chat id
    detail: str | None = None  # the platform's code or error text, without personal data
