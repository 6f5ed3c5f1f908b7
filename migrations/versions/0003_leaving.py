"""who left and how long that is known, chats without anybody, who answers for a notice"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Version 0002 wants bytes everywhere: an empty one opens to nothing, as a chat without anybody.
BACK = (
    "UPDATE address SET target = '' WHERE target IS NULL",
    "UPDATE address_alias SET value = '' WHERE value IS NULL",
)
# And forth again they are what they were.
FORTH = (
    "UPDATE address SET target = NULL WHERE target = ''",
    "UPDATE address_alias SET value = NULL WHERE value = ''",
)


def upgrade() -> None:
    op.create_table(
        "departure",
        sa.Column("key", postgresql.BYTEA(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("place_code", sa.String(length=9), nullable=False),
        sa.Column("counts_from", sa.Date(), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["place_code"], ["place.code"], name=op.f("fk_departure_place_code")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["resident.id"], name=op.f("fk_departure_resident_id")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_departure")),
    )
    op.create_index(op.f("ix_departure_resident_id"), "departure", ["resident_id"])
    op.create_index(op.f("ix_departure_until"), "departure", ["until"])
    op.alter_column("address", "target", existing_type=postgresql.BYTEA(), nullable=True)
    op.alter_column("address_alias", "value", existing_type=postgresql.BYTEA(), nullable=True)
    for table, column in (("dead_letter", "speaker_id"), ("notice", "released_by")):
        op.add_column(table, sa.Column(column, sa.Uuid(), nullable=True))
        name = op.f(f"fk_{table}_{column}")
        op.create_foreign_key(name, table, "resident", [column], ["id"])
    for statement in FORTH:
        op.execute(statement)


def downgrade() -> None:
    for statement in BACK:
        op.execute(statement)
    for table, column in (("notice", "released_by"), ("dead_letter", "speaker_id")):
        op.drop_constraint(op.f(f"fk_{table}_{column}"), table, type_="foreignkey")
        op.drop_column(table, column)
    op.alter_column("address_alias", "value", existing_type=postgresql.BYTEA(), nullable=False)
    op.alter_column("address", "target", existing_type=postgresql.BYTEA(), nullable=False)
    op.drop_index(op.f("ix_departure_until"), table_name="departure")
    op.drop_index(op.f("ix_departure_resident_id"), table_name="departure")
    op.drop_table("departure")
