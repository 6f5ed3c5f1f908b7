"""Content resources at Twilio: one for each shape of message, made once and remembered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class ContentTemplate(Base):
    """A resource under its slot; `status` is WhatsApp's word about a template's approval."""

    __tablename__ = "content_template"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    kind: Mapped[str]
    language: Mapped[str]
    shape: Mapped[str]
    sid: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]

    __table_args__ = (
        Unique("account_id", "kind", "language", "shape"),
        CheckConstraint("language IN ('kk', 'ru')", name="language"),
    )
