"""Starting and waking the workflows of rows: exports, locks of accounts, credentials.

Each type of workflow registers here once: the id of its runs, its argument, its words for ops.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from clients.temporal.client import SignalWithStart, signal_with_start
from models.messages import (
    WAKE_UP,
    AbsenceRef,
    CheckRef,
    CredentialRef,
    EmergencyRef,
    ExportRef,
    HandoverRef,
    LockRef,
    PatientCheckRef,
    ResultRef,
    SubscriberRef,
    WorkflowMessage,
    WorkflowName,
)
from models.visibility import KIND, OpsText


@dataclass(frozen=True)
class RowStart:
    """How the workflow of a row is begun. `kind` and the id of the row are the id of its runs."""

    kind: str
    ref: Callable[[UUID], WorkflowMessage]
    summary: OpsText
    hears: bool = True
    """Whether it is signalled as well; otherwise a run that is open is left alone."""


STARTS: Mapping[WorkflowName, RowStart] = {
    WorkflowName.EXPORT: RowStart(
        "export",
        lambda row_id: ExportRef(export_id=row_id),
        OpsText("writes a list of the archive to a file"),
        hears=False,
    ),
    WorkflowName.ACCOUNT_LOCK: RowStart(
        "account-lock",
        lambda row_id: LockRef(lock_id=row_id),
        OpsText("a locked account: a meeting, then somebody else's word"),
    ),
    WorkflowName.CREDENTIAL: RowStart(
        "credential",
        lambda row_id: CredentialRef(credential_id=row_id),
        OpsText("a credential: reminders before its end, and what follows"),
    ),
    WorkflowName.REGISTER_CHECK: RowStart(
        "register-check",
        lambda row_id: CheckRef(check_id=row_id),
        OpsText("one person asked to be compared with the registers"),
    ),
    WorkflowName.HANDOVER: RowStart(
        "handover",
        lambda row_id: HandoverRef(handover_id=row_id),
        OpsText("documents that an authority asked for"),
    ),
    WorkflowName.EMERGENCY_ACCESS: RowStart(
        "emergency-access",
        lambda row_id: EmergencyRef(opening_id=row_id),
        OpsText("a record opened as an emergency: to be judged"),
    ),
    WorkflowName.PATIENT_CHECK: RowStart(
        "patient-check",
        lambda row_id: PatientCheckRef(patient_id=row_id),
        OpsText("a patient compared with the registry of patients"),
    ),
    WorkflowName.SUBSCRIBER: RowStart(
        "subscriber",
        lambda row_id: SubscriberRef(subscriber_id=row_id),
        OpsText("events of credentials on their way to another system"),
    ),
    WorkflowName.RESULT: RowStart(
        "result",
        lambda row_id: ResultRef(result_id=row_id),
        OpsText("a result of the laboratory: until somebody has confirmed it"),
    ),
    WorkflowName.ABSENCE: RowStart(
        "absence",
        lambda row_id: AbsenceRef(absence_id=row_id),
        OpsText("appointments of somebody absent: until each has another time"),
    ),
}


def row_workflow_id(name: WorkflowName, row_id: UUID) -> str:
    """`export-<uuid>`: one id for the whole life of a row."""
    return f"{STARTS[name].kind}-{row_id}"


class RowWaker:
    """Wakes the workflows of one type: a `Wake` of `services.own_workflows`."""

    def __init__(self, client: Client, task_queue: str, name: WorkflowName) -> None:
        self._client = client
        self._task_queue = task_queue
        self._name = name

    async def __call__(self, row_id: UUID, *, signal: str = WAKE_UP, anew: bool = False) -> bool:
        """Signal the run of a row, or begin one, even if an earlier one ended or was lost.

        With `anew` it takes the place of one that does not go on. False if Temporal did not accept
        it.
        """
        start = STARTS[self._name]
        call = SignalWithStart(
            workflow=self._name,
            workflow_id=row_workflow_id(self._name, row_id),
            start=start.ref(row_id),
            # A run that begins reads everything a signal would tell it.
            signal=signal if start.hears and not anew else None,
            args=[],
            summary=start.summary,
            attributes=TypedSearchAttributes([SearchAttributePair(KIND, start.kind)]),
            anew=anew,
        )
        return await signal_with_start(self._client, call, self._task_queue, again=True)
