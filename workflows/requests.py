"""The life of a service request as a workflow: handed over, followed, answered (S3-S5)."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.requests import RequestActivities as Activities
    from models.messages import RECEIPT, ActRef, CaseRef, CaseState
    from rules.cases.process import Party, Status, Transition
    from rules.cases.requests import REQUEST
    from workflows.cases import CaseWorkflow

AT_LENGTH = timedelta(seconds=60)
BEATING_WITHIN = timedelta(seconds=10)
"""Without a heartbeat for so long the worker counts as dead, and another one takes the work."""


@workflow.defn(name=REQUEST.workflow)
class ServiceRequest(CaseWorkflow):
    """One request, from its submission to its answer; a correction after that begins a new run."""

    @workflow.run
    async def run(self, ref: CaseRef) -> CaseState:
        """Run until the request is answered, refused, or withdrawn with the addressee told."""
        return await self._live(ref)

    def _goes_on(self, case: CaseState) -> bool:
        # A signal that comes while the run ends may be a correction, which reopens the request.
        return case.open or case.owes or bool(self._signals)

    async def _step(self, case: CaseState) -> CaseState:
        """Do what the status asks for."""
        if not (case.open or case.owes):
            return await super()._signalled(case)
        match case.status:
            case Status.ACCEPTED if case.waits_for is Party.ADDRESSEE:
                return await self._signalled_or_at(case, self._hand_over)
            case Status.ACCEPTED:
                return await self._hand_over(case)
            case Status.WITHDRAWN if case.wakes_at is None:
                return await self._tend(case)
            case _:
                return await self._signalled_or_at(case, self._tend)

    async def _signalled(self, case: CaseState) -> CaseState:
        if case.status is Status.ACCEPTED:
            return await self._hand_over(case)
        return await self._tend(case)

    async def _hand_over(self, case: CaseState) -> CaseState:
        return await self._at_length(
            Activities.hand_over_request, case, "form, sign and encrypt the request, hand it over"
        )

    async def _tend(self, case: CaseState) -> CaseState:
        return await self._at_length(
            Activities.tend_request,
            case,
            "take acknowledgements, ask the gov service, see to the term",
        )

    async def _at_length(self, activity: Any, case: CaseState, summary: str) -> CaseState:
        """Run an activity that writes and sends papers: it takes long, but sends heartbeats."""
        heard = self._heard(case.case_id)
        return await self._given_out(
            activity, heard, summary, within=AT_LENGTH, beating_within=BEATING_WITHIN
        )

    def _turns(self, before: CaseState, case: CaseState) -> bool:
        """Whether the applicant corrected a request that was handed over: this begins a new run."""
        return before.status is Status.PROCESSING and case.status is Status.ACCEPTED

    def _then(self, case: CaseState) -> str | None:
        match case.status:
            case Status.ACCEPTED if case.waits_for is Party.ADDRESSEE:
                return "try the gov service again, escalate when due"
            case Status.PROCESSING:
                return "escalate"
            case Status.WITHDRAWN if case.owes:
                return "tell the gov service of the withdrawal"
            case _:
                return None

    # The act may be missing: a bare signal that somebody typed by hand must not fail the task.
    @workflow.signal
    def answer(self, act: ActRef | None = None) -> None:
        """People of the unit answered; the answer is committed."""
        self._hear(Transition.ANSWER, act)

    @workflow.signal
    def refuse(self, act: ActRef | None = None) -> None:
        """People of the unit refused; the refusal is committed."""
        self._hear(Transition.REFUSE, act)

    @workflow.signal(name=RECEIPT)
    def receipt(self, act: ActRef | None = None) -> None:
        """The gov service called back; its acknowledgement is stored."""
        self._hear(RECEIPT, act)
