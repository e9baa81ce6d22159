"""What the pages of the schedule are given to show. Times are those of the clock on the wall."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from cabinet.frame.states import StatusTag
from cabinet.frame.views import FieldView


@dataclass(frozen=True)
class StepButton:
    """One step that can be taken at once: its name, words and the id of the act."""

    step: str
    words: str
    act_id: UUID
    main: bool


@dataclass(frozen=True)
class Line:
    """One time of a day: an appointment, or free."""

    starts: str
    ends: str
    id: UUID | None = None
    version: int = 0
    patient: str = ""
    patient_url: str = ""
    clinician: str = ""
    room: str = ""
    state: StatusTag | None = None
    overbooked: bool = False
    expected: bool = False
    """Booked and nothing more: where lines are short, this is not said of each."""
    trouble: str = ""
    steps: Sequence[StepButton] = ()
    book_url: str = ""


@dataclass(frozen=True)
class DayNav:
    """The day that is shown, and the way to others. `path` takes `day`."""

    day: date
    before: date
    after: date
    today: date
    path: str
    asked: Sequence[tuple[str, str]] = ()
    """What the address asks for besides the day."""

    def url(self, day: date) -> str:
        """The same page on another day."""
        return f"{self.path}?{urlencode([*self.asked, ('day', day.isoformat())])}"


@dataclass(frozen=True)
class DayPage:
    """A clinician's day."""

    title: str
    position: str
    own: bool
    nav: DayNav
    lines: Sequence[Line]
    here: str
    clinician_id: UUID
    zone: str
    booked: int
    free: int


@dataclass(frozen=True)
class DayColumn:
    """One day of a week, or one clinician of a unit's day."""

    title: str
    url: str
    lines: Sequence[Line]
    today: bool = False
    day: date | None = None


@dataclass(frozen=True)
class GridPage:
    """A week of a clinician, or a day of a unit."""

    title: str
    nav: DayNav
    columns: Sequence[DayColumn]
    here: str
    to_settle: Sequence[Line] = ()
    units: Sequence[tuple[str, str, bool]] = ()
    unit_id: UUID | None = None
    clinician_id: UUID | None = None
    plans: bool = False
    books: bool = False


@dataclass(frozen=True)
class FoundPatient:
    """A patient that a search found."""

    url: str
    name: str
    born: str


@dataclass(frozen=True)
class FreeButton:
    """A free time to choose."""

    clinician_id: UUID
    starts_at: str
    clock: str
    clinician: str


@dataclass(frozen=True)
class BookingPage:
    """Booking: first the patient, then whom and when."""

    patient: str
    patient_id: UUID | None
    search: Sequence[FieldView]
    found: Sequence[FoundPatient] | None
    more: bool
    filters: Sequence[FieldView]
    days: Sequence[tuple[date, Sequence[FreeButton]]]
    beside: Sequence[FieldView]
    act_id: UUID
    moving: Line | None
    move_day: date | None
    url: str
    nav: DayNav | None
    waits: Sequence[tuple[UUID, str]]


@dataclass(frozen=True)
class AppointmentPage:
    """One appointment: what it is, and what can be done."""

    line: Line
    day: date
    position: str
    zone: str
    reason: str
    held: bool
    steps: Sequence[StepButton]
    reasoned: Sequence[StepButton]
    reason_field: FieldView
    move_url: str
    moved_url: str
    back: str


@dataclass(frozen=True)
class VisitJournalPage:
    """The journal of a unit's visits on a day."""

    title: str
    nav: DayNav
    lines: Sequence[Line]
    chips: Sequence[tuple[str, str, bool]]
    unit_id: UUID


@dataclass(frozen=True)
class HoursLine:
    """Hours that stand, in words."""

    id: UUID
    clinician: str
    when: str
    room: str
    valid: str


@dataclass(frozen=True)
class PlanPage:
    """What a planner sees of a unit."""

    unit: str
    unit_id: UUID
    zone: str
    weekly: Sequence[HoursLine]
    exceptions: Sequence[HoursLine]
    rooms: Sequence[tuple[UUID, str]]
    hours: Sequence[FieldView]
    weekdays: Sequence[tuple[int, str, bool]]
    weekdays_error: str
    exception: Sequence[FieldView]
    room: FieldView
    today: date


@dataclass(frozen=True)
class WaitingLine:
    """Somebody who waits for a time."""

    id: UUID
    patient: str
    book_url: str
    clinician: str
    note: str
    since: date
