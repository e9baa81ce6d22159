"""Codes by SMS as a second factor.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


OWNER = "account.person_id"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sms_factor",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey(OWNER), primary_key=True),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(r"substr(phone, 1, 1) <> '\x01'::bytea", "sms_factor_phone_bound"),
    )
    op.create_table(
        "sms_code",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey(OWNER), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=False, unique=True),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.CheckConstraint(r"substr(phone, 1, 1) <> '\x01'::bytea", "sms_code_phone_bound"),
    )
    op.create_index("ix_sms_code_ends_at", "sms_code", ["ends_at"])
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update, delete on sms_factor, sms_code to {role}")


def downgrade() -> None:
    """Whoever has only this method needs a new second factor then."""
    op.drop_table("sms_code")
    op.drop_table("sms_factor")
