"""The turn: one message, one transaction. What is acknowledged has had its effect exactly once.

Intake recognises duplicates and locks the address; the router finds the handler; state, replies
and audit rows are stored by the last statement; only after the commit does the channel
acknowledge and do the replies go out.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from bot.channels.looks import look
from bot.database import Database
from bot.metrics import DEAD_LETTERS, TURN_SECONDS, TURNS
from conversation import forms
from conversation.message import Content, Incoming, Kind, Reply
from conversation.present import present
from conversation.router import Router
from conversation.state import State
from conversation.turn import Turn
from core.clock import Clock
from core.crypto import Keyring
from core.languages import Language
from core.texts import T, Texts, texts
from services import dead_letters, intake
from services.dead_letters import Letter
from services.installation import Links
from services.intake import AddressRow, Outgoing
from services.outbox import LEASE, seal_content
from services.unit import Refused, Unit
from services.village_search import VillageFinder

log = structlog.get_logger()

QUERY_CANCELED = "57014"  # statement_timeout
_TRANSIENT_CLASSES = ("08", "40", "53", "55", "57")  # connection, deadlock, resources, shutdown


class Received(Enum):
    """What became of an update; only TRANSIENT asks the platform to come again."""

    DONE = "done"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    FAILED = "failed"  # kept as a dead letter, the person has an apology
    TRANSIENT = "transient"
    GONE = "gone"  # kept, and who wrote it is not behind that chat any more


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an update, and what is to be sent at once."""

    received: Received
    deliveries: tuple[UUID, ...] = ()
    toast: str | None = None


class _AddressRace(Exception):
    """Two first messages of one person at once: the slower takes in again."""


@dataclass(slots=True)
class Engine:
    """Turns messages into effects. `process` names the leases of this process."""

    database: Database
    keyring: Keyring
    clock: Clock
    router: Router
    links: Links
    process: UUID = dataclasses.field(default_factory=uuid4)
    texts: Texts = dataclasses.field(default_factory=texts)
    finder: VillageFinder = dataclasses.field(default_factory=VillageFinder)
    sends_at_once: Callable[[UUID], bool] = lambda account: True  # else replies wait unclaimed

    async def receive(self, incoming: Incoming) -> Result:
        """Deals with one update; never raises for what a handler or the database does."""
        began = time.perf_counter()
        try:
            result = await self._turn_or_again(incoming)
        except Exception as error:
            result = await self._failed(incoming, error)
        count_turn(incoming, result.received, began)
        return result

    async def replay(self, letter: Letter) -> Received:
        """Deals with a kept update again, as who wrote it; FAILED when its handler still fails.
        Keeps no second letter and apologises no second time."""
        incoming = dataclasses.replace(
            from_dict(letter.update), external_ids=(f"replay:{letter.id}",)
        )
        try:
            return (await self._turn_or_again(incoming, letter)).received
        except Exception as error:
            log.error("replay-failed", error=dead_letters.where(error))
            return Received.FAILED

    async def _turn_or_again(self, incoming: Incoming, letter: Letter | None = None) -> Result:
        for _ in range(3):
            try:
                return await self._turn(incoming, letter)
            except _AddressRace:
                continue
        raise RuntimeError("the address could not be made")

    async def _turn(self, incoming: Incoming, letter: Letter | None) -> Result:
        async with self.database.turns.connect() as connection:
            unit = self._unit(connection, incoming)
            fresh, row = await self._take_in(connection, incoming)
            if not fresh:
                return Result(Received.DUPLICATE)
            if incoming.kind is Kind.EDITED or incoming.group:
                await connection.commit()
                return Result(Received.IGNORED)
            turn = await self._begin(unit, incoming, row)
            if letter is not None and not await _as_its_writer(turn, letter):
                return Result(Received.GONE)  # nothing is committed
            contents = await self._answer(turn)
            outgoing = [self.outgoing(unit, content) for content in contents]
            at_once = await self._finish(connection, turn, outgoing)
            await connection.commit()
        toast = self.texts.say(turn.said, turn.toast) if turn.toast else None
        return Result(Received.DONE, at_once, toast)

    async def _begin(self, unit: Unit, incoming: Incoming, row: AddressRow | None) -> Turn:
        pairs = [(alias.kind.value, alias.value) for alias in incoming.aliases]
        elsewhere: tuple[UUID, ...] = ()
        if row is None:
            row = await intake.new_address(unit, incoming.account, pairs)
            if row is None:
                raise _AddressRace
        elif len(pairs) > 1:
            elsewhere = await intake.meet_aliases(unit, incoming.account, row.id, pairs)
        if row.forgotten:
            await intake.know_again(unit, row.id, pairs)
        unit.actor = row.speaker
        return Turn(
            incoming=incoming,
            unit=unit,
            address=row.id,
            state=State.load(row.state, row.turn, row.speaker),
            language=Language(row.language) if row.language else None,
            speaker=row.speaker,
            stopped=row.stopped,
            links=self.links,
            finder=self.finder,
            looks=look,
            elsewhere=elsewhere,
        )

    async def _answer(self, turn: Turn) -> list[Content]:
        match turn.incoming.kind:
            case Kind.BLOCKED:
                turn.stopped = True
                turn.unit.audit("address-stopped", turn.address, by="messenger")
                return []
            case Kind.UNBLOCKED:
                turn.stopped = False
                turn.unit.audit("address-resumed", turn.address, by="messenger")
                return []
        try:
            replies = await self.router.route(turn)
        except Refused as refused:
            replies = await self._refused(turn, refused)
        return present(self.texts, turn, replies)

    async def _refused(self, turn: Turn, refused: Refused) -> list[Reply]:
        forms.park(turn)
        first, *rest = await self.router.menu(turn)
        return [first.saying(T(refused.reason)), *rest]

    async def _finish(
        self, connection: AsyncConnection, turn: Turn, outgoing: Sequence[Outgoing]
    ) -> tuple[UUID, ...]:
        """Stores what came of the turn; the deliveries that are this process' to send now."""
        leased_until = self.lease(turn.unit, turn.incoming.account)
        await turn.unit.session.flush()
        await intake.finish(
            connection,
            turn.unit,
            turn.address,
            turn.incoming.account,
            state=turn.state.dump(),
            turn=turn.state.turn,
            language=turn.language,
            speaker=turn.speaker,
            stopped=turn.stopped,
            replies=outgoing,
            claimed_by=self.process,
            claimed_until=leased_until,
        )
        return tuple(reply.delivery for reply in outgoing) if leased_until else ()

    async def _failed(self, incoming: Incoming, error: Exception) -> Result:
        """Transient: the platform comes again. A bug: kept, apologised for, acknowledged; so is
        a statement that ran into its timeout, for it would hold its chat for ever."""
        if is_transient(error) and not too_slow(error):
            log.warning("turn-transient", error=dead_letters.where(error))
            return Result(Received.TRANSIENT)
        log.error("turn-failed", error=dead_letters.where(error), kind=incoming.kind.value)
        try:
            deliveries = await self._bury(incoming, error)
        except Exception as again:
            log.error("dead-letter-failed", error=dead_letters.where(again))
            return Result(Received.TRANSIENT)
        if deliveries is None:
            return Result(Received.DUPLICATE)
        DEAD_LETTERS.inc()
        return Result(Received.FAILED, deliveries)

    async def _bury(self, incoming: Incoming, error: Exception) -> tuple[UUID, ...] | None:
        async with self.database.turns.connect() as connection:
            unit = self._unit(connection, incoming)
            fresh, row = await self._take_in(connection, incoming)
            if not fresh:
                return None
            turn = await self._begin(unit, incoming, row)
            await dead_letters.keep(unit, incoming.account, turn.address, as_dict(incoming), error)
            apology = Reply(T("apology"), both=turn.language is None, screen=False)
            outgoing = [
                self.outgoing(unit, content) for content in present(self.texts, turn, [apology])
            ]
            at_once = await self._finish(connection, turn, outgoing)
            await connection.commit()
        return at_once

    def _unit(self, connection: AsyncConnection, incoming: Incoming) -> Unit:
        session = AsyncSession(connection, expire_on_commit=False)
        return Unit(session, self.keyring, incoming.received_at, incoming.channel.value)

    def lease(self, unit: Unit, account: UUID) -> datetime | None:
        """Until when replies of this turn are this process'; None leaves them in the outbox."""
        return unit.now + LEASE if self.sends_at_once(account) else None

    def outgoing(self, unit: Unit, content: Content) -> Outgoing:
        """A reply ready to be stored."""
        message = unit.new_id()
        sealed = seal_content(self.keyring, message, content.to_json())
        return Outgoing(content.delivery or unit.new_id(), message, content.language.value, sealed)

    async def _take_in(
        self, connection: AsyncConnection, incoming: Incoming
    ) -> tuple[bool, AddressRow | None]:
        """Is it new, and from which known address?"""
        hashes = [
            intake.alias_hash(self.keyring, alias.kind, alias.value) for alias in incoming.aliases
        ]
        return await intake.take_in(
            connection,
            self.keyring,
            incoming.account,
            incoming.external_ids,
            hashes,
            incoming.received_at,
        )


