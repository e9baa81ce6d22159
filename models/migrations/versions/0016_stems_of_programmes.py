"""The catalogue is searched by the stems of its words.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(
        "alter table programme add column search_words tsvector"
        " generated always as (to_tsvector('russian'::regconfig, search_text)) stored"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("programme", "search_words")
