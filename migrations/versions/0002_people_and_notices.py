"""people, notices in depth, rulebook, what is due"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

REGISTERED = "registered_at IS NOT NULL AND deleted_at IS NULL"
# What version 0001 can hold of notices that wait, and of residents who are one with another.
BACK = (
    "UPDATE notice SET status = 'sending' WHERE status = 'paused'",
    "UPDATE notice SET status = 'cancelled' WHERE status = 'scheduled'",
    "UPDATE delivery SET waiting_for = NULL WHERE waiting_for = 'paused'",
    "UPDATE resident SET registered_at = NULL WHERE merged_into IS NOT NULL",
    "DELETE FROM file_token WHERE file_id IN (SELECT id FROM file WHERE content IS NULL)",
    "DELETE FROM platform_file WHERE file_id IN (SELECT id FROM file WHERE content IS NULL)",
    "DELETE FROM file WHERE content IS NULL",
)


def upgrade() -> None:
    op.create_table(
        "due",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_due")),
        sa.UniqueConstraint("key", name=op.f("uq_due_key")),
    )
    op.create_index("ix_due_object", "due", ["object_id"], unique=False)
    op.create_index(
        "ix_due_open", "due", ["due_at"], unique=False, postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_table(
        "rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place_code", sa.String(length=9), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["place_code"], ["place.code"], name=op.f("fk_rule_place_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule")),
    )
    op.create_index(
        "uq_rule_standing",
        "rule",
        [sa.literal_column("coalesce(place_code, '')"), "name"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["resident.id"], name=op.f("fk_draft_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
    )
    op.create_index(op.f("ix_draft_author_id"), "draft", ["author_id"], unique=False)
    op.create_table(
        "merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("gone_id", sa.Uuid(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gone_id"], ["resident.id"], name=op.f("fk_merge_gone_id")),
        sa.ForeignKeyConstraint(["kept_id"], ["resident.id"], name=op.f("fk_merge_kept_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge")),
    )
    op.create_index(op.f("ix_merge_gone_id"), "merge", ["gone_id"], unique=False)
    op.create_index(op.f("ix_merge_kept_id"), "merge", ["kept_id"], unique=False)
    op.create_table(
        "move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("from_code", sa.String(length=9), nullable=False),
        sa.Column("to_code", sa.String(length=9), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts_from", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["from_code"], ["place.code"], name=op.f("fk_move_from_code")),
        sa.ForeignKeyConstraint(["resident_id"], ["resident.id"], name=op.f("fk_move_resident_id")),
        sa.ForeignKeyConstraint(["to_code"], ["place.code"], name=op.f("fk_move_to_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_move")),
    )
    op.create_index(op.f("ix_move_resident_id"), "move", ["resident_id"], unique=False)
    op.create_table(
        "opened_conversation",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_opened_conversation_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["address_id"], ["address.id"], name=op.f("fk_opened_conversation_address_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "address_id", name=op.f("pk_opened_conversation")),
    )
    op.create_index(
        "ix_opened_conversation_day",
        "opened_conversation",
        ["account_id", "opened_at"],
        unique=False,
    )
    op.add_column(
        "account", sa.Column("quota_closed_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("file", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.add_column("file", sa.Column("address_id", sa.Uuid(), nullable=True))
    op.add_column("file", sa.Column("reference", sa.LargeBinary(), nullable=True))
    op.add_column("file", sa.Column("fetch_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "file", sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("file", sa.Column("failure", sa.Text(), nullable=True))
    op.alter_column("file", "sha256", existing_type=postgresql.BYTEA(), nullable=True)
    op.alter_column("file", "content", existing_type=postgresql.BYTEA(), nullable=True)
    op.create_index(
        "ix_file_fetch",
        "file",
        ["fetch_at"],
        unique=False,
        postgresql_where=sa.text("fetch_at IS NOT NULL"),
    )
    op.create_foreign_key(op.f("fk_file_account_id"), "file", "account", ["account_id"], ["id"])
    op.create_foreign_key(op.f("fk_file_address_id"), "file", "address", ["address_id"], ["id"])
    op.add_column("invitation", sa.Column("role_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "invitation", sa.Column("powers", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column(
        "invitation", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("message", sa.Column("revision", sa.Integer(), nullable=True))
    op.add_column(
        "message",
        sa.Column("corrects", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "notice", sa.Column("kind", sa.Text(), server_default="announcement", nullable=False)
    )
    op.add_column(
        "notice",
        sa.Column(
            "files",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column("notice", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.add_column(
        "notice", sa.Column("muted", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("notice", sa.Column("send_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notice", sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notice", sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_notice_place", "notice", ["place_code", "created_at"], unique=False)
    op.add_column("recipient", sa.Column("second_id", sa.Uuid(), nullable=True))
    op.add_column("recipient", sa.Column("excluded", sa.Text(), nullable=True))
    op.create_index(op.f("ix_recipient_second_id"), "recipient", ["second_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_recipient_second_id"), "recipient", "delivery", ["second_id"], ["id"]
    )
    op.add_column("dead_letter", sa.Column("address_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_dead_letter_address_id"), "dead_letter", "address", ["address_id"], ["id"]
    )
    op.add_column("resident", sa.Column("counts_from", sa.Date(), nullable=True))
    op.add_column("resident", sa.Column("preferred_channel", sa.Text(), nullable=True))
    op.add_column(
        "resident",
        sa.Column(
            "muted",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column("resident", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_resident_merged_into"), "resident", ["merged_into"], unique=False)
    op.create_foreign_key(
        op.f("fk_resident_merged_into"), "resident", "resident", ["merged_into"], ["id"]
    )
    op.add_column(
        "resident",
        sa.Column("join_wrong", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("resident", sa.Column("join_wrong_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "role", sa.Column("powers", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column("role", sa.Column("revoked_by", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_role_place",
        "role",
        ["place_code"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.drop_constraint(op.f("ck_notice_status"), "notice")
    op.create_check_constraint(
        op.f("ck_notice_status"),
        "notice",
        "status IN ('scheduled', 'sending', 'paused', 'finished', 'cancelled')",
    )
    op.execute("UPDATE notice SET queued_at = created_at")
    op.execute("UPDATE message SET revision = 1 WHERE notice_id IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_resident_preferred_channel"),
        "resident",
        "preferred_channel IN ('telegram', 'whatsapp')",
    )
    op.create_check_constraint(op.f("ck_resident_itself"), "resident", "merged_into <> id")
    op.drop_index("ix_resident_place_registered", table_name="resident")
    op.create_index(
        "ix_resident_place_registered",
        "resident",
        ["place_code"],
        postgresql_where=sa.text(f"{REGISTERED} AND merged_into IS NULL"),
    )
    # What every turn paid for and nobody used: replies carry no notice, no look-up asks for the
    # platform's id, and the memory of what was seen is deleted by age alone.
    op.drop_index("ix_message_notice_id", table_name="message")
    op.create_index(
        "ix_message_notice_id",
        "message",
        ["notice_id"],
        postgresql_where=sa.text("notice_id IS NOT NULL"),
    )
    op.drop_index("ix_delivery_platform_id", table_name="delivery")
    op.drop_constraint(op.f("fk_intake_account_id"), "intake", type_="foreignkey")


def downgrade() -> None:
    for statement in BACK:
        op.execute(statement)
    op.create_foreign_key(op.f("fk_intake_account_id"), "intake", "account", ["account_id"], ["id"])
    op.create_index("ix_delivery_platform_id", "delivery", ["platform_id"])
    op.drop_index("ix_message_notice_id", table_name="message")
    op.create_index(op.f("ix_message_notice_id"), "message", ["notice_id"])
    op.drop_index("ix_resident_place_registered", table_name="resident")
    op.create_index(
        "ix_resident_place_registered",
        "resident",
        ["place_code"],
        postgresql_where=sa.text(REGISTERED),
    )
    op.drop_constraint(op.f("ck_resident_itself"), "resident")
    op.drop_constraint(op.f("ck_resident_preferred_channel"), "resident")
    op.drop_constraint(op.f("ck_notice_status"), "notice")
    op.create_check_constraint(
        op.f("ck_notice_status"), "notice", "status IN ('sending', 'finished', 'cancelled')"
    )
    op.drop_index(
        "ix_role_place", table_name="role", postgresql_where=sa.text("revoked_at IS NULL")
    )
    op.drop_column("role", "revoked_by")
    op.drop_column("role", "powers")
    op.drop_column("resident", "join_wrong_at")
    op.drop_column("resident", "join_wrong")
    op.drop_constraint(op.f("fk_resident_merged_into"), "resident", type_="foreignkey")
    op.drop_index(op.f("ix_resident_merged_into"), table_name="resident")
    op.drop_column("resident", "merged_into")
    op.drop_column("resident", "muted")
    op.drop_column("resident", "preferred_channel")
    op.drop_column("resident", "counts_from")
    op.drop_constraint(op.f("fk_dead_letter_address_id"), "dead_letter", type_="foreignkey")
    op.drop_column("dead_letter", "address_id")
    op.drop_constraint(op.f("fk_recipient_second_id"), "recipient", type_="foreignkey")
    op.drop_index(op.f("ix_recipient_second_id"), table_name="recipient")
    op.drop_column("recipient", "excluded")
    op.drop_column("recipient", "second_id")
    op.drop_index("ix_notice_place", table_name="notice")
    op.drop_column("notice", "corrected_at")
    op.drop_column("notice", "queued_at")
    op.drop_column("notice", "send_at")
    op.drop_column("notice", "muted")
    op.drop_column("notice", "digest")
    op.drop_column("notice", "files")
    op.drop_column("notice", "kind")
    op.drop_column("message", "corrects")
    op.drop_column("message", "revision")
    op.drop_column("invitation", "withdrawn_at")
    op.drop_column("invitation", "powers")
    op.drop_column("invitation", "role_until")
    op.drop_constraint(op.f("fk_file_address_id"), "file", type_="foreignkey")
    op.drop_constraint(op.f("fk_file_account_id"), "file", type_="foreignkey")
    op.drop_index(
        "ix_file_fetch", table_name="file", postgresql_where=sa.text("fetch_at IS NOT NULL")
    )
    op.alter_column("file", "content", existing_type=postgresql.BYTEA(), nullable=False)
    op.alter_column("file", "sha256", existing_type=postgresql.BYTEA(), nullable=False)
    op.drop_column("file", "failure")
    op.drop_column("file", "attempts")
    op.drop_column("file", "fetch_at")
    op.drop_column("file", "reference")
    op.drop_column("file", "address_id")
    op.drop_column("file", "account_id")
    op.drop_column("account", "quota_closed_until")
    op.drop_index("ix_opened_conversation_day", table_name="opened_conversation")
    op.drop_table("opened_conversation")
    op.drop_index(op.f("ix_move_resident_id"), table_name="move")
    op.drop_table("move")
    op.drop_index(op.f("ix_merge_kept_id"), table_name="merge")
    op.drop_index(op.f("ix_merge_gone_id"), table_name="merge")
    op.drop_table("merge")
    op.drop_index(op.f("ix_draft_author_id"), table_name="draft")
    op.drop_table("draft")
    op.drop_index(
        "uq_rule_standing", table_name="rule", postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_table("rule")
    op.drop_index("ix_due_open", table_name="due", postgresql_where=sa.text("done_at IS NULL"))
    op.drop_index("ix_due_object", table_name="due")
    op.drop_table("due")
