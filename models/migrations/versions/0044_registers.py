"""What state registers say of people, the nightly comparison, and checks on demand.

Revision ID: 0044
Revises: 0037
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0037"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
OPEN = sa.text("ended_at is null")


def upgrade() -> None:
    """Add the tables."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "register_record",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("records", sa.LargeBinary(), nullable=False),
        sa.Column("changed_on", sa.Date(), nullable=True),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("checked_at", TIME, nullable=False),
        sa.UniqueConstraint("person_id", "source"),
        sa.CheckConstraint(
            r"substr(records, 1, 1) <> '\x01'::bytea", "register_record_records_bound"
        ),
    )
    op.create_table(
        "register_run",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("worked", sa.Float(), nullable=False),
        sa.Column("next_try_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
    )
    op.create_index(
        "register_run_open", "register_run", ["source"], unique=True, postgresql_where=OPEN
    )
    op.create_index("register_run_latest", "register_run", ["source", "started_at"])
    op.create_table(
        "register_run_person",
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("register_run.id"), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("state", sa.String(), nullable=False),
    )
    op.create_table(
        "register_check",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("waits_for", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", TIME, nullable=False),
        sa.Column("woken_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("given_up", sa.Boolean(), nullable=False),
    )
    op.create_index("register_check_of_person", "register_check", ["person_id", "asked_at"])
    op.create_index(
        "register_check_open", "register_check", ["person_id"], unique=True, postgresql_where=OPEN
    )
    op.create_index(
        "register_check_waiting", "register_check", ["next_try_at"], postgresql_where=OPEN
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update on register_record, register_check to {role}")
    op.execute(f"grant select, insert, update on register_run to {role}")
    op.execute(f"grant select, insert, delete on register_run_person to {role}")


def downgrade() -> None:
    """Forget it all: the registers can be asked again."""
    op.execute("set local lock_timeout = '5s'")
    for table in ("register_check", "register_run_person", "register_run", "register_record"):
        op.drop_table(table)
