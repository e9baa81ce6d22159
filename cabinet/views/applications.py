"""Applications as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cabinet.views.conversation import Talk
from cabinet.views.documents import FileRow
from cabinet.views.frame import FieldView


@dataclass(frozen=True)
class ProgrammeView:
    """A programme of the catalogue."""

    id: str
    title: str
    type: str
    """`course`, `distance` or `seminar`."""
    type_word: str
    organisation: str
    hours: int
    dates: str
    summary: str
    url: str
    requirements: Sequence[str] = ()
    attachments: Sequence[str] = ()
    waived: Sequence[tuple[str, str]] = ()
    review_days: int = 10
    draft_url: str | None = None
    """Where the person's unfinished draft for it lies."""


@dataclass(frozen=True)
class Call:
    """One thing that waits for the person: a card of the home page with one action."""

    tone: Literal["waiting", "paused", "good", "bad", "idle"]
    icon: str
    kicker: str
    title: str
    text: str
    action: str
    url: str
    until: datetime | None = None


@dataclass(frozen=True)
class CaseLine:
    """A case in a list."""

    url: str
    number: str | None
    title: str
    status: str
    since: datetime
    unit: str
    note: str = ""
    overdue: bool = False
    unread: int = 0
    """Messages of its conversation that the person has not read."""
    kind: str = "application"


@dataclass(frozen=True)
class Home:
    """The home page of an applicant."""

    greeting: str
    sentence: str
    calls: Sequence[Call]
    cases: Sequence[CaseLine]


@dataclass(frozen=True)
class Task:
    """One line of a draft's task list."""

    title: str
    url: str
    state: Literal["done", "started", "empty", "mend"]
    hint: str = ""


class TaskList:
    """What is left to do before a draft can be sent."""

    tasks: Sequence[Task]

    @property
    def done(self) -> int:
        """How many tasks are finished."""
        return sum(task.state == "done" for task in self.tasks)

    @property
    def ready(self) -> bool:
        """Whether nothing is left to do before sending."""
        return self.done == len(self.tasks)


@dataclass(frozen=True)
class Draft(TaskList):
    """A draft, or the correction of an open case: its tasks and how far it is."""

    url: str
    title: str
    programme: ProgrammeView
    tasks: Sequence[Task]
    saved_at: datetime | None = None
    number: str | None = None
    mode: Literal["draft", "answer", "correction"] = "draft"
    case_url: str = ""
    reason: str = ""
    """What the reviewer asked, where the draft is an answer."""


@dataclass(frozen=True)
class FormSection:
    """One page of a form."""

    name: str
    title: str
    hint: str
    fields: Sequence[FieldView]
    position: int
    total: int
    next_url: str
    back_url: str


@dataclass(frozen=True)
class Answer:
    """One answer as submitted; `old` is what the version before said, where it differs."""

    label: str
    value: str | None
    old: str | None = None
    changed: bool = False
    change_url: str | None = None
    remark: str = ""


@dataclass(frozen=True)
class AnswerSection:
    """Answers of one section."""

    title: str
    answers: Sequence[Answer]
    change_url: str | None = None


@dataclass(frozen=True)
class CaseFile:
    """A document cited by the case."""

    kind: str
    row: FileRow
    new: bool = False
    remark: str = ""


@dataclass(frozen=True)
class WaitsFor:
    """Whom the case waits for, until when, and what happens then.

    `whom` is a phrase in the words of the page («отдел кадров»); `then` a whole sentence.
    """

    status: str
    whom: str
    then: str
    until: datetime | None = None
    days_left: int | None = None
    overdue: bool = False
    paused: str = ""
    as_of: datetime | None = None
    live: bool = True
    can_ask: bool = False
    kind: str = "application"


@dataclass(frozen=True)
class Happening:
    """One line of the timeline, newest first: who, when, what, in a sentence."""

    at: datetime
    text: str
    who: str = ""
    reason: str = ""
    proof_url: str = ""


@dataclass(frozen=True)
class Remark:
    """One thing a reviewer asks to mend, with the way to it."""

    subject: str
    text: str
    url: str


@dataclass(frozen=True)
class Paper:
    """A paper that can be downloaded: the act, the receipt."""

    title: str
    hint: str
    url: str
    icon: str = "download"


@dataclass(frozen=True, kw_only=True)
class ShownCase:
    """What every page of a case shows, whatever its kind, and whoever looks at it."""

    url: str
    number: str
    title: str
    step: int
    version: int
    versions: Sequence[tuple[int, datetime]]
    compared: bool
    waits: WaitsFor
    sections: Sequence[AnswerSection]
    happenings: Sequence[Happening]
    facts: Sequence[tuple[str, str]] = ()
    tag: str = ""
    """ETag of the live part."""


@dataclass(frozen=True, kw_only=True)
class CasePage(ShownCase):
    """Everything on the page of an application."""

    files: Sequence[CaseFile]
    talk: Talk
    papers: Sequence[Paper]
    programme: ProgrammeView | None
    reason: str = ""
    remarks: Sequence[Remark] = ()
    answer_url: str | None = None
    correct_url: str | None = None
    withdraw_url: str | None = None
    copy_url: str | None = None


@dataclass(frozen=True)
class Confirmation:
    """What the person sees after sending."""

    number: str
    title: str
    email: str
    whom: str
    until: datetime | None
    case_url: str
    receipt_url: str | None
    resubmitted: bool = False


@dataclass(frozen=True)
class Verification:
    """What the public page says of a code: number, date and outcome, nothing personal."""

    found: bool
    code: str = ""
    number: str = ""
    issued_at: datetime | None = None
    outcome: str = ""
    institution: str = ""
    seal: str = ""
    sha256: str = ""
    test_seal: bool = False
