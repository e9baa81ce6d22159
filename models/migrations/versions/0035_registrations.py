"""Registering by oneself: who asked, and mails to addresses of nobody known.

Revision ID: 0035
Revises: 0025
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0035"
down_revision = "0025"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table, and let a mail have no person."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "registration",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("unit_id", sa.Uuid(), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=False),
        sa.Column("email_blind", sa.String(), nullable=False, unique=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False, unique=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.CheckConstraint(r"substr(name, 1, 1) <> '\x01'::bytea", "registration_name_bound"),
        sa.CheckConstraint(r"substr(email, 1, 1) <> '\x01'::bytea", "registration_email_bound"),
    )
    op.create_index("ix_registration_ends_at", "registration", ["ends_at"])
    for place, name in ((1, "first"), (2, "second")):
        part = f"split_part(email_blind, '.', {place})"
        op.execute(
            f"create unique index registration_email_blind_{name} on registration ({part})"
            f" where {part} <> ''"
        )
    op.alter_column("notice", "person_id", nullable=True)
    op.create_index(
        "notice_to_nobody",
        "notice",
        ["created_at"],
        postgresql_where=sa.text("person_id is null"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update, delete on registration to {role}")


def downgrade() -> None:
    """Links that were sent lead nowhere."""
    nobody = "select id from notice where person_id is null"
    op.execute(f"delete from notice_attempt where notice_id in ({nobody})")  # noqa: S608
    op.execute("delete from notice where person_id is null")
    op.drop_index("notice_to_nobody", "notice")
    op.alter_column("notice", "person_id", nullable=False)
    op.drop_table("registration")
