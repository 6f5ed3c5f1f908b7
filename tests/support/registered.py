"""Somebody who is registered already, without the conversation that it took."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from services import intake, residents
from services.residents import Registration
from services.unit import Unit


async def registered(
    unit: Unit,
    account: UUID,
    aliases: Sequence[tuple[str, str]],
    given: Registration,
    *,
    silent: timedelta = timedelta(),
) -> tuple[UUID, UUID]:
    """Their chat and they; `silent`: since they wrote for the last time."""
    row = await intake.new_address(unit, account, aliases)
    assert row is not None
    resident = await residents.register(unit, row.id, None, given)
    await unit.session.execute(
        text(
            "UPDATE address SET speaker_id = :resident, language = :language,"
            " last_inbound_at = :at WHERE id = :id"
        ),
        {
            "resident": resident,
            "language": given.language,
            "at": unit.now - silent,
            "id": row.id,
        },
    )
    return row.id, resident
