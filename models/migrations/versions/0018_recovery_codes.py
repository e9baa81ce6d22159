"""Recovery codes; which method a try used; whether a factor was entered to set up another.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns, empty for what is there: such tries were made with an app."""
    op.execute("set local lock_timeout = '5s'")
    op.add_column("login_attempt", sa.Column("method", sa.String(), nullable=True))
    op.add_column("account_session", sa.Column("checked_at", TIME, nullable=True))
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("account.person_id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.UniqueConstraint("person_id", "number"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update, delete on recovery_code to {role}")


def downgrade() -> None:
    """People sign in by their apps; recovery codes are lost."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("recovery_code")
    op.drop_column("account_session", "checked_at")
    op.drop_column("login_attempt", "method")
