"""Whether workers and the standing workflows run, asked of Temporal within a deadline."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from clients.temporal.client import STANDING, StandingWorkflow, ensure_standing
from models.visibility import KIND
from rules.cases.process import CaseKind
from rules.clock import now
from rules.operation.states import WORK_IS_SEEN_EVERY

log = structlog.get_logger(__name__)

PATIENCE = 2.0
KEPT = 5.0
"""How many seconds an answer stays valid: many people look at the desk, every four seconds."""
FAILED_TASKS = 3
"""After so many tries of one workflow task its code does not fit; one may fail as a worker ends."""

ASKED_WITHIN = 90
"""How many seconds after its last request for work a worker counts as dead."""
ENDED_WITHIN = timedelta(days=7)
ENDED_ASKED = 50
"""For how long, and for how many runs, ended runs are looked for."""


@dataclass(frozen=True)
class StandingState:
    """One standing workflow: whether it runs, and how often its present step was tried.

    `worked_at` is when it was last seen to work: a task was taken, finished or reported alive. A
    `foreign` run is of another type: somebody started it by hand under this id.
    """

    id: str
    runs: bool
    attempt: int = 0
    activity: str = ""
    worked_at: datetime | None = None
    foreign: bool = False

    def works(self, now: datetime) -> bool:
        """Whether it was seen to work lately; an open run alone does not prove that."""
        if not self.runs or self.foreign or self.worked_at is None:
            return False
        return _lately(self.worked_at, now)


@dataclass(frozen=True)
class WorkerSeen:
    """A process that works for the installation, and when it last asked for work."""

    name: str
    asked_at: datetime


@dataclass(frozen=True)
class Engine:
    """What Temporal says of an installation: its workers and its standing workflows."""

    task_queue: str
    seen: Sequence[WorkerSeen]
    standing: Sequence[StandingState]
    ended: frozenset[str] = frozenset()
    """Runs of cases that were terminated or failed lately, and have no other run."""

    @property
    def workers(self) -> int:
        """How many processes asked for work lately."""
        return len(self.seen)

    @property
    def worked_at(self) -> datetime | None:
        """When any standing workflow was last seen to work."""
        return max((one.worked_at for one in self.standing if one.worked_at), default=None)

    def works(self, now: datetime) -> bool:
        """Whether Temporal gave out work lately and a worker took it; an open port is no proof."""
        return any(one.works(now) for one in self.standing)

    def to_the_minute(self) -> "Engine":
        """The same with times to the minute, as shown: only a visible change is a difference."""
        return replace(
            self,
            seen=tuple(replace(one, asked_at=_minute(one.asked_at)) for one in self.seen),
            standing=tuple(
                replace(one, worked_at=_minute(one.worked_at)) if one.worked_at else one
                for one in self.standing
            ),
        )


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _lately(moment: datetime, now: datetime) -> bool:
    return now - moment <= WORK_IS_SEEN_EVERY


class Standings:
    """The standing workflows of an installation, as Temporal knows them."""

    def __init__(
        self, client: Client, task_queue: str, standing: Sequence[StandingWorkflow] = STANDING
    ) -> None:
        self._client = client
        self._standing = standing
        self.task_queue = task_queue
        self._asking = asyncio.Lock()
        self._known: tuple[float, Engine | None] = (-KEPT, None)

    async def known(self) -> Engine | None:
        """The state of the engine, at most five seconds old; None if Temporal does not answer."""
        async with self._asking:
            asked, known = self._known
            if time.monotonic() - asked >= KEPT:
                known = await self._ask()
                self._known = (time.monotonic(), known)
            return known

    async def failing(self, workflow_ids: Sequence[str]) -> set[str]:
        """The workflows whose tasks fail again and again; none if Temporal does not answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                asked = [self._tasks_fail(one) for one in workflow_ids]
                told = await asyncio.gather(*asked)
        except Exception as error:
            log.info("failing_not_known", error=type(error).__name__)
            return set()
        return {one for one, fails in zip(workflow_ids, told, strict=True) if fails}

    async def _tasks_fail(self, workflow_id: str) -> bool:
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            described = await handle.describe(rpc_timeout=timedelta(seconds=PATIENCE))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return described.raw_description.pending_workflow_task.attempt >= FAILED_TASKS

    def forget(self) -> None:
        """Ask Temporal again next time."""
        self._known = (-KEPT, None)

    async def states(self) -> list[StandingState]:
        """The standing workflows as they are now. Raises RPCError or TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            return await asyncio.gather(*map(self._one, self._standing))

    async def start(self, workflow_id: str) -> bool:
        """Start a standing workflow that does not run, or runs without doing anything.

        False if Temporal does not accept it.
        """
        try:
            states = {one.id: one for one in await self.states()}
        except Exception as error:
            log.info("standing_not_known", error=type(error).__name__)
            return False
        state = states[workflow_id]
        return await self.begin(workflow_id, anew=state.runs and not state.works(now()))

    async def begin(self, workflow_id: str, *, anew: bool) -> bool:
        """Start a standing workflow; with `anew` an open run is ended first.

        False if Temporal does not accept it.
        """
        chosen = [one for one in self._standing if one.id == workflow_id]
        try:
            async with asyncio.timeout(PATIENCE):
                await ensure_standing(self._client, self.task_queue, chosen, anew=anew)
        except Exception as error:
            log.warning("standing_not_started", workflow=workflow_id, error=type(error).__name__)
            return False
        self.forget()
        return True

    async def _ask(self) -> Engine | None:
        try:
            async with asyncio.timeout(PATIENCE):
                workers, ended, standing = await asyncio.gather(
                    self._workers(), self._ended(), self.states()
                )
        except Exception as error:
            log.info("standing_not_known", error=type(error).__name__)
            return None
        return Engine(self.task_queue, workers, standing, ended)

    async def _workers(self) -> list[WorkerSeen]:
        """The workers that asked for work lately; each process asks at least once a minute."""
        told = await self._client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self._client.namespace,
                task_queue=TaskQueue(name=self.task_queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            ),
            timeout=timedelta(seconds=PATIENCE),
        )
        since = time.time() - ASKED_WITHIN
        asked: dict[str, float] = {}
        for one in told.pollers:
            at = one.last_access_time.seconds + one.last_access_time.nanos / 1e9
            if at > since:
                asked[one.identity] = max(at, asked.get(one.identity, 0.0))
        return [
            WorkerSeen(name, datetime.fromtimestamp(at, UTC)) for name, at in sorted(asked.items())
        ]

    async def _ended(self) -> frozenset[str]:
        """Runs of cases that were terminated or failed lately, and were not begun anew.

        A case may wait in the database for days: until then nothing else shows that its run is
        missing.
        """
        since = (datetime.now(UTC) - ENDED_WITHIN).isoformat()
        kinds = ", ".join(f"'{kind.value}'" for kind in CaseKind)
        ended = {
            run.id
            async for run in self._client.list_workflows(
                f"{KIND.name} IN ({kinds}) AND CloseTime > '{since}' AND ExecutionStatus IN "
                "('Terminated', 'Failed', 'TimedOut', 'Canceled')",
                limit=ENDED_ASKED,
            )
        }
        if not ended:
            return frozenset()
        named = ", ".join(f"'{one}'" for one in sorted(ended))
        query = f"WorkflowId IN ({named}) AND ExecutionStatus = 'Running'"
        running = {run.id async for run in self._client.list_workflows(query)}
        return frozenset(ended - running)

    async def _one(self, one: StandingWorkflow) -> StandingState:
        handle = self._client.get_workflow_handle(one.id)
        try:
            described = await handle.describe(rpc_timeout=timedelta(seconds=PATIENCE))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return StandingState(one.id, runs=False)
            raise
        state = _state(one.id, described)
        return replace(state, foreign=described.workflow_type != one.workflow)


def _state(workflow_id: str, described: WorkflowExecutionDescription) -> StandingState:
    runs = described.status is WorkflowExecutionStatus.RUNNING
    pending = described.raw_description.pending_activities
    # A shift that a restart of the worker cut off is tried again too: that is no failure.
    failing = [one for one in pending if one.HasField("last_failure")]
    worst = max(failing, key=lambda one: one.attempt, default=None)
    worked_at = _worked_at(described)
    task = described.raw_description.pending_workflow_task
    if task.attempt >= FAILED_TASKS:
        return StandingState(workflow_id, runs, task.attempt, "workflow task", worked_at)
    if worst is None:
        return StandingState(workflow_id, runs, worked_at=worked_at)
    return StandingState(workflow_id, runs, worst.attempt, worst.activity_type.name, worked_at)


def _worked_at(described: WorkflowExecutionDescription) -> datetime:
    """When a worker was last seen in this run: a step begun, alive, or ended."""
    raw = described.raw_description
    heard: list[Timestamp] = []
    for step in raw.pending_activities:
        heard += [step.last_started_time, step.last_heartbeat_time]
        if step.attempt == 1 and not step.HasField("last_started_time"):
            heard.append(step.scheduled_time)  # when the workflow task before it ended
    if raw.HasField("pending_workflow_task"):
        task = raw.pending_workflow_task
        heard.append(task.original_scheduled_time)  # when the step before it ended
    seconds = [one.seconds + one.nanos / 1e9 for one in heard if one.seconds]
    return max([described.start_time, *(datetime.fromtimestamp(one, UTC) for one in seconds)])
