"""Reminders of the ends of credentials, and proposals to end what rests on them.

Revision ID: 0039
Revises: 0040
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0039"
down_revision = "0040"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables and columns."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "credential_reminder",
        sa.Column("credential_id", sa.Uuid(), sa.ForeignKey("credential.id"), primary_key=True),
        sa.Column("last_day", sa.Date(), primary_key=True),
        sa.Column("days", sa.Integer(), primary_key=True),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sent_at", TIME),
        sa.Column("answered_at", TIME),
        sa.Column("answer", sa.String()),
    )
    op.create_index(
        "credential_renewing",
        "credential",
        ["renewal_case_id"],
        postgresql_where=sa.text("renewal_case_id is not null"),
    )
    op.create_table(
        "reminder_leads",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("days", ARRAY(sa.Integer()), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
    )
    op.add_column(
        "access_change",
        sa.Column("proposed", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"revoke all on credential_reminder, reminder_leads from {role}")
    op.execute(f"grant select, insert, update on credential_reminder, reminder_leads to {role}")


def downgrade() -> None:
    """Forget who was reminded of what."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("access_change", "proposed")
    op.drop_table("reminder_leads")
    op.drop_table("credential_reminder")
    op.drop_index("credential_renewing", "credential")
