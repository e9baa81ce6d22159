"""The reviewers' desk as its pages show it: the queue, a case, several at once, the team."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from cabinet.cases.views import FieldAnswer, ShownCase
from cabinet.conversation.views import Talk
from cabinet.frame.views import Chip, FieldView, Pages
from rules.cases.process import Moved

Severity = Literal["problem", "warning", "fine"]
DueTone = Literal["late", "today", "soon", "calm", "none"]


@dataclass(frozen=True)
class Due:
    """The end of a term in a table: the words people act on, and the date behind them."""

    words: str
    tone: DueTone = "none"
    at: datetime | None = None


@dataclass(frozen=True)
class QueueRow:
    """One case in a dense table."""

    id: str
    url: str
    number: str
    title: str
    applicant: str
    unit: str
    status: str
    due: Due
    reviewer: str
    """Surname and initials; empty where nobody has it."""
    kind: str = "application"
    mine: bool = False
    own: bool = False
    """The person's own application, which others decide."""
    reading: Sequence[str] = ()
    selectable: bool = False
    unread: int = 0
    """Messages of its conversation that the person has not read."""


@dataclass(frozen=True)
class Queue:
    """The desk's list with its filters."""

    rows: Sequence[QueueRow]
    tabs: Sequence[Chip]
    fields: Sequence[FieldView]
    """Filters, in the order of the form."""
    active: Sequence[Chip]
    """Filters in force, each with the address without it."""
    pages: Pages
    order: Literal["due", "newest"]
    due_url: str
    newest_url: str
    reset_url: str
    here: str
    """The query of this list, carried into the cases so that j and k follow it."""
    reviews: bool = False
    oversees: bool = False
    team: bool = True
    """Whether the page of the department is open to the person."""


@dataclass(frozen=True)
class PagePreview:
    """One page of a document as a picture."""

    url: str
    number: int
    words: str


@dataclass(frozen=True)
class DeskAnswer(FieldAnswer):
    """An answer that a remark can be written about, by the name of its field."""

    name: str = ""
    locked: bool = False
    """Taken from the programme: the applicant cannot change it."""
    unmended: bool = False
    """It has a remark, and has not changed since."""


@dataclass(frozen=True)
class DeskDocument:
    """A document cited by the shown version."""

    kind: str
    title: str
    name: str
    size: int
    sheets: Sequence[PagePreview]
    download_url: str
    new: bool = False
    """Not cited by the version before."""
    about: str = ""
    """The kind that remarks are written about; `kind` names the tab, unique on the page."""
    remark: str = ""
    unmended: bool = False
    """It has a remark, and has not changed since."""


@dataclass(frozen=True)
class FindingView:
    """One line of the automatic check; `href` leads to what it is about."""

    severity: Severity
    text: str
    about: str = ""
    href: str = ""


@dataclass(frozen=True)
class Check:
    """A requirement of the checklist, and whether it is confirmed so far."""

    name: str
    question: str
    ticked: bool = False
    error: str = ""


@dataclass(frozen=True)
class StockReason:
    """A ready-made reason."""

    key: str
    title: str
    text: str


@dataclass(frozen=True)
class DecisionOption:
    """One possible decision, with its ready-made reasons."""

    value: str
    word: str
    key: str
    icon: str
    tone: str
    stock: Sequence[StockReason] = ()


@dataclass(frozen=True)
class RemarkSubject:
    """A field or a kind of document that a remark can be about, with what was typed."""

    name: str
    label: str
    group: str
    value: str = ""
    error: str = ""


@dataclass(frozen=True)
class DecisionForm:
    """The decision as typed so far; `act_id` and `step` make it safe to send twice."""

    url: str
    act_id: str
    step: int
    outcomes: Sequence[DecisionOption]
    outcome: str
    reason: FieldView
    checks: Sequence[Check]
    subjects: Sequence[RemarkSubject]
    outcome_error: str = ""
    remarks_error: str = ""


@dataclass(frozen=True)
class HandOver:
    """The form to assign a case to a colleague."""

    url: str
    to: FieldView
    reason: FieldView
    open: bool = False


@dataclass(frozen=True)
class PastDecision:
    """A decision that was made on an earlier step."""

    word: str
    tone: str
    by: str
    at: datetime
    version: int
    reason: str
    remarks: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class OtherCase:
    """Another case of the same applicant."""

    url: str
    number: str
    title: str
    status: str
    since: datetime
    kind: str = "application"


