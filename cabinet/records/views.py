"""Records as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from cabinet.cases.views import AnswerSection
from cabinet.frame.states import StatusTag
from cabinet.frame.views import FieldView, Option


@dataclass(frozen=True)
class WarningLine:
    """An allergy or another thing that warns."""

    about: str
    severity: str
    dangerous: bool
    url: str


@dataclass(frozen=True)
class HeadView:
    """The top of every page of a patient: who it is, what warns, why the record is open."""

    url: str
    name: str
    born: date
    age: str
    sex: str
    way: str
    until: datetime | None
    warnings: Sequence[WarningLine]
    others: Sequence[str] = ()
    """Other identities of the same person."""


@dataclass(frozen=True)
class HistoryRow:
    """One thing that happened to the patient."""

    url: str
    title: str
    about: str
    at: datetime
    who: str
    note: str = ""
    written_as: str = ""
    """The identity under which it is kept, where it is another one."""
    bad: bool = False


@dataclass(frozen=True)
class DraftRow:
    """What the reader has begun to write and not signed."""

    url: str
    title: str
    at: datetime


@dataclass(frozen=True)
class BlockView:
    """A part of the page that another subject draws by a template of its own."""

    key: str
    title: str
    template: str
    contents: Any


@dataclass(frozen=True)
class PatientPage:
    """The page of a patient."""

    head: HeadView
    last_seen: datetime | None
    news: Sequence[HistoryRow]
    rows: Sequence[HistoryRow]
    older: str
    """The address of older lines; empty where there are none."""
    narrowed: bool
    filters: Sequence[FieldView]
    drafts: Sequence[DraftRow]
    kinds: Sequence[Option]
    draft_id: str
    visit_id: str
    blocks: Sequence[BlockView] = ()


@dataclass(frozen=True)
class EntryVersionLine:
    """A version in the list of all."""

    number: int
    who: str
    at: datetime
    reason: str
    url: str
    shown: bool


@dataclass(frozen=True)
class EntryPageView:
    """One entry, in one of its versions."""

    head: HeadView
    url: str
    title: str
    form: str
    """The form, its edition and its norm in words."""
    tag: StatusTag
    signed_at: datetime
    author: str
    written_as: str
    version: int
    newest: bool
    sections: Sequence[AnswerSection]
    compared: bool
    versions: Sequence[EntryVersionLine]
    changeable: bool
    draft_id: str = ""
    mistaken_reason: str = ""
    mistaken_by: str = ""
    mistaken_at: datetime | None = None


@dataclass(frozen=True)
class FormPart:
    """The fields of a form on one subject."""

    title: str
    fields: Sequence[FieldView]


@dataclass(frozen=True)
class EntryForm:
    """The form of a draft."""

    head: HeadView
    url: str
    heading: str
    hint: str
    form: str
    parts: Sequence[FormPart]
    shown: str
    patient_id: str
    visit_id: str
    version: int
    """The version that the form shows; 0 for a new entry."""
    saved_at: datetime | None
    problem: str
    correction: bool
    reason: FieldView | None = None
    entry_url: str = ""
    changes: Sequence[AnswerSection] = field(default_factory=tuple)
    """What others have changed since the author opened the entry."""
