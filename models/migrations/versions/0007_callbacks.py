"""Callbacks that were received."""

import sqlalchemy as sa
from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and grant it to the application's role."""
    op.create_table(
        "heard_callback",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("webhook_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "webhook_id"),
    )
    op.create_index("ix_heard_callback_at", "heard_callback", ["at"], unique=False)
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, delete on heard_callback to {role}")


def downgrade() -> None:
    """Drop the table."""
    op.drop_index("ix_heard_callback_at", table_name="heard_callback")
    op.drop_table("heard_callback")
