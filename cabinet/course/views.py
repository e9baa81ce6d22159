"""The course and its list, as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cabinet.frame.views import FieldView


@dataclass(frozen=True)
class CourseView:
    """The course in the reader's language, with where the reader stands."""

    title: str
    version: int
    sections: Sequence[tuple[str, Sequence[str]]]
    questions: Sequence[FieldView]
    passed_at: datetime | None
    passed_version: int
    due: datetime
    open: bool
    overdue: bool


@dataclass(frozen=True)
class LateRow:
    """Somebody who is late."""

    name: str
    position: str
    unit: str
    passed_at: datetime | None
    due: datetime
