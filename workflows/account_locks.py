"""The lock of an account as a durable workflow: it reminds whoever is awaited until it is open."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.account_locks import LockActivities as Activities
    from models.messages import WAKE_UP, LockLook, LockRef, WorkflowName
    from models.visibility import OpsText

LOOKS = 100
"""After so many looks a new run keeps the history short."""


@workflow.defn(name=WorkflowName.ACCOUNT_LOCK)
class LockedAccount:
    """One lock. The row in the database says how far it is, so a run may start at any point."""

    def __init__(self) -> None:
        self._woken = False

    @workflow.run
    async def run(self, ref: LockRef) -> None:
        """Look at the lock whenever its time has come, or somebody acted, until it is open."""
        for _ in range(LOOKS):
            self._woken = False
            looked: LockLook = await workflow.execute_activity_method(
                Activities.look_at_lock,
                ref,
                start_to_close_timeout=timedelta(seconds=15),
                retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=10)),
                summary=OpsText("read the lock, and remind whoever is awaited"),
            )
            if looked.looks_at is None:
                workflow.set_current_details(OpsText("**the account is open**"))
                return
            at = f"{looked.looks_at:%Y-%m-%d %H:%M} UTC"
            workflow.set_current_details(OpsText(f"**locked**, looks again: {at}"))
            wait = max(looked.looks_at - workflow.now(), timedelta(0))
            try:
                await workflow.wait_condition(
                    lambda: self._woken,
                    timeout=wait,
                    timeout_summary=OpsText("until the next reminder"),
                )
            except TimeoutError:
                continue
        workflow.continue_as_new(ref)

    @workflow.signal(name=WAKE_UP)
    def wake_up(self) -> None:
        """Somebody acted on the lock."""
        self._woken = True
