"""The life of an application as a durable workflow: while it is open, do what its status asks."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.applications import ApplicationActivities as Activities
    from models.messages import CaseRef, CaseState
    from rules.cases.applications import APPLICATION
    from rules.cases.process import Party, Status, Transition
    from workflows.cases import ReviewedWorkflow


@workflow.defn(name=APPLICATION.workflow)
class QualificationApplication(ReviewedWorkflow):
    """One application, from its submission to its enrolment certificate."""

    @workflow.run
    async def run(self, ref: CaseRef) -> CaseState:
        """Run until the application is closed."""
        return await self._live(ref)

    async def _step(self, case: CaseState) -> CaseState:
        """Do what the status asks for."""
        match case.status:
            case Status.CHECKING if case.waits_for is Party.REGISTER:
                return await self._signalled_or_at(case, self._check)
            case Status.CHECKING:
                return await self._check(case)
            case Status.IN_REVIEW | Status.CLARIFICATION:
                return await self._signalled_or_at(case, self._wake)
            case Status.APPROVED:
                return await self._issue_act(case)
            case _:
                return await self._signalled_or_at(case, self._wake)

    async def _signalled(self, case: CaseState) -> CaseState:
        # After an approval the certificate is next. That activity reads the case itself: no extra
        # look.
        if self._signals[-1].signal == Transition.APPROVE:
            return await self._issue_act(case)
        return await super()._signalled(case)

    async def _check(self, case: CaseState) -> CaseState:
        return await self._do(Activities.check, case, "check the version, open the review")

    async def _wake(self, case: CaseState) -> CaseState:
        return await self._do(Activities.wake, case, "remind, escalate or lapse, by the term")

    async def _issue_act(self, case: CaseState) -> CaseState:
        heard = self._heard(case.case_id)
        return await self._do(
            Activities.issue_act, heard, "make, sign and keep the enrolment certificate"
        )

    def _then(self, case: CaseState) -> str | None:
        match case.status:
            case Status.CHECKING if case.waits_for is Party.REGISTER:
                return "ask the register again"
            case Status.IN_REVIEW:
                return "escalate"
            case Status.CLARIFICATION:
                return Transition.LAPSE
            case _:
                return None
