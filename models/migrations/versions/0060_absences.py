"""Absences that displace appointments, and what became of each.

Revision ID: 0060
Revises: 0050
"""

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0060"
down_revision = "0050"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "absence_plan",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _of("person_id", "person"),
        _of("unit_id", "unit"),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _of("planned_by", "person", nullable=True),
        sa.Column("begun_at", TIME, nullable=False),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("reminds_at", TIME, nullable=True),
        sa.Column("looks_at", TIME, nullable=True),
        sa.Column("woken_at", TIME, nullable=True),
        sa.CheckConstraint(r"substr(reason, 1, 1) <> '\x01'::bytea", "absence_plan_reason_bound"),
    )
    op.create_index("ix_absence_plan_person_id", "absence_plan", ["person_id"])
    op.create_index("absence_plan_of_unit", "absence_plan", ["unit_id", "last_day"])
    op.create_index(
        "absence_plan_looks",
        "absence_plan",
        ["looks_at"],
        postgresql_where=sa.text("looks_at is not null"),
    )
    op.create_table(
        "displaced_appointment",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _of("absence_id", "absence_plan"),
        _of("appointment_id", "appointment"),
        _of("unit_id", "unit"),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _of("to_clinician_id", "person", nullable=True),
        sa.Column("to_starts_at", TIME, nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("settled_at", TIME, nullable=True),
        _of("settled_by", "person", nullable=True),
        sa.Column("telling", sa.String(), nullable=True),
        sa.Column(
            "notice_id",
            sa.Uuid(),
            sa.ForeignKey("notice.id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("done_at", TIME, nullable=True),
        sa.CheckConstraint("(outcome is null) = (settled_at is null)", "displaced_settled"),
        sa.CheckConstraint("(outcome is null) = (telling is null)", "displaced_telling"),
        sa.CheckConstraint(
            "(to_clinician_id is null) = (to_starts_at is null)", "displaced_proposal"
        ),
        sa.CheckConstraint(
            "(done_at is null) = (coalesce(telling, 'sms') in ('sms', 'call'))", "displaced_done"
        ),
    )
    op.create_index(
        "displaced_once",
        "displaced_appointment",
        ["appointment_id"],
        unique=True,
        postgresql_where=sa.text("outcome is null"),
    )
    op.create_index("displaced_of_absence", "displaced_appointment", ["absence_id", "starts_at"])
    op.create_index(
        "displaced_open",
        "displaced_appointment",
        ["unit_id", "starts_at"],
        postgresql_where=sa.text("done_at is null"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"revoke all on absence_plan, displaced_appointment from {role}")
    op.execute(f"grant select, insert, update on absence_plan, displaced_appointment to {role}")


def _of(name: str, table: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def downgrade() -> None:
    """Forget them; the journal still says what was done."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("displaced_appointment")
    op.drop_table("absence_plan")
