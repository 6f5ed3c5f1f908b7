"""Twilio's requests to the product: signed forms, retried as the connection overrides say."""

# ruff: noqa: ASYNC109 - these timeouts are what the platforms and the scripts ask for
import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urldefrag

import aiohttp

from emulator.config import Config, Switches
from emulator.wire import Answer, must_be_loopback, post, signature

# "Webhooks: connection overrides": one retry by default and only when the connection failed;
# "#rc=5&rp=all" asks for up to five retries, 5xx included.
OVERRIDES: Final = re.compile(r"(?:^|&)(rc|rp)=([^&]*)")


@dataclass(frozen=True)
class Retries:
    """How often, and whether 5xx counts."""

    count: int = 1
    server_errors: bool = False

    @staticmethod
    def of(url: str) -> "Retries":
        """Read from the url's fragment."""
        told = dict(OVERRIDES.findall(urldefrag(url).fragment))
        count = int(told.get("rc", "1") or 1)
        return Retries(min(count, 5), told.get("rp") in ("all", "5xx"))

    def again(self, answer: Answer) -> bool:
        """Whether this answer is worth another try."""
        return answer.status == 0 or (self.server_errors and answer.status >= 500)


class Poster:
    """Signs and posts."""

    def __init__(
        self, config: Config, switches: Switches, session: Callable[[], aiohttp.ClientSession]
    ) -> None:
        self._config = config
        self._switches = switches
        self._session = session

    async def post(
        self, url: str, form: Mapping[str, str], timeout: float,
        seen: Callable[[Answer], None] = lambda answer: None,
    ) -> list[Answer]:  # fmt: skip
        """All answers in order, each shown to `seen` as it comes; the last one counts."""
        retries = Retries.of(url)
        answers: list[Answer] = []
        while True:
            answers.append(await self._once(url, form, timeout))
            seen(answers[-1])
            if len(answers) > retries.count or not retries.again(answers[-1]):
                return answers
            await asyncio.sleep(self._switches.inbound_pause)

    async def _once(self, url: str, form: Mapping[str, str], timeout: float) -> Answer:
        bare = urldefrag(url).url
        signed = url if self._switches.fragment_signed else bare
        token = self._config.account.auth_token if self._config.account else ""
        headers = {
            "X-Twilio-Signature": signature(token, signed, form),
            "User-Agent": "TwilioProxy/1.1",
        }
        target = must_be_loopback(bare)
        return await post(self._session(), target, timeout, form=form, headers=headers)
