"""Cases of either kind as their lists and pages show them, drafts included."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cabinet.frame.views import FieldView, FileRow


@dataclass(frozen=True)
class CaseRow:
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
class FilledLine:
    """A document of the qualification file from which a draft was filled in."""

    title: str
    number: str
    url: str


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
class FieldAnswer:
    """One answer as submitted; `old` is that of the version before, where it differs."""

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
    answers: Sequence[FieldAnswer]
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
class ProgressStep:
    """One step on the way of a case: done at a moment, going on until one, or still ahead.

    `bad` is a rejection or refusal, `over` an end without a decision.
    """

    text: str
    state: Literal["done", "now", "ahead", "bad", "over"]
    at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Happening:
    """One line of the timeline, newest first: who, when, what, in a sentence."""

    at: datetime
    text: str
    who: str = ""
    reason: str = ""
    proof_url: str = ""


@dataclass(frozen=True)
class PaperLink:
    """A paper that can be downloaded: an enrolment certificate, a receipt."""

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
    steps: Sequence[ProgressStep] = ()
    unfolded: bool = False
    """Whether the submitted answers are shown unfolded, since a version was asked for."""
    facts: Sequence[tuple[str, str]] = ()
    tag: str = ""
    """ETag of the live part."""


@dataclass(frozen=True)
class Candidate:
    """A document uploaded before that can be chosen again."""

    version_id: str
    title: str
    name: str
    size: int
    added_at: datetime
    fits: bool = True
    """Whether it was uploaded as a document of this very kind."""


@dataclass(frozen=True)
class Slot:
    """One kind of document that goes with a case."""

    kind: str
    title: str
    hint: str
    required: bool
    rows: Sequence[FileRow]
    candidates: Sequence[Candidate]
    upload_url: str
    choose_url: str
    waived_reason: str = ""
    error: str = ""
    remark: str = ""
    answered: bool = False
    """Whether the documents have changed since the remark."""
