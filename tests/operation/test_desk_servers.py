"""The ops desk: servers that are up and do not work, and runs that cannot go on (O3, O4, O7)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError
from temporalio.worker import Worker

from cabinet.operation.pages import parts_seen
from clients.temporal.client import CaseSignaller, StandingWorkflow
from crypto import key_ring
from models.messages import ANEW
from models.visibility import OpsText
from ops.local.replacing import journal_replacing
from rules.access import Role
from rules.clock import now
from rules.operation.states import WORK_IS_SEEN_EVERY, Remedy, Trouble
from services.cases import wakeups
from services.cases.signals import CaseSignals
from services.operation import servers as operation_servers
from services.operation.desk import Desk as Shown
from services.operation.keeping import IDLE_LOOKS, StandingKeeper
from services.operation.metrics import MetricsSource
from services.operation.remedies import OperationActs
from services.operation.temporal_health import Engine, Standings, StandingState, WorkerSeen
from settings import Settings
from tests.operation.desk import GRACE, Desk
from tests.operation.failing import FailsTasks
from tests.shared.waiting import until
from words.formats import exact
from words.translation import Presentation, presented

WITHOUT_WORK = timedelta(seconds=80)


async def test_server_that_was_replaced_is_seen_for_a_day(
    desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor journals it, whose process has no keys of rows before; ops see which server,
    when and how often (O7)."""
    monkeypatch.setattr(key_ring, "_ring", None)
    for server in ("temporal", "worker-1", "temporal"):
        await asyncio.to_thread(journal_replacing, settings, server)
    lines = await desk.lines(Trouble.SERVER_REPLACED)
    assert {name: line.facts["times"] for name, line in lines.items()} == {
        "temporal": 2,
        "worker-1": 1,
    }
    assert lines["temporal"].since is not None
    assert (await MetricsSource(desk.office.database, GRACE).figures()).replaced == 3
    async with desk.office.database.work() as session:
        assert await operation_servers.replaced(session, now() + timedelta(hours=25)) == []


async def test_standing_workflow_that_does_nothing_is_seen(desk: Desk, temporal: Client) -> None:
    """Temporal answers and somebody asks for work, takes a task, and is never heard of again: the
    run is open, which is not to work."""
    handle = temporal.get_workflow_handle("journal-sealer")
    with suppress(RPCError):
        await handle.terminate("the test wants it ended")
    await desk.standings.start("journal-sealer")
    queue = TaskQueue(name=desk.standings.task_queue)
    asked = PollWorkflowTaskQueueRequest(
        namespace=temporal.namespace, task_queue=queue, identity="frozen"
    )
    taken = await temporal.workflow_service.poll_workflow_task_queue(asked)
    assert taken.workflow_execution.workflow_id == "journal-sealer"
    desk.standings.forget()
    engine = await desk.standings.known()
    assert engine is not None
    assert engine.workers == 1
    at = now()
    assert "journal-sealer" not in _idle(engine, at)
    assert engine.works(at)
    later = at + WORK_IS_SEEN_EVERY + timedelta(seconds=1)
    assert "journal-sealer" in _idle(engine, later)
    assert not engine.works(later)
    await handle.terminate("the test is over")


def _idle(engine: Engine, at: datetime) -> set[str]:
    return {
        line.subject
        for section in operation_servers.of_engine(engine, at)
        if section.trouble is Trouble.STANDING_IDLE
        for line in section.lines
    }


@pytest.mark.parametrize("held_by", ["foreign type", "no worker"])
async def test_standing_workflow_that_cannot_go_on_is_begun_anew(
    desk: Desk, temporal: Client, held_by: str
) -> None:
    """Started by hand under its id: no case would be woken again, and nobody would see why. A
    worker that looks begins it anew, ever more rarely where that does not help, and ops see it."""
    one = StandingWorkflow("Sweeper", f"sweeper-{uuid4().hex}", OpsText("wakes cases"))
    standings = Standings(temporal, f"nobody-{uuid4().hex}", [one])
    keeper = StandingKeeper(standings, desk.office.database)
    handle = temporal.get_workflow_handle(one.id)
    await temporal.start_workflow(
        "NoticesMail" if held_by == "foreign type" else one.workflow, id=one.id, task_queue="other"
    )
    at = now() if held_by == "foreign type" else now() + WORK_IS_SEEN_EVERY + WITHOUT_WORK
    runs = [(await handle.describe()).run_id]
    for _ in range(2):
        wanted = IDLE_LOOKS * len(runs)
        for number in range(1, wanted + 1):
            assert (await handle.describe()).run_id == runs[-1], number
            await keeper.look(at)
        described = await handle.describe()
        assert described.run_id != runs[-1]
        assert described.workflow_type == one.workflow
        assert described.task_queue == standings.task_queue
        runs.append(described.run_id)
        await keeper.look(now())
        assert (await handle.describe()).run_id == runs[-1], "one that works is left alone"
        at = now() + WORK_IS_SEEN_EVERY + WITHOUT_WORK
    line = (await desk.lines(Trouble.BEGUN_ANEW))[one.id]
    assert (line.workflow_id, line.name) == (one.id, one.id)
    await handle.terminate("the test is over")


