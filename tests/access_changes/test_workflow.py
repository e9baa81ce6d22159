"""Changes of rights on a real Temporal with a real worker: each way that one can go."""

import pytest
from temporalio.client import Client

from clients.database import Database
from clients.temporal.client import CaseSignaller
from models.messages import case_workflow_id
from rules.cases.process import CaseKind, Status
from settings import Settings
from tests.shared.office import Office
from tests.workflows.recording_rights import RightsRecorder

ENDS = {
    "rights-given": Status.APPROVED,
    "rights-refused": Status.REJECTED,
    "rights-withdrawn": Status.WITHDRAWN,
    "rights-confirmed-anew": Status.APPROVED,
}


@pytest.mark.parametrize("story", ENDS)
async def test_a_change_lives_as_a_workflow(
    settings: Settings, database: Database, temporal: Client, worker: None, story: str
) -> None:
    """The run ends where the case stands; the clock escalates, and asks anew what has lapsed."""
    office = await Office.open(database, CaseSignaller(temporal, settings.task_queue))
    lived = RightsRecorder(settings, database, temporal, office)
    case_id = await lived.stories()[story]()
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.ACCESS_CHANGE))
    ended = await handle.result()
    case = await office.case(case_id)
    assert (ended["status"], ended["step"]) == (ENDS[story], case.step)
    assert case.status == ENDS[story]