@dataclass(frozen=True, kw_only=True)
class ShownOnDesk(ShownCase):
    """What the desk shows of a case of any kind."""

    query: str
    """The queue's filters, with `?` where there are any."""
    queue_url: str
    applicant: str
    why_not: str
    """Why there is nothing to decide or to answer for this person now."""
    kept: str
    """What was typed for a decision or an answer that can no longer be given."""
    reviewer: str
    mine: bool
    had: str
    """Who had the case when the page was drawn; the forms send it back."""
    take_url: str | None
    hand_over: HandOver | None
    reading: Sequence[str]
    talk: Talk
    history: Sequence[OtherCase] = ()
    before_url: str | None = None
    next_url: str | None = None
    against: int = 0
    """The version that the shown one is compared with; 0 where it is shown alone."""
    moved_on: Moved = Moved.NO
    """Who has moved the case beyond the step that the page was drawn for."""


@dataclass(frozen=True, kw_only=True)
class DeskCase(ShownOnDesk):
    """Everything that a reviewer sees of an application."""

    changed: int
    """How many answers and documents differ from the version before."""
    documents: Sequence[DeskDocument]
    gone: Sequence[tuple[str, str]]
    """Documents that this version no longer cites, with what was remarked on them."""
    missing: Sequence[tuple[str, str]]
    """Documents that a remark asked for and that are not given."""
    waived: Sequence[tuple[str, str]]
    takes_files: bool
    """Whether documents go with cases of this type."""
    is_checked: bool
    """Whether the kind is checked automatically before people decide."""
    findings: Sequence[FindingView]
    checked_at: datetime | None
    decision: DecisionForm | None
    decisions: Sequence[PastDecision]
    past_url: str = ""
    """Where the case can be read as it was at each act, for whoever decided on it."""


@dataclass(frozen=True)
class SeveralRow:
    """A case among those to be decided together, with an act id of its own."""

    row: QueueRow
    act_id: str
    step: int
    questions: Sequence[str] = ()
    """Questions that only its own programme asks."""


@dataclass(frozen=True)
class Several:
    """One decision for several cases."""

    rows: Sequence[SeveralRow]
    left_out: Sequence[tuple[str, str]]
    """Numbers of cases that cannot be decided here, and why."""
    form: DecisionForm | None
    """None where no case is left."""
    back_url: str
    query: str = ""


@dataclass(frozen=True)
class ResultRow:
    """The result for one case among several."""

    url: str
    number: str
    applicant: str
    good: bool
    words: str
    todo: str = ""


@dataclass(frozen=True)
class Results:
    """The results for several cases at once."""

    title: str
    rows: Sequence[ResultRow]
    back_url: str

    @property
    def good(self) -> int:
        """How many were done."""
        return sum(row.good for row in self.rows)


@dataclass(frozen=True)
class AbsenceLine:
    """Days away, both included, and who stands in."""

    first_day: date
    last_day: date
    deputy: str
    end_url: str | None


@dataclass(frozen=True)
class Member:
    """A reviewer, with how many cases they have and when they are away."""

    id: str
    name: str
    position: str
    in_review: int
    overdue: int
    away_now: bool
    absences: Sequence[AbsenceLine]
    queue_url: str
    share: int
    """Load in per cent of the greatest one."""
    take_over_url: str | None = None
    """Where the head moves all cases of this reviewer."""


@dataclass(frozen=True)
class Team:
    """Who reviews, who is away, how many cases are late.

    `movable` holds the cases that can be moved: those chosen in the queue, all of one colleague
    (`whose`), else the overdue ones.
    """

    members: Sequence[Member]
    movable: Sequence[QueueRow]
    steps: Mapping[str, int]
    holders: Mapping[str, str]
    """Who has each of them, so that a case which was moved meanwhile is not moved again."""
    late: int
    unassigned: int
    waiting: int
    oversees: bool
    reconciles: bool
    """Whether records of the personnel register that wait are open to the visitor."""
    move: HandOver
    absence: Sequence[FieldView] = ()
    chosen: bool = False
    whose: str = ""
    ticked: frozenset[str] = frozenset()
    overdue_url: str = "/desk?overdue=1"
    unassigned_url: str = "/desk?reviewer=nobody"
