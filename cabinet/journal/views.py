"""The journal as its pages show it to information security."""

from collections.abc import Sequence
from dataclasses import dataclass


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
