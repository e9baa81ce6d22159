"""What the pages of absences are given to show. Times are those of the clock on the wall."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from cabinet.frame.states import StatusTag
from cabinet.frame.views import FieldView


@dataclass(frozen=True)
class AbsencePlanLine:
    """One absence in the list."""

    url: str
    person: str
    position: str
    unit: str
    days: str
    reason: str
    state: StatusTag
    waits: int
    earliest: str


@dataclass(frozen=True)
class DisplacedLine:
    """One appointment of an absence: when, whose, what is proposed, what became of it."""

    id: UUID
    version: int
    act_id: UUID
    url: str
    when: str
    patient: str
    phone: str
    to: str
    to_when: str
    outcome: StatusTag | None
    telling: str
    calls: bool
    decided: bool
    settled_by: str
    appointment_url: str
    moved_url: str
    refused: str = ""
    """Why the proposal was not accepted just now."""


@dataclass(frozen=True)
class AbsenceView:
    """One absence as a work list."""

    line: AbsencePlanLine
    id: UUID
    version: int
    zone: str
    changeable: bool
    undecided: Sequence[DisplacedLine]
    to_tell: Sequence[DisplacedLine]
    done: Sequence[DisplacedLine]
    days: Sequence[FieldView]
    accept_id: UUID
    proposed: Sequence[DisplacedLine]
    """Whose proposals can be accepted together."""


@dataclass(frozen=True)
class TimeButton:
    """A free time to choose in place of the one proposed."""

    clinician_id: UUID
    starts_at: str
    clock: str
    clinician: str


@dataclass(frozen=True)
class DisplacedPage:
    """One displaced appointment: other times, and cancelling it."""

    line: DisplacedLine
    back: str
    days: Sequence[tuple[date, Sequence[TimeButton]]]
    reason: FieldView
    cancel_id: UUID
