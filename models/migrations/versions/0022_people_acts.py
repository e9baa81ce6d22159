"""Acts on people's accounts, and invitations to make one.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, and when a departure was carried out; those who have left are done with."""
    op.execute("set local lock_timeout = '5s'")
    at = sa.DateTime(timezone=True)
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("created_at", at, nullable=False),
        sa.Column("ends_at", at, nullable=False),
        sa.Column("ended_at", at, nullable=True),
        sa.Column("ended_why", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index(
        "invitation_open",
        "invitation",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "staff_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", at, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    for table in ("invitation", "staff_act"):
        op.execute(f"grant select, insert, update, delete on {table} to {role}")
    op.add_column("person", sa.Column("departed_at", at, nullable=True))
    op.execute("update person set departed_at = left_at where left_at <= now()")
    op.create_index(
        "person_departing",
        "person",
        ["left_at"],
        postgresql_where=sa.text("left_at is not null and departed_at is null"),
    )


def downgrade() -> None:
    """Forget invitations and acts; what acts have done to accounts stays."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("person_departing", table_name="person")
    op.drop_column("person", "departed_at")
    op.drop_table("staff_act")
    op.drop_table("invitation")
