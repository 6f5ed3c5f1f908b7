"""What a button carries: at most 64 bytes of [A-Za-z0-9_.-], so that every messenger takes it.

`s.<turn>.<code>.<ids…>` belongs to the turn that offered it; `d.<code>.<ids…>` stands by itself:
it names its object and revision. A payload is read only from taps, never from typed text.
"""

import re
from dataclasses import dataclass

from conversation.message import Choice

MAX_BYTES = 64  # Telegram's callback_data
_PIECE = re.compile(r"[A-Za-z0-9_-]+")
_BASE36 = re.compile(r"[0-9a-z]+")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class PayloadRefused(ValueError):
    """Not one of our payloads: forged, damaged, or of another version."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A tapped choice. `turn` is None for a durable one."""

    code: str
    ids: tuple[str, ...]
    turn: int | None


def encode(choice: Choice, turn: int) -> str:
    """The payload of a choice. Raises ValueError when it does not fit a button."""
    head = ["d"] if choice.durable else ["s", _base36(turn)]
    pieces = [*head, choice.code, *choice.ids]
    payload = ".".join(pieces)
    if len(payload) > MAX_BYTES or not all(_PIECE.fullmatch(piece) for piece in pieces):
        raise ValueError(f"payload of {choice.code} does not fit: {len(payload)} bytes")
    return payload


def decode(payload: str) -> Chosen:
    """What was tapped. Raises PayloadRefused for anything that `encode` does not write."""
    pieces = payload.split(".")
    if len(payload) > MAX_BYTES or not all(_PIECE.fullmatch(piece) for piece in pieces):
        raise PayloadRefused(payload[:MAX_BYTES])
    match pieces:
        case ["d", code, *ids]:
            return Chosen(code, tuple(ids), None)
        case ["s", turn, code, *ids] if _BASE36.fullmatch(turn):
            return Chosen(code, tuple(ids), int(turn, 36))
    raise PayloadRefused(payload)


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
