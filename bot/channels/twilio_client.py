"""Twilio's own client, asynchronous, pointed wherever `TWILIO_API_URL` says.

Sources: twilio/http/async_http_client.py, twilio/http/http_client.py (version 9.13).
"""

import json
import logging
from base64 import b64encode
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from twilio.http.async_http_client import (  # type: ignore[import-untyped]
    AsyncTwilioHttpClient,
)
from twilio.rest import Client  # type: ignore[import-untyped]

from rules.attachments import DOCUMENT_BYTES, FileFault

HOSTS = ("https://api.twilio.com", "https://content.twilio.com")
SECONDS = 10.0
MEDIA_SECONDS = 60.0
MEDIA_BYTES = DOCUMENT_BYTES
GONE = (404, 410)

# Twilio's client writes the addresses it calls at level INFO: no business of our log.
_quiet = logging.getLogger("zhiyn.twilio")
_quiet.setLevel(logging.WARNING)


class MediaRefused(Exception):
    """The medium is not Twilio's, is gone, or is larger than 16 MB."""

    def __init__(self, words: str, fault: FileFault = FileFault.GONE) -> None:
        super().__init__(words)
        self.fault = fault


class HttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]
    """Twilio's asynchronous client with four things put right.

    Both hosts can be another server; bodies declared as JSON are written as JSON (the
    synchronous client does so, the asynchronous one posts them as a form); there is a
    timeout; the session is made in the loop that uses it.
    """

    def __init__(self, api_url: str | None) -> None:
        super().__init__(pool_connections=False, logger=_quiet)
        self.session: ClientSession | None = None
        self._api_url = api_url.rstrip("/") if api_url else None

    async def request(
        self,
        method: str,
        url: str,
        params: Any = None,
        data: Any = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is Twilio's
        allow_redirects: bool = False,
    ) -> Any:
        """One call, as twilio.rest makes it."""
        if self.session is None:
            self.session = ClientSession()
        headers = (headers or {}) | (_basic(auth) if auth else {})
        body = _body(data, headers)
        return await super().request(
            method,
            self.redirected(url),
            params,
            body,
            headers,
            None,
            timeout or SECONDS,
            allow_redirects,
        )

    async def fetch(self, url: str, auth: tuple[str, str]) -> bytes:
        """A medium that somebody sent. Raises MediaRefused, and aiohttp's errors for what may
        go better another time; our secret goes to Twilio only."""
        ours = (*HOSTS, self._api_url) if self._api_url else HOSTS
        if not url.startswith(tuple(f"{host}/" for host in ours)):
            raise MediaRefused("not an address of Twilio's")
        if self.session is None:
            self.session = ClientSession()
        async with self.session.get(
            self.redirected(url), headers=_basic(auth), timeout=ClientTimeout(MEDIA_SECONDS)
        ) as answer:
            if answer.status in GONE:
                raise MediaRefused(f"HTTP {answer.status}")
            answer.raise_for_status()
            return await _at_most(answer.content, MEDIA_BYTES)

    def redirected(self, url: str) -> str:
        """The address, on the server that stands for Twilio."""
        if self._api_url is None:
            return url
        for host in HOSTS:
            if url.startswith(f"{host}/"):
                return self._api_url + url.removeprefix(host)
        return url


def make_client(account_sid: str, auth_token: str, api_url: str | None = None) -> Client:
    """Twilio's client for one account."""
    return Client(account_sid, auth_token, http_client=HttpClient(api_url))


def _basic(auth: tuple[str, str]) -> dict[str, str]:
    """The header that aiohttp asks for in place of its `auth`, which it will drop."""
    return {"Authorization": "Basic " + b64encode(":".join(auth).encode()).decode()}


def _body(data: Any, headers: dict[str, str]) -> Any:
    if data is not None and headers.get("Content-Type") == "application/json":
        return json.dumps(data)
    if not isinstance(data, dict):
        return data
    return [
        (name, str(item))
        for name, value in data.items()
        for item in (value if isinstance(value, list) else [value])
    ]


async def _at_most(content: Any, limit: int) -> bytes:
    read = bytearray()
    async for chunk in content.iter_chunked(65536):
        read += chunk
        if len(read) > limit:
            raise MediaRefused("larger than 16 MB", FileFault.TOO_LARGE)
    return bytes(read)
