"""Workflows changed as they must not be: another order of commands, without `workflow.patched`."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import CaseRef, CaseState, WorkflowName
    from workflows.applications import QualificationApplication
    from workflows.requests import ServiceRequest


@workflow.defn(name=WorkflowName.QUALIFICATION_APPLICATION)
class LooksFirst(QualificationApplication):
    """Reads the case before it does anything else."""

    @workflow.run
    async def run(self, ref: CaseRef) -> CaseState:
        """The same life, one activity longer."""
        await self._look(CaseRef(case_id=ref.case_id))
        return await super().run(ref)


@workflow.defn(name=WorkflowName.SERVICE_REQUEST)
class RequestLooksFirst(ServiceRequest):
    """Reads the request before it does anything else."""

    @workflow.run
    async def run(self, ref: CaseRef) -> CaseState:
        """The same life, one activity longer."""
        await self._look(CaseRef(case_id=ref.case_id))
        return await super().run(ref)
