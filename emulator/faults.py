"""Scripted faults and counters: what goes wrong on request, and what was called how often."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass
class Fault:
    """The next `times` calls of `method` ("*" for all) go wrong in this way."""

    method: str
    times: int = 1
    status: int | None = None  # answer with this status and body instead of the effect
    body: dict[str, Any] | None = None
    retry_after: int | None = None  # a 429 in the platform's own shape
    delay: float = 0.0  # seconds before anything else happens
    drop: Literal["before", "after"] | None = None  # connection cut before or after the effect
    hold: bool = False  # the effect happens at once, its answer waits for `release_answers`
    to: str | None = None  # only calls to this chat id or WhatsApp address

    def matches(self, method: str, to: str | None) -> bool:
        """Whether this call is meant."""
        return self.times > 0 and self.method in ("*", method) and self.to in (None, to)


@dataclass
class Counters:
    """What the product did to the platforms."""

    calls: Counter[str] = field(default_factory=Counter)
    too_many: int = 0  # every 429 that was given, of both platforms, scripted ones included
    refused: Counter[str] = field(default_factory=Counter)  # error texts and codes
    received: Counter[str] = field(default_factory=Counter)  # messages by person id
    violations: list[str] = field(default_factory=list)  # each refusal in words, in order

    def refuse(self, method: str, error: str) -> None:
        """Notes a refusal."""
        self.refused[error] += 1
        self.violations.append(f"{method}: {error}")

    def to_json(self) -> dict[str, Any]:
        """Counters as plain JSON."""
        return {
            "calls": dict(self.calls),
            "too_many": self.too_many,
            "refused": dict(self.refused),
            "received": dict(self.received),
            "violations": self.violations,
        }


class Faults:
    """The list of faults that wait for their call."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.held = 0  # answers that wait now
        self._released = asyncio.Event()

    def add(self, fault: Fault) -> None:
        """Scripts one more."""
        self.waiting.append(fault)

    def take(self, method: str, to: str | None) -> Fault | None:
        """The first fault meant for this call, used up by one; None when there is none."""
        for fault in self.waiting:
            if fault.matches(method, to):
                fault.times -= 1
                return fault
        return None

    async def hold(self) -> None:
        """Returns when the answers that are held now are released."""
        self.held += 1
        try:
            await self._released.wait()
        finally:
            self.held -= 1

    def release(self) -> None:
        """Lets the held answers go; the next ones are held again."""
        self._released.set()
        self._released = asyncio.Event()

    def clear(self) -> None:
        """Forgets them all; nothing is held any more."""
        self.waiting.clear()
        self.release()
