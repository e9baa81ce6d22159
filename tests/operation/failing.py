"""Workflows that fail, so that a worker has failures to tell Prometheus of."""

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.exceptions import ActivityError, ApplicationError


@activity.defn
async def fail() -> None:
    """Fail for good."""
    raise ApplicationError("on purpose", non_retryable=True)


@workflow.defn
class MeetsFailure:
    """Bears what its activity does."""

    @workflow.run
    async def run(self) -> None:
        """Try once."""
        try:
            await workflow.execute_activity(fail, start_to_close_timeout=timedelta(seconds=5))
        except ActivityError:
            return


@workflow.defn
class FailsTasks:
    """Cannot go on: a mistake in its code."""

    @workflow.run
    async def run(self) -> None:
        """Raise what no workflow should."""
        raise RuntimeError("on purpose")
