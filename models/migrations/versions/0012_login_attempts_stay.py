"""The application adds to the journal of sign-ins and reads it, but changes nothing there."""

from alembic import context, op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _role() -> str:
    return context.config.get_main_option("app_role") or "medcab"


def upgrade() -> None:
    """Revoke the rights to change and remove."""
    op.execute(f"revoke update, delete on login_attempt from {_role()}")


def downgrade() -> None:
    """Grant them again."""
    op.execute(f"grant update, delete on login_attempt to {_role()}")
