"""Emergencies that are judged, patients who are invited, and the comparison with their registry.

Revision ID: 0053
Revises: 0052
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TABLES = ("patient_emergency", "patient_invitation", "patient_entry", "patient_check")


def upgrade() -> None:
    """Make the tables."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "patient_emergency",
        sa.Column("id", sa.Uuid(), sa.ForeignKey("patient_opening.id"), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("unit_id", sa.Uuid(), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("judge_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("looks_at", TIME, nullable=True),
        sa.Column("woken_at", TIME, nullable=True),
        sa.Column("judged_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("judged_at", TIME, nullable=True),
        sa.Column("verdict", sa.LargeBinary(), nullable=True),
        sa.Column("grants", JSONB(), nullable=False, server_default=sa.text("'[]'")),
        sa.CheckConstraint("judged_by <> person_id", name="patient_emergency_not_own"),
        sa.CheckConstraint("judge_id <> person_id", name="patient_emergency_judge"),
        sa.CheckConstraint(
            "(state = 'waits') = (judged_at is null) and (judged_at is null) = (judged_by is null)",
            name="patient_emergency_judged",
        ),
        sa.CheckConstraint(
            r"substr(verdict, 1, 1) <> '\x01'::bytea", name="patient_emergency_verdict_bound"
        ),
    )
    waits, looks = sa.text("state = 'waits'"), sa.text("looks_at is not null")
    op.create_index(
        "patient_emergency_waits", "patient_emergency", ["due_at"], postgresql_where=waits
    )
    op.create_index("patient_emergency_of_person", "patient_emergency", ["person_id", "state"])
    op.create_index(
        "patient_emergency_looks", "patient_emergency", ["looks_at"], postgresql_where=looks
    )
    op.create_table(
        "patient_invitation",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False, unique=True),
        sa.Column("created_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("entered_at", TIME, nullable=True),
    )
    op.create_index(
        "patient_invitation_open",
        "patient_invitation",
        ["patient_id"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "patient_entry",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "invitation_id", sa.Uuid(), sa.ForeignKey("patient_invitation.id"), nullable=False
        ),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("code_hash", sa.String(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=True, unique=True),
        sa.Column("ends_at", TIME, nullable=False),
    )
    op.create_index("patient_entry_of_invitation", "patient_entry", ["invitation_id", "asked_at"])
    op.create_table(
        "patient_check",
        sa.Column("id", sa.Uuid(), sa.ForeignKey("patient.id"), primary_key=True),
        sa.Column("asked_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("said", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", TIME, nullable=True),
        sa.Column("woken_at", TIME, nullable=True),
        sa.Column("done_at", TIME, nullable=True),
        sa.CheckConstraint(r"substr(said, 1, 1) <> '\x01'::bytea", name="patient_check_said_bound"),
    )
    op.create_index(
        "patient_check_waits",
        "patient_check",
        ["next_try_at"],
        postgresql_where=sa.text("next_try_at is not null"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"revoke all on {', '.join(TABLES)} from {role}")
    op.execute(f"grant select, insert, update on {', '.join(TABLES)} to {role}")


def downgrade() -> None:
    """Judgements, invitations and comparisons are lost; the journal still says what was done."""
    op.execute("set local lock_timeout = '5s'")
    for table in ("patient_check", "patient_entry", "patient_invitation", "patient_emergency"):
        op.drop_table(table)
