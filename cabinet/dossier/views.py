"""A case at one act, as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cabinet.cases.views import AnswerSection
from cabinet.reviews.views import FindingView, PastDecision
from rules.cases.process import Status


@dataclass(frozen=True)
class PastAct:
    """One act of the case as a link; `later` if it had not happened yet."""

    url: str
    at: datetime
    text: str
    who: str
    reason: str
    """Why, where that is told; empty for what had not happened yet."""
    here: bool
    later: bool


@dataclass(frozen=True)
class PastMessage:
    """A message that was written by then."""

    who: str
    at: datetime
    text: str
    internal: bool


@dataclass(frozen=True)
class PastRight:
    """A role that somebody of the case held then."""

    person: str
    role: str
    unit: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class PastCase:
    """The whole page."""

    number: str
    at: datetime
    act: str
    who: str
    status: Status
    kind: str
    facts: Sequence[tuple[str, str]]
    unknown: Sequence[str]
    """What came later, each in words; empty at the last act."""
    version: int
    """The number of the version that stood; 0 where there was none."""
    sections: Sequence[AnswerSection]
    files: Sequence[tuple[str, str]]
    """The documents by what they were given for."""
    checked: bool
    findings: Sequence[FindingView]
    decisions: Sequence[PastDecision]
    checklist: Sequence[tuple[str, bool]]
    """The questions of the last decision with their answers."""
    messages: Sequence[PastMessage]
    rights: Sequence[PastRight]
    acts: Sequence[PastAct]
