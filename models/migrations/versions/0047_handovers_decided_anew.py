"""A hand-over is decided anew where no package could be made: its files are forgotten before.

Revision ID: 0047
Revises: 0045
"""

from alembic import context, op

revision = "0047"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the application forget which files were to go out; the journal still says it."""
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant delete on handover_file to {role}")


def downgrade() -> None:
    """What was released stays."""
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"revoke delete on handover_file from {role}")
