"""Hand-overs of documents to authorities.

Revision ID: 0048
Revises: 0046
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0048"
down_revision = "0046"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "authority",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False, unique=True),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
    )
    op.create_table(
        "handover",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("authority_id", sa.Uuid(), sa.ForeignKey("authority.id"), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("purpose", sa.LargeBinary(), nullable=False),
        sa.Column("ground", sa.LargeBinary(), nullable=False),
        sa.Column("categories", JSONB(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("package_key", sa.String(), nullable=True, unique=True),
        sa.Column("package_sha256", sa.String(), nullable=True),
        sa.Column("package_size", sa.Integer(), nullable=True),
        sa.Column("ends_at", TIME, nullable=True),
        sa.Column("fetched_at", TIME, nullable=True),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("looks_at", TIME, nullable=True),
        sa.Column("woken_at", TIME, nullable=True),
        sa.UniqueConstraint("authority_id", "reference"),
        sa.CheckConstraint("decided_by <> person_id", "handover_not_own"),
        sa.CheckConstraint("(state = 'asked') = (decided_at is null)", "handover_decided"),
        *(
            sa.CheckConstraint(f"substr({name}, 1, 1) <> '\\x01'::bytea", f"handover_{name}_bound")
            for name in ("purpose", "ground", "reason")
        ),
    )
    op.create_index("handover_of_person", "handover", ["person_id", "asked_at"])
    op.create_index(
        "handover_waits", "handover", ["asked_at"], postgresql_where=sa.text("state = 'asked'")
    )
    op.create_index("ix_handover_looks_at", "handover", ["looks_at"])
    op.create_table(
        "handover_file",
        sa.Column("handover_id", sa.Uuid(), sa.ForeignKey("handover.id"), primary_key=True),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column(
            "credential_version_id",
            sa.Uuid(),
            sa.ForeignKey("credential_version.id"),
            nullable=False,
        ),
        sa.Column(
            "document_version_id", sa.Uuid(), sa.ForeignKey("document_version.id"), nullable=False
        ),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"revoke all on authority, handover, handover_file from {role}")
    op.execute(f"grant select, insert, update on authority, handover to {role}")
    op.execute(f"grant select, insert on handover_file to {role}")


def downgrade() -> None:
    """Forget what was handed over; the journal still says it."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("handover_file")
    op.drop_table("handover")
    op.drop_table("authority")
