"""Service requests: envelopes, acknowledgements and answers."""

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("request_message", "request_receipt", "request_answer", "request_file")


def upgrade() -> None:
    """Create the tables and grant them to the application's role."""
    op.create_table(
        "request_message",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.String(), nullable=True),
        sa.Column("formed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paper_key", sa.String(), nullable=False),
        sa.Column("paper_sha256", sa.String(), nullable=False),
        sa.Column("paper_size", sa.Integer(), nullable=False),
        sa.Column("envelope_key", sa.String(), nullable=True),
        sa.Column("envelope_sha256", sa.String(), nullable=True),
        sa.Column("envelope_size", sa.Integer(), nullable=True),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
        sa.PrimaryKeyConstraint("case_id", "version"),
        sa.UniqueConstraint("message_id"),
        sa.UniqueConstraint("paper_key"),
        sa.UniqueConstraint("envelope_key"),
    )
    op.create_table(
        "request_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("came", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["request_message.message_id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id", "digest"),
    )
    op.create_index(
        "request_receipt_waits",
        "request_receipt",
        ["message_id"],
        postgresql_where=sa.text("taken_at is null"),
    )
    op.create_table(
        "request_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("signer", sa.String(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("title", sa.LargeBinary(), nullable=True),
        sa.Column("document_number", sa.LargeBinary(), nullable=True),
        sa.Column("message", sa.LargeBinary(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("envelope_key", sa.String(), nullable=True),
        sa.Column("envelope_sha256", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
        sa.ForeignKeyConstraint(["by"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "version"),
        sa.UniqueConstraint("envelope_key"),
    )
    op.create_table(
        "request_file",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["request_answer.id"]),
        sa.PrimaryKeyConstraint("answer_id", "position"),
        sa.UniqueConstraint("object_key"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    for table in TABLES:
        op.execute(f"grant select, insert, update, delete on {table} to {role}")


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TABLES):
        op.drop_table(table)
