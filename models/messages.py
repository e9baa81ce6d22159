"""What workflows, activities, signals and queries say to each other: ids and states, no contents.

Every field added later gets a default, so that histories written before can still be read.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from rules.cases.process import CaseKind, Party, Status, Transition


class WorkflowMessage(BaseModel):
    """A frozen message."""

    model_config = ConfigDict(frozen=True)


class WorkflowName(StrEnum):
    """Types of workflows that belong to no case, as they stand in the Temporal UI."""

    SWEEPER = "Sweeper"
    NOTICES_MAIL = "NoticesMail"
    NOTICES_SMS = "NoticesSms"
    NOTICES_PUSH = "NoticesPush"
    JOURNAL_SEALER = "JournalSealer"
    FILE_SWEEP = "FileSweep"
    EXPORT = "Export"
    ARCHIVE_NIGHT = "ArchiveNight"


WAKE_UP = "ring"
"""The signal of the sweeper: look again. People's signals are named in `rules.cases.process`."""

RECEIPT = "receipt"
"""The signal after a receipt of the module was kept; it names the receipt as its act."""

PRESENT_STATE = "present_state"
"""The query that answers whom the case waits for, until when, and what happens then."""


class CaseState(WorkflowMessage):
    """What the database said of a case when it was last read."""

    case_id: UUID
    number: str
    type: str
    unit: str
    """Code of the applicant's unit."""
    status: Status
    step: int
    open: bool
    waits_for: Party
    wakes_at: datetime | None = None
    due_at: datetime | None = None
    """By the clock of the zone that ends the term."""
    term_zone: str = "UTC"
    kind: CaseKind = CaseKind.APPLICATION
    owes: bool = False
    """Whether somebody outside has still to be told of the end."""


ANEW = "anew"
"""No signal: the run that is open is ended and another begins, where rings have no effect."""


class CaseRef(WorkflowMessage):
    """What a workflow starts with: the case, and its state where the starter knows it."""

    case_id: UUID
    state: CaseState | None = None


class ActRef(WorkflowMessage):
    """What a signal carries: the id of an act that is committed already."""

    act_id: UUID


class CaseSignal(WorkflowMessage):
    """A signal as heard: its name, and the act that it names."""

    signal: str
    act_id: UUID | None = None


class Look(WorkflowMessage):
    """Read the case; rings whose acts are not in the database are journaled."""

    case: CaseRef
    rings: tuple[CaseSignal, ...] = ()


class Stuck(WorkflowMessage):
    """A case that its workflow cannot carry on by itself."""

    case: CaseRef
    activity: str
    error_type: str


class PresentState(WorkflowMessage):
    """The answer of a running workflow."""

    status: Status
    step: int
    waits_for: Party
    until: datetime | None
    term_zone: str = "UTC"
    then: Transition | str | None
    """What happens when the time is over: `remind`, `escalate`, `lapse`, `check`."""
    as_of: datetime
    stuck: bool = False


class ChannelShift(WorkflowMessage):
    """How a channel stands: handed from one shift of its sender to the next."""

    told: int = 0
    waiting: int = 0
    down_since: datetime | None = None
    reason: str = ""


class ExportRef(WorkflowMessage):
    """Which export a workflow makes."""

    export_id: UUID


class ExportProgress(WorkflowMessage):
    """How far an export is; not under way where it is over, was stopped or has failed."""

    done: int = 0
    total: int = 0
    under_way: bool = True


def case_workflow_id(case_id: UUID, kind: CaseKind = CaseKind.APPLICATION) -> str:
    """`application-<uuid>`, `request-<uuid>`: one id for the whole life of a case."""
    return f"{kind.value}-{case_id}"
