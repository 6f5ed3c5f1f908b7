"""What is due: rows that the clock's leader works off (DESIGN part 7)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Due(Base):
    """One thing to be done at a moment, once: `key` keeps a second row of it away."""

    __tablename__ = "due"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    kind: Mapped[str]
    key: Mapped[str]
    object_id: Mapped[UUID]
    details: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    done_at: Mapped[datetime | None]
    result: Mapped[str | None]  # a word: 'done', 'cancelled', 'failed'

    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_due_open", "due_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_due_object", "object_id"),
    )
