"""Acts from the ops desk, and indexes for the desk and for a restore."""

import sqlalchemy as sa
from alembic import context, op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the indexes, and grant the table to the application's role."""
    op.create_table(
        "operation_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("remedy", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("touched", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_operation_act_at", "operation_act", ["at"], unique=False)
    op.create_index(
        "case_open", "case", ["kind", "status"], postgresql_where=sa.text("closed_at is null")
    )
    op.create_index("case_stuck", "case", ["kind"], postgresql_where=sa.text("stuck is not null"))
    op.create_index(
        "notice_failed",
        "notice",
        ["channel", "failed_at"],
        postgresql_where=sa.text("state = 'failed'"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert on operation_act to {role}")


def downgrade() -> None:
    """Drop the table and the indexes."""
    op.drop_index("notice_failed", table_name="notice")
    op.drop_index("case_stuck", table_name="case")
    op.drop_index("case_open", table_name="case")
    op.drop_index("ix_operation_act_at", table_name="operation_act")
    op.drop_table("operation_act")
