"""Systems that hear of changes of credentials.

Revision ID: 0049
Revises: 0054
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0049"
down_revision = "0054"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
WAITS = sa.text("state = 'waiting'")
SECRET = ("url", "secret", "earlier_secret")


def upgrade() -> None:
    """Make the tables."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.LargeBinary(), nullable=False),
        sa.Column("types", JSONB(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("earlier_secret", sa.LargeBinary(), nullable=True),
        sa.Column("earlier_until", TIME, nullable=True),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("paused_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", TIME, nullable=True),
        sa.Column("looks_at", TIME, nullable=True),
        sa.Column("woken_at", TIME, nullable=True),
        *(
            sa.CheckConstraint(f"substr({one}, 1, 1) <> '\\x01'::bytea", f"subscriber_{one}_bound")
            for one in SECRET
        ),
    )
    op.create_index(
        "subscriber_name",
        "subscriber",
        [sa.text("lower(name)")],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index("ix_subscriber_looks_at", "subscriber", ["looks_at"])
    op.create_table(
        "subscriber_event",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "position", sa.BigInteger(), sa.Identity(always=True), nullable=False, unique=True
        ),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("data", JSONB(), nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("ix_subscriber_event_at", "subscriber_event", ["at"])
    op.create_table(
        "subscriber_delivery",
        sa.Column("subscriber_id", sa.Uuid(), sa.ForeignKey("subscriber.id"), primary_key=True),
        sa.Column(
            "event_id",
            sa.Uuid(),
            sa.ForeignKey("subscriber_event.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("waits_since", TIME, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("tried_at", TIME, nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
    )
    op.create_index("ix_subscriber_delivery_event_id", "subscriber_delivery", ["event_id"])
    own = ["subscriber_id", "position"]
    op.create_index("subscriber_delivery_shown", "subscriber_delivery", own)
    op.create_index("subscriber_delivery_waits", "subscriber_delivery", own, postgresql_where=WAITS)
    op.create_index(
        "subscriber_delivery_order",
        "subscriber_delivery",
        ["subscriber_id", "subject", "position"],
        postgresql_where=WAITS,
    )
    op.create_index(
        "subscriber_delivery_dead",
        "subscriber_delivery",
        own,
        postgresql_where=sa.text("state = 'dead'"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"revoke all on subscriber, subscriber_event, subscriber_delivery from {role}")
    op.execute(f"grant select, insert, update on subscriber, subscriber_delivery to {role}")
    op.execute(f"grant select, insert, delete on subscriber_event to {role}")
    op.execute(f"grant usage on sequence subscriber_event_position_seq to {role}")


def downgrade() -> None:
    """Forget who heard of what; what happened to credentials stays."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("subscriber_delivery")
    op.drop_table("subscriber_event")
    op.drop_table("subscriber")
