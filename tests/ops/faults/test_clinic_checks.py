"""The checks of appointments and results find what they are there for."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from models.tables.results import LabResult
from models.tables.schedule import Appointment
from ops.faults.checks import CheckReport
from ops.faults.checks.clinic import APPOINTMENTS, TakenSpan, compare_taken, settled, takes, twice
from rules.ids import new_id
from rules.results.life import ResultState
from rules.schedule.states import AppointmentState

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
DOCTOR, OTHER = UUID(int=1), UUID(int=2)


def appointment(minutes: int, *, state: str = "booked", patient: UUID | None = None) -> Appointment:
    """Half an hour of one doctor, so many minutes after nine."""
    return Appointment(
        clinician_id=DOCTOR,
        patient_id=patient or new_id(),
        unit_id=UUID(int=3),
        starts_at=AT + timedelta(minutes=minutes),
        ends_at=AT + timedelta(minutes=minutes + 30),
        wall=AT.replace(tzinfo=None),
        zone="UTC",
        state=AppointmentState(state).value,
        changed_at=AT,
        booked_by=OTHER,
    )


def faults(rows: list[Appointment], claims: list[TakenSpan] | None = None) -> int:
    """How many faults are found where these claims are stored; without any, those that should."""
    report, wanted = CheckReport(), [one for row in rows for one in takes(row)]
    compare_taken(report, set(wanted), wanted if claims is None else claims)
    assert report.tried[APPOINTMENTS] == 4
    return len(report.faults[APPOINTMENTS])


def test_a_doctor_booked_twice_is_found() -> None:
    """Two appointments that meet, as they would stand without the constraint; neighbours do not."""
    assert faults([appointment(0), appointment(30)]) == 0
    assert faults([appointment(0), appointment(15)]) == 2
    assert faults([appointment(0), appointment(15, state="cancelled")]) == 0
    patient = new_id()
    long = TakenSpan(patient, AT, AT + timedelta(hours=3), DOCTOR)
    short = TakenSpan(patient, AT + timedelta(minutes=30), AT + timedelta(minutes=40), OTHER)
    last = TakenSpan(patient, AT + timedelta(hours=2), AT + timedelta(hours=4), OTHER)
    assert len(twice([last, short, long])) == 2


def test_a_claim_too_few_or_too_many_is_found() -> None:
    """A time that somebody else could book, and one that nobody can though nobody has it."""
    row = appointment(0)
    assert faults([row], takes(row)[1:]) == 1
    assert faults([], takes(row)) == 1


def test_a_result_that_is_nobodys_or_was_not_seen_is_found() -> None:
    """Each way in which a result could be lost, and those in which it is not."""

    def row(state: ResultState, **columns: Any) -> LabResult:
        return LabResult(
            id=UUID(int=9), number="F-1", unit_id=DOCTOR, urgency="other", version=2, opened_at=AT,
            state=state.value, **columns,
        )  # fmt: skip

    def is_well(one: LabResult, newest: int = 2, version: int = 2) -> bool:
        return settled(one, newest, {(one.id, version): DOCTOR})[0]

    awaiting = row(ResultState.AWAITING, answers_id=DOCTOR)
    assert is_well(awaiting)
    assert not is_well(awaiting, newest=3)
    assert not is_well(row(ResultState.UNMATCHED))
    confirmed = row(ResultState.CONFIRMED, confirmed_by=DOCTOR, confirmed_version=2)
    assert is_well(confirmed)
    assert not is_well(confirmed, version=1)
    assert not is_well(row(ResultState.CONFIRMED, confirmed_by=DOCTOR, confirmed_version=1))
    assert not is_well(row(ResultState.CONFIRMED, confirmed_by=OTHER, confirmed_version=2))
    assert is_well(row(ResultState.RETURNED, return_told_at=AT))
    assert not is_well(row(ResultState.RETURNED))
