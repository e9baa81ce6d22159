"""The journal as its pages show it to information security."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cabinet.frame.views import Chip, FieldView, Pages


@dataclass(frozen=True)
class DeclarationCard:
    """What was declared of the journal, when, and whether somebody confirmed it."""

    told: str
    at: str
    confirmed: str
    """When it was confirmed; empty while it waits."""
    url: str
    """Where it is confirmed; empty where that is done, or not for this person."""


@dataclass(frozen=True)
class WatchPart:
    """One subject of the last day: a heading, a sentence, and a table of who did it."""

    key: str
    title: str
    sentence: str
    tone: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class JournalPage:
    """The state of the journal, and what happened within the last day."""

    watch: Sequence[WatchPart]

    sealed_at: str
    refused: str
    """A sentence about rows that checkpoints refuse; empty where there are none."""
    declarations: Sequence[DeclarationCard]


@dataclass(frozen=True)
class ConfirmPage:
    """A declaration before it is confirmed."""

    digest: str
    told: str
    at: str


@dataclass(frozen=True)
class AuditRow:
    """One act, view or attempt: when, who, what, and about what."""

    at: datetime
    who: str
    words: str
    tag: str
    about: str
    url: str
    """Where the case is that it was about; empty where there is none to open."""
    bad: bool
    """Whether it was an attempt that failed."""


@dataclass(frozen=True)
class AuditList:
    """A page of the audit with its filters."""

    url: str
    rows: Sequence[AuditRow]
    fields: Sequence[FieldView]
    active: Sequence[Chip]
    pages: Pages
    about: bool
    """Whether the rows say who acted."""
    query: str = ""
    """The address of the list, for its file."""


@dataclass(frozen=True)
class ChainView:
    """Whether the journal holds: in a sentence, with its tone."""

    words: str
    tone: str
    icon: str


@dataclass(frozen=True)
class MeasureRow:
    """A protective measure: how it stands, in a figure, and what to do."""

    name: str
    grade: str
    tone: str
    icon: str
    figure: str
    remedy: str
