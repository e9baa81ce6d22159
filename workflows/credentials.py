"""The life of a credential as a durable workflow: it reminds, and tells when the end has come."""

from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from activities.credentials import CredentialActivities as Activities
    from models.messages import CredentialLook, CredentialRef, CredentialSignal, WorkflowName
    from models.visibility import DUE, STATUS, TYPE, UNIT, OpsText
    from workflows.looking import LookingWorkflow


@workflow.defn(name=WorkflowName.CREDENTIAL)
class CredentialLife(LookingWorkflow):
    """One credential with an end, from the day it became known until nothing is left to tell."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: CredentialLook | None = None

    @workflow.run
    async def run(self, ref: CredentialRef) -> None:
        """Look at the credential at each reminder, at its end, and whenever somebody acted."""
        waits = "until the next reminder, or the end"
        await self._look_until_over(lambda: self._look(ref), ref, waits)

    async def _look(self, ref: CredentialRef) -> datetime | None:
        looked: CredentialLook = await workflow.execute_activity_method(
            Activities.look_at_credential,
            ref,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            summary=OpsText("read the credential; remind of its end, or tell that it has come"),
        )
        self._show(looked)
        return looked.looks_at

    def _show(self, looked: CredentialLook) -> None:
        """Show ops what it is and where it stands: no number, no name."""
        until = f", valid until {looked.ends_at:%Y-%m-%d %H:%M} UTC" if looked.ends_at else ""
        then = f", looks again: {looked.looks_at:%Y-%m-%d %H:%M} UTC" if looked.looks_at else ""
        workflow.set_current_details(OpsText(f"**{looked.status}**{until}{then}"))
        shown = looked.model_copy(update={"looks_at": None})
        if shown == self._shown:
            return
        self._shown = shown
        changes: list[SearchAttributeUpdate[Any]] = [
            TYPE.value_set(looked.category),
            STATUS.value_set(looked.status),
            UNIT.value_set(looked.unit),
            DUE.value_set(looked.ends_at) if looked.ends_at else DUE.value_unset(),
        ]
        workflow.upsert_search_attributes(changes)

    @workflow.signal(name=CredentialSignal.CORRECTED)
    def corrected(self) -> None:
        """Its days were corrected, or a new version was given."""
        self._woken = True

    @workflow.signal(name=CredentialSignal.RENEWAL_OPENED)
    def renewal_opened(self) -> None:
        """A case was begun that renews it."""
        self._woken = True

    @workflow.signal(name=CredentialSignal.RENEWAL_CLOSED)
    def renewal_closed(self) -> None:
        """That case is closed."""
        self._woken = True

    @workflow.signal(name=CredentialSignal.REPLACED)
    def replaced(self) -> None:
        """Another credential took its place."""
        self._woken = True

    @workflow.signal(name=CredentialSignal.WITHDRAWN)
    def withdrawn(self) -> None:
        """It had been entered by mistake."""
        self._woken = True
