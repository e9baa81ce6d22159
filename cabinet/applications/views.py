"""Applications as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from cabinet.cases.views import CaseFile, PaperLink, ShownCase, Task, TaskList
from cabinet.conversation.views import Talk


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
    """The person's unfinished draft for it."""
    intakes: Sequence[tuple[str, str]] = ()
    """Those that still take applications: the day on which each begins, and its limits in words."""


@dataclass(frozen=True)
class AccreditationView:
    """Until when the person is accredited, with hours earned, as registers said at `as_of`;
    `silence` says why it is unknown."""

    specialty: str = ""
    until: date | None = None
    days_left: int = 0
    urgent: bool = False
    hours: int = 0
    needed: int = 0
    as_of: datetime | None = None
    silence: str = ""


@dataclass(frozen=True)
class ApplicationDraft(TaskList):
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
    changed: bool = True
    """Whether there is anything to send."""


@dataclass(frozen=True)
class Remark:
    """One thing that a reviewer asks to correct, with the way to it."""

    subject: str
    text: str
    url: str
    answered: bool = False
    """Whether the draft has another value or file there now."""


@dataclass(frozen=True, kw_only=True)
class ApplicationPage(ShownCase):
    """Everything on the page of an application."""

    files: Sequence[CaseFile]
    talk: Talk
    papers: Sequence[PaperLink]
    """Besides the enrolment certificate."""
    act: PaperLink | None = None
    programme: ProgrammeView | None
    reason: str = ""
    remarks: Sequence[Remark] = ()
    answer_url: str | None = None
    correct_url: str | None = None
    withdraw_url: str | None = None
    copy_url: str | None = None


@dataclass(frozen=True)
class ApplicationSent:
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
class SealCertificate:
    """A certificate of the institution's seal, as certificates and receipts print it."""

    name: str
    number: str
    sha256: str


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
