"""The lock of an account as a durable workflow: it reminds whoever is awaited until it is open."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.account_locks import LockActivities as Activities
    from models.messages import LockLook, LockRef, WorkflowName
    from models.visibility import OpsText
    from workflows.looking import LookingWorkflow


@workflow.defn(name=WorkflowName.ACCOUNT_LOCK)
class LockedAccount(LookingWorkflow):
    """One lock."""

    @workflow.run
    async def run(self, ref: LockRef) -> None:
        """Look at the lock, and remind whoever is awaited, until it is open."""
        await self._look_until_over(lambda: self._look(ref), ref, "until the next reminder")

    async def _look(self, ref: LockRef) -> datetime | None:
        looked: LockLook = await workflow.execute_activity_method(
            Activities.look_at_lock,
            ref,
            start_to_close_timeout=timedelta(seconds=15),
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=10)),
            summary=OpsText("read the lock, and remind whoever is awaited"),
        )
        if looked.looks_at is None:
            workflow.set_current_details(OpsText("**the account is open**"))
        else:
            at = f"{looked.looks_at:%Y-%m-%d %H:%M} UTC"
            workflow.set_current_details(OpsText(f"**locked**, looks again: {at}"))
        return looked.looks_at
