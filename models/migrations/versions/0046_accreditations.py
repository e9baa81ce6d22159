"""Packages sent to the federal accreditation centre.

Revision ID: 0046
Revises: 0044
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0046"
down_revision = "0044"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "accreditation_package",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("case.id"), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("package_id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("formed_at", TIME, nullable=False),
        sa.Column("application", sa.LargeBinary(), nullable=False),
        sa.Column("portfolio_key", sa.String(), nullable=False, unique=True),
        sa.Column("portfolio_sha256", sa.String(), nullable=False),
        sa.Column("portfolio_size", sa.Integer(), nullable=False),
        sa.Column("portfolio_pages", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("forwarded_at", TIME),
        sa.Column("state", sa.String()),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("ask_at", TIME),
        sa.Column("decision", sa.LargeBinary()),
        sa.CheckConstraint(
            r"substr(application, 1, 1) <> '\x01'::bytea", "accreditation_package_application_bound"
        ),
        sa.CheckConstraint(
            r"substr(decision, 1, 1) <> '\x01'::bytea", "accreditation_package_decision_bound"
        ),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update, delete on accreditation_package to {role}")


def downgrade() -> None:
    """What the centre was sent and said is lost; cases stay."""
    op.drop_table("accreditation_package")
