"""Archive: saved views, exports, retention."""

import sqlalchemy as sa
from alembic import context, op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("saved_view", "export", "retention_term", "case_retention")
UNDER_WAY = sa.text("state in ('waiting', 'running')")
NOT_ERASED = sa.text("erased_at is null")
CASE_INDEXES = {
    "case_archive_status": ["responsible_unit_id", "status", "created_at", "id"],
    "case_archive_type": ["responsible_unit_id", "kind", "type", "created_at", "id"],
    "case_archive_programme": ["responsible_unit_id", "programme_id", "created_at", "id"],
    "case_archive_unit": ["unit_id", "status", "created_at", "id"],
}


def upgrade() -> None:
    """Create the tables and grant them to the application's role."""
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("query", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_saved_view_person_id", "saved_view", ["person_id"])
    op.create_table(
        "export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("filters", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('pdf', 'xlsx')", name="export_kind"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("folder"),
        sa.UniqueConstraint("object_key"),
    )
    op.create_index("export_of_person", "export", ["person_id", "id"])
    op.create_index("export_under_way", "export", ["beat_at"], postgresql_where=UNDER_WAY)
    op.create_table(
        "retention_term",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("years", sa.Integer(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "type"),
    )
    op.create_table(
        "case_retention",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retain_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_days", sa.Integer(), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_by", sa.Uuid(), nullable=True),
        sa.Column("hold_reason", sa.LargeBinary(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
        sa.ForeignKeyConstraint(["held_by"], ["person.id"]),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index(
        "case_retention_due",
        "case_retention",
        ["retain_until", "case_id"],
        postgresql_where=NOT_ERASED,
    )
    for name, columns in CASE_INDEXES.items():
        op.create_index(name, "case", columns)
    role = context.config.get_main_option("app_role") or "medcab"
    tables = ", ".join(TABLES)
    op.execute(f"grant select, insert, update, delete on {tables} to {role}")


def downgrade() -> None:
    """Drop the tables and indexes."""
    for name in CASE_INDEXES:
        op.drop_index(name, table_name="case")
    for table in reversed(TABLES):
        op.drop_table(table)
