"""An emergency access that is judged, and a comparison with the registry of patients."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.patients import PatientActivities as Activities
    from models.messages import (
        EmergencyLook,
        EmergencyRef,
        PatientCheckLook,
        PatientCheckRef,
        WorkflowName,
    )
    from models.visibility import OpsText
    from workflows.looking import LookingWorkflow

RETRIES = RetryPolicy(maximum_interval=timedelta(minutes=1))


@workflow.defn(name=WorkflowName.EMERGENCY_ACCESS)
class EmergencyAccess(LookingWorkflow):
    """One record that was opened at once, until somebody has judged that."""

    @workflow.run
    async def run(self, ref: EmergencyRef) -> None:
        """Remind and escalate until it is judged."""
        await self._look_until_over(lambda: self._look(ref), ref, "until the next reminder")

    async def _look(self, ref: EmergencyRef) -> datetime | None:
        looked: EmergencyLook = await workflow.execute_activity_method(
            Activities.look_at_emergency,
            ref,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RETRIES,
            summary=OpsText("see who judges, remind, escalate"),
        )
        _tell("waits for its judgement", "judged", looked.looks_at)
        return looked.looks_at


@workflow.defn(name=WorkflowName.PATIENT_CHECK)
class PatientRegistryCheck(LookingWorkflow):
    """One patient is compared with the registry, until it has answered, for a day at most."""

    @workflow.run
    async def run(self, ref: PatientCheckRef) -> None:
        """Ask, and ask again."""
        await self._look_until_over(lambda: self._look(ref), ref, "until the next try")

    async def _look(self, ref: PatientCheckRef) -> datetime | None:
        looked: PatientCheckLook = await workflow.execute_activity_method(
            Activities.look_at_patient_check,
            ref,
            start_to_close_timeout=timedelta(minutes=1),
            retry_policy=RETRIES,
            summary=OpsText("ask the registry of patients"),
        )
        _tell("the registry does not answer", "over", looked.next_try_at)
        return looked.next_try_at


def _tell(waits: str, over: str, at: datetime | None) -> None:
    """Show ops how far it is."""
    words = f"**{over}**" if at is None else f"**{waits}**, looks again: {at:%Y-%m-%d %H:%M} UTC"
    workflow.set_current_details(OpsText(words))
