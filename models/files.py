"""Files: their bytes sealed, their short-lived public tokens, the platforms' own ids of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

MAX_BYTES = 16 * 1024 * 1024  # Twilio's limit for a medium


class File(Base):
    """At most 16 MB of a picture or document. What somebody sent is fetched after the commit:
    until then `reference` says where the platform keeps it and the bytes are missing."""

    __tablename__ = "file"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    medium: Mapped[str]
    mime: Mapped[str]
    name: Mapped[bytes]
    size: Mapped[int]
    sha256: Mapped[bytes | None]  # of the clear bytes, keyed: the picture is not recognisable
    content: Mapped[bytes | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    address_id: Mapped[UUID | None] = mapped_column(ForeignKey("address.id"))  # who sent it
    reference: Mapped[bytes | None]  # sealed: Telegram file_id, Twilio media address
    fetch_at: Mapped[datetime | None]  # when it is fetched next; empty: it is here, or given up
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    failure: Mapped[str | None]  # a rules.attachments.FileFault: why it is not here
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(f"size <= {MAX_BYTES}", name="size"),
        Index("ix_file_fetch", "fetch_at", postgresql_where=text("fetch_at IS NOT NULL")),
    )


class FileToken(Base):
    """The right to fetch a file by its address for 48 hours; only the token's hash is kept."""

    __tablename__ = "file_token"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PlatformFile(Base):
    """The id under which a platform keeps a file that it was given once."""

    __tablename__ = "platform_file"

    file_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    platform_id: Mapped[str]