async def test_what_the_desk_starts_takes_the_place_of_a_foreign_run(
    desk: Desk, temporal: Client
) -> None:
    """The remedy does what a worker would do minutes later (O7)."""
    one = StandingWorkflow("Sweeper", f"sweeper-{uuid4().hex}", OpsText("wakes cases"))
    standings = Standings(temporal, f"nobody-{uuid4().hex}", [one])
    await temporal.start_workflow("NoticesMail", id=one.id, task_queue="other")
    [state] = await standings.states()
    assert not state.works(now())
    engine = Engine(standings.task_queue, [WorkerSeen("1@a", now())], [state])
    [section] = operation_servers.of_engine(engine, now())
    assert [(line.subject, line.remedy) for line in section.lines] == [(one.id, Remedy.START)]
    assert await standings.start(one.id)
    [state] = await standings.states()
    assert state.works(now())
    await temporal.get_workflow_handle(one.id).terminate("the test is over")


async def test_failing_workflow_tasks_are_seen_and_begun_anew(
    desk: Desk, temporal: Client, settings: Settings
) -> None:
    """A run that no worker can go on with is told apart from one that nobody heard, and the remedy
    ends it and begins another (O4, O7)."""
    case_id = await desk.office.in_review()
    other = await desk.office.in_review()
    workflow_id, queue = f"application-{case_id}", f"odd-{uuid4().hex}"
    for one in (case_id, other):
        await desk.office.set_times(one, wakes_at=now() - timedelta(minutes=5), rings=1)
    async with Worker(temporal, task_queue=queue, workflows=[FailsTasks]):
        handle = await temporal.start_workflow("NobodyKnowsIt", id=workflow_id, task_queue=queue)

        async def seen() -> bool:
            return str(case_id) in await desk.lines(Trouble.TASKS_FAILING)

        await until(seen, 60, every=0.5)
    line = (await desk.lines(Trouble.TASKS_FAILING))[str(case_id)]
    assert (line.workflow_id, line.remedy) == (workflow_id, Remedy.RETRY)
    unheard = await desk.lines(Trouble.ACT_UNHEARD)
    assert str(case_id) not in unheard
    assert str(other) in unheard
    signaller = CaseSignaller(temporal, queue)
    desk.acts = OperationActs(desk.office.database, CaseSignals(signaller), desk.standings)
    assert (await desk.do(Remedy.RETRY, case_id)).told
    first = temporal.get_workflow_handle(workflow_id, run_id=handle.first_execution_run_id)
    assert (await first.describe()).status is WorkflowExecutionStatus.TERMINATED
    anew = temporal.get_workflow_handle(workflow_id)
    described = await anew.describe()
    assert described.workflow_type == "QualificationApplication"
    assert described.status is WorkflowExecutionStatus.RUNNING
    assert str(case_id) not in await desk.lines(Trouble.RUN_ENDED)
    # Ended from outside, it waits for nothing that would say so: the desk does, and begins it anew.
    await anew.terminate()

    async def ended() -> bool:
        desk.standings.forget()
        return str(case_id) in await desk.lines(Trouble.RUN_ENDED)

    await until(ended, 30, every=0.5)
    assert (await desk.do(Remedy.RETRY, case_id)).told
    assert (await anew.describe()).status is WorkflowExecutionStatus.RUNNING
    await until(lambda: _not(ended), 30, every=0.5)
    await anew.terminate()
    await desk.office.set_times(case_id, closed_at=now())


async def _not(holds: Callable[[], Awaitable[bool]]) -> bool:
    return not await holds()


def test_each_part_says_when_it_was_seen_and_what_is_awaited() -> None:
    """A part that fell silent is told before it counts as trouble: nothing is well for certain but
    what was just seen (O7)."""
    at = now()
    moments = {"sweeper": at - timedelta(seconds=20), "notices-sms": at - timedelta(seconds=50)}
    standing = [StandingState(one, runs=True, worked_at=when) for one, when in moments.items()]
    standing.append(StandingState("journal-sealer", runs=False))
    workers = [WorkerSeen("1@a", at - timedelta(seconds=5)), WorkerSeen("2@b", at - WITHOUT_WORK)]
    shown = Shown(at, [], Engine("queue", workers, standing), at, None)
    assert shown.silent == ["2@b", "notices-sms"]
    again = replace(shown, engine=replace(shown.engine, seen=workers[:1]))  # type: ignore[type-var]
    assert shown.tag != again.tag, "an open page is told"
    with presented(Presentation("ru")):
        parts = {one.name: one for one in parts_seen(shown)}
        five_ago, awaited = exact(workers[0].asked_at), exact(at + timedelta(seconds=65))
    assert parts["Обработчик 1@a"].seen == five_ago
    assert parts["Обработчик 1@a"].awaited == f"запроса работы до {awaited}"
    tones = {name: one.tone for name, one in parts.items()}
    assert (tones["Обработчик 2@b"], tones["Обход дел, о которых забыли"]) == ("waiting", "good")
    assert (tones["Отправка SMS"], tones["Постановка печати журнала"]) == ("waiting", "bad")
    assert (tones["Печать журнала"], tones["Резервная копия"]) == ("good", "idle")


async def test_case_begun_anew_is_seen_for_a_day(desk: Desk) -> None:
    """The sweeper begins a run anew that does not answer: ops see which, and that is journaled."""
    case_id = await desk.office.in_review()
    for _ in range(wakeups.UNANSWERED):
        await desk.office.set_times(case_id, rung_at=None, wakes_at=now() - timedelta(hours=2))
        await wakeups.sweep(desk.office.database, CaseSignals(desk.heard), grace=1.0)
    assert desk.heard.signals[-1][1].signal == ANEW
    assert str(case_id) in await desk.lines(Trouble.BEGUN_ANEW)
    elsewhere = await desk.office.person("Дежурный", Role.OPS, desk.office.hr)
    assert str(case_id) not in await desk.lines(Trouble.BEGUN_ANEW, elsewhere)
