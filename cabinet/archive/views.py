"""The archive as its pages show it: the list, exports, and how long cases are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cabinet.frame.views import Chip, FieldView, Pages


@dataclass(frozen=True)
class ArchiveRow:
    """One case of the archive."""

    url: str
    number: str
    kind: str
    title: str
    applicant: str
    unit: str
    status: str
    case_kind: str
    """For the look of the status."""
    submitted_at: datetime
    since: datetime
    own: bool = False


@dataclass(frozen=True)
class View:
    """Filters saved under a name."""

    id: str
    name: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class Archive:
    """The list, its filters, and what can be done with it."""

    rows: Sequence[ArchiveRow]
    fields: Sequence[FieldView]
    active: Sequence[Chip]
    views: Sequence[View]
    pages: Pages
    found: str
    """How many there are, in words."""
    here: str
    """The query of this list."""
    pdf_url: str
    xlsx_url: str
    at_once: bool
    """Whether a file is made within the request."""
    exportable: bool
    others: bool
    """Whether other people's cases are shown, and the column with their names."""
    keeps: bool
    """Whether the person is an archive keeper."""
    may_save: bool


@dataclass(frozen=True)
class ExportRow:
    """One export, under way or ready."""

    id: str
    words: str
    """The format of the file, and the filters of its list."""
    state: str
    word: str
    tone: str
    icon: str
    done: int
    total: int
    percent: int
    asked_at: datetime
    ends_at: datetime | None
    size: int | None
    reason: str
    download_url: str | None
    may_cancel: bool


@dataclass(frozen=True)
class KeptRow:
    """A closed case, and until when it is kept."""

    url: str
    number: str
    title: str
    closed_at: datetime
    until: datetime
    soon: bool
    held: bool


@dataclass(frozen=True)
class Keeping:
    """How long one case is kept, with the forms of those who decide about it."""

    case_url: str
    number: str
    title: str
    closed_at: datetime | None
    until: datetime | None
    held_at: datetime | None
    held_by: str
    reason: str
    erased_at: datetime | None
    url: str
    until_field: FieldView
    reason_field: FieldView
    may: bool
    sees: bool
    """Whether the person may open the case itself."""
