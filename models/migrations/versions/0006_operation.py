"""What the ops desk and the restore need."""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and grant the application's role its part."""


def downgrade() -> None:
    """Drop them."""
