"""What the pages of the comparison with registers show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class RecordLine:
    """One record of a register: what it is, and its facts in words."""

    title: str
    facts: Sequence[str]


@dataclass(frozen=True)
class RegisterCardView:
    """What one register says of the person, or why it says nothing."""

    key: str
    title: str
    tone: str
    icon: str
    word: str
    text: str
    since: str
    checked_at: datetime | None
    records: Sequence[RecordLine]


@dataclass(frozen=True)
class OwnRegisters:
    """All registers, and the check that the person asked for last."""

    cards: Sequence[RegisterCardView]
    checking: bool
    words: str
    tone: str
    icon: str


@dataclass(frozen=True)
class RunView:
    """How far the comparison of everybody with one register is."""

    title: str
    tone: str
    icon: str
    word: str
    done: int
    total: int
    started_at: datetime
    until: str
    changed: int
    unknown: int
