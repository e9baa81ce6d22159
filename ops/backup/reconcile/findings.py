"""The findings of a reconciliation, as lines for people and as data for programs."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any


@dataclass(frozen=True)
class ReconcileFinding:
    """The result of one check. `good` is false where people have to act."""

    subject: str
    count: int
    what: str
    good: bool = True
    examples: tuple[str, ...] = ()
    counted: bool = True
    """False where `what` says it without the count."""

    def __str__(self) -> str:
        """One line for people."""
        count = f"{self.count} " if self.counted else ""
        return f"{'' if self.good else 'FAULT  '}{self.subject}: {count}{self.what}"


@dataclass
class Findings:
    """All findings, in the order of the checks."""

    lines: list[ReconcileFinding] = field(default_factory=list)

    def add(
        self,
        subject: str,
        count: int,
        what: str,
        *,
        good: bool = True,
        examples: Iterable[object] = (),
    ) -> None:
        """Add a finding, with the first twenty of its examples."""
        listed = tuple(map(str, islice(examples, 20)))
        self.lines.append(ReconcileFinding(subject, count, what, good, listed))

    def say(self, subject: str, what: str) -> None:
        """Add that a subject is in order."""
        self.lines.append(ReconcileFinding(subject, 0, what, counted=False))

    def fault(self, subject: str, found: Sequence[object], what: str, otherwise: str) -> None:
        """Add a fault where something was found, else that the subject is in order."""
        if found:
            self.add(subject, len(found), what, good=False, examples=found)
        else:
            self.say(subject, otherwise)

    @property
    def good(self) -> bool:
        """Whether nobody has to act."""
        return all(each.good for each in self.lines)

    def told(self) -> dict[str, Any]:
        """The findings for programs."""
        return {"good": self.good, "findings": [asdict(each) for each in self.lines]}

    def counts(self) -> dict[str, int]:
        """The counts for the journal: numbers only, no examples."""
        return {f"{one.subject}: {one.what}": one.count for one in self.lines if one.count}
