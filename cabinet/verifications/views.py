"""What the pages of verifications are given to show."""

from collections.abc import Sequence
from dataclasses import dataclass

from cabinet.cases.views import CaseFile, CaseRow, PaperLink, ShownCase
from cabinet.conversation.views import Talk


@dataclass(frozen=True)
class StepView:
    """One step: what it is, whether it is done, whom it waits for, where it is done."""

    title: str
    text: str
    state: str
    """`done`, `waits` for somebody else, or `todo`."""
    word: str
    url: str
    action: str


@dataclass(frozen=True)
class ClosedPart:
    """A part of the cabinet that a state opens: what it is, and why it is closed."""

    title: str
    open: bool
    text: str


@dataclass(frozen=True)
class DocumentRow:
    """A kind of document: when it is needed, what is checked, what the operator confirms."""

    title: str
    when: str
    checks: Sequence[str]
    confirms: str


@dataclass(frozen=True)
class VerificationOverview:
    """«Подтверждение учётной записи»: what is left, and what waits for whom."""

    state: str
    tone: str
    icon: str
    steps: Sequence[StepView]
    parts: Sequence[ClosedPart]
    documents: Sequence[DocumentRow]
    cases: Sequence[CaseRow]


@dataclass(frozen=True, kw_only=True)
class VerificationPage(ShownCase):
    """What the page of a verification shows besides."""

    papers: Sequence[PaperLink]
    files: Sequence[CaseFile]
    talk: Talk
    reason: str
    answer_url: str
    correct_url: str
    withdraw_url: str
    copy_url: str
    unfolded: bool = False
    facts: Sequence[tuple[str, str]] = ()
