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
class DifferenceView:
    """One credential in which a register and the person's file differ.

    `rows` are label, ours, theirs. `key` names what is shown, `act_id` the act that answers it.
    """

    key: str
    act_id: str
    title: str
    register: str
    new: bool
    url: str
    ours_words: str
    theirs_words: str
    rows: Sequence[tuple[str, str, str]]
    words: str = ""
    said_at: datetime | None = None
    answer: str = ""
    answered_at: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether it is disputed, and nobody has answered."""
        return self.said_at is not None and self.answered_at is None


@dataclass(frozen=True)
class DisputeRow:
    """Somebody's dispute, as whoever answers it sees it."""

    id: str
    name: str
    unit: str
    title: str
    register: str
    rows: Sequence[tuple[str, str, str]]
    words: str
    at: datetime
    url: str


@dataclass(frozen=True)
class OwnRegisters:
    """All registers, differences, and the check that the person asked for last."""

    differences: Sequence[DifferenceView]
    cards: Sequence[RegisterCardView]
    checking: bool
    words: str
    tone: str
    icon: str
    keeps: bool = True
    """Whether the person keeps a file of qualification, to which the page leads back."""


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
