"""what a delivery's tries came to, urgent notices first"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COUNTED = ("failures", "lost")
# What is under way goes on as it was: a try that ended unknown was a lost answer.
FORTH = (
    "UPDATE delivery SET lost = 1 WHERE outcome IS NULL AND waiting_for = 'unknown'",
    "UPDATE delivery SET priority = 3 WHERE outcome IS NULL AND priority = 2",
)
BACK = ("UPDATE delivery SET priority = 2 WHERE priority = 3",)


def upgrade() -> None:
    for column in COUNTED:
        op.add_column(
            "delivery",
            sa.Column(column, sa.Integer(), server_default=sa.text("0"), nullable=False),
        )
    for statement in FORTH:
        op.execute(statement)


def downgrade() -> None:
    for statement in BACK:
        op.execute(statement)
    for column in reversed(COUNTED):
        op.drop_column("delivery", column)
