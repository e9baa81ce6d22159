"""Whether a seal or a signature was found on a file.

Revision ID: 0028
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the finding; of files that are there nobody has looked."""
    op.execute("set local lock_timeout = '5s'")
    op.add_column("document_version", sa.Column("mark", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("document_version", "mark")
