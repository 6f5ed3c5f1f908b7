"""Scripted faults and counters: what goes wrong on request, and what was called how often."""

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

    def clear(self) -> None:
        """Forgets them all."""
        self.waiting.clear()
