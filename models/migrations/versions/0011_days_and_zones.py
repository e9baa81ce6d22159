"""Cases are listed by the day they were submitted; people have the zone of their unit.

Until now the day of the draft was used instead of that of the submission, and the institution's
zone for everybody: in exported lists, and in quiet hours.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

LISTED_AT = "coalesce(submitted_at, created_at)"
BARE = sa.text("programme_id is null")
PLAIN = {
    "case_of_applicant": ["applicant_id"],
    "case_list": ["responsible_unit_id"],
    "case_of_unit": ["unit_id"],
}
ARCHIVE = {
    "case_archive_status": (["responsible_unit_id", "status"], None),
    "case_archive_type": (["responsible_unit_id", "kind", "type"], None),
    "case_archive_programme": (["responsible_unit_id", "programme_id"], None),
    "case_archive_no_programme": (["responsible_unit_id", "kind", "type"], BARE),
    "case_archive_unit": (["unit_id", "status"], None),
    "case_archive_unit_programme": (["unit_id", "programme_id"], None),
    "case_archive_unit_no_programme": (["unit_id", "kind", "type"], BARE),
}


def upgrade() -> None:
    """Take the day of every case from its first version, and order the indexes by it."""
    op.add_column("case", sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        """
        update "case" set submitted_at = first.submitted_at
        from case_version first
        where first.case_id = "case".id and first.number = 1
        """
    )
    _indexed_by(LISTED_AT)
    op.add_column("export", sa.Column("zone", sa.String(), nullable=True))
    op.execute(
        """
        update export set zone = unit.time_zone from person join unit on unit.id = person.unit_id
        where person.id = export.person_id
        """
    )
    op.alter_column("export", "zone", nullable=False)
    # The page offered only the institution's zone; any other was chosen by a program.
    op.execute(
        """
        update notice_preferences chosen set zone = unit.time_zone
        from person join unit on unit.id = person.unit_id
        where person.id = chosen.person_id
        and chosen.zone = (select time_zone from unit where parent_id is null order by id limit 1)
        """
    )


def downgrade() -> None:
    """Use the day of the draft again; quiet hours keep the zone that was chosen."""
    op.drop_column("export", "zone")
    _indexed_by("created_at")
    op.drop_column("case", "submitted_at")


def _indexed_by(moment: str) -> None:
    for name in (*PLAIN, *ARCHIVE):
        op.drop_index(name, table_name="case")
    for name, columns in PLAIN.items():
        op.create_index(name, "case", [*columns, sa.text(moment), "id"])
    for name, (columns, where) in ARCHIVE.items():
        order = sa.text(f"{moment} nulls first")
        op.create_index(name, "case", [*columns, order, "id"], postgresql_where=where)
