"""What workflows, activities, signals and queries say to each other: ids and states, no contents.

A field that is added later gets a default, so that histories written before can still be read.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from rules.cases.process import CaseKind, Party, Status, Transition
from rules.registers.kinds import RegisterName


class WorkflowMessage(BaseModel):
    """Base of messages; they are frozen."""

    model_config = ConfigDict(frozen=True)


class WorkflowName(StrEnum):
    """Types of workflows that belong to no case, as the Temporal UI shows them."""

    SWEEPER = "Sweeper"
    NOTICES_MAIL = "NoticesMail"
    NOTICES_SMS = "NoticesSms"
    NOTICES_PUSH = "NoticesPush"
    JOURNAL_SEALER = "JournalSealer"
    CLINIC_CLOCKS = "ClinicClocks"
    FILE_SWEEP = "FileSweep"
    PERSONNEL_COMPARISON = "PersonnelComparison"
    EXPORT = "Export"
    ARCHIVE_NIGHT = "ArchiveNight"
    ACCOUNT_LOCK = "AccountLock"
    CREDENTIAL = "Credential"
    REGISTER_SYNC = "RegisterSync"
    REGISTER_CHECK = "RegisterCheck"
    HANDOVER = "Handover"
    EMERGENCY_ACCESS = "EmergencyAccess"
    PATIENT_CHECK = "PatientCheck"
    SUBSCRIBER = "EventDelivery"
    RESULT = "Result"
    LABORATORY_CATCH_UP = "LaboratoryCatchUp"
    ABSENCE = "Absence"


WAKE_UP = "ring"
"""The sweeper's signal: look again. People's signals are named in `rules.cases.process`."""

RECEIPT = "receipt"
"""The signal after an acknowledgement of the gov service was stored, whose id is its act."""

PRESENT_STATE = "present_state"
"""The query that answers whom the case waits for, until when, and what happens then."""


class CaseState(WorkflowMessage):
    """What the database said of a case when it was last read."""

    case_id: UUID
    number: str
    type: str
    unit: str
    """The code of the applicant's unit."""
    status: Status
    step: int
    open: bool
    waits_for: Party
    wakes_at: datetime | None = None
    due_at: datetime | None = None
    """In the zone that ends the term."""
    term_zone: str = "UTC"
    kind: CaseKind = CaseKind.APPLICATION
    owes: bool = False
    """Whether the addressee has yet to be told how the case ended."""


ANEW = "anew"
"""No signal: the open run is ended and another begun, because signals have no effect."""


class CaseRef(WorkflowMessage):
    """The start of a workflow: the case, and its state if the starter knows it."""

    case_id: UUID
    state: CaseState | None = None


class ActRef(WorkflowMessage):
    """The argument of a signal: the id of an act that is committed already."""

    act_id: UUID


class CaseSignal(WorkflowMessage):
    """A signal as received: its name, and the act that it names."""

    signal: str
    act_id: UUID | None = None


class Look(WorkflowMessage):
    """A request to read the case; signals whose acts are not in the database are journaled."""

    case: CaseRef
    rings: tuple[CaseSignal, ...] = ()


class Stuck(WorkflowMessage):
    """A case that its workflow cannot continue by itself."""

    case: CaseRef
    activity: str
    error_type: str


class PresentState(WorkflowMessage):
    """The answer of a running workflow to the query `present_state`."""

    status: Status
    step: int
    waits_for: Party
    until: datetime | None
    term_zone: str = "UTC"
    then: Transition | str | None
    """What happens when the term is over: `remind`, `escalate`, `lapse`, `check`."""
    as_of: datetime
    stuck: bool = False


class ChannelShift(WorkflowMessage):
    """The state of a channel, which each shift of its sender hands to the next one."""

    told: int = 0
    waiting: int = 0
    down_since: datetime | None = None
    reason: str = ""


class LockRef(WorkflowMessage):
    """The lock of an account that a workflow is about."""

    lock_id: UUID


class LockLook(WorkflowMessage):
    """When a lock is to be looked at again; None once it is open."""

    looks_at: datetime | None


class CredentialRef(WorkflowMessage):
    """The credential whose life a workflow follows."""

    credential_id: UUID


class CredentialSignal(StrEnum):
    """What happened to a credential, as its workflow hears it. Each means: look again."""

    CORRECTED = "corrected"
    RENEWAL_OPENED = "renewal_opened"
    RENEWAL_CLOSED = "renewal_closed"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


class CredentialLook(WorkflowMessage):
    """Where a credential stands, and when to look again; None once nothing is left to tell."""

    looks_at: datetime | None = None
    status: str
    category: str = ""
    unit: str = ""
    """The code of the owner's unit."""
    ends_at: datetime | None = None
    """When its validity is over."""


class HandoverRef(WorkflowMessage):
    """The hand-over that a workflow is about."""

    handover_id: UUID


class HandoverLook(WorkflowMessage):
    """When a hand-over is to be looked at again; None once it is over."""

    looks_at: datetime | None


class SubscriberRef(WorkflowMessage):
    """The subscriber whose events a workflow delivers."""

    subscriber_id: UUID


class SubscriberLook(WorkflowMessage):
    """When to deliver again; None if nothing waits."""

    looks_at: datetime | None


class EmergencyRef(WorkflowMessage):
    """The emergency that a workflow is about: the id of its opening."""

    opening_id: UUID


class EmergencyLook(WorkflowMessage):
    """When an emergency is to be looked at again; None once it is judged."""

    looks_at: datetime | None


class PatientCheckRef(WorkflowMessage):
    """The comparison that a workflow is about: the opaque id of the patient."""

    patient_id: UUID


class PatientCheckLook(WorkflowMessage):
    """When the registry of patients is to be asked again; None once it is over."""

    next_try_at: datetime | None


class ResultRef(WorkflowMessage):
    """The laboratory result that a workflow is about."""

    result_id: UUID


class ResultLook(WorkflowMessage):
    """Where a result stands, and when to look again; None once nothing waits."""

    state: str
    urgency: str = ""
    due_at: datetime | None = None
    looks_at: datetime | None = None


class AbsenceRef(WorkflowMessage):
    """The absence that a workflow is about."""

    absence_id: UUID


class AbsenceLook(WorkflowMessage):
    """Where an absence stands, how many appointments wait for people, and when to look again."""

    state: str
    waits: int = 0
    looks_at: datetime | None = None


class ExportRef(WorkflowMessage):
    """The export that a workflow makes."""

    export_id: UUID


class ExportProgress(WorkflowMessage):
    """The progress of an export; not under way if it is finished, cancelled or has failed."""

    done: int = 0
    total: int = 0
    under_way: bool = True


class SyncStart(WorkflowMessage):
    """Which registers a run has yet to go through."""

    left: tuple[RegisterName, ...]


class SyncRun(WorkflowMessage):
    """The comparison of everybody with one register."""

    run_id: UUID


class SyncProgress(WorkflowMessage):
    """How far such a comparison is."""

    run_id: UUID
    done: int
    total: int
    under_way: bool
    again_at: datetime | None = None
    """When the register is asked again that does not answer."""
    ends_at: datetime | None = None
    """When it will be done at the pace so far."""


class CheckRef(WorkflowMessage):
    """The check that one person asked for."""

    check_id: UUID


class CheckLook(WorkflowMessage):
    """When the registers are asked again; None once all have answered."""

    again_at: datetime | None


def case_workflow_id(case_id: UUID, kind: CaseKind = CaseKind.APPLICATION) -> str:
    """`application-<uuid>` or `request-<uuid>`: one id for the whole life of a case."""
    return f"{kind.value}-{case_id}"
