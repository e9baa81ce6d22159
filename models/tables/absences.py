"""Absences of those who see patients: which appointments they displace, and what became of each."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, text
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id

_OPEN = text("done_at is null")
_UNDECIDED = text("outcome is null")


class AbsencePlan(SQLModel, table=True):
    """That the appointments of one absence are given to others. The id is that of the absence.

    The absence itself says on which days; it is deleted when it is withdrawn, and this stays.
    """

    __tablename__ = "absence_plan"
    __table_args__ = (
        Index("absence_plan_looks", "looks_at", postgresql_where=text("looks_at is not null")),
        Index("absence_plan_of_unit", "unit_id", "last_day"),
    )

    id: UUID = Field(primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    unit_id: UUID = Field(foreign_key="unit.id", description="The unit of that person then.")
    first_day: date = Field(description="As the absence said when it was last looked at.")
    last_day: date
    reason: str = Field(
        sa_column=Column(EncryptedText("absence_plan.reason"), nullable=False),
        description="One of `rules.absences.AbsenceReason`: an illness is nobody else's business.",
    )
    state: str = Field(description="One of `rules.absences.AbsenceState`.")
    version: int = Field(default=1, description="Counts changes of the days by people.")
    planned_by: UUID | None = Field(
        default=None,
        foreign_key="person.id",
        description="None: it was entered elsewhere, and its days are changed there.",
    )
    begun_at: datetime = Field(sa_column=utc_column())
    reminded: int = 0
    reminds_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    looks_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    woken_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class DisplacedAppointment(SQLModel, table=True):
    """One appointment whose clinician is absent: what is proposed, what people chose, who was told.

    Nobody is forgotten: until `done_at` it stands in the list of the unit.
    """

    __tablename__ = "displaced_appointment"
    __table_args__ = (
        CheckConstraint("(outcome is null) = (settled_at is null)", name="displaced_settled"),
        CheckConstraint("(outcome is null) = (telling is null)", name="displaced_telling"),
        CheckConstraint(
            "(to_clinician_id is null) = (to_starts_at is null)", name="displaced_proposal"
        ),
        CheckConstraint(
            "(done_at is null) = (coalesce(telling, 'sms') in ('sms', 'call'))",
            name="displaced_done",
        ),
        Index("displaced_once", "appointment_id", unique=True, postgresql_where=_UNDECIDED),
        Index("displaced_of_absence", "absence_id", "starts_at"),
        Index("displaced_open", "unit_id", "starts_at", postgresql_where=_OPEN),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    absence_id: UUID = Field(foreign_key="absence_plan.id")
    appointment_id: UUID = Field(foreign_key="appointment.id")
    unit_id: UUID = Field(foreign_key="unit.id", description="Of the appointment.")
    starts_at: datetime = Field(sa_column=utc_column(), description="Of the appointment.")
    version: int = 1
    to_clinician_id: UUID | None = Field(
        default=None,
        foreign_key="person.id",
        description="To whom it is proposed; None: nothing is free.",
    )
    to_starts_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    outcome: str | None = Field(
        default=None,
        description="One of `rules.absences.DisplacedOutcome`; None: nobody has decided.",
    )
    settled_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    settled_by: UUID | None = Field(default=None, foreign_key="person.id")
    telling: str | None = Field(
        default=None,
        description="How far the patient is told: one of `rules.absences.PatientTelling`.",
    )
    notice_id: UUID | None = Field(
        default=None, foreign_key="notice.id", ondelete="SET NULL", description="The message."
    )
    done_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
