"""A worker that never ends what it takes is found out; the one after it is left alone (O3)."""

from uuid import uuid4

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueRequest
from temporalio.client import Client
from temporalio.worker import Worker

from clients.temporal.client import StandingWorkflow
from models.messages import WorkflowName
from models.visibility import OpsText
from ops.local.servers import pulse
from ops.local.servers.pulse import TIMED_OUT, TakenSteps
from tests.ops.left_lying import HasStep

FROZEN, NEXT = 1111, 2222


async def test_a_worker_is_not_blamed_for_what_another_left_lying(
    temporal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen worker lets a step time out until it is replaced. The worker in its place takes the
    step too, and is replaced only when it has let it time out as often itself."""
    id_, queue = uuid4().hex, uuid4().hex
    standing = StandingWorkflow(WorkflowName.SWEEPER, id_, OpsText(""))
    monkeypatch.setattr(pulse, "STANDING", (standing,))
    target = temporal.service_client.config.target_host
    frozen, after = TakenSteps(), TakenSteps()

    async def taken_by(pid: int) -> int:
        """Take the step, and say nothing more; which try it is."""
        asked = PollActivityTaskQueueRequest(
            namespace=temporal.namespace,
            task_queue=TaskQueue(name=queue),
            identity=f"{pid}@machine",
        )
        return (await temporal.workflow_service.poll_activity_task_queue(asked)).attempt

    async with Worker(temporal, task_queue=f"{queue}-runs", workflows=[HasStep]):
        handle = await temporal.start_workflow(
            HasStep.run, queue, id=id_, task_queue=f"{queue}-runs"
        )
        for number in range(1, TIMED_OUT + 2):
            assert await taken_by(FROZEN) == number
            held = await frozen.all_end(target, temporal.namespace, FROZEN)
            assert held is (number <= TIMED_OUT)
        for number in range(1, TIMED_OUT + 2):
            assert await taken_by(NEXT) == TIMED_OUT + 1 + number
            held = await after.all_end(target, temporal.namespace, NEXT)
            assert held is (number <= TIMED_OUT)
        await handle.terminate("the test is over")
