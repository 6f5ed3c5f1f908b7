"""The one command that a messenger itself sends: /start, with what a deep link named."""

import re

_START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<payload>.*))?", re.IGNORECASE | re.DOTALL)
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")  # Bot API, "Deep linking"


def is_start(text: str) -> bool:
    """Whether the text is "/start", with or without the bot's name and a payload."""
    return _START.fullmatch(text.strip()) is not None


def start_payload(text: str) -> str | None:
    """What the deep link named; None for a bare /start and for what no link can carry."""
    match = _START.fullmatch(text.strip())
    payload = (match["payload"] or "").strip() if match else ""
    return payload if _PAYLOAD.fullmatch(payload) else None
