"""A worker that dies while it talks to the module is missed within seconds, not at the timeout."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.requests import RequestActivities
from activities.shifts import BEAT
from models.messages import CaseRef, CaseState, Look, case_workflow_id
from rules.cases.process import CaseKind, Party, Status
from services.requests import handover
from tests.requests.living import asked_until
from tests.shared.counter import Counter
from workflows.requests import BEATING_WITHIN


async def test_work_at_the_module_heartbeats(
    bureau: Counter, temporal: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """Whatever a request has done at the module is scheduled with a short heartbeat timeout."""
    case_id = await bureau.sent()
    await asked_until(bureau, case_id, Status.READY)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id, CaseKind.REQUEST))
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in (await handle.fetch_history()).events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    allowed = {
        one.heartbeat_timeout.ToTimedelta()
        for one in scheduled
        if one.activity_type.name in ("hand_over_request", "tend_request")
    }
    assert allowed == {BEATING_WITHIN}


async def test_slow_work_goes_on_beating(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that takes longer than a beat is not taken for dead."""
    case_id = uuid4()
    state = CaseState(
        case_id=case_id,
        number="",
        type="",
        unit="",
        status=Status.ACCEPTED,
        step=1,
        open=True,
        waits_for=Party.ADDRESSEE,
    )

    async def slow(*_: Any) -> CaseState:
        await asyncio.sleep(BEAT * 1.2)
        return state

    monkeypatch.setattr(handover, "hand_over", slow)
    beats: list[tuple[Any, ...]] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details)
    activities = RequestActivities(None)  # type: ignore[arg-type]
    look = Look(case=CaseRef(case_id=case_id))
    assert await environment.run(activities.hand_over_request, look) == state
    assert len(beats) == 2
