"""Conversation on a case, and the history of what administrators change."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and grant the application's role its part."""


def downgrade() -> None:
    """Drop them."""
