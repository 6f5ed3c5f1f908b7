"""Identifiers: sortable by time, unguessable, short when written into a button."""

import base64
import secrets
from datetime import datetime
from uuid import UUID

SHORT_LENGTH = 22  # base64url of 16 bytes without padding


def new_id(now: datetime) -> UUID:
    """A version 7 UUID (RFC 9562): 48 bits of Unix milliseconds, the rest random."""
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    random = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62
    return UUID(int=value | random & ((1 << 62) - 1))


def short(identifier: UUID) -> str:
    """The identifier in 22 characters of [A-Za-z0-9_-]: fits a button's 64 bytes."""
    return base64.urlsafe_b64encode(identifier.bytes).rstrip(b"=").decode()


def from_short(text: str) -> UUID:
    """The identifier that `short` wrote. Raises ValueError for anything else."""
    if len(text) != SHORT_LENGTH:
        raise ValueError("not a short identifier")
    identifier = UUID(bytes=base64.urlsafe_b64decode(text + "=="))
    if short(identifier) != text:
        raise ValueError("not a short identifier")
    return identifier
