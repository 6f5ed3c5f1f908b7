"""foundation"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


# The trail is append-only for everyone who does not first remove the trigger, and then the
# hash chain shows it.
APPEND_ONLY = """
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("next_slot", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel IN ('telegram', 'whatsapp')", name=op.f("ck_account_channel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("channel", "sender", name=op.f("uq_account_channel_sender")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_object", "audit", ["object_id"], unique=False)
    op.create_table(
        "content_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("language IN ('kk', 'ru')", name=op.f("ck_content_template_language")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_template")),
        sa.UniqueConstraint(
            "account_id",
            "kind",
            "language",
            "shape",
            name=op.f("uq_content_template_account_id_kind_language_shape"),
        ),
    )
    op.create_table(
        "file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size <= 16777216", name=op.f("ck_file_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clock_offset", sa.Interval(), server_default=sa.text("'0'"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose IN ('data', 'index')", name=op.f("ck_key_purpose")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key")),
    )
    op.create_table(
        "place",
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column(
            "level",
            sa.Enum(
                "oblast",
                "district",
                "sub_district",
                "settlement",
                name="level",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "oblast",
                "city",
                "city_area",
                "district",
                "okrug",
                "town_office",
                "kent_office",
                "village_office",
                "district_office",
                "kent",
                "village",
                "station",
                "siding",
                "section",
                "point",
                "wintering",
                "farm",
                "pasture",
                "peasant_farm",
                "homestead",
                "other",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("type_code", sa.String(length=1), nullable=False),
        sa.Column("parent_code", sa.String(length=9), nullable=True),
        sa.Column("name_ru", sa.Text(), nullable=False),
        sa.Column("name_kk", sa.Text(), nullable=False),
        sa.Column("classifier", sa.Text(), nullable=True),
        sa.Column("abolished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_by", sa.String(length=9), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("code ~ '^[0-9]{9}$'", name=op.f("ck_place_code")),
        sa.CheckConstraint(
            "replaced_by <> code AND parent_code <> code", name=op.f("ck_place_itself")
        ),
        sa.CheckConstraint(
            "replaced_by IS NULL OR abolished_at IS NOT NULL", name=op.f("ck_place_replaced")
        ),
        sa.ForeignKeyConstraint(["parent_code"], ["place.code"], name=op.f("fk_place_parent_code")),
        sa.ForeignKeyConstraint(["replaced_by"], ["place.code"], name=op.f("fk_place_replaced_by")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_place")),
    )
    op.create_index(op.f("ix_place_parent_code"), "place", ["parent_code"], unique=False)
    op.create_table(
        "territory_revision",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_territory_revision_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory_revision")),
    )
    op.create_table(
        "audit_seal",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_audit_seal_audit_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_seal")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_audit_seal_audit_id")),
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("update", sa.LargeBinary(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_dead_letter_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
    )
    op.create_index(
        "ix_dead_letter_open",
        "dead_letter",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("replayed_at IS NULL"),
    )
    op.create_table(
        "file_token",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_file_token_file_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_file_token")),
    )
    op.create_index(op.f("ix_file_token_expires_at"), "file_token", ["expires_at"], unique=False)
    op.create_table(
        "intake",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_intake_account_id")),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_intake")),
    )
    op.create_index(op.f("ix_intake_received_at"), "intake", ["received_at"], unique=False)
    op.create_table(
        "place_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("place_code", sa.String(length=9), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "change",
            sa.Enum(
                "renamed",
                "moved",
                "reclassified",
                "abolished",
                "merged",
                "revived",
                name="change",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("old_name_ru", sa.Text(), nullable=False),
        sa.Column("old_name_kk", sa.Text(), nullable=False),
        sa.Column("old_parent_code", sa.String(length=9), nullable=True),
        sa.Column(
            "old_level",
            sa.Enum(
                "oblast",
                "district",
                "sub_district",
                "settlement",
                name="old_level",
                native_enum=False,
                create_constraint=True,
                length=16,
            ),
            nullable=False,
        ),
        sa.Column("old_type_code", sa.String(length=1), nullable=False),
        sa.Column("classifier", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["place_code"], ["place.code"], name=op.f("fk_place_history_place_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_history")),
    )
    op.create_index(
        op.f("ix_place_history_place_code"), "place_history", ["place_code"], unique=False
    )
    op.create_table(
        "platform_file",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_platform_file_account_id")
        ),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_platform_file_file_id")),
        sa.PrimaryKeyConstraint("file_id", "account_id", name=op.f("pk_platform_file")),
    )
    op.create_table(
        "resident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.LargeBinary(), nullable=True),
        sa.Column("street", sa.LargeBinary(), nullable=True),
        sa.Column("birth_date", sa.LargeBinary(), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=True),
        sa.Column("adult_on", sa.Date(), nullable=True),
        sa.Column("place_code", sa.String(length=9), nullable=True),
        sa.Column("level", sa.Text(), server_default="declared", nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("consent_version", sa.Integer(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_up", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language IN ('kk', 'ru')", name=op.f("ck_resident_language")),
        sa.CheckConstraint(
            "level IN ('declared', 'phone', 'roll', 'person')", name=op.f("ck_resident_level")
        ),
        sa.ForeignKeyConstraint(
            ["place_code"], ["place.code"], name=op.f("fk_resident_place_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resident")),
    )
    op.create_index("ix_resident_phone_hash", "resident", ["phone_hash"], unique=False)
    op.create_index(
        "ix_resident_place_registered",
        "resident",
        ["place_code"],
        unique=False,
        postgresql_where=sa.text("registered_at IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_table(
        "address",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("speaker_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.LargeBinary(), nullable=True),
        sa.Column("turn", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("last_inbound_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language IN ('kk', 'ru')", name=op.f("ck_address_language")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_address_account_id")),
        sa.ForeignKeyConstraint(
            ["speaker_id"], ["resident.id"], name=op.f("fk_address_speaker_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
    )
    op.create_index("ix_address_speaker_id", "address", ["speaker_id"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("place_code", sa.String(length=9), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["place_code"], ["place.code"], name=op.f("fk_invitation_place_code")
        ),
        sa.ForeignKeyConstraint(["used_by"], ["resident.id"], name=op.f("fk_invitation_used_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invitation_code_hash")),
    )
    op.create_table(
        "role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("place_code", sa.String(length=9), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "role IN ('akim', 'clerk', 'deputy', 'supervisor', 'operator')",
            name=op.f("ck_role_role"),
        ),
        sa.ForeignKeyConstraint(["place_code"], ["place.code"], name=op.f("fk_role_place_code")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_role_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
    )
    op.create_index(op.f("ix_role_resident_id"), "role", ["resident_id"], unique=False)
    op.create_index(
        "uq_role_standing",
        "role",
        ["resident_id", "role", "place_code"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "address_alias",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_address_alias_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["address_id"], ["address.id"], name=op.f("fk_address_alias_address_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "hash", name=op.f("pk_address_alias")),
    )
    op.create_index(
        op.f("ix_address_alias_address_id"), "address_alias", ["address_id"], unique=False
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_address_id", sa.Uuid(), nullable=False),
        sa.Column("place_code", sa.String(length=9), nullable=False),
        sa.Column("audience", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("title_kk", sa.LargeBinary(), nullable=True),
        sa.Column("text_kk", sa.LargeBinary(), nullable=True),
        sa.Column("title_ru", sa.LargeBinary(), nullable=True),
        sa.Column("text_ru", sa.LargeBinary(), nullable=True),
        sa.Column("monolingual", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("unreachable", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("live_message", sa.Uuid(), nullable=True),
        sa.Column("live_shown", sa.LargeBinary(), nullable=True),
        sa.Column("live_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(monolingual IS NULL AND text_kk IS NOT NULL AND text_ru IS NOT NULL)"
            " OR (monolingual = 'kk' AND text_kk IS NOT NULL)"
            " OR (monolingual = 'ru' AND text_ru IS NOT NULL)",
            name=op.f("ck_notice_languages"),
        ),
        sa.CheckConstraint(
            "status IN ('sending', 'finished', 'cancelled')", name=op.f("ck_notice_status")
        ),
        sa.ForeignKeyConstraint(
            ["author_address_id"], ["address.id"], name=op.f("fk_notice_author_address_id")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["resident.id"], name=op.f("fk_notice_author_id")),
        sa.ForeignKeyConstraint(["place_code"], ["place.code"], name=op.f("fk_notice_place_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_author", "notice", ["author_id", "created_at"], unique=False)
    op.create_index(
        "ix_notice_live",
        "notice",
        ["live_at"],
        unique=False,
        postgresql_where=sa.text("live_at IS NOT NULL"),
    )
    op.create_table(
        "resident_address",
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["address_id"], ["address.id"], name=op.f("fk_resident_address_address_id")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_resident_address_resident_id")
        ),
        sa.PrimaryKeyConstraint("resident_id", "address_id", name=op.f("pk_resident_address")),
    )
    op.create_index(
        op.f("ix_resident_address_address_id"), "resident_address", ["address_id"], unique=False
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_message_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_notice_id"), "message", ["notice_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("parts_sent", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("waiting_for", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("platform_id", sa.Text(), nullable=True),
        sa.Column("rendered", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_delivery_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["address_id"], ["address.id"], name=op.f("fk_delivery_address_id")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_delivery_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "message_id", "address_id", name=op.f("uq_delivery_message_id_address_id")
        ),
    )
    op.create_index(
        "ix_delivery_address_pending",
        "delivery",
        ["address_id", "priority", "seq"],
        unique=False,
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_index(
        "ix_delivery_pending",
        "delivery",
        ["account_id", "priority", "seq"],
        unique=False,
        postgresql_where=sa.text("outcome IS NULL AND priority >= 0"),
    )
    op.create_index("ix_delivery_platform_id", "delivery", ["platform_id"], unique=False)
    op.create_index(
        "ix_delivery_replies_finished",
        "delivery",
        ["finished_at"],
        unique=False,
        postgresql_where=sa.text("priority = 0 AND outcome IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_waiting",
        "delivery",
        ["address_id"],
        unique=False,
        postgresql_where=sa.text(
            "waiting_for IN ('window-closed', 'template-unavailable', 'daily-limit')"
        ),
    )
    op.create_table(
        "recipient",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_recipient_delivery_id")
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_recipient_notice_id")),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_recipient_resident_id")
        ),
        sa.PrimaryKeyConstraint("notice_id", "resident_id", name=op.f("pk_recipient")),
    )
    op.create_index(op.f("ix_recipient_delivery_id"), "recipient", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_recipient_resident_id"), "recipient", ["resident_id"], unique=False)

    op.execute(APPEND_ONLY)
    for table in ("audit", "audit_seal", "place_history"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION append_only()"
        )


def downgrade() -> None:
    op.drop_index(op.f("ix_recipient_resident_id"), table_name="recipient")
    op.drop_index(op.f("ix_recipient_delivery_id"), table_name="recipient")
    op.drop_table("recipient")
    op.drop_index(
        "ix_delivery_waiting",
        table_name="delivery",
        postgresql_where=sa.text(
            "waiting_for IN ('window-closed', 'template-unavailable', 'daily-limit')"
        ),
    )
    op.drop_index(
        "ix_delivery_replies_finished",
        table_name="delivery",
        postgresql_where=sa.text("priority = 0 AND outcome IS NOT NULL"),
    )
    op.drop_index("ix_delivery_platform_id", table_name="delivery")
    op.drop_index(
        "ix_delivery_pending",
        table_name="delivery",
        postgresql_where=sa.text("outcome IS NULL AND priority >= 0"),
    )
    op.drop_index(
        "ix_delivery_address_pending",
        table_name="delivery",
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.drop_table("delivery")
    op.drop_index(op.f("ix_message_notice_id"), table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_resident_address_address_id"), table_name="resident_address")
    op.drop_table("resident_address")
    op.drop_index(
        "ix_notice_live", table_name="notice", postgresql_where=sa.text("live_at IS NOT NULL")
    )
    op.drop_index("ix_notice_author", table_name="notice")
    op.drop_table("notice")
    op.drop_index(op.f("ix_address_alias_address_id"), table_name="address_alias")
    op.drop_table("address_alias")
    op.drop_index(
        "uq_role_standing", table_name="role", postgresql_where=sa.text("revoked_at IS NULL")
    )
    op.drop_index(op.f("ix_role_resident_id"), table_name="role")
    op.drop_table("role")
    op.drop_table("invitation")
    op.drop_index("ix_address_speaker_id", table_name="address")
    op.drop_table("address")
    op.drop_index(
        "ix_resident_place_registered",
        table_name="resident",
        postgresql_where=sa.text("registered_at IS NOT NULL AND deleted_at IS NULL"),
    )
    op.drop_index("ix_resident_phone_hash", table_name="resident")
    op.drop_table("resident")
    op.drop_table("platform_file")
    op.drop_index(op.f("ix_place_history_place_code"), table_name="place_history")
    op.drop_table("place_history")
    op.drop_index(op.f("ix_intake_received_at"), table_name="intake")
    op.drop_table("intake")
    op.drop_index(op.f("ix_file_token_expires_at"), table_name="file_token")
    op.drop_table("file_token")
    op.drop_index(
        "ix_dead_letter_open",
        table_name="dead_letter",
        postgresql_where=sa.text("replayed_at IS NULL"),
    )
    op.drop_table("dead_letter")
    op.drop_table("audit_seal")
    op.drop_table("territory_revision")
    op.drop_index(op.f("ix_place_parent_code"), table_name="place")
    op.drop_table("place")
    op.drop_table("key")
    op.drop_table("installation")
    op.drop_table("file")
    op.drop_table("content_template")
    op.drop_index("ix_audit_object", table_name="audit")
    op.drop_table("audit")
    op.drop_table("account")
    op.execute("DROP FUNCTION append_only()")
