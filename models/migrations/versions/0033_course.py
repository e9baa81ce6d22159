"""The course on protecting data, and the index by which failed sign-ins are listed.

Revision ID: 0033
Revises: 0028
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0033"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of those who passed the course or were reminded of it, and the index."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "course_pass",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("course_pass_of_person", "course_pass", ["person_id", "at"])
    op.create_table(
        "course_reminder",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id", "assigned_at", "stage"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"revoke all on course_pass, course_reminder from {role}")
    op.execute(f"grant select, insert on course_pass, course_reminder to {role}")
    op.execute(
        "create index login_attempt_failed on login_attempt (id nulls first)"
        " where outcome <> 'passed'"
    )


def downgrade() -> None:
    """Forget who passed the course; the journal still says it."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("login_attempt_failed", table_name="login_attempt")
    op.drop_table("course_reminder")
    op.drop_table("course_pass")
