"""Locks by suspicion with the way by which they are opened, and sign-in through a provider.

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
PERSON = "person.id"


def upgrade() -> None:
    """Add the table; accounts that were locked by suspicion wait for a meeting from now on."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "account_lock",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("account.person_id"), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("by", sa.Uuid(), sa.ForeignKey(PERSON), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False, unique=True),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("looks_at", TIME, nullable=False),
        sa.Column("meeting_id", sa.Uuid(), sa.ForeignKey("meeting.id"), nullable=True),
        sa.Column("operator_id", sa.Uuid(), sa.ForeignKey(PERSON), nullable=True),
        sa.Column("approver_id", sa.Uuid(), sa.ForeignKey(PERSON), nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.CheckConstraint("operator_id <> person_id", "account_lock_operator"),
        sa.CheckConstraint(
            "approver_id <> person_id and approver_id <> operator_id", "account_lock_approver"
        ),
    )
    op.create_index("ix_account_lock_looks_at", "account_lock", ["looks_at"])
    op.create_index(
        "account_lock_open",
        "account_lock",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "provider_link",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "person_id",
            sa.Uuid(),
            sa.ForeignKey("account.person_id"),
            nullable=False,
            unique=True,
        ),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("subject_blind", sa.String(), nullable=False, unique=True),
        sa.Column("linked_at", TIME, nullable=False),
        sa.CheckConstraint(
            r"substr(subject, 1, 1) <> '\x01'::bytea", "provider_link_subject_bound"
        ),
    )
    for place, name in ((1, "first"), (2, "second")):
        part = f"split_part(subject_blind, '.', {place})"
        op.execute(
            f"create unique index provider_link_subject_blind_{name} on provider_link ({part})"
            f" where {part} <> ''"
        )
    op.create_table(
        "provider_attempt",
        sa.Column("state_hash", sa.String(), primary_key=True),
        sa.Column("device_hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("account.person_id"), nullable=True),
        sa.Column("next", sa.String(), nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
    )
    op.create_index("ix_provider_attempt_ends_at", "provider_attempt", ["ends_at"])
    role = context.config.get_main_option("app_role") or "medcab"
    tables = "account_lock, provider_link, provider_attempt"
    op.execute(f"grant select, insert, update, delete on {tables} to {role}")
    # Their next reminder, due at once, brings the link to choose a meeting.
    op.execute(
        "insert into account_lock"
        " (id, person_id, how, at, state, since, secret_hash, reminded, looks_at)"
        " select gen_random_uuid(), person_id, 'person', locked_at, 'meeting', locked_at,"
        " gen_random_uuid()::text, 0, locked_at from account where locked_reason = 'suspicion'"
    )


def downgrade() -> None:
    """Administrators open such locks again."""
    for table in ("provider_attempt", "provider_link", "account_lock"):
        op.drop_table(table)
