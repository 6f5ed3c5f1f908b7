"""The fast lane: durable choices that many tap at once are turns done in small groups.

What a group gathers is what has arrived while the group before it was in the database; nothing
is waited for, and a group of one is quicker than a turn of its own. Everything that is not simple,
and every group that fails, goes through the engine one by one, with the same result.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.engine import Engine, Received, Result, count_turn
from conversation.message import Incoming, Kind, Reply
from conversation.payload import Chosen, PayloadRefused, decode
from conversation.present import present
from conversation.state import State
from conversation.turn import Tap, Turn
from core.languages import Language
from services import intake, together
from services.dead_letters import where
from services.together import Arrival, Done, Taken
from services.unit import Unit

log = structlog.get_logger()

LARGEST = 48  # taps of a group, so that none waits long for its neighbours


@dataclass(slots=True, eq=False)
class _Waiting:
    """A tap that waits for its group. `marks` are what no two taps under way may share."""

    incoming: Incoming
    chosen: Chosen
    marks: frozenset[object]
    result: "asyncio.Future[Result | None]"


@dataclass(slots=True)
class FastLane:
    """Stands before the engine; takes what it can, hands on the rest."""

    engine: Engine
    _waiting: list[_Waiting] = field(default_factory=list)
    _worker: asyncio.Task[None] | None = None

    async def receive(self, incoming: Incoming) -> Result:
        """Deals with one update as Engine.receive does; never raises."""
        chosen = self._hot(incoming)
        if chosen is None:
            return await self.engine.receive(incoming)
        began = time.perf_counter()
        result = await self._in_a_group(incoming, chosen)
        if result is None:
            return await self.engine.receive(incoming)
        count_turn(incoming, result.received, began)
        return result

    def _hot(self, incoming: Incoming) -> Chosen | None:
        """What was tapped, if it may be dealt with in a group."""
        if incoming.kind is not Kind.CHOICE or incoming.group or not incoming.payload:
            return None
        try:
            chosen = decode(incoming.payload)
        except PayloadRefused:
            return None
        durable = chosen.turn is None
        return chosen if durable and chosen.code in self.engine.router.routes.together else None

    async def _in_a_group(self, incoming: Incoming, chosen: Chosen) -> Result | None:
        marks = frozenset((*incoming.aliases, *incoming.external_ids))
        one = _Waiting(incoming, chosen, marks, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await one.result

    async def _work(self) -> None:
        """Does one group after the other until nobody waits: two at once were smaller, and cost
        more than they saved."""
        try:
            while group := self._gather():
                await self._do(group)
        finally:  # at once: a tap that comes now must find that nobody works any more
            self._worker = None

    def _gather(self) -> list[_Waiting]:
        """Those who wait, in their order; a second tap of one address waits for the first."""
        group: list[_Waiting] = []
        later: list[_Waiting] = []
        held: set[object] = set()
        for one in self._waiting:
            free = len(group) < LARGEST and held.isdisjoint(one.marks)
            (group if free else later).append(one)
            held |= one.marks
        self._waiting = later
        return group

    async def _do(self, group: Sequence[_Waiting]) -> None:
        """Gives each tap its result: None sends it through the engine."""
        results: Sequence[Result | None] = [None] * len(group)
        try:
            results = await self._together(group)
        except Exception as error:
            log.warning("group-apart", error=where(error), taps=len(group))
        finally:
            for one, result in zip(group, results, strict=True):
                if not one.result.done():
                    one.result.set_result(result)

    async def _together(self, group: Sequence[_Waiting]) -> list[Result | None]:
        """One transaction for all of them."""
        arrivals = [self._arrival(one.incoming) for one in group]
        async with self.engine.database.turns.connect() as connection:
            found = await together.take_in(connection, arrivals)
            results: list[Result | None] = [
                Result(Received.DUPLICATE) if taken and not taken.fresh else None for taken in found
            ]
            session = AsyncSession(connection, expire_on_commit=False)
            taps = {
                n: self._tap(session, one, taken)
                for n, (one, taken) in enumerate(zip(group, found, strict=True))
                if taken and taken.fresh
            }
            if not taps:
                return results
            replies = await self._answers(group, taps)
            if alone := [arrivals[n] for n in taps if replies[n] is None]:
                await together.leave_out(connection, alone)
            done = {
                n: self._done(taps[n].turn, said) for n, said in replies.items() if said is not None
            }
            leases = {n: self.engine.lease(one.unit, one.account) for n, one in done.items()}
            if done:
                await together.finish(
                    connection, list(done.values()), self.engine.process, list(leases.values())
                )
            await connection.commit()
        for n, one in done.items():
            results[n] = self._result(taps[n].turn, one, at_once=leases[n] is not None)
        return results

    def _arrival(self, incoming: Incoming) -> Arrival:
        hashes = [
            intake.alias_hash(self.engine.keyring, alias.kind, alias.value)
            for alias in dict.fromkeys(incoming.aliases)
        ]
        external_ids = tuple(dict.fromkeys(incoming.external_ids))
        return Arrival(incoming.account, hashes, external_ids, incoming.received_at)

    def _tap(self, session: AsyncSession, one: _Waiting, taken: Taken) -> Tap:
        incoming, engine = one.incoming, self.engine
        now, channel = incoming.received_at, incoming.channel.value
        turn = Turn(
            incoming=incoming,
            unit=Unit(session, engine.keyring, now, channel, taken.speaker),
            address=taken.address,
            state=State(turn=taken.turn),
            language=Language(taken.language),
            speaker=taken.speaker,
            stopped=taken.stopped,
            links=engine.links,
            finder=engine.finder,
        )
        return Tap(turn, one.chosen.ids)

    async def _answers(
        self, group: Sequence[_Waiting], taps: dict[int, Tap]
    ) -> dict[int, Sequence[Reply] | None]:
        """The replies to each tap; each kind of choice is asked once for all its taps."""
        answers: dict[int, Sequence[Reply] | None] = {}
        for code in {group[n].chosen.code for n in taps}:
            numbers = [n for n in taps if group[n].chosen.code == code]
            handler = self.engine.router.routes.together[code]
            found = await handler([taps[n] for n in numbers])
            answers.update(zip(numbers, found, strict=True))
        return answers

    def _done(self, turn: Turn, replies: Sequence[Reply]) -> Done:
        if any(reply.screen for reply in replies):
            raise ValueError("a screen changes the state of its conversation: not in a group")
        contents = present(self.engine.texts, turn, replies)
        outgoing = [self.engine.outgoing(turn.unit, content) for content in contents]
        return Done(turn.unit, turn.address, turn.incoming.account, outgoing)

    def _result(self, turn: Turn, done: Done, *, at_once: bool) -> Result:
        toast = self.engine.texts.say(turn.said, turn.toast) if turn.toast else None
        deliveries = tuple(reply.delivery for reply in done.replies) if at_once else ()
        return Result(Received.DONE, deliveries, toast)
