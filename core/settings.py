"""Settings: environment and `.env`, checked at the start with one clear line each."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT_DATA_DIR = Path("/var/lib/zhiyn")
SECRET_LENGTH = 32
_TOKEN = r"\d+:[A-Za-z0-9_-]{20,}"
_WEBHOOK_SECRET = r"[A-Za-z0-9_-]{1,256}"
_SENDER = r"whatsapp:\+\d{7,15}"


class SettingsWrong(Exception):
    """The start is refused; `lines` say why, one setting a line."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = list(lines)


def default_data_dir() -> Path:
    """Where the embedded database and the demo's key lie."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return ROOT_DATA_DIR
    return Path(platformdirs.user_data_dir("zhiyn"))


class Settings(BaseSettings):
    """All settings of DESIGN part 12. An empty variable counts as not set."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    database_url: str | None = None
    data_dir: Path = Field(default_factory=default_data_dir)
    secret_key: str | None = Field(default=None, repr=False)
    public_url: str | None = None
    telegram_token: str | None = Field(default=None, repr=False, pattern=f"^{_TOKEN}$")
    telegram_mode: Literal["polling", "webhook"] = "polling"
    telegram_webhook_secret: str | None = Field(
        default=None, repr=False, pattern=rf"^{_WEBHOOK_SECRET}$"
    )
    telegram_api_url: str | None = None
    twilio_account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-fA-F]{32}$")
    twilio_auth_token: str | None = Field(default=None, repr=False)
    twilio_whatsapp_from: str | None = Field(default=None, pattern=f"^{_SENDER}$")
    twilio_api_url: str | None = None
    timezone: str = "Asia/Almaty"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    port: int = Field(default=8080, ge=1, le=65535)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("is not in the tz database; Kazakhstan is Asia/Almaty") from None
        return value

    @field_validator("public_url", "telegram_api_url", "twilio_api_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("has to be an address like https://zhiyn.example.kz")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator or scheme not in ("postgres", "postgresql", "postgresql+asyncpg"):
            raise ValueError("has to be like postgresql://user:password@host/name")
        return f"postgresql+asyncpg://{rest}"

    @property
    def has_telegram(self) -> bool:
        """Is a Telegram bot set up?"""
        return self.telegram_token is not None

    @property
    def has_whatsapp(self) -> bool:
        """Is a WhatsApp sender set up?"""
        return self.twilio_account_sid is not None


def load(**given: object) -> Settings:
    """The settings of the environment and `.env`. Raises SettingsWrong, one line a setting."""
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as wrong:
        lines = []
        for error in wrong.errors(include_input=False, include_url=False):
            name = str(error["loc"][0]).upper()
            lines.append(f"{name}: {_plain(error['msg'], error['type'])}")
        raise SettingsWrong(lines) from None


def check_to_serve(settings: Settings) -> None:
    """Raises SettingsWrong for what is missing before messages can be served."""
    if missing := [line for line in _missing(settings) if line]:
        raise SettingsWrong(missing)


def _missing(s: Settings) -> list[str]:
    lines = []
    if not s.secret_key:
        lines.append("SECRET_KEY: missing. Make one with: openssl rand -hex 32")
    elif len(s.secret_key) < SECRET_LENGTH:
        lines.append(f"SECRET_KEY: too short, {SECRET_LENGTH} characters at least")
    if not s.has_telegram and not s.has_whatsapp:
        lines.append(
            "TELEGRAM_TOKEN or TWILIO_ACCOUNT_SID: missing. One messenger is enough to run"
        )
    return lines + _missing_telegram(s) + _missing_whatsapp(s)


def _missing_telegram(s: Settings) -> list[str]:
    if not s.has_telegram or s.telegram_mode == "polling":
        return []
    lines = []
    if not s.telegram_webhook_secret:
        lines.append(
            "TELEGRAM_WEBHOOK_SECRET: missing. Without it anybody could pose as Telegram:"
            " 1–256 letters, digits, _ or -"
        )
    if not s.public_url:
        lines.append("PUBLIC_URL: missing. Telegram has to reach the webhook: https://…")
    return lines


def _missing_whatsapp(s: Settings) -> list[str]:
    if not s.has_whatsapp:
        return []
    needed = {
        "TWILIO_AUTH_TOKEN": (s.twilio_auth_token, "it signs the webhooks"),
        "TWILIO_WHATSAPP_FROM": (s.twilio_whatsapp_from, "the sender, like whatsapp:+77001234567"),
        "PUBLIC_URL": (s.public_url, "Twilio signs it and fetches files from it: https://…"),
    }
    return [f"{name}: missing ({why})" for name, (value, why) in needed.items() if not value]


def _plain(message: str, kind: str) -> str:
    if kind in ("less_than_equal", "greater_than_equal", "int_parsing"):
        return "has to be a number from 1 to 65535"
    if kind == "string_pattern_mismatch":
        return "does not look right; see docs/operator.md for its form"
    return message.removeprefix("Value error, ")


def demo_secret(data_dir: Path) -> str:
    """The demo's SECRET_KEY: made once, kept beside its database."""
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(SECRET_LENGTH))
    return path.read_text().strip()
