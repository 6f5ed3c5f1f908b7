"""What the emulator is told at its start: bots, senders, and the switches for what is uncertain."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from emulator import limits


@dataclass(frozen=True)
class TelegramBot:
    """A bot that @BotFather would have made."""

    token: str
    username: str
    id: int = 0
    name: str = "Жиын"

    @property
    def user_id(self) -> int:
        """The bot's own Telegram id: the digits before the colon of its token."""
        head = self.token.split(":", 1)[0]
        return self.id or (int(head) if head.isdigit() else 1)


@dataclass(frozen=True)
class TwilioAccount:
    """An account with its secret."""

    sid: str
    auth_token: str


@dataclass
class WhatsAppSender:
    """A WhatsApp sender of the account and where its inbound messages are posted."""

    address: str
    webhook: str = ""
    name: str = "Жиын"
    status_webhook: str = ""


@dataclass
class Switches:
    """Limits that can be lifted and behaviour that is not certain; tests run both ways."""

    # Telegram
    telegram_limits: bool = True  # False lifts every rate limit
    telegram_per_second: int = limits.TG_PER_SECOND
    telegram_slack: int = 3  # above the limit in one second, never over ten ("about 30/s")
    telegram_edits_count: bool = True  # edits share the bot's 30 per second
    telegram_chat_burst: int = 10  # messages a chat may get at once before 1/s holds
    telegram_retry_after: int = 0  # 0: as long as the window needs; else this many seconds
    callback_seconds: float = 60.0  # how long a callback query may be answered
    webhook_pause: float = 1.0  # first pause after a refused webhook delivery, doubling to 60 s
    webhook_timeout: float = 60.0
    # WhatsApp
    whatsapp_limits: bool = True  # False lifts throughput and quota
    whatsapp_per_second: int = limits.WA_PER_SECOND
    whatsapp_slack: int = 8
    whatsapp_quota: int = limits.WA_QUOTA
    quota_error: int = 63038  # or 63018
    window_refusal: Literal["callback", "sync"] = "callback"
    window_seconds: float = limits.WA_WINDOW
    session_breaks_refused: bool = False  # line breaks in variables of in-session content
    document_captions: bool = False  # False: the Body of a document is not shown
    stop_opts_out: bool = False  # STOP typed on WhatsApp makes Twilio answer 21610
    fragment_signed: bool = False  # is "#rc=5&rp=all" part of the signed URL
    inbound_timeout: float = limits.WA_WEBHOOK_SECONDS
    inbound_pause: float = 0.2  # before each further try that "#rc=5&rp=all" asks for
    status_queued: bool = True  # post "queued" too
    status_delay: float = 0.0  # seconds before each status callback
    status_copies: int = 1  # 2: every status callback comes twice
    auto_approve: bool = True  # templates sent for approval are approved at once
    account_status: str = "active"  # or "suspended", "closed"
    account_type: str = "Full"  # or "Trial"
    sender_status: str = "ONLINE"  # of every sender; "OFFLINE", "VERIFYING", …

    def change(self, values: dict[str, Any]) -> None:
        """Sets switches by name; an unknown name raises ValueError."""
        known = {item.name for item in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no switch called {name!r}")
            setattr(self, name, value)

    def to_json(self) -> dict[str, Any]:
        """All switches by name."""
        return asdict(self)


@dataclass
class Config:
    """Everything the constructor takes besides the data folder."""

    bots: list[TelegramBot] = field(default_factory=list)
    account: TwilioAccount | None = None
    senders: list[WhatsAppSender] = field(default_factory=list)
    clock_hook: str = ""
