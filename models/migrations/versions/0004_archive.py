"""Archive: saved views, exports, retention."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and grant the application's role its part."""


def downgrade() -> None:
    """Drop them."""
