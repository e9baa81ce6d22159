"""Whether Temporal took the signals of a remedy: sent again, it gets the same answer.

Revision ID: 0023
Revises: 0026
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0023"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of those before nothing else was answered when they were sent again."""
    told: sa.Column[bool] = sa.Column(
        "told", sa.Boolean(), nullable=False, server_default=sa.true()
    )
    op.add_column("operation_act", told)
    # Nothing else of an act is ever changed.
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant update (told) on operation_act to {role}")


def downgrade() -> None:
    """Sent again, each would be answered as if Temporal had taken it."""
    op.drop_column("operation_act", "told")
