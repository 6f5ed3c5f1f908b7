"""Updates that a handler failed on: kept sealed until somebody has mended the handler."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from models.intake import DeadLetter
from models.people import Resident, ResidentAddress
from services.unit import Unit

UPDATE = "dead_letter.update"


@dataclass(frozen=True, slots=True)
class Letter:
    """A failed update, opened."""

    id: UUID
    account: UUID
    speaker: UUID | None  # who wrote it; nobody was known to speak there
    update: dict[str, Any]
    error: str
    created_at: datetime


async def keep(
    unit: Unit, account: UUID, address: UUID, update: dict[str, Any], error: BaseException
) -> UUID:
    """Keeps the update of this chat until who speaks there (the actor) asks for deletion; of the
    error only its class and where it was raised, nothing personal."""
    identifier = unit.new_id()
    words = json.dumps(update, ensure_ascii=False, default=str)
    unit.session.add(
        DeadLetter(
            id=identifier,
            account_id=account,
            address_id=address,
            speaker_id=unit.actor,
            update=unit.keyring.seal(UPDATE, identifier, words),
            error=where(error),
            created_at=unit.now,
        )
    )
    await unit.session.flush()
    return identifier


async def waiting(unit: Unit) -> list[Letter]:
    """The letters that nobody has replayed, the oldest first."""
    found = await unit.session.scalars(
        select(DeadLetter).where(DeadLetter.replayed_at.is_(None)).order_by(DeadLetter.created_at)
    )
    return [
        Letter(
            letter.id,
            letter.account_id,
            letter.speaker_id,
            json.loads(unit.keyring.open(UPDATE, letter.id, letter.update)),
            letter.error,
            letter.created_at,
        )
        for letter in found
    ]


async def writer(unit: Unit, speaker: UUID, address: UUID) -> UUID | None:
    """Who wrote a letter, by the record that stands for them now; None when they are gone or not
    behind this chat any more."""
    kept = select(func.coalesce(Resident.merged_into, Resident.id)).where(Resident.id == speaker)
    found: UUID | None = await unit.session.scalar(
        select(Resident.id)
        .join(ResidentAddress, ResidentAddress.resident_id == Resident.id)
        .where(ResidentAddress.address_id == address, Resident.deleted_at.is_(None))
        .where(Resident.id == kept.scalar_subquery())
    )
    return found


async def replayed(unit: Unit, letter: UUID) -> None:
    """This one has been dealt with."""
    (await unit.session.get_one(DeadLetter, letter)).replayed_at = unit.now


def where(error: BaseException) -> str:
    """ "KeyError at handlers/menu.py:31": enough to find the bug, nothing of the person."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "/site-packages/" not in name:
            place = f" at {'/'.join(name.rsplit('/', 2)[-2:])}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}{place}"
