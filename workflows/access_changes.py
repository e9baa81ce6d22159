"""The life of a change of rights as a durable workflow: it waits for a head, then for security."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.access_changes import AccessActivities as Activities
    from models.messages import ActRef, CaseRef, CaseState
    from rules.cases.access_changes import ACCESS_CHANGE
    from rules.cases.process import Transition
    from workflows.cases import CaseWorkflow


@workflow.defn(name=ACCESS_CHANGE.workflow)
class AccessChange(CaseWorkflow):
    """One change of rights, from the wish to the last decision."""

    @workflow.run
    async def run(self, ref: CaseRef) -> CaseState:
        """Run until it is decided or withdrawn."""
        return await self._live(ref)

    async def _step(self, case: CaseState) -> CaseState:
        """Wait for a decision, and remind of it."""
        return await self._signalled_or_at(case, self._wake)

    async def _wake(self, case: CaseState) -> CaseState:
        return await self._do(
            Activities.wake_access_change, case, "look at the confirmation, remind or escalate"
        )

    def _then(self, case: CaseState) -> str | None:
        return "escalate"

    # The act may be missing: a bare signal that somebody typed by hand must not fail the task.
    @workflow.signal
    def confirm_access(self, act: ActRef | None = None) -> None:
        """The head of the unit confirmed; it is committed."""
        self._hear(Transition.CONFIRM_ACCESS, act)

    @workflow.signal
    def approve(self, act: ActRef | None = None) -> None:
        """Information security approved; the right is there."""
        self._hear(Transition.APPROVE, act)

    @workflow.signal
    def reject(self, act: ActRef | None = None) -> None:
        """Somebody refused; it is committed."""
        self._hear(Transition.REJECT, act)
