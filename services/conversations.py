"""What is stored of conversations: taken out to be changed in somebody else's turn, put back."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.intake import STATE
from services.unit import Unit

_OF = """
SELECT a.id, a.speaker_id, a.state, a.turn FROM address AS a
WHERE a.state IS NOT NULL AND a.id <> :but AND a.id IN (
    SELECT address_id FROM resident_address WHERE resident_id = ANY(:people))
ORDER BY a.id FOR NO KEY UPDATE
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """The conversation of one chat, opened."""

    address: UUID
    speaker: UUID | None
    state: str
    turn: int


async def of(unit: Unit, people: Collection[UUID], but: UUID) -> list[Stored]:
    """Those of the chats where these people are reached, locked; without the chat `but`."""
    found = await unit.session.execute(text(_OF), {"people": list(people), "but": but})
    return [
        Stored(row.id, row.speaker_id, unit.keyring.open(STATE, row.id, row.state), row.turn)
        for row in found
    ]


async def store(unit: Unit, address: UUID, state: str) -> None:
    """The conversation goes on from here."""
    await unit.session.execute(
        text("UPDATE address SET state = :state WHERE id = :address"),
        {"state": unit.keyring.seal(STATE, address, state), "address": address},
    )
