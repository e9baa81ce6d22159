"""Results of the laboratory.

Revision ID: 0058
Revises: 0057
"""

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
OPEN = sa.text("state in ('unmatched', 'awaiting')")


def upgrade() -> None:
    """Make the tables."""
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "lab_result",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), sa.ForeignKey("unit.id"), nullable=False),
        _person("ordered_by", nullable=True),
        sa.Column("repeats_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patient.id"), nullable=True),
        _person("answers_id", nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("alarms", sa.Integer(), nullable=False),
        sa.Column("escalated_at", TIME, nullable=True),
        sa.Column("confirmed_version", sa.Integer(), nullable=True),
        _person("confirmed_by", nullable=True),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.Column("return_reason", sa.LargeBinary(), nullable=True),
        sa.Column("return_told_at", TIME, nullable=True),
        sa.Column("looks_at", TIME, nullable=True),
        sa.Column("woken_at", TIME, nullable=True),
        sa.CheckConstraint("(answers_id is null) = (state = 'returned')", "lab_result_answered"),
        sa.CheckConstraint(
            "(patient_id is null) = (state in ('unmatched', 'returned'))", "lab_result_matched"
        ),
        sa.CheckConstraint(
            "(due_at is null) = (state in ('confirmed', 'returned'))", "lab_result_due"
        ),
        *_bound("lab_result", "number", "return_reason"),
    )
    op.create_index("lab_result_of_patient", "lab_result", ["patient_id", "opened_at"])
    for name, column in (("lab_result_waits", "answers_id"), ("lab_result_of_unit", "unit_id")):
        op.create_index(name, "lab_result", [column, "due_at"], postgresql_where=OPEN)
    op.create_index("ix_lab_result_looks_at", "lab_result", ["looks_at"])
    op.create_table(
        "lab_version",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _result(),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("heard_at", TIME, nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("result_id", "number"),
        *_bound("lab_version", "said"),
    )
    op.create_table(
        "lab_match",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _result(),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patient.id"), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        _person("made_by", nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        _person("ended_by", nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        *_bound("lab_match", "reason"),
    )
    op.create_index(
        "lab_match_one",
        "lab_match",
        ["result_id"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index("lab_match_of_patient", "lab_match", ["patient_id"])
    op.create_table(
        "lab_reading",
        sa.Column("match_id", sa.Uuid(), sa.ForeignKey("lab_match.id"), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_table(
        "lab_confirmation",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _result(index=True),
        sa.Column("match_id", sa.Uuid(), sa.ForeignKey("lab_match.id"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _person("by"),
        sa.Column("at", TIME, nullable=False),
        sa.Column("next_step", sa.String(), nullable=False),
        sa.Column("follows", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("match_id", "version"),
        sa.ForeignKeyConstraint(
            ["match_id", "by", "version"],
            ["lab_reading.match_id", "lab_reading.person_id", "lab_reading.version"],
            "lab_confirmation_seen",
        ),
        _of_version("lab_confirmation_version"),
        *_bound("lab_confirmation", "follows"),
    )
    op.create_table(
        "lab_offer",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _result(),
        _person("from_id"),
        _person("to_id"),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("lapses_at", TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.CheckConstraint("from_id <> to_id", "lab_offer_two"),
        sa.CheckConstraint("(state = 'offered') = (ended_at is null)", "lab_offer_ended"),
        *_bound("lab_offer", "reason"),
    )
    offered = sa.text("state = 'offered'")
    op.create_index(
        "lab_offer_one", "lab_offer", ["result_id"], unique=True, postgresql_where=offered
    )
    op.create_index("lab_offer_to", "lab_offer", ["to_id"], postgresql_where=offered)
    op.create_table(
        "lab_call",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _result(index=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rang", sa.Boolean(), nullable=False),
        sa.Column("told_at", TIME, nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        _person("by"),
        sa.Column("at", TIME, nullable=False),
        _of_version("lab_call_version"),
        sa.CheckConstraint("(told_at is null) = (not rang)", "lab_call_told"),
        *_bound("lab_call", "words"),
    )
    role = context.config.get_main_option("app_role") or "medcab"
    changed = "lab_result, lab_match, lab_offer"
    added = "lab_version, lab_reading, lab_confirmation, lab_call"
    op.execute(f"revoke all on {changed}, {added} from {role}")
    op.execute(f"grant select, insert, update on {changed} to {role}")
    op.execute(f"grant select, insert on {added} to {role}")


def _person(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey("person.id"), nullable=nullable)


def _result(*, index: bool = False) -> sa.Column[Any]:
    return sa.Column(
        "result_id", sa.Uuid(), sa.ForeignKey("lab_result.id"), nullable=False, index=index
    )


def _of_version(name: str) -> sa.ForeignKeyConstraint:
    there = ["lab_version.result_id", "lab_version.number"]
    return sa.ForeignKeyConstraint(["result_id", "version"], there, name)


def _bound(table: str, *columns: str) -> list[sa.CheckConstraint]:
    """Encrypted values are bound to their row."""
    return [
        sa.CheckConstraint(f"substr({one}, 1, 1) <> '\\x01'::bytea", f"{table}_{one}_bound")
        for one in columns
    ]


def downgrade() -> None:
    """Forget the results; the journal still says what was done."""
    op.execute("set local lock_timeout = '5s'")
    for table in ("call", "offer", "confirmation", "reading", "match", "version", "result"):
        op.drop_table(f"lab_{table}")
