"""The workflow on a real Temporal with a real worker: what follows, and what hands cannot do."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy

from clients.database import Database
from clients.temporal.client import CaseSignaller, ops_view
from models.messages import ANEW, ActRef, CaseRef, case_workflow_id
from rules.cases.process import Status, Transition
from rules.clock import now
from services.cases import running, wakeups
from services.cases.acts import Act
from services.cases.signals import CaseSignals
from settings import Settings
from tests.shared.office import Heard, Office
from tests.shared.waiting import PATIENCE, until
from worker import build


@pytest.fixture
async def bureau(settings: Settings, database: Database, temporal: Client) -> Office:
    """An office whose acts ring real workflows."""
    return await Office.open(database, CaseSignaller(temporal, settings.task_queue))


async def stands_at(office: Office, case_id: UUID, status: Status) -> None:
    """Wait until the case stands there."""

    async def check() -> bool:
        return (await office.case(case_id)).status == status

    await until(check)


async def closed(office: Office, case_id: UUID) -> None:
    """Wait until the case is closed."""

    async def check() -> bool:
        return (await office.case(case_id)).closed_at is not None

    await until(check)


async def test_from_submission_to_the_signed_act(
    bureau: Office, temporal: Client, settings: Settings, worker: None
) -> None:
    """A3, A4, A5: submitted, checked, approved, and the act lies in the object store."""
    case_id = await bureau.submitted()
    await stands_at(bureau, case_id, Status.IN_REVIEW)
    await bureau.decide(case_id, Transition.APPROVE)
    await closed(bureau, case_id)
    result = await temporal.get_workflow_handle(case_workflow_id(case_id)).result()
    assert result["status"] == Status.APPROVED
    kinds = [entry.kind for entry in await bureau.journal(case_id)]
    assert kinds[-2:] == ["case.approved", "case.act_issued"]


async def test_clarified_answered_and_rejected(
    bureau: Office, temporal: Client, worker: None
) -> None:
    """A6: a clarification brings a new version and a new check; the history stays short. Ops find
    all runs by the number of the case, and read it in their details (O7)."""
    case_id = await bureau.submitted()
    await stands_at(bureau, case_id, Status.IN_REVIEW)
    await bureau.decide(case_id, Transition.CLARIFY)
    case = await bureau.case(case_id)
    await bureau.applications.save_draft(bureau.clinician, case_id, {"purpose": "Подробнее."})
    await bureau.applications.resubmit(bureau.clinician, case_id, Act(uuid4(), case.step))
    await stands_at(bureau, case_id, Status.IN_REVIEW)
    await bureau.decide(case_id, Transition.REJECT)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id))

    async def ended() -> bool:
        return (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED

    await until(ended)
    number = (await bureau.case(case_id)).number or ""

    async def all_are_found() -> bool:
        runs = {one.run_id async for one in temporal.list_workflows(f'WorkflowId = "{handle.id}"')}
        found = {one.run_id async for one in temporal.list_workflows(f'CaseNumber = "{number}"')}
        return bool(runs) and runs <= found

    await until(all_are_found)
    # A run that goes on anew has no summary of its own: Temporal keeps that of the first run.
    assert number in (await ops_view(temporal, handle.id)).details


async def test_acts_are_taken_while_no_worker_runs(
    bureau: Office, temporal: Client, settings: Settings, database: Database
) -> None:
    """Submissions and decisions are answered without workers; the rest follows when they return."""
    case_id = await bureau.submitted()
    assert (await bureau.case(case_id)).number
    async with build(settings, temporal, database):
        await stands_at(bureau, case_id, Status.IN_REVIEW)
    await bureau.decide(case_id, Transition.APPROVE)
    assert (await bureau.case(case_id)).status == Status.APPROVED
    async with build(settings, temporal, database):
        await closed(bureau, case_id)


async def test_signal_typed_by_hand_decides_nothing(
    bureau: Office, temporal: Client, worker: None
) -> None:
    """Nobody approves a case by talking to Temporal: it is journaled, and the case stays."""
    case_id = await bureau.submitted()
    await stands_at(bureau, case_id, Status.IN_REVIEW)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id))
    await handle.signal("approve", ActRef(act_id=uuid4()))

    async def journaled() -> bool:
        return any(e.kind == "case.signal_without_act" for e in await bureau.journal(case_id))

    await until(journaled)
    assert (await bureau.case(case_id)).status == Status.IN_REVIEW
    await bureau.decide(case_id, Transition.APPROVE)
    await closed(bureau, case_id)


async def test_cancel_from_outside_is_ignored(
    bureau: Office, temporal: Client, worker: None
) -> None:
    """Cancel in the Temporal UI closes nothing."""
    case_id = await bureau.submitted()
    await stands_at(bureau, case_id, Status.IN_REVIEW)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id))
    await handle.cancel()
    await bureau.decide(case_id, Transition.APPROVE)
    await closed(bureau, case_id)
    assert (await handle.result())["status"] == Status.APPROVED


async def test_terminated_workflow_is_started_again_by_the_sweeper(
    bureau: Office, temporal: Client, settings: Settings, database: Database, worker: None
) -> None:
    """Terminating loses nothing: the sweeper starts the workflow where the case stands."""
    case_id = await bureau.submitted()
    await stands_at(bureau, case_id, Status.IN_REVIEW)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id))
    await handle.terminate("by hand")
    past, soon = now() - timedelta(hours=1), now() + timedelta(hours=2)
    await bureau.set_times(case_id, wakes_at=past, due_at=soon, since=past - timedelta(days=20))
    await wakeups.sweep(
        database, CaseSignals(CaseSignaller(temporal, settings.task_queue)), grace=1.0
    )

    async def reminded() -> bool:
        return any(e.kind == "case.reminded" for e in await bureau.journal(case_id))

    await until(reminded)
    await bureau.decide(case_id, Transition.APPROVE)
    await closed(bureau, case_id)


async def test_lost_ring_is_made_good_by_the_sweeper(
    bureau: Office, temporal: Client, settings: Settings, database: Database, worker: None
) -> None:
    """An act whose ring never reached Temporal is followed all the same."""
    case_id = await bureau.submitted()
    await stands_at(bureau, case_id, Status.IN_REVIEW)
    bureau.reviews._signals.send = lambda case, signal: None  # type: ignore[method-assign]
    await bureau.decide(case_id, Transition.APPROVE)
    await asyncio.sleep(0.5)
    assert (await bureau.case(case_id)).closed_at is None
    await wakeups.sweep(
        database, CaseSignals(CaseSignaller(temporal, settings.task_queue)), grace=0.1
    )
    await closed(bureau, case_id)


async def test_run_that_finds_its_case_closed_ends_without_effect(
    bureau: Office, temporal: Client, settings: Settings, worker: None
) -> None:
    """A workflow may be started at any time, at any step."""
    case_id = await bureau.submitted()
    await stands_at(bureau, case_id, Status.IN_REVIEW)
    await bureau.decide(case_id, Transition.APPROVE)
    await closed(bureau, case_id)
    entries = len(await bureau.journal(case_id))
    result = await temporal.execute_workflow(
        "QualificationApplication",
        CaseRef(case_id=case_id),
        id=f"{case_workflow_id(case_id)}-again",
        task_queue=settings.task_queue,
    )
    assert result["open"] is False
    assert len(await bureau.journal(case_id)) == entries


async def test_running_case_says_whom_it_waits_for(
    bureau: Office, temporal: Client, worker: None
) -> None:
    """A8: «Получить обновление» is answered by the workflow itself, if it is not behind."""
    case_id = await bureau.submitted()
    await stands_at(bureau, case_id, Status.IN_REVIEW)

    async def answered() -> bool:
        answer = await running.present_state(temporal, await bureau.case(case_id))
        return answer is not None and answer.status is Status.IN_REVIEW

    await until(answered)
    case = await bureau.case(case_id)
    answer = await running.present_state(temporal, case)
    assert answer is not None
    assert (answer.waits_for, answer.then) == ("reviewer", "escalate")
    assert answer.until == case.due_at
    for behind, live in ((1, True), (0, True), (-1, False)):
        read = case.model_copy(update={"step": case.step - behind})
        told = await running.live_or_stored(temporal, read)
        assert (told[0], told[1].step) == (live, answer.step if live else read.step)


async def test_register_that_is_down_delays_and_never_rejects(
    bureau: Office, simulators: object, temporal: Client, settings: Settings, worker: None
) -> None:
    """While the register is down the case says so and waits; then the review opens."""
    import httpx

    async with httpx.AsyncClient(base_url=settings.register_url, timeout=PATIENCE) as register:
        await register.put("/faults", json={"mode": "fail"})
        try:
            case_id = await bureau.submitted()

            async def waits() -> bool:
                return (await bureau.case(case_id)).waits_for == "register"

            await until(waits)
        finally:
            await register.put("/faults", json={"mode": "ok"})
    await stands_at(bureau, case_id, Status.IN_REVIEW)


async def test_unknown_workflow_error_does_not_fail_the_run(
    bureau: Office, temporal: Client, settings: Settings, worker: None
) -> None:
    """A run never fails: a case that is not there makes it stuck, and it can be terminated."""
    handle = await temporal.start_workflow(
        "QualificationApplication",
        CaseRef(case_id=uuid4()),
        id=f"application-{uuid4()}",
        task_queue=settings.task_queue,
        execution_timeout=timedelta(seconds=2),
    )
    with pytest.raises(WorkflowFailureError):
        await handle.result()


async def test_case_that_never_answers_begins_anew_and_then_is_told_to_ops(
    bureau: Office, database: Database
) -> None:
    """After some rings its run is begun anew; when that does not help either, ops are told, and it
    is begun anew ever more rarely."""
    case_id = await bureau.submitted()
    heard = Heard()
    begun = [wakeups.UNANSWERED * times for times in (1, 2, 4)]
    for rings in range(1, begun[-1] + 1):
        await bureau.set_times(case_id, rung_at=None, wakes_at=now() - timedelta(hours=2))
        await wakeups.sweep(database, CaseSignals(heard), grace=1.0)
        ours = [signal.signal for state, signal in heard.signals if state.case_id == case_id]
        assert ours.count(ANEW) == len([times for times in begun if times <= rings])
        stuck = (await bureau.case(case_id)).stuck
        assert stuck == ("DoesNotAnswer" if rings >= begun[1] else None)
    kinds = [entry.kind for entry in await bureau.journal(case_id)]
    assert (kinds.count("case.begun_anew"), kinds.count("case.stuck")) == (3, 1)


@pytest.mark.parametrize("by_hand", ["NobodyKnowsIt", "QualificationApplication"])
async def test_run_started_by_hand_does_not_hold_its_case(
    bureau: Office,
    temporal: Client,
    database: Database,
    settings: Settings,
    by_hand: str,
    worker: None,
) -> None:
    """Started over the right one, of an unknown type or for another case: its tasks fail or it
    looks elsewhere, and rings move nothing. The sweeper begins anew, and the case goes on."""
    case_id = await bureau.submitted()
    await stands_at(bureau, case_id, Status.IN_REVIEW)
    handle = await temporal.start_workflow(
        by_hand,
        CaseRef(case_id=uuid4()),
        id=case_workflow_id(case_id),
        task_queue=settings.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
    )
    await bureau.decide(case_id, Transition.APPROVE)
    signals = CaseSignals(CaseSignaller(temporal, settings.task_queue))
    for _ in range(wakeups.UNANSWERED - 1):
        await bureau.set_times(case_id, rung_at=None, wakes_at=now() - timedelta(hours=2))
        await wakeups.sweep(database, signals, grace=1.0)
    assert (await bureau.case(case_id)).status == Status.APPROVED
    await bureau.set_times(case_id, rung_at=None, wakes_at=now() - timedelta(hours=2))
    await wakeups.sweep(database, signals, grace=1.0)
    await closed(bureau, case_id)
    by_id = temporal.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    assert (await by_id.describe()).status is WorkflowExecutionStatus.TERMINATED


async def test_reset_workflow_goes_on_where_the_case_stands(
    bureau: Office, temporal: Client, worker: None
) -> None:
    """Reset in the Temporal UI repeats activities, and changes nothing that is done already."""
    case_id = await bureau.submitted()
    await stands_at(bureau, case_id, Status.IN_REVIEW)
    handle = temporal.get_workflow_handle(case_workflow_id(case_id))
    first = await handle.describe()

    async def done() -> list[int]:
        return [
            event.event_id
            async for event in handle.fetch_history_events()
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        ]

    # The review is open before Temporal is told.
    await until(done)
    await temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=first.run_id),
            reason="by hand",
            workflow_task_finish_event_id=(await done())[0],
            request_id=str(uuid4()),
        )
    )
    entries = len(await bureau.journal(case_id))
    await bureau.decide(case_id, Transition.APPROVE)
    await closed(bureau, case_id)
    assert (await handle.describe()).run_id != first.run_id
    kinds = [entry.kind for entry in await bureau.journal(case_id)]
    assert kinds[entries:] == ["case.approved", "case.act_issued"]
