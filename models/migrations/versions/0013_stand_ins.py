"""For whom the reviewer of a case stands in, so that a returning person gets the case back."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, empty for all cases: those reassigned before stay where they are."""
    owner = sa.Column("stands_in_for", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True)
    op.add_column("case", owner)
    op.create_index(
        "case_stood_in",
        "case",
        ["stands_in_for"],
        postgresql_where=sa.text("stands_in_for is not null"),
    )


def downgrade() -> None:
    """Cases stay with their present reviewer."""
    op.drop_index("case_stood_in", table_name="case")
    op.drop_column("case", "stands_in_for")
