"""What the personnel register has said of each employment, and what waits for a person.

Revision ID: 0043
Revises: 0039
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0043"
down_revision = "0039"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "personnel_record",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("heard_at", TIME, nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("left_at", TIME, nullable=True),
        sa.Column(
            "absence_id",
            sa.Uuid(),
            sa.ForeignKey("absence.id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("trouble_since", TIME, nullable=True),
        sa.CheckConstraint(
            r"substr(record, 1, 1) <> '\x01'::bytea", "personnel_record_record_bound"
        ),
    )
    op.create_index("ix_personnel_record_person_id", "personnel_record", ["person_id"])
    op.create_index(
        "personnel_record_trouble",
        "personnel_record",
        ["trouble_since"],
        postgresql_where=sa.text("trouble is not null"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update, delete on personnel_record to {role}")


def downgrade() -> None:
    """What was carried out stays."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("personnel_record")
