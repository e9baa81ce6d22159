"""With which permission a case is decided, whom it is about, and who decided earlier steps.

Revision ID: 0024
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; cases that are there are decided as before."""
    op.execute("set local lock_timeout = '5s'")
    for table, name in (("case", "review_permission"), ("case_decision", "permission")):
        op.add_column(table, sa.Column(name, sa.String(), nullable=False, server_default="review"))
    op.add_column("case", sa.Column("subject_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("case_subject_id_fkey", "case", "person", ["subject_id"], ["id"])
    op.add_column(
        "case",
        sa.Column(
            "earlier_reviewers", postgresql.ARRAY(sa.Uuid()), nullable=False, server_default="{}"
        ),
    )
    op.create_index(
        "case_decided_otherwise",
        "case",
        [
            "review_permission",
            "responsible_unit_id",
            sa.text("coalesce(submitted_at, created_at)"),
            "id",
        ],
        postgresql_where=sa.text("review_permission <> 'review'"),
    )
    op.create_index(
        "case_decided_earlier",
        "case",
        ["earlier_reviewers"],
        postgresql_using="gin",
        postgresql_where=sa.text("earlier_reviewers <> '{}'"),
    )


def downgrade() -> None:
    """Forget who decides; kinds of case that need it are not known to the version before."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("case_decided_earlier", table_name="case")
    op.drop_index("case_decided_otherwise", table_name="case")
    for column in ("earlier_reviewers", "subject_id", "review_permission"):
        op.drop_column("case", column)
    op.drop_column("case_decision", "permission")
