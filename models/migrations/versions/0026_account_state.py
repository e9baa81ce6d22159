"""How far the owner of an account is known.

Revision ID: 0026
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the state; accounts that are there could apply until now, and still can."""
    op.execute("set local lock_timeout = '5s'")
    op.add_column("account", sa.Column("state", sa.String(), nullable=True))
    op.execute("update account set state = 'active'")
    op.alter_column("account", "state", nullable=False)


def downgrade() -> None:
    """Forget it: everybody may apply again."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("account", "state")
