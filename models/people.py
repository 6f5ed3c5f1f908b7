"""People, the chats they write from, the roles they hold. Personal fields are sealed."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Resident(Base):
    """A person. `registered_at` is empty until registration ends; officials may never register."""

    __tablename__ = "resident"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    full_name: Mapped[bytes | None]
    street: Mapped[bytes | None]
    birth_date: Mapped[bytes | None]
    phone: Mapped[bytes | None]
    phone_hash: Mapped[bytes | None]
    adult_on: Mapped[date | None]  # the day of majority; empty for those who registered as adults
    place_code: Mapped[str | None] = mapped_column(ForeignKey("place.code"))
    counts_from: Mapped[date | None]  # after a move: the day from which votes count here
    level: Mapped[str] = mapped_column(server_default="declared")
    language: Mapped[str]
    preferred_channel: Mapped[str | None]  # empty: where they wrote last
    muted: Mapped[list[str]] = mapped_column(server_default=text("'[]'"))  # kinds of notices
    consented_at: Mapped[datetime | None]
    consent_version: Mapped[int | None]
    registered_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"), index=True)
    join_wrong: Mapped[int] = mapped_column(server_default=text("0"))  # dates of birth guessed
    join_wrong_at: Mapped[datetime | None]
    made_up: Mapped[bool] = mapped_column(server_default=text("false"))  # the demo's residents
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("level IN ('declared', 'phone', 'roll', 'person')", name="level"),
        CheckConstraint("language IN ('kk', 'ru')", name="language"),
        CheckConstraint("preferred_channel IN ('telegram', 'whatsapp')", name="preferred_channel"),
        CheckConstraint("merged_into <> id", name="itself"),
        Index(
            "ix_resident_place_registered",
            "place_code",
            postgresql_where=text(
                "registered_at IS NOT NULL AND deleted_at IS NULL AND merged_into IS NULL"
            ),
        ),
        Index("ix_resident_phone_hash", "phone_hash"),
    )


class Address(Base):
    """Somebody's chat with an account. The row's lock makes a person's turns serial."""

    __tablename__ = "address"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    # Sealed: what the platform answers to (chat id, phone, scoped id). Empty once nobody is behind
    # this chat any more: the next message brings it again.
    target: Mapped[bytes | None]
    language: Mapped[str | None]
    speaker_id: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    state: Mapped[bytes | None]  # sealed: form, step, answers, current screen
    turn: Mapped[int] = mapped_column(server_default=text("0"))
    stopped_at: Mapped[datetime | None]
    stop_reason: Mapped[str | None]
    last_inbound_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("language IN ('kk', 'ru')", name="language"),
        Index("ix_address_speaker_id", "speaker_id"),
    )


class AddressAlias(Base):
    """One identifier ever seen for an address; found by its keyed hash."""

    __tablename__ = "address_alias"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    hash: Mapped[bytes] = mapped_column(primary_key=True)
    address_id: Mapped[UUID] = mapped_column(ForeignKey("address.id"), index=True)
    kind: Mapped[str]
    value: Mapped[bytes | None]  # sealed, bound to the address's id; empty as `address.target`
    first_seen_at: Mapped[datetime]


class ResidentAddress(Base):
    """Who can be reached where: one person on two messengers, a family on one phone."""

    __tablename__ = "resident_address"

    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), primary_key=True)
    address_id: Mapped[UUID] = mapped_column(ForeignKey("address.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]


class Move(Base):
    """A resident has moved to another place (LAW part 1: residents of the place take part)."""

    __tablename__ = "move"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), index=True)
    from_code: Mapped[str] = mapped_column(ForeignKey("place.code"))
    to_code: Mapped[str] = mapped_column(ForeignKey("place.code"))
    moved_at: Mapped[datetime]
    counts_from: Mapped[date]


class Departure(Base):
    """Somebody deleted their data: by a keyed hash alone it is known, until the cooling-off of the
    place that they left is over, that whoever registers so elsewhere is no new voice."""

    __tablename__ = "departure"

    # Keyed, of the phone or the chat, with the birthday or the given name.
    key: Mapped[bytes] = mapped_column(primary_key=True)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), index=True)
    place_code: Mapped[str] = mapped_column(ForeignKey("place.code"))
    counts_from: Mapped[date | None]  # of the place that was left, where it did not count yet
    minor: Mapped[bool] = mapped_column(server_default=text("false"))  # comes of age not at once
    left_at: Mapped[datetime]
    until: Mapped[date] = mapped_column(index=True)  # the first day on which it is forgotten


class Merge(Base):
    """Two residents turned out to be one person. `moved` says what went over, to be undone."""

    __tablename__ = "merge"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kept_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), index=True)
    gone_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), index=True)
    merged_at: Mapped[datetime]
    moved: Mapped[dict[str, Any]]  # ids and codes, nothing personal
    undone_at: Mapped[datetime | None]


class Role(Base):
    """What somebody may do, where, and until when. `powers`: what was delegated to a clerk."""

    __tablename__ = "role"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    resident_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), index=True)
    role: Mapped[str]
    place_code: Mapped[str] = mapped_column(ForeignKey("place.code"))
    granted_at: Mapped[datetime]
    granted_by: Mapped[UUID | None]
    powers: Mapped[list[str] | None]
    until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None]

    __table_args__ = (
        CheckConstraint(
            "role IN ('akim', 'clerk', 'deputy', 'supervisor', 'operator')", name="role"
        ),
        Index(
            "uq_role_standing",
            "resident_id",
            "role",
            "place_code",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_role_place", "place_code", postgresql_where=text("revoked_at IS NULL")),
    )


class Invitation(Base):
    """A one-time code that grants a role. Only the code's keyed hash is kept."""

    __tablename__ = "invitation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes]
    role: Mapped[str]
    place_code: Mapped[str] = mapped_column(ForeignKey("place.code"))
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]
    expires_at: Mapped[datetime]
    role_until: Mapped[datetime | None]  # when the role that it grants ends
    powers: Mapped[list[str] | None]
    withdrawn_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    used_by: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))

    __table_args__ = (UniqueConstraint("code_hash"),)
