"""Conversation on a case, and the history of what administrators change."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("message_file", "conversation_reading", "catalogue_change")


def upgrade() -> None:
    """Create the tables and grant them to the application's role."""
    op.create_table(
        "message_file",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("document_version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["case_comment.id"]),
        sa.ForeignKeyConstraint(["document_version_id"], ["document_version.id"]),
        sa.PrimaryKeyConstraint("message_id", "document_version_id"),
    )
    op.create_index("ix_message_file_document_version_id", "message_file", ["document_version_id"])
    op.create_table(
        "conversation_reading",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("read_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("case_id", "person_id"),
    )
    op.create_table(
        "catalogue_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("catalogue_change_of", "catalogue_change", ["subject", "key", "at"])
    role = context.config.get_main_option("app_role") or "medcab"
    for table in TABLES:
        op.execute(f"grant select, insert, update, delete on {table} to {role}")


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TABLES):
        op.drop_table(table)
