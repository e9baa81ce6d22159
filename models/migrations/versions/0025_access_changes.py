"""Changes of rights, and with each grant who asked for, confirmed and approved it.

Revision ID: 0025
Revises: 0033
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0025"
down_revision = "0033"
branch_labels = None
depends_on = None

_PEOPLE = ("asked_by", "confirmed_by", "approved_by", "ended_by")
_CASES = ("case_id", "ended_case_id")


def upgrade() -> None:
    """Add the table and columns; grants that are there came by bootstrap or demonstration."""
    op.execute("set local lock_timeout = '5s'")
    for name in _CASES + _PEOPLE:
        op.add_column("role_grant", sa.Column(name, sa.Uuid(), nullable=True))
        op.create_foreign_key(
            f"role_grant_{name}_fkey",
            "role_grant",
            "case" if name in _CASES else "person",
            [name],
            ["id"],
        )
    op.create_index("ix_role_grant_case_id", "role_grant", ["case_id"])
    for table, name in (("role_grant", "urgent"), ("unit", "urgent_access")):
        op.add_column(
            table, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.create_check_constraint(
        "role_grant_four_eyes",
        "role_grant",
        "case_id is null"
        " or (urgent and valid_until is not null"
        " and valid_until <= valid_from + interval '24 hours')"
        " or (confirmed_by is not null and approved_by is not null"
        " and asked_by <> confirmed_by and asked_by <> approved_by"
        " and confirmed_by <> approved_by"
        " and person_id <> confirmed_by and person_id <> approved_by)",
    )
    at = sa.DateTime(timezone=True)
    op.create_table(
        "access_change",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("takes_grant_id", sa.Uuid(), nullable=True),
        sa.Column("valid_from", at, nullable=True),
        sa.Column("valid_until", at, nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
        sa.ForeignKeyConstraint(["subject_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"]),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"]),
        sa.ForeignKeyConstraint(["takes_grant_id"], ["role_grant.id"]),
        sa.ForeignKeyConstraint(["confirmed_by"], ["person.id"]),
        sa.ForeignKeyConstraint(["approved_by"], ["person.id"]),
        sa.CheckConstraint(
            "subject_id <> confirmed_by and subject_id <> approved_by"
            " and asked_by <> confirmed_by and asked_by <> approved_by"
            " and confirmed_by <> approved_by",
            name="access_change_three_people",
        ),
        sa.CheckConstraint(
            "approved_by is null or confirmed_by is not null", name="access_change_in_turn"
        ),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("ix_access_change_subject_id", "access_change", ["subject_id"])
    op.create_index(
        "access_change_open",
        "access_change",
        ["subject_id", "role", "unit_id", sa.text("(takes_grant_id is null)")],
        unique=True,
        postgresql_where=sa.text("open"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant select, insert, update, delete on access_change to {role}")


def downgrade() -> None:
    """Forget how grants came about; the grants stay."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("access_change")
    op.drop_constraint("role_grant_four_eyes", "role_grant")
    op.drop_column("unit", "urgent_access")
    for name in ("urgent", *_CASES, *_PEOPLE):
        op.drop_column("role_grant", name)
