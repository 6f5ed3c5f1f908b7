"""the outbox is written without foreign keys row by row (decision 0029)"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOOSE = (
    ("delivery", "account_id", "account"),
    ("delivery", "address_id", "address"),
    ("delivery", "message_id", "message"),
    ("recipient", "delivery_id", "delivery"),
    ("recipient", "notice_id", "notice"),
    ("recipient", "resident_id", "resident"),
)
SECOND = "ix_recipient_second_id"


def upgrade() -> None:
    for table, column, _ in LOOSE:
        op.drop_constraint(op.f(f"fk_{table}_{column}"), table, type_="foreignkey")
    op.drop_index(op.f(SECOND), "recipient")
    op.create_index(
        SECOND, "recipient", ["second_id"], postgresql_where=sa.text("second_id IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index(SECOND, "recipient")
    op.create_index(op.f(SECOND), "recipient", ["second_id"])
    for table, column, target in reversed(LOOSE):
        op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, target, [column], ["id"])
