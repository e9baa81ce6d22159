"""Meetings by video, and the times at which operators offer them.

Revision ID: 0027
Revises: 0024
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables: a time has one meeting, a person one booked meeting for each purpose."""
    op.execute("set local lock_timeout = '5s'")
    at = sa.DateTime(timezone=True)
    op.create_table(
        "meeting_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", at, nullable=False),
        sa.Column("withdrawn_at", at, nullable=True),
        sa.ForeignKeyConstraint(["operator_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("operator_id", "starts_at"),
    )
    op.create_index(
        "meeting_slot_open",
        "meeting_slot",
        ["starts_at"],
        postgresql_where=sa.text("withdrawn_at is null"),
    )
    op.create_table(
        "meeting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("room", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("looks_at", at, nullable=False),
        sa.Column("booked_at", at, nullable=False),
        sa.Column("ended_at", at, nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("compared", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["slot_id"], ["meeting_slot.id"]),
        sa.ForeignKeyConstraint(["ended_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint(r"substr(room, 1, 1) <> '\x01'::bytea", "meeting_room_bound"),
        sa.CheckConstraint(r"substr(reason, 1, 1) <> '\x01'::bytea", "meeting_reason_bound"),
    )
    op.create_index(
        "meeting_of_slot",
        "meeting",
        ["slot_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    booked = sa.text("state = 'booked'")
    op.create_index(
        "meeting_open", "meeting", ["person_id", "purpose"], unique=True, postgresql_where=booked
    )
    op.create_index("meeting_of_person", "meeting", ["person_id", "purpose", "id"])
    op.create_index("meeting_to_look_at", "meeting", ["looks_at"], postgresql_where=booked)
    role = context.config.get_main_option("app_role") or "medcab"
    for table in ("meeting_slot", "meeting"):
        op.execute(f"grant select, insert, update, delete on {table} to {role}")


def downgrade() -> None:
    """Forget meetings; what they confirmed stays."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("meeting")
    op.drop_table("meeting_slot")
