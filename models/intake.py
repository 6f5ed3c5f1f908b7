"""What has come in: the memory of what was seen, and what could not be dealt with."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Intake(Base):
    """The digest of an update's identifier; a second one is a duplicate (kept three days)."""

    __tablename__ = "intake"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)  # refers to no row: hot, forgotten
    key: Mapped[bytes] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(index=True)


class DeadLetter(Base):
    """An update that a handler failed on: kept sealed, replayed by `zhiyn doctor`."""

    __tablename__ = "dead_letter"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    address_id: Mapped[UUID | None] = mapped_column(ForeignKey("address.id"))
    speaker_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))  # whose words
    update: Mapped[bytes]
    error: Mapped[str]  # the exception's class and our own line, nothing personal
    created_at: Mapped[datetime]
    replayed_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_dead_letter_open", "created_at", postgresql_where=text("replayed_at IS NULL")),
    )
