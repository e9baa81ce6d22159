"""A workflow with a step that its workers take and never end."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy


@workflow.defn
class HasStep:
    """Lets one step be tried again and again."""

    @workflow.run
    async def run(self, queue: str) -> None:
        """Wait for the step, which workers of this queue take."""
        await workflow.execute_activity(
            "step",
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=1),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=10), backoff_coefficient=1
            ),
        )
