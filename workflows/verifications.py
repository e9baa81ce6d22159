"""The verification of an account as a durable workflow: it does what the status asks."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.verifications import VerificationActivities as Activities
    from models.messages import CaseRef, CaseState
    from rules.cases.process import Party, Status, Transition
    from rules.cases.verifications import VERIFICATION
    from workflows.cases import ReviewedWorkflow


@workflow.defn(name=VERIFICATION.workflow)
class AccountVerification(ReviewedWorkflow):
    """One verification, from its documents to the confirmed account."""

    @workflow.run
    async def run(self, ref: CaseRef) -> CaseState:
        """Run until the verification is closed."""
        return await self._live(ref)

    async def _step(self, case: CaseState) -> CaseState:
        """Do what the status asks for."""
        match case.status:
            case Status.CHECKING if case.waits_for is Party.IDENTITY_REGISTER:
                return await self._signalled_or_at(case, self._check)
            case Status.CHECKING:
                return await self._check(case)
            case Status.APPROVED if case.wakes_at is None or case.wakes_at <= workflow.now():
                return await self._settle(case)
            case Status.APPROVED:
                return await self._signalled_or_at(case, self._settle)
            case _:
                return await self._signalled_or_at(case, self._wake)

    async def _signalled(self, case: CaseState) -> CaseState:
        # Whatever the signal was, an approved case reads its steps anew.
        if case.status is Status.APPROVED or self._signals[-1].signal == Transition.APPROVE:
            return await self._settle(case)
        return await super()._signalled(case)

    async def _check(self, case: CaseState) -> CaseState:
        return await self._do(Activities.check_identity, case, "check files, ask the register")

    async def _wake(self, case: CaseState) -> CaseState:
        return await self._do(Activities.wake_verification, case, "remind or lapse, by the term")

    async def _settle(self, case: CaseState) -> CaseState:
        heard = self._heard(case.case_id)
        return await self._do(
            Activities.settle_verification, heard, "see which steps are done, raise the account"
        )

    def _then(self, case: CaseState) -> str | None:
        match case.status:
            case Status.CHECKING if case.waits_for is Party.IDENTITY_REGISTER:
                return "ask the register again"
            case Status.IN_REVIEW | Status.APPROVED:
                return "remind"
            case Status.CLARIFICATION:
                return Transition.LAPSE
            case _:
                return None
