"""The ops desk as its pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class TroubleLine:
    """One thing that needs attention."""

    name: str
    name_url: str
    """The workflow in the Temporal UI; empty where there is none."""
    since: datetime | None
    details: str
    remedy: str
    """The words of the button; empty where there is no remedy, or no right to it."""
    remedy_url: str


@dataclass(frozen=True)
class TroublePart:
    """All troubles of one kind.

    Kinds without lines are drawn empty, so that each can be refreshed.
    """

    key: str
    title: str
    why: str
    total: int
    lines: Sequence[TroubleLine]


@dataclass(frozen=True)
class SeenPart:
    """A part of the installation: when it was last seen to work, and what is expected of it
    next."""

    name: str
    seen: str
    awaited: str
    tone: str


@dataclass(frozen=True)
class OperationPage:
    """The desk: a sentence, when each part was last seen, and what is in trouble."""

    sentence: str
    tone: str
    seen: Sequence[SeenPart]
    parts: Sequence[TroublePart]
    tag: str
    cases_url: str
    """The runs of open cases in the Temporal UI."""


@dataclass(frozen=True)
class RemedyPage:
    """A remedy before it is applied: to what, what it does, and the field for the reason."""

    title: str
    name: str
    does: str
    button: str
    remedy: str
    subject: str
    act_id: str