async def _as_its_writer(turn: Turn, letter: Letter) -> bool:
    """The turn is of who wrote the letter, whoever speaks there now; False: they have left. What
    was written before anybody was known there is nobody's who is known by now."""
    if letter.speaker is None:
        return turn.speaker is None
    who = await dead_letters.writer(turn.unit, letter.speaker, turn.address)
    if who is not None:
        turn.speak_as(who)
    return who is not None


def count_turn(incoming: Incoming, received: Received, began: float) -> None:
    """For /metrics; `began` by time.perf_counter."""
    TURN_SECONDS.labels(incoming.channel.value).observe(time.perf_counter() - began)
    TURNS.labels(incoming.channel.value, received.value).inc()


def is_transient(error: BaseException) -> bool:
    """Can the same thing succeed when it is tried again?"""
    if isinstance(error, ConnectionError | TimeoutError | OSError):
        return True
    if isinstance(error, OperationalError | PoolTimeout):
        return True
    if isinstance(error, InterfaceError):
        cause = getattr(error.orig, "__cause__", None)
        return not isinstance(cause, ValueError)  # a wrong argument is a bug, no broken connection
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _sqlstate(error)[:2] in _TRANSIENT_CLASSES
    return False


def too_slow(error: BaseException) -> bool:
    """Did a statement run into its timeout? Tried again at once it would do so again."""
    return _sqlstate(error) == QUERY_CANCELED


def _sqlstate(error: BaseException) -> str:
    """PostgreSQL's code of the error, where it is one of the database's."""
    original = getattr(error, "orig", None)
    return str(getattr(original, "sqlstate", None) or "")


def as_dict(incoming: Incoming) -> dict[str, Any]:
    """The update for the sealed dead letter."""
    return dataclasses.asdict(incoming)


def from_dict(stored: dict[str, Any]) -> Incoming:
    """The update as `as_dict` wrote it, for a replay."""
    from pydantic import TypeAdapter

    return TypeAdapter(Incoming).validate_python(stored)
