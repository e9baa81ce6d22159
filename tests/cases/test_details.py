"""What ops read of a case in the Temporal UI."""

from datetime import UTC, datetime
from uuid import uuid4

from models.messages import CaseState
from models.visibility import NUMBER, attributes_of, changes_of
from rules.cases.process import Party, Status
from rules.cases.terms import in_zone
from workflows.applications import QualificationApplication


def test_ops_read_number_state_and_term_in_one_language() -> None:
    """English, as all of the Temporal UI; the day that the applicant and the desk read, with its
    zone. The number is a search attribute too, also of runs that began before there was one."""
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
    assert "**ПК-2026-000123-0: in review**" in details
    assert details.replace(state.number, "").isascii()
    assert attributes_of(heard)[NUMBER] == state.number
    assert NUMBER.value_set(state.number) in changes_of(heard)
