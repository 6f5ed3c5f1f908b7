"""A unit of work: the open transaction with all that a service needs to act in it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from core.crypto import Keyring
from core.ids import new_id


class Refused(Exception):
    """The service does not allow this to this person; written to the audit trail.

    `reason` is a text key (`refused-…`) in every language.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry, not yet written; codes only, never names or choices of a secret ballot."""

    at: datetime
    actor: UUID | None
    channel: str
    action: str
    object_id: str | None
    details: dict[str, Any]


@dataclass(slots=True)
class Unit:
    """Session, keys, moment and actor of one transaction. `now` is the intake time of the act."""

    session: AsyncSession
    keyring: Keyring
    now: datetime
    channel: str = "command"
    actor: UUID | None = None
    audit_rows: list[AuditRow] = field(default_factory=list)

    def new_id(self) -> UUID:
        """An identifier of this moment."""
        return new_id(self.now)

    def audit(self, action: str, object_id: object = None, **details: Any) -> None:
        """Notes what changed; it is written with the transaction's last statement."""
        named = None if object_id is None else str(object_id)
        self.audit_rows.append(AuditRow(self.now, self.actor, self.channel, action, named, details))

    async def connection(self) -> AsyncConnection:
        """The connection of this transaction, for prepared statements of hot paths."""
        return await self.session.connection()
