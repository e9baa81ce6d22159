"""Patients, links between them, and who opened and saw their records.

Revision ID: 0052
Revises: 0047
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0052"
down_revision = "0047"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ENCRYPTED = {
    "patient": ("name", "birth_date", "sex", "snils", "policy", "phone", "email"),
    "patient_link": ("reason", "end_reason"),
    "patient_opening": ("words",),
}


def upgrade() -> None:
    """Make the tables."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "patient",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("unit_id", sa.Uuid(), sa.ForeignKey("unit.id"), nullable=False, index=True),
        sa.Column("version", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.LargeBinary(), nullable=name not in ("name", "birth_date", "sex"))
            for name in ENCRYPTED["patient"]
        ),
        sa.Column("name_blind", sa.String(), nullable=False),
        sa.Column("birth_blind", sa.String(), nullable=False),
        sa.Column("snils_blind", sa.String(), nullable=True, unique=True),
        sa.Column("policy_blind", sa.String(), nullable=True, unique=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        *_bound("patient"),
    )
    for column in ("name_blind", "birth_blind", "snils_blind", "policy_blind"):
        unique = "unique " if column in ("snils_blind", "policy_blind") else ""
        for place, name in ((1, "first"), (2, "second")):
            part = f"split_part({column}, '.', {place})"
            op.execute(
                f"create {unique}index patient_{column}_{name} on patient ({part})"
                f" where {part} <> ''"
            )
    op.create_table(
        "patient_link",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("from_id", sa.Uuid(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("to_id", sa.Uuid(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column("made_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("made_at", TIME, nullable=True),
        sa.Column("ended_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("end_reason", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("from_id <> to_id", name="patient_link_two"),
        sa.CheckConstraint("made_by <> proposed_by", name="patient_link_four_eyes"),
        sa.CheckConstraint("(made_by is null) = (made_at is null)", name="patient_link_made"),
        sa.CheckConstraint("(ended_by is null) = (ended_at is null)", name="patient_link_ended"),
        *_bound("patient_link"),
    )
    lives = sa.text("ended_at is null")
    op.create_index(
        "patient_link_open", "patient_link", ["from_id"], unique=True, postgresql_where=lives
    )
    op.create_index("patient_link_to", "patient_link", ["to_id"], postgresql_where=lives)
    op.create_table(
        "patient_opening",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("emergency", sa.Boolean(), nullable=False),
        sa.Column("ground", sa.String(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.CheckConstraint("emergency = (ground is null)", name="patient_opening_ground"),
        sa.CheckConstraint(
            "ends_at > at and ends_at <= at + interval '3 hours'", name="patient_opening_ends"
        ),
        *_bound("patient_opening"),
    )
    op.create_index("patient_opening_of", "patient_opening", ["person_id", "patient_id", "ends_at"])
    op.create_index("patient_opening_of_patient", "patient_opening", ["patient_id", "at"])
    op.create_table(
        "patient_view",
        sa.Column("id", sa.Uuid(), sa.ForeignKey("record_view.id"), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("opening_id", sa.Uuid(), sa.ForeignKey("patient_opening.id"), nullable=True),
    )
    op.create_index("patient_view_of_patient", "patient_view", ["patient_id", "at"])
    op.create_index("patient_view_by_person", "patient_view", ["person_id", "at"])
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"revoke all on patient, patient_link, patient_opening, patient_view from {role}")
    op.execute(f"grant select, insert, update on patient, patient_link to {role}")
    op.execute(f"grant select, insert on patient_opening, patient_view to {role}")


def _bound(table: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(f"substr({name}, 1, 1) <> '\\x01'::bytea", f"{table}_{name}_bound")
        for name in ENCRYPTED[table]
    ]


def downgrade() -> None:
    """Patients are lost; the journal still says what was done."""
    op.execute("set local lock_timeout = '5s'")
    for table in ("patient_view", "patient_opening", "patient_link", "patient"):
        op.drop_table(table)
