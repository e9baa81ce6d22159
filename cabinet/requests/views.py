"""Requests as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cabinet.cases.views import CaseFile, PaperLink, ShownCase, Task, TaskList
from cabinet.conversation.views import Talk
from cabinet.frame.views import FieldView
from cabinet.reviews.views import ShownOnDesk


@dataclass(frozen=True)
class TypeView:
    """A type of request in the catalogue: what is needed, to whom it goes, what one gets."""

    key: str
    title: str
    hint: str
    group: str
    icon: str
    addressee: str
    days: int
    """Working days within which it is answered."""
    gives: str
    needs: Sequence[str] = ()
    sealed: bool = False
    """Whether it leaves the institution, signed and encrypted."""
    draft_url: str | None = None
    """The person's unfinished draft of it."""


@dataclass(frozen=True)
class RequestDraft(TaskList):
    """A draft, or the correction of a request that was sent: its tasks and how far it is."""

    url: str
    type: TypeView
    tasks: Sequence[Task]
    saved_at: datetime | None = None
    number: str | None = None
    mode: Literal["draft", "correction"] = "draft"
    case_url: str = ""
    answered: bool = False
    """Whether a correction reopens a request that was answered already."""
    takes_files: bool = False
    changed: bool = True
    """Whether there is anything to send."""


@dataclass(frozen=True)
class AnswerFileView:
    """A file that came with an answer."""

    name: str
    size: int
    download_url: str
    view_url: str | None = None
    """None where a browser does not show such files."""


@dataclass(frozen=True)
class Result:
    """One line of a table of results."""

    name: str
    value: str
    unit: str = ""
    norm: str = ""


@dataclass(frozen=True)
class AnswerView:
    """What one version of a request was answered with."""

    version: int
    good: bool
    """False where it was refused."""
    title: str
    at: datetime
    by: str
    """Who answered: the addressee, or a person of the unit."""
    message: str = ""
    facts: Sequence[tuple[str, str]] = ()
    results: Sequence[Result] = ()
    files: Sequence[AnswerFileView] = ()
    signer: str = ""
    """Serial of the certificate that signed; empty where a person of the unit answered."""
    signed_at: datetime | None = None
    newest: bool = True
    """False where a later version has been sent."""


@dataclass(frozen=True, kw_only=True)
class RequestPage(ShownCase):
    """Everything on the page of a request."""

    answers: Sequence[AnswerView]
    """Newest first."""
    papers: Sequence[PaperLink]
    files: Sequence[CaseFile]
    correct_url: str | None = None
    withdraw_url: str | None = None
    copy_url: str | None = None
    correcting: bool = False
    """Whether a correction was begun and not sent."""
    talk: Talk | None = None
    """The conversation with the people who answer; None where nobody would read it."""


@dataclass(frozen=True)
class RequestSent:
    """What the person sees after sending."""

    number: str
    title: str
    email: str
    whom: str
    until: datetime | None
    case_url: str
    resubmitted: bool = False
    sealed: bool = False
    gives: str = ""


@dataclass(frozen=True)
class AnswerForm:
    """The answer of a person of the unit as typed so far."""

    url: str
    act_id: str
    step: int
    outcome: str
    message: FieldView
    outcome_error: str = ""
    file_error: str = ""
    wants_file: bool = False
    """Whether this type is answered with a document."""


@dataclass(frozen=True, kw_only=True)
class DeskRequest(ShownOnDesk):
    """Everything that a person of the unit sees of a request."""

    files: Sequence[CaseFile]
    papers: Sequence[PaperLink]
    answers: Sequence[AnswerView]
    form: AnswerForm | None
