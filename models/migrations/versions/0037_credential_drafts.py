"""Credentials that somebody is about to add or to update.

Revision ID: 0037
Revises: 0043
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0037"
down_revision = "0043"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "credential_draft",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("owner_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("credential_id", sa.Uuid(), sa.ForeignKey("credential.id"), nullable=True),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("files", ARRAY(sa.Uuid()), nullable=False, server_default="{}"),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("saved_at", TIME, nullable=True),
        sa.CheckConstraint(r"substr(data, 1, 1) <> '\x01'::bytea", "credential_draft_data_bound"),
    )
    op.create_index("credential_draft_of_owner", "credential_draft", ["owner_id", "id"])
    op.create_index(
        "credential_draft_of_update",
        "credential_draft",
        ["credential_id"],
        unique=True,
        postgresql_where=sa.text("credential_id is not null"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update, delete on credential_draft to {role}")


def downgrade() -> None:
    """What was typed and not kept is forgotten; the files stay among the documents."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("credential_draft")
