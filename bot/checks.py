"""One finding of `zhiyn doctor`: what was looked at, how it stands, what to do."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands."""

    FINE = "ok"
    LOOK = "look"  # works, and somebody should look at it
    FAULT = "fault"  # does not work: the installation is not healthy


@dataclass(frozen=True, slots=True)
class Check:
    """One line."""

    name: str
    state: State
    found: str
    advice: str = ""

    def line(self) -> str:
        """ "fault  migrations: pending. Run: zhiyn migrate"."""
        advice = f". {self.advice}" if self.advice else ""
        return f"{self.state:<5}  {self.name}: {self.found}{advice}"


def fine(name: str, found: str) -> Check:
    """As it should be."""
    return Check(name, State.FINE, found)


def look(name: str, found: str, advice: str) -> Check:
    """Works, and somebody should look at it."""
    return Check(name, State.LOOK, found, advice)


def fault(name: str, found: str, advice: str) -> Check:
    """Does not work."""
    return Check(name, State.FAULT, found, advice)
