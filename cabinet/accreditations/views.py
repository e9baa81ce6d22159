"""What the pages of accreditations are given to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cabinet.cases.views import CaseFile, PaperLink, ShownCase
from cabinet.conversation.views import Talk


@dataclass(frozen=True)
class GrantedView:
    """An accreditation that the commission granted."""

    number: str
    until: date


@dataclass(frozen=True)
class CourseRow:
    """A course of the file; `note` says why it does not count."""

    topic: str
    issuer: str
    until: date
    hours: int
    certified: int
    note: str


@dataclass(frozen=True)
class NeedsView:
    """What the norm asks for, what the file gives, what is missing, and what would give it.

    `programmes` are title, address, hours and certified hours; each is enough if `alone`.
    """

    order: str
    years: int
    total: int
    needed: int
    certified: int
    certified_needed: int
    missing: int
    certified_missing: int
    courses: Sequence[CourseRow]
    programmes: Sequence[tuple[str, str, int, int]]
    alone: bool
    admission: str = ""
    until: date | None = None
    file_from: date | None = None
    over: bool = False


@dataclass(frozen=True, kw_only=True)
class AccreditationPage(ShownCase):
    """What the page of an accreditation shows besides."""

    papers: Sequence[PaperLink]
    files: Sequence[CaseFile]
    talk: Talk
    reason: str
    by_centre: bool
    """Whether the reason is the federal centre's."""
    granted: GrantedView | None
    answer_url: str
    correct_url: str
    withdraw_url: str
    copy_url: str
