"""The standing workflow that rings the cases whom nobody rang."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.sweeper import SweeperActivities
    from models.messages import WorkflowName
    from models.visibility import OpsText

ROUNDS = 20


@workflow.defn(name=WorkflowName.SWEEPER)
class Sweeper:
    """One long heartbeating walk after another; a new run now and then keeps histories short."""

    @workflow.run
    async def run(self) -> None:
        """Walk for ever."""
        workflow.set_current_details(OpsText("rings open cases whose time has come"))
        for _ in range(ROUNDS):
            try:
                await workflow.execute_activity_method(
                    SweeperActivities.sweep,
                    start_to_close_timeout=timedelta(minutes=15),
                    heartbeat_timeout=timedelta(seconds=30),
                    retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=10)),
                    summary=OpsText("ring what is late"),
                )
            except ActivityError:
                await workflow.sleep(timedelta(seconds=5))
        workflow.continue_as_new()
