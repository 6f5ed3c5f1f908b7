"""The rulebook: values that a place decided for itself, with the act that says so. Append-only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Rule(Base):
    """A value for a place and everything in it; the nearest place up the tree wins (LAW, head).

    No place: the whole installation. Another value ends the one before and never removes it.
    """

    __tablename__ = "rule"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    place_code: Mapped[str | None] = mapped_column(ForeignKey("place.code"))
    name: Mapped[str]  # rules.rulebook
    value: Mapped[Any] = mapped_column(JSONB())  # JSON null: back to the value from above
    act: Mapped[str]  # the deciding act: body, date, number
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_rule_standing",
            text("coalesce(place_code, '')"),
            "name",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
