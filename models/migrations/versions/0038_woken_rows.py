"""When the sweeper last woke the workflow of an export or a lock.

Revision ID: 0038
Revises: 0042
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0042"
branch_labels = None
depends_on = None

TABLES = ("account_lock", "export")


def upgrade() -> None:
    """Add the column; programs of the version before leave it empty."""
    op.execute("set local lock_timeout = '5s'")
    for table in TABLES:
        op.add_column(table, sa.Column("woken_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """The sweeper forgets whom it has woken lately."""
    for table in TABLES:
        op.drop_column(table, "woken_at")
