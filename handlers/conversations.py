"""What people are typing, in all their chats: forgotten with their data, handed over when two
records turn out to be one person."""

from collections.abc import Callable, Collection
from uuid import UUID

from conversation.state import FormState, State
from conversation.turn import Turn
from services import conversations, files, residents


async def forget(turn: Turn, people: Collection[UUID]) -> None:
    """Forms of these people are gone with their files, those of others stay; in a chat that
    nobody else is behind, nothing is left."""
    gone = turn.state.forget(people)
    if not set(await residents.speakers(turn.unit, turn.address)) - set(people):
        turn.state.form = turn.state.parked = None
    await _elsewhere(turn, people, lambda state: gone.extend(state.forget(people)))
    await _forget_files(turn, gone)


async def hand_over(turn: Turn, giver: UUID, taker: UUID) -> None:
    """What the record that went was typing is now the kept one's to go on with."""
    turn.state.hand_over(giver, taker)
    await _elsewhere(turn, [taker], lambda state: state.hand_over(giver, taker))


async def forget_where_absent(turn: Turn, person: UUID, others: Collection[UUID] = ()) -> None:
    """In this chat, and in those of the `others`, nothing is left of what this person was typing
    where they are not reached any more."""
    if person not in await residents.speakers(turn.unit, turn.address):
        await _forget_files(turn, turn.state.forget([person]))
    for stored in await conversations.of(turn.unit, others, but=turn.address):
        if person not in await residents.speakers(turn.unit, stored.address):
            state = _opened(stored)
            await _forget_files(turn, state.forget([person]))
            await conversations.store(turn.unit, stored.address, state.dump())


async def _elsewhere(turn: Turn, people: Collection[UUID], change: Callable[[State], None]) -> None:
    """Changes what is stored of the other chats of these people."""
    for stored in await conversations.of(turn.unit, people, but=turn.address):
        state = _opened(stored)
        change(state)
        await conversations.store(turn.unit, stored.address, state.dump())


def _opened(stored: conversations.Stored) -> State:
    return State.load(stored.state, stored.turn, stored.speaker)


async def _forget_files(turn: Turn, gone: Collection[FormState]) -> None:
    sent = [UUID(file) for form in gone for file in form.answers.get("files", ())]
    await files.forget_unsent(turn.unit, sent)
