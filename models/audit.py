"""The audit trail: append-only rows, chained by hash within a second of their commit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Audit(Base):
    """Who (by id), when, by which channel, what (codes; never names, never ballot choices)."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None]  # resident; empty: the operator's command line or the clock
    channel: Mapped[str]
    action: Mapped[str]
    object_id: Mapped[str | None]
    details: Mapped[dict[str, Any]]

    __table_args__ = (Index("ix_audit_object", "object_id"),)


class AuditSeal(Base):
    """A link of the chain: SHA-256 of (the hash before, the row). `seq` has no gaps."""

    __tablename__ = "audit_seal"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audit.id"), unique=True)
    hash: Mapped[bytes]
