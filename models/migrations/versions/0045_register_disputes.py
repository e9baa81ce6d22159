"""What people dispute of what registers say of them, and what is answered.

Revision ID: 0045
Revises: 0048
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0045"
down_revision = "0048"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
PERSON = "person.id"
OPEN = sa.text("answered_at is null")


def upgrade() -> None:
    """Add the table."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "register_dispute",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey(PERSON), nullable=False),
        sa.Column("credential_id", sa.Uuid(), sa.ForeignKey("credential.id"), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("answered_by", sa.Uuid(), sa.ForeignKey(PERSON), nullable=True),
        sa.CheckConstraint("answered_by <> person_id", "register_dispute_answered"),
        *(
            sa.CheckConstraint(
                f"substr({column}, 1, 1) <> '\\x01'::bytea", f"register_dispute_{column}_bound"
            )
            for column in ("fields", "words", "answer")
        ),
    )
    op.create_index("register_dispute_of_person", "register_dispute", ["person_id", "at"])
    op.create_index("register_dispute_open", "register_dispute", ["at"], postgresql_where=OPEN)
    op.create_index(
        "register_dispute_once",
        "register_dispute",
        ["person_id", "subject"],
        unique=True,
        postgresql_where=OPEN,
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update on register_dispute to {role}")


def downgrade() -> None:
    """Forget what was disputed; the journal still says that it was."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("register_dispute")
