"""HTTP between the emulator and the product: signing, posting, and the loopback rule."""

# ruff: noqa: ASYNC109 - these timeouts are what the platforms and the scripts ask for
import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp


class NotLoopback(ValueError):
    """The emulator talks only to this machine."""


@dataclass(frozen=True)
class Answer:
    """What came back: a status (0 when the connection failed), a body, its type."""

    status: int
    body: bytes = b""
    content_type: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was a 2xx."""
        return 200 <= self.status < 300


def is_loopback(host: str) -> bool:
    """Whether the name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def must_be_loopback(url: str) -> str:
    """The url again; NotLoopback when it leads off this machine."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not is_loopback(parts.hostname or "?"):
        raise NotLoopback(f"only http on loopback: {url}")
    return url


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """X-Twilio-Signature: HMAC-SHA1 of the url followed by every sorted name and value."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


async def post(
    session: aiohttp.ClientSession,
    url: str,
    timeout: float,
    *,
    form: Mapping[str, str] | None = None,
    json: object = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Posts and never raises for what the network does: a failed connection is status 0."""
    limit = aiohttp.ClientTimeout(total=timeout)
    try:
        async with session.post(
            url, data=form, json=json, headers=headers, timeout=limit, allow_redirects=False
        ) as got:
            return Answer(got.status, await got.read(), got.content_type)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return Answer(0)


async def fetch(session: aiohttp.ClientSession, url: str, timeout: float = 20.0) -> Answer:
    """Gets a file; a failed connection is status 0."""
    limit = aiohttp.ClientTimeout(total=timeout)
    try:
        async with session.get(url, timeout=limit) as got:
            return Answer(got.status, await got.read(), got.content_type)
    except (aiohttp.ClientError, TimeoutError, OSError):
        return Answer(0)
