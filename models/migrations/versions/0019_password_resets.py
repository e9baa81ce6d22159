"""Links by which a forgotten password is set anew.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "password_reset",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("account.person_id"), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False, unique=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
    )
    op.create_index("ix_password_reset_person_id", "password_reset", ["person_id"])
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update, delete on password_reset to {role}")


def downgrade() -> None:
    """Links that were sent lead nowhere."""
    op.drop_table("password_reset")
