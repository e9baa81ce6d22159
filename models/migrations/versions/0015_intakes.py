"""Intakes of programmes: the last day to apply and the places of each, and who has one."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the limits, the counts and the place of a case; cases that are open already have none."""
    op.add_column(
        "programme",
        sa.Column(
            "intake_limits",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default="{}",
        ),
    )
    op.add_column("case", sa.Column("intake_on", sa.Date(), nullable=True))
    op.create_table(
        "intake_count",
        sa.Column("programme_code", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken >= 0", name="intake_count_taken"),
        sa.PrimaryKeyConstraint("programme_code", "starts_on"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update, delete on intake_count to {role}")


def downgrade() -> None:
    """Forget who has a place; cases keep the day they chose in their form."""
    op.drop_table("intake_count")
    op.drop_column("case", "intake_on")
    op.drop_column("programme", "intake_limits")
