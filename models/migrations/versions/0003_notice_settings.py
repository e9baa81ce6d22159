"""Settings of notices and channels, and contacts to be confirmed."""

import sqlalchemy as sa
from alembic import context, op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("notice_setting", "notice_preferences", "push_subscription", "contact_change")
COLUMNS = (
    "held_until",
    "sendings",
    "receipt",
    "receipt_at",
    "asks",
    "ask_at",
    "told_with",
)


def upgrade() -> None:
    """Create the tables and grant them to the application's role."""
    moment = sa.DateTime(timezone=True)
    op.add_column("notice", sa.Column("held_until", moment, nullable=True))
    op.add_column("notice", sa.Column("sendings", sa.Integer(), server_default="1", nullable=False))
    op.add_column("notice", sa.Column("receipt", sa.String(), nullable=True))
    op.add_column("notice", sa.Column("receipt_at", moment, nullable=True))
    op.add_column("notice", sa.Column("asks", sa.Integer(), server_default="0", nullable=False))
    op.add_column("notice", sa.Column("ask_at", moment, nullable=True))
    op.add_column("notice", sa.Column("told_with", sa.Uuid(), nullable=True))
    op.create_index(
        "notice_to_ask",
        "notice",
        ["channel", "ask_at"],
        postgresql_where=sa.text("ask_at is not null"),
    )
    op.create_table(
        "notice_setting",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("group", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id", "group", "channel"),
    )
    op.create_table(
        "notice_preferences",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_to", sa.Time(), nullable=True),
        sa.Column("digest_hour", sa.Integer(), nullable=True),
        sa.Column("changed_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "push_subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("contents", sa.LargeBinary(), nullable=False),
        sa.Column("endpoint_blind", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("last_ok_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("endpoint_blind"),
    )
    op.create_index("ix_push_subscription_person_id", "push_subscription", ["person_id"])
    op.create_table(
        "contact_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("done_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_contact_change_person_id", "contact_change", ["person_id"])
    role = context.config.get_main_option("app_role") or "medcab"
    for table in TABLES:
        op.execute(f"grant select, insert, update, delete on {table} to {role}")


def downgrade() -> None:
    """Drop the tables and columns."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("notice_to_ask", "notice")
    for column in COLUMNS:
        op.drop_column("notice", column)
