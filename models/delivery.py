"""The outbox: every message to a person is a row before it is a call (invariant 3)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, points_at


class Message(Base):
    """What is said, once per broadcast and language; replies have one of their own each."""

    __tablename__ = "message"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID | None] = mapped_column(ForeignKey("notice.id"))
    revision: Mapped[int | None]  # of the notice
    corrects: Mapped[bool] = mapped_column(server_default=text("false"))  # for who had an older
    language: Mapped[str]
    content: Mapped[bytes]  # sealed Content
    created_at: Mapped[datetime]

    __table_args__ = (
        Index(
            "ix_message_notice_id",
            "notice_id",
            postgresql_where=text("notice_id IS NOT NULL"),
        ),
    )


class Delivery(Base):
    """A message on its way to one address; unique, so that nobody gets it twice."""

    __tablename__ = "delivery"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(info=points_at("message.id"))
    address_id: Mapped[UUID] = mapped_column(info=points_at("address.id"))
    account_id: Mapped[UUID] = mapped_column(info=points_at("account.id"))
    seq: Mapped[int] = mapped_column(BigInteger, Identity())
    priority: Mapped[int]  # 0 reply, 1 reminder, 2 urgent notice, 3 notice
    not_before: Mapped[datetime]
    claimed_by: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))  # calls that have ended
    failures: Mapped[int] = mapped_column(server_default=text("0"))  # that could have passed
    lost: Mapped[int] = mapped_column(server_default=text("0"))  # answers: it may have arrived
    parts_sent: Mapped[int] = mapped_column(server_default=text("0"))
    outcome: Mapped[str | None]  # core.outcomes.Outcome once it is settled
    waiting_for: Mapped[str | None]  # an Outcome that explains why it still waits
    detail: Mapped[str | None]  # the platform's code; of what is paused: what it waited for
    platform_id: Mapped[str | None]
    rendered: Mapped[bytes | None]  # SHA-256 of what was sent
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        Unique("message_id", "address_id"),
        Index(
            "ix_delivery_pending",  # said by claim's outer part alone: statistics of an outbox
            "account_id",  # that is mostly empty would let any look-up walk all that waits
            "priority",
            "seq",
            postgresql_where=text("outcome IS NULL AND priority >= 0"),
        ),
        Index(
            "ix_delivery_waiting",
            "address_id",
            postgresql_where=text(
                "waiting_for IN ('window-closed', 'template-unavailable', 'daily-limit')"
            ),
        ),
        Index(
            "ix_delivery_address_pending",
            "address_id",
            "priority",
            "seq",
            postgresql_where=text("outcome IS NULL"),
        ),
        Index(
            "ix_delivery_replies_finished",
            "finished_at",
            postgresql_where=text("priority = 0 AND outcome IS NOT NULL"),
        ),
    )


class Notice(Base):
    """A broadcast of an akim: its texts, its audience, how far it has come."""

    __tablename__ = "notice"

    id: Mapped[UUID] = mapped_column(
        primary_key=True
    )  # made by the form: a second tap is no second notice
    author_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"))
    author_address_id: Mapped[UUID] = mapped_column(ForeignKey("address.id"))
    # Who answers for it now: whoever resumed or corrected it last; empty: its author.
    released_by: Mapped[UUID | None] = mapped_column(ForeignKey("resident.id"))
    place_code: Mapped[str] = mapped_column(ForeignKey("place.code"))
    kind: Mapped[str] = mapped_column(server_default="announcement")  # rules.notices.NoticeKind
    audience: Mapped[list[str]]  # codes of the settlements
    files: Mapped[list[str]] = mapped_column(server_default=text("'[]'"))  # ids, in their order
    digest: Mapped[bytes | None]  # keyed, of its texts: the same again?
    title_kk: Mapped[bytes | None]
    text_kk: Mapped[bytes | None]
    title_ru: Mapped[bytes | None]
    text_ru: Mapped[bytes | None]
    monolingual: Mapped[str | None]  # declared by the author: only in this language
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    status: Mapped[str]
    recipients: Mapped[int]
    unreachable: Mapped[int]  # registered, but with no chat that may be written to
    muted: Mapped[int] = mapped_column(server_default=text("0"))  # do not want this kind
    created_at: Mapped[datetime]
    send_at: Mapped[datetime | None]  # the moment its author chose; empty: at once
    queued_at: Mapped[datetime | None]  # when its audience was resolved
    corrected_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    live_message: Mapped[UUID | None]  # the delivery that shows the author how it goes
    live_shown: Mapped[bytes | None]  # digest of what it shows
    live_at: Mapped[datetime | None]  # when it may change next

    __table_args__ = (
        CheckConstraint(
            "status IN ('scheduled', 'sending', 'paused', 'finished', 'cancelled')", name="status"
        ),
        CheckConstraint(
            "(monolingual IS NULL AND text_kk IS NOT NULL AND text_ru IS NOT NULL)"
            " OR (monolingual = 'kk' AND text_kk IS NOT NULL)"
            " OR (monolingual = 'ru' AND text_ru IS NOT NULL)",
            name="languages",
        ),
        Index("ix_notice_author", "author_id", "created_at"),
        Index("ix_notice_place", "place_code", "created_at"),
        Index("ix_notice_live", "live_at", postgresql_where=text("live_at IS NOT NULL")),
    )


class Recipient(Base):
    """A resident whom a notice is for; a family on one phone shares a delivery."""

    __tablename__ = "recipient"

    notice_id: Mapped[UUID] = mapped_column(primary_key=True, info=points_at("notice.id"))
    resident_id: Mapped[UUID] = mapped_column(
        primary_key=True, index=True, info=points_at("resident.id")
    )
    delivery_id: Mapped[UUID | None] = mapped_column(index=True, info=points_at("delivery.id"))
    # By the person's other messenger.
    second_id: Mapped[UUID | None] = mapped_column(ForeignKey("delivery.id"))
    excluded: Mapped[str | None]  # why nothing was sent: 'muted', 'merged', 'deleted'
    acknowledged_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "ix_recipient_second_id",
            "second_id",
            postgresql_where=text("second_id IS NOT NULL"),
        ),
    )


class Draft(Base):
    """A notice that its author has put aside; its answers sealed as the form left them."""

    __tablename__ = "draft"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("resident.id"), index=True)
    form: Mapped[str]
    answers: Mapped[bytes]
    saved_at: Mapped[datetime]


class OpenedConversation(Base):
    """A person whom an account wrote to outside WhatsApp's window: the day's quota counts
    unique people in 24 hours (Meta, messaging limits)."""

    __tablename__ = "opened_conversation"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    address_id: Mapped[UUID] = mapped_column(ForeignKey("address.id"), primary_key=True)
    opened_at: Mapped[datetime]

    __table_args__ = (Index("ix_opened_conversation_day", "account_id", "opened_at"),)
