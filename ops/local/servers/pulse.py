"""Whether Temporal and a worker do their work, which is more than answering.

A development server whose database is broken still accepts connections and describes its namespace,
and a worker that hangs is still listed as asking for work. So a task is really done.
"""

import time
from datetime import timedelta
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import (
    Command,
    CompleteWorkflowExecutionCommandAttributes,
)
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import (
    CommandType,
    TaskQueueType,
    TimeoutType,
    WorkflowIdConflictPolicy,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionRequest,
    PollWorkflowTaskQueueRequest,
    RespondWorkflowTaskCompletedRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from clients.temporal.client import STANDING

PULSE = "medcab-pulse"
WITHIN = timedelta(seconds=5)
ASKED_WITHIN = 90
"""Seconds after which a worker that does not ask for work any more is taken for dead."""
TIMED_OUT = 3
"""Tries of one step that a worker took and never ended, beyond which it counts as broken."""


async def pulse(target: str, namespace: str) -> None:
    """Let Temporal start a workflow, hand out its task, take the result, and delete the workflow.

    Each of these is written to its database. Raises RPCError or RuntimeError where one fails.
    """
    client = await Client.connect(target, namespace=namespace)
    service, queue = client.workflow_service, TaskQueue(name=PULSE)
    await service.start_workflow_execution(
        StartWorkflowExecutionRequest(
            namespace=namespace,
            workflow_id=PULSE,
            workflow_type=WorkflowType(name="Pulse"),
            task_queue=queue,
            request_id=uuid4().hex,
            workflow_run_timeout=_seconds(60),
            # An unfinished one from before is terminated.
            workflow_id_conflict_policy=(
                WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
            ),
        ),
        timeout=WITHIN,
    )
    task = await service.poll_workflow_task_queue(
        PollWorkflowTaskQueueRequest(namespace=namespace, task_queue=queue, identity=PULSE),
        timeout=WITHIN,
    )
    if not task.task_token:
        raise RuntimeError("Temporal gave no task out")
    await service.respond_workflow_task_completed(
        RespondWorkflowTaskCompletedRequest(
            namespace=namespace,
            task_token=task.task_token,
            identity=PULSE,
            commands=[
                Command(
                    command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
                    complete_workflow_execution_command_attributes=(
                        CompleteWorkflowExecutionCommandAttributes()
                    ),
                )
            ],
        ),
        timeout=WITHIN,
    )
    await service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=namespace, workflow_execution=WorkflowExecution(workflow_id=PULSE)
        ),
        timeout=WITHIN,
    )


def _seconds(number: int) -> Duration:
    return Duration(seconds=number)


async def pollers(target: str, namespace: str, queue: str) -> set[str]:
    """Who asked for workflow tasks lately: `pid@host` each.

    Temporal lists them for five minutes, older ones are left out. Raises RPCError or RuntimeError.
    """
    client = await Client.connect(target, namespace=namespace)
    told = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        ),
        timeout=WITHIN,
    )
    since = time.time() - ASKED_WITHIN
    return {one.identity for one in told.pollers if one.last_access_time.seconds > since}


class TakenSteps:
    """The steps of standing workflows that one worker process took, looked at again and again.

    Tries count from the first that this process was seen to take: those before it timed out with
    another worker, for which the one that took its place is not to be replaced as well.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], int] = {}

    async def all_end(self, target: str, namespace: str, pid: int) -> bool:
        """Whether the worker completes what it takes: no step timed out with it repeatedly.

        Raises RPCError or RuntimeError.
        """
        taken = await _taken(target, namespace, pid)
        self._first = {key: self._first.get(key, step.attempt) for key, step in taken.items()}
        return not any(
            step.attempt - self._first[key] >= TIMED_OUT and _timed_out(step)
            for key, step in taken.items()
        )


async def _taken(
    target: str, namespace: str, pid: int
) -> dict[tuple[str, str], PendingActivityInfo]:
    """The steps that this process took last, by run and id."""
    client = await Client.connect(target, namespace=namespace)
    taken: dict[tuple[str, str], PendingActivityInfo] = {}
    for one in STANDING:
        try:
            told = await client.workflow_service.describe_workflow_execution(
                DescribeWorkflowExecutionRequest(
                    namespace=namespace, execution=WorkflowExecution(workflow_id=one.id)
                ),
                timeout=WITHIN,
            )
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                continue
            raise
        run = told.workflow_execution_info.execution.run_id
        for step in told.pending_activities:
            if step.last_worker_identity.startswith(f"{pid}@"):
                taken[run, step.activity_id] = step
    return taken


def _timed_out(step: PendingActivityInfo) -> bool:
    """Whether the try before this one ended without a word of its worker."""
    why = step.last_failure.timeout_failure_info.timeout_type
    return why in (TimeoutType.TIMEOUT_TYPE_HEARTBEAT, TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE)
