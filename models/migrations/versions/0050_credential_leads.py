"""Days of reminders for one credential, beside those that a person chose for all.

Revision ID: 0050
Revises: 0058
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0050"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: without a value the days of the person apply, as they did."""
    op.execute("set local lock_timeout = '5s'")
    op.add_column("credential", sa.Column("leads", ARRAY(sa.Integer()), nullable=True))


def downgrade() -> None:
    """Forget the days of single credentials."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("credential", "leads")
