"""Types of entry in a patient's record, and the dictionary of diagnoses.

Revision ID: 0056
Revises: 0049
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0056"
down_revision = "0049"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "entry_type",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("definition", JSONB(), nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
    )
    op.create_table(
        "icd10_edition",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("imported_at", TIME, nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("renamed", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=False),
    )
    op.create_table(
        "icd10_code",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("search_text", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), sa.ForeignKey("icd10_edition.name"), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("valid_until >= valid_from", "icd10_code_days"),
    )
    op.create_index(
        "icd10_code_current",
        "icd10_code",
        ["code"],
        unique=True,
        postgresql_where=sa.text("valid_until is null"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"revoke all on entry_type, icd10_edition, icd10_code from {role}")
    op.execute(f"grant select, insert on entry_type, icd10_edition, icd10_code to {role}")
    op.execute(f"grant update (valid_until) on icd10_code to {role}")


def downgrade() -> None:
    """Forget the types and the dictionary."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("icd10_code")
    op.drop_table("icd10_edition")
    op.drop_table("entry_type")
