"""Credentials as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cabinet.cases.views import AnswerSection, Candidate
from cabinet.frame.states import StatusTag
from cabinet.frame.views import FieldView, FileRow


@dataclass(frozen=True)
class CredentialRow:
    """A line of the file: what it is, what it is worth, until when, and its copy."""

    id: str
    title: str
    about: str
    number: str
    issuer: str
    issued_on: date | None
    valid_until: date | None
    tag: StatusTag
    note: str
    """How long it is valid still, or what else a reader must know."""
    urgent: bool
    vouched: str
    """Who vouches for it, in words."""
    url: str
    copies: Sequence[FileRow] = ()


@dataclass(frozen=True)
class GapLine:
    """One thing that is missing, with the next step."""

    text: str
    why: str
    action: str
    url: str
    tone: str = "waiting"


@dataclass(frozen=True)
class DraftLine:
    """What is not finished: a file that waits to be described, or a new version."""

    id: str
    title: str
    name: str
    """The name of its first file."""
    url: str
    at: datetime


@dataclass(frozen=True)
class FilePage:
    """A person's file."""

    owner: str
    own: bool
    here: str
    done: int
    total: int
    gaps: Sequence[GapLine]
    groups: Sequence[tuple[str, Sequence[CredentialRow]]]
    former: Sequence[CredentialRow]
    """Replaced and withdrawn ones."""
    drafts: Sequence[DraftLine] = ()
    staff: bool = False
    """Whether the reader sees those of others too."""


@dataclass(frozen=True)
class CategoryLine:
    """A category as a choice."""

    key: str
    title: str
    hint: str


@dataclass(frozen=True)
class CredentialVersionLine:
    """A version in the list of all: when, how, by whom, and where its difference is shown."""

    number: int
    how: str
    who: str
    at: datetime
    reason: str
    url: str
    shown: bool
    """Whether the page shows this version."""
    vouched: str = ""


@dataclass(frozen=True)
class HistoryLine:
    """One thing that happened to a credential."""

    text: str
    at: datetime
    who: str
    reason: str = ""


@dataclass(frozen=True)
class CredentialPage:
    """One credential, in one of its versions."""

    row: CredentialRow
    owner: str
    own: bool
    back_url: str
    version: int
    newest: bool
    sections: Sequence[AnswerSection]
    compared: bool
    files: Sequence[FileRow]
    sheets: Sequence[tuple[str, str]]
    """Pages of its files as pictures: address and words."""
    versions: Sequence[CredentialVersionLine]
    history: Sequence[HistoryLine]
    stands: bool
    confirms: bool
    in_register: bool = False
    """Whether a register of the state knows such credentials."""
    reason: str = ""
    """Why it was withdrawn."""
    replaced_url: str = ""
    replaced_title: str = ""
    renew_url: str = ""
    """Where its renewal is begun, if a case renews such a credential."""
    renewal_url: str = ""
    reminders: str = ""
    """How many days ahead its owner is reminded, for the owner of one that ends."""
    """The case that renews it now."""


@dataclass(frozen=True)
class DraftPage:
    """The form of a draft, with its files."""

    id: str
    url: str
    heading: str
    category: str
    categories: Sequence[CategoryLine]
    hint: str
    fields: Sequence[FieldView]
    shown: str
    files: Sequence[FileRow]
    files_hint: str
    files_required: bool
    files_error: str
    candidates: Sequence[Candidate]
    left: int
    """How many others wait."""
    saved_at: datetime | None
    problem: str
    update_of: str = ""
    """The address of the credential that it is a new version of."""
