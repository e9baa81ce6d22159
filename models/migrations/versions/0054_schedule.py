"""The schedule: rooms, hours, appointments, and who or what is taken when.

Revision ID: 0054
Revises: 0053
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import TSTZRANGE

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
MINUTES = "starts >= 0 and starts < ends and ends <= 1440"


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), primary_key=True)


def _of(name: str, table: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _hours(table: str) -> tuple[sa.Column[object] | sa.CheckConstraint, ...]:
    """What a line of the week and an exception share."""
    return (
        _id(),
        _of("clinician_id", "person"),
        _of("unit_id", "unit"),
        _of("room_id", "room", nullable=True),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("ends", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        _of("added_by", "person"),
        sa.CheckConstraint(MINUTES, f"{table}_in_a_day"),
        sa.CheckConstraint("step between 5 and 480", f"{table}_step"),
    )


def upgrade() -> None:
    """Make the tables. Of two claims on one party only one can stand at any moment."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "room",
        _id(),
        _of("unit_id", "unit"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.UniqueConstraint("unit_id", "name"),
    )
    op.create_table(
        "working_hours",
        *_hours("working_hours"),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("weekday between 0 and 6", "working_hours_weekday"),
        sa.CheckConstraint("valid_until >= valid_from", "working_hours_valid"),
        sa.UniqueConstraint("clinician_id", "weekday", "starts", "valid_from"),
    )
    op.create_index("working_hours_of_unit", "working_hours", ["unit_id"])
    op.create_table(
        "hours_exception",
        *_hours("hours_exception"),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("taken_back_at", TIME, nullable=True),
    )
    op.create_index(
        "hours_exception_stands",
        "hours_exception",
        ["clinician_id", "day", "starts", "works"],
        unique=True,
        postgresql_where=sa.text("taken_back_at is null"),
    )
    op.create_table(
        "appointment",
        _id(),
        _of("clinician_id", "person"),
        _of("patient_id", "patient"),
        _of("room_id", "room", nullable=True),
        _of("unit_id", "unit"),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("wall", sa.DateTime(timezone=False), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        _of("booked_by", "person"),
        sa.Column("held_until", TIME, nullable=True),
        sa.Column("overbooked", sa.Boolean(), nullable=False),
        sa.Column(
            "moved_to",
            sa.Uuid(),
            sa.ForeignKey("appointment.id", deferrable=True, initially="DEFERRED"),
            nullable=True,
        ),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("looks_at", TIME, nullable=True),
        sa.CheckConstraint("starts_at < ends_at", "appointment_takes_time"),
        sa.CheckConstraint("(state = 'held') = (held_until is not null)", "appointment_held"),
        sa.CheckConstraint("(state = 'moved') = (moved_to is not null)", "appointment_moved"),
        sa.CheckConstraint("not overbooked or reason is not null", "appointment_overbooked"),
        sa.CheckConstraint(r"substr(reason, 1, 1) <> '\x01'::bytea", "appointment_reason_bound"),
    )
    for whose in ("clinician", "patient", "unit"):
        op.create_index(f"appointment_of_{whose}", "appointment", [f"{whose}_id", "starts_at"])
    op.create_index(
        "appointment_to_look_at",
        "appointment",
        ["looks_at"],
        postgresql_where=sa.text("looks_at is not null"),
    )
    # `exclude` with `=` needs an operator class for GiST, which plain uuid lacks without an
    # extension. Ranges have one.
    op.execute("create type uuidrange as range (subtype = uuid)")
    op.create_table(
        "claim",
        sa.Column(
            "appointment_id",
            sa.Uuid(),
            sa.ForeignKey("appointment.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("party", sa.Uuid(), primary_key=True),
        sa.Column("during", TSTZRANGE(), nullable=False),
        sa.CheckConstraint(
            "not isempty(during) and not lower_inf(during) and not upper_inf(during)",
            "claim_bounded",
        ),
    )
    op.execute(
        "alter table claim add constraint claim_taken_once exclude using gist"
        " (uuidrange(party, party, '[]') with =, during with &&)"
    )
    op.create_table(
        "appointment_act",
        _id(),
        _of("by", "person"),
        sa.Column("at", TIME, nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        _of("appointment_id", "appointment"),
    )
    op.create_index("ix_appointment_act_appointment_id", "appointment_act", ["appointment_id"])
    op.create_table(
        "waiting_wish",
        _id(),
        _of("patient_id", "patient"),
        _of("unit_id", "unit"),
        _of("clinician_id", "person", nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        _of("added_by", "person"),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.CheckConstraint(r"substr(note, 1, 1) <> '\x01'::bytea", "waiting_wish_note_bound"),
    )
    op.create_index("ix_waiting_wish_patient_id", "waiting_wish", ["patient_id"])
    op.create_index(
        "waiting_wish_open",
        "waiting_wish",
        ["unit_id", "patient_id", sa.text("coalesce(clinician_id, unit_id)")],
        unique=True,
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_table(
        "calendar_feed",
        _id(),
        _of("person_id", "person"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False, unique=True),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("read_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
    )
    op.create_index("ix_calendar_feed_person_id", "calendar_feed", ["person_id"])
    role = context.config.get_main_option("app_role") or "medcab"
    changed = "room, working_hours, hours_exception, appointment, waiting_wish, calendar_feed"
    op.execute(f"revoke all on {changed}, claim, appointment_act from {role}")
    op.execute(f"grant select, insert, update on {changed} to {role}")
    op.execute(f"grant select, insert, delete on claim to {role}")
    op.execute(f"grant select, insert on appointment_act to {role}")


def downgrade() -> None:
    """Forget the schedule."""
    op.execute("set local lock_timeout = '5s'")
    for table in (
        "calendar_feed",
        "waiting_wish",
        "appointment_act",
        "claim",
        "appointment",
        "hours_exception",
        "working_hours",
        "room",
    ):
        op.drop_table(table)
    op.execute("drop type uuidrange")
