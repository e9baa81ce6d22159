"""When the reviewer of a case got it, and indexes by which the least laden one is found."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Store the moment. The index by reviewer includes it; another one has only open cases."""
    op.add_column("case", sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("case_of_reviewer", "case", ["reviewer_id", "assigned_at"])
    op.create_index(
        "case_open_of_reviewer",
        "case",
        ["reviewer_id", "status"],
        postgresql_where=sa.text("closed_at is null"),
    )
    op.drop_index("ix_case_reviewer_id", table_name="case")


def downgrade() -> None:
    """Index the reviewer alone, as before."""
    op.create_index("ix_case_reviewer_id", "case", ["reviewer_id"])
    op.drop_index("case_open_of_reviewer", table_name="case")
    op.drop_index("case_of_reviewer", table_name="case")
    op.drop_column("case", "assigned_at")
