"""What a meeting establishes for a locked account; a booked meeting has a time that is offered.

Revision ID: 0040
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. A time that was withdrawn while somebody booked it is offered again."""
    op.execute("set local lock_timeout = '5s'")
    op.alter_column("account", "password_hash", nullable=True)
    op.add_column("account_lock", sa.Column("code_hash", sa.String(), nullable=True))
    marked = postgresql.JSONB(astext_type=sa.Text())
    op.add_column(
        "meeting",
        sa.Column("marked", marked, nullable=False, server_default=sa.text("'[]'")),
    )
    op.execute(
        "update meeting_slot set withdrawn_at = null where withdrawn_at is not null"
        " and id in (select slot_id from meeting where state = 'booked')"
    )
    offered = sa.Computed("withdrawn_at is null", persisted=True)
    op.add_column("meeting_slot", sa.Column("offered", sa.Boolean(), offered))
    op.create_unique_constraint("meeting_slot_offered", "meeting_slot", ["id", "offered"])
    booked = sa.Computed("case when state = 'booked' then true end", persisted=True)
    op.add_column("meeting", sa.Column("booked", sa.Boolean(), booked))
    op.create_foreign_key(
        "meeting_in_offered_time",
        "meeting",
        "meeting_slot",
        ["slot_id", "booked"],
        ["id", "offered"],
    )


def downgrade() -> None:
    """Whoever has no password gets one by a new invitation."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_constraint("meeting_in_offered_time", "meeting")
    op.drop_constraint("meeting_slot_offered", "meeting_slot")
    for table, column in (
        ("meeting", "booked"),
        ("meeting_slot", "offered"),
        ("meeting", "marked"),
        ("account_lock", "code_hash"),
    ):
        op.drop_column(table, column)
    op.execute("update account set password_hash = '' where password_hash is null")
    op.alter_column("account", "password_hash", nullable=False)
