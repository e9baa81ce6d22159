"""The token of a device, to which sessions are bound, and signs of an attack on an account.

Revision ID: 0030
Revises: 0034
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0034"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tokens. Sessions without one end: people sign in once more."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "device_token",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("account.person_id"), nullable=False),
        sa.Column("device_hash", sa.String(), nullable=False),
        sa.Column("family_hash", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("before_hash", sa.String(), nullable=True),
        sa.Column("salt", sa.String(), nullable=True),
        sa.Column("rotated_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_why", sa.String(), nullable=True),
    )
    op.create_index("ix_device_token_rotated_at", "device_token", ["rotated_at"])
    op.create_index(
        "device_token_open",
        "device_token",
        ["person_id", "device_hash"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "risk_event",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False, unique=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("device_kind", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=True, unique=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("closed_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
    )
    op.create_index("ix_risk_event_at", "risk_event", ["at"])
    op.create_index("ix_risk_event_person_id", "risk_event", ["person_id"])
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update, delete on device_token, risk_event to {role}")
    op.add_column("account_session", sa.Column("device_token_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(None, "account_session", "device_token", ["device_token_id"], ["id"])
    op.create_index("ix_account_session_device_token_id", "account_session", ["device_token_id"])
    op.execute(
        "update account_session set ended_at = now(), ended_why = 'upgraded', pending_secret = null"
        " where ended_at is null"
    )


def downgrade() -> None:
    """Sessions are bound to the device's own cookie alone."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("account_session", "device_token_id")
    op.drop_table("device_token")
    op.drop_table("risk_event")
