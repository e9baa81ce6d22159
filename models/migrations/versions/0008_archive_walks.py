"""Indexes that only scans of the archive can use, and those that searches by words lacked."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BEFORE = {
    "case_archive_status": ["responsible_unit_id", "status"],
    "case_archive_type": ["responsible_unit_id", "kind", "type"],
    "case_archive_programme": ["responsible_unit_id", "programme_id"],
    "case_archive_unit": ["unit_id", "status"],
}
BARE = sa.text("programme_id is null")
AFTER = {
    **{name: (columns, None) for name, columns in BEFORE.items()},
    "case_archive_no_programme": (["responsible_unit_id", "kind", "type"], BARE),
    "case_archive_unit_programme": (["unit_id", "programme_id"], None),
    "case_archive_unit_no_programme": (["unit_id", "kind", "type"], BARE),
}


def upgrade() -> None:
    """Create the indexes again, with an order of nulls that no other query asks for."""
    for name in BEFORE:
        op.drop_index(name, table_name="case")
    for name, (columns, where) in AFTER.items():
        op.create_index(
            name,
            "case",
            [*columns, sa.text("created_at nulls first"), "id"],
            postgresql_where=where,
        )


def downgrade() -> None:
    """Create the earlier indexes again."""
    for name in AFTER:
        op.drop_index(name, table_name="case")
    for name, columns in BEFORE.items():
        op.create_index(name, "case", [*columns, "created_at", "id"])
