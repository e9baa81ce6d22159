"""What the pages of meetings are given to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cabinet.frame.states import StatusTag
from cabinet.frame.views import FieldView


@dataclass(frozen=True)
class MeetingView:
    """A meeting, seen by one of the two who meet."""

    id: UUID
    state: StatusTag
    starts_at: datetime
    ends_at: datetime
    other: str
    """The name of the other person."""
    room: str
    booked: bool
    changeable: bool
    reason: str


@dataclass(frozen=True)
class FreeTime:
    """A time that can be chosen."""

    slot_id: UUID
    starts_at: datetime


@dataclass(frozen=True)
class MeetingsPage:
    """The person's meetings for one purpose, and the free times by day.

    `choosing` says whether times are offered: for a first meeting, or to move the present one.
    """

    purpose: str
    title: str
    present: MeetingView | None
    before: Sequence[MeetingView]
    choosing: bool
    days: Sequence[tuple[datetime, Sequence[FreeTime]]]


@dataclass(frozen=True)
class TimeRow:
    """A time of an operator's schedule."""

    slot_id: UUID
    starts_at: datetime
    meeting: MeetingView | None
    withdrawable: bool


@dataclass(frozen=True)
class SchedulePage:
    """An operator's times, and the form that opens more."""

    rows: Sequence[TimeRow]
    fields: Sequence[FieldView]
    zone: str


@dataclass(frozen=True)
class AskedRow:
    """Something that is gone through with the person, and whether it was marked."""

    name: str
    words: str
    hint: str
    since: datetime | None
    marked: bool


@dataclass(frozen=True)
class HoldingPage:
    """A meeting for the operator who holds it."""

    meeting: MeetingView
    purpose: str
    case_url: str
    """Where the person's documents are to be looked at; empty where there is no case."""
    checklist: Sequence[tuple[str, str, bool]]
    outcomes: FieldView
    reason: FieldView
    begun: bool
    asks: str = ""
    """What is asked besides; empty where nothing is."""
    asks_hint: str = ""
    asked: Sequence[AskedRow] = ()
    gives_code: bool = False
