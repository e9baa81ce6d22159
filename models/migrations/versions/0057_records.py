"""Entries of patients' records, their versions, and drafts.

Revision ID: 0057
Revises: 0056
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
PATIENT, PERSON, VISIT, ENTRY = "patient.id", "person.id", "appointment.id", "record_entry.id"


def _bound(table: str, column: str) -> sa.CheckConstraint:
    name = f"{table}_{column}_bound"
    return sa.CheckConstraint(rf"substr({column}, 1, 1) <> '\x01'::bytea", name)


def upgrade() -> None:
    """Make the tables."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "record_entry",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey(PATIENT), nullable=False),
        sa.Column("visit_id", sa.Uuid(), sa.ForeignKey(VISIT), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Uuid(), sa.ForeignKey(PERSON), nullable=False),
        sa.Column("unit_id", sa.Uuid(), sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("signed_at", TIME, nullable=False),
        sa.Column("mistaken_at", TIME, nullable=True),
        sa.Column("mistaken_by", sa.Uuid(), sa.ForeignKey(PERSON), nullable=True),
        sa.Column("mistaken_reason", sa.LargeBinary(), nullable=True),
        sa.Column("erased_at", TIME, nullable=True),
        sa.CheckConstraint(
            "(mistaken_at is null) = (mistaken_by is null)", "record_entry_mistaken"
        ),
        sa.CheckConstraint("version > 0", "record_entry_version"),
        _bound("record_entry", "mistaken_reason"),
    )
    op.create_index("record_entry_of_patient", "record_entry", ["patient_id", "signed_at"])
    op.create_index("record_entry_of_type", "record_entry", ["patient_id", "type"])
    op.create_index(
        "record_entry_of_visit",
        "record_entry",
        ["visit_id"],
        postgresql_where=sa.text("visit_id is not null"),
    )
    op.create_table(
        "record_version",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("entry_id", sa.Uuid(), sa.ForeignKey(ENTRY), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("type_version", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("codes", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("made_by", sa.Uuid(), sa.ForeignKey(PERSON), nullable=False),
        sa.UniqueConstraint("entry_id", "number"),
        *(_bound("record_version", name) for name in ("data", "codes", "reason")),
    )
    op.create_index("record_version_made_by", "record_version", ["made_by", "made_at"])
    op.create_table(
        "record_draft",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("author_id", sa.Uuid(), sa.ForeignKey(PERSON), nullable=False),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey(PATIENT), nullable=False),
        sa.Column("visit_id", sa.Uuid(), sa.ForeignKey(VISIT), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), sa.ForeignKey(ENTRY), nullable=True),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("saved_at", TIME, nullable=True),
        *(_bound("record_draft", name) for name in ("data", "reason")),
    )
    op.create_index("record_draft_of_author", "record_draft", ["author_id", "id"])
    op.create_index("record_draft_of_patient", "record_draft", ["patient_id"])
    op.create_index(
        "record_draft_of_correction",
        "record_draft",
        ["author_id", "entry_id"],
        unique=True,
        postgresql_where=sa.text("entry_id is not null"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"revoke all on record_entry, record_version, record_draft from {role}")
    op.execute(f"grant select, insert, update on record_entry, record_version to {role}")
    op.execute(f"grant select, insert, update, delete on record_draft to {role}")


def downgrade() -> None:
    """Forget the records; the journal still says who wrote when."""
    op.execute("set local lock_timeout = '5s'")
    for table in ("record_draft", "record_version", "record_entry"):
        op.drop_table(table)
