"""The installation itself: its keys, its clock offset, its accounts on the messengers."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, Interval, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Key(Base):
    """A data key or the index key, wrapped by `SECRET_KEY` (core.crypto)."""

    __tablename__ = "key"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    purpose: Mapped[str]
    wrapped: Mapped[bytes]
    created_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("purpose IN ('data', 'index')", name="purpose"),)


class Installation(Base):
    """One row: what all processes of an installation share."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    clock_offset: Mapped[timedelta] = mapped_column(Interval(), server_default=text("'0'"))

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class Account(Base):
    """One bot or one WhatsApp sender. The environment seeds the first of each."""

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    sender: Mapped[str]  # Telegram: the bot's id; WhatsApp: "whatsapp:+7…", public by nature
    username: Mapped[str | None]  # Telegram: for deep links
    secrets: Mapped[bytes]  # sealed JSON: token, webhook secret; account sid, auth token
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    next_slot: Mapped[datetime | None]  # pacing: the first moment not yet reserved
    quota_closed_until: Mapped[datetime | None]  # WhatsApp said that the day's quota is used up
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("channel", "sender"),
        CheckConstraint("channel IN ('telegram', 'whatsapp')", name="channel"),
    )
