"""One message and its answer: what a handler is given."""

from dataclasses import dataclass, field
from uuid import UUID

from conversation.looks import Looks, plain
from conversation.message import Incoming
from conversation.state import State
from core.languages import Language
from core.texts import T
from services.installation import Links
from services.unit import Unit
from services.village_search import VillageFinder


@dataclass(slots=True)
class Turn:
    """A person's message in its transaction. Handlers read it, call services, return replies."""

    incoming: Incoming
    unit: Unit
    address: UUID
    state: State
    language: Language | None
    speaker: UUID | None  # the resident who speaks from this address
    stopped: bool = False
    links: Links = field(default_factory=Links)
    finder: VillageFinder = field(default_factory=VillageFinder)
    looks: Looks = plain
    toast: T | None = None  # the short receipt of a tap
    page: int = 0  # of a long list of choices
    elsewhere: tuple[UUID, ...] = ()  # other addresses that the messenger says are the sender's

    @property
    def said(self) -> Language:
        """The language to answer in; Kazakh, the state language, until one is chosen."""
        return self.language or Language.KK

    def speak_as(self, resident: UUID | None) -> None:
        """From now on this resident speaks from this address; what another one was typing waits
        for them."""
        if resident != self.speaker:
            self.state.park()
        self.speaker = self.unit.actor = resident


@dataclass(frozen=True, slots=True)
class Tap:
    """A durable choice that is dealt with together with those of other people."""

    turn: Turn
    ids: tuple[str, ...]
