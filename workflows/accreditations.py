"""A periodic accreditation as a durable workflow: checked, forwarded, decided by the centre."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.accreditations import AccreditationActivities as Activities
    from models.messages import CaseRef, CaseState
    from rules.cases.accreditations import ACCREDITATION, AT_THE_CENTRE
    from rules.cases.process import Party, Status, Transition
    from workflows.cases import ReviewedWorkflow

AT_LENGTH = timedelta(minutes=5)
"""A portfolio of many pages is drawn for minutes."""
BEATING_WITHIN = timedelta(seconds=10)
"""Without a heartbeat for so long the worker counts as dead, and another one takes the work."""


@workflow.defn(name=ACCREDITATION.workflow)
class PeriodicAccreditation(ReviewedWorkflow):
    """One accreditation, from its documents to the decision of the commission."""

    @workflow.run
    async def run(self, ref: CaseRef) -> CaseState:
        """Run until the accreditation is decided, or closed otherwise."""
        return await self._live(ref)

    async def _step(self, case: CaseState) -> CaseState:
        """Do what the status asks for."""
        match case.status:
            case Status.CHECKING:
                return await self._do(Activities.check_portfolio, case, "check hours and files")
            case Status.APPROVED if case.waits_for is Party.FEDERAL_CENTRE:
                return await self._signalled_or_at(case, self._forward)
            case Status.APPROVED:
                return await self._forward(case)
            case Status.FORWARDED | Status.WITH_COMMISSION:
                return await self._signalled_or_at(case, self._tend)
            case _:
                return await self._signalled_or_at(case, self._wake)

    async def _signalled(self, case: CaseState) -> CaseState:
        # After an approval the portfolio is next. That activity reads the case itself.
        if case.status is Status.APPROVED or self._signals[-1].signal == Transition.APPROVE:
            return await self._forward(case)
        if case.status in AT_THE_CENTRE:
            return await self._tend(case)
        return await super()._signalled(case)

    async def _wake(self, case: CaseState) -> CaseState:
        return await self._do(
            Activities.wake_accreditation, case, "remind, escalate or lapse, by the term"
        )

    async def _forward(self, case: CaseState) -> CaseState:
        return await self._at_length(
            Activities.forward_portfolio, case, "make, sign and send the portfolio"
        )

    async def _tend(self, case: CaseState) -> CaseState:
        return await self._at_length(
            Activities.tend_accreditation, case, "ask the centre, see to the term"
        )

    async def _at_length(self, activity: Any, case: CaseState, summary: str) -> CaseState:
        """Run an activity that talks to the centre: it may take long, but sends heartbeats."""
        heard = self._heard(case.case_id)
        return await self._given_out(
            activity, heard, summary, within=AT_LENGTH, beating_within=BEATING_WITHIN
        )

    def _then(self, case: CaseState) -> str | None:
        match case.status:
            case Status.APPROVED if case.waits_for is Party.FEDERAL_CENTRE:
                return "send the portfolio again"
            case Status.IN_REVIEW | Status.FORWARDED | Status.WITH_COMMISSION:
                return "escalate"
            case Status.CLARIFICATION:
                return Transition.LAPSE
            case _:
                return None
