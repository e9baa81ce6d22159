"""What ops read of a case in the Temporal UI."""

from datetime import UTC, datetime
from uuid import uuid4

from models.messages import CaseState
from rules.cases import Party, Status
from rules.terms import in_zone
from workflows.applications import QualificationApplication


def test_the_term_is_written_by_the_clock_that_ends_it() -> None:
    """The day that the applicant and the desk read, with its zone."""
    state = CaseState(
        case_id=uuid4(),
        number="ПК-2026-000123-0",
        type="qualification",
        unit="ward",
        status=Status.IN_REVIEW,
        step=2,
        open=True,
        waits_for=Party.REVIEWER,
        due_at=in_zone(datetime(2026, 12, 2, 22, tzinfo=UTC), "Europe/Kaliningrad"),
        term_zone="Europe/Kaliningrad",
    )
    heard = CaseState.model_validate_json(state.model_dump_json())
    details = QualificationApplication()._details(heard)
    assert "due: 2026-12-02 24:00 Europe/Kaliningrad" in details
