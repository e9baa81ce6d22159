"""Credentials with versions and files, and their categories.

Revision ID: 0036
Revises: 0038
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0036"
down_revision = "0038"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
PERSON = "person.id"


def _bound(table: str, column: str) -> sa.CheckConstraint:
    name = f"{table}_{column}_bound"
    return sa.CheckConstraint(rf"substr({column}, 1, 1) <> '\x01'::bytea", name)


def upgrade() -> None:
    """Add the tables."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "credential_category",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("definition", JSONB(), nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("owner_id", sa.Uuid(), sa.ForeignKey(PERSON), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("identity", sa.LargeBinary(), nullable=True),
        sa.Column("identity_blind", sa.String(), nullable=True, unique=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), sa.ForeignKey(PERSON), nullable=True),
        sa.Column("withdrawn_reason", sa.LargeBinary(), nullable=True),
        sa.Column("replaced_by", sa.Uuid(), sa.ForeignKey("credential.id"), nullable=True),
        sa.Column("renewal_case_id", sa.Uuid(), sa.ForeignKey("case.id"), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("wakes_at", TIME, nullable=True),
        sa.Column("woken_at", TIME, nullable=True),
        sa.CheckConstraint("replaced_by <> id", "credential_replaced_by_another"),
        sa.CheckConstraint("valid_until >= issued_on", "credential_days"),
        sa.CheckConstraint(
            "(withdrawn_at is null) = (withdrawn_by is null)", "credential_withdrawn"
        ),
        _bound("credential", "identity"),
        _bound("credential", "withdrawn_reason"),
    )
    for place, name in ((1, "first"), (2, "second")):
        part = f"split_part(identity_blind, '.', {place})"
        op.execute(
            f"create unique index credential_identity_blind_{name} on credential ({part})"
            f" where {part} <> ''"
        )
    op.create_index("credential_of_owner", "credential", ["owner_id", "category", "id"])
    op.create_index(
        "credential_ending",
        "credential",
        ["valid_until", "id"],
        postgresql_where=sa.text("withdrawn_at is null and replaced_by is null"),
    )
    op.create_index(
        "credential_replaced",
        "credential",
        ["replaced_by"],
        postgresql_where=sa.text("replaced_by is not null"),
    )
    op.create_index("ix_credential_wakes_at", "credential", ["wakes_at"])
    op.create_table(
        "credential_version",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("credential_id", sa.Uuid(), sa.ForeignKey("credential.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("category_version", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("made_by", sa.Uuid(), sa.ForeignKey(PERSON), nullable=True),
        sa.Column("replaced_at", TIME, nullable=True),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), sa.ForeignKey(PERSON), nullable=True),
        sa.UniqueConstraint("credential_id", "number"),
        sa.CheckConstraint("confirmed_by <> made_by", "credential_version_confirmed"),
        _bound("credential_version", "data"),
        _bound("credential_version", "reason"),
    )
    op.create_index(
        "credential_version_current",
        "credential_version",
        ["credential_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at is null"),
    )
    op.create_table(
        "credential_file",
        sa.Column(
            "version_id", sa.Uuid(), sa.ForeignKey("credential_version.id"), primary_key=True
        ),
        sa.Column("position", sa.Integer(), primary_key=True),
        sa.Column(
            "document_version_id", sa.Uuid(), sa.ForeignKey("document_version.id"), nullable=False
        ),
        sa.UniqueConstraint("version_id", "document_version_id"),
    )
    op.create_index(
        "ix_credential_file_document_version_id", "credential_file", ["document_version_id"]
    )
    role = context.config.get_main_option("app_role") or "medcab"
    tables = "credential_category, credential, credential_version, credential_file"
    op.execute(f"revoke all on {tables} from {role}")
    op.execute(f"grant select, insert on {tables} to {role}")
    op.execute(f"grant update on credential, credential_version to {role}")


def downgrade() -> None:
    """Forget all credentials; the documents that are their files stay."""
    op.execute("set local lock_timeout = '5s'")
    for table in ("credential_file", "credential_version", "credential", "credential_category"):
        op.drop_table(table)
