"""The lines of the ops desk: one for each thing that needs attention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rules.operation.states import TROUBLES, Remedy, Trouble


@dataclass(frozen=True)
class AttentionLine:
    """One thing that needs attention. `subject` is what the remedy applies to."""

    trouble: Trouble
    subject: str
    name: str
    since: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    workflow_id: str | None = None
    remedy: Remedy | None = None


@dataclass(frozen=True)
class AttentionSection:
    """All trouble of one kind; `total` includes what is not among the lines."""

    trouble: Trouble
    total: int
    lines: Sequence[AttentionLine]


def line_of(trouble: Trouble, subject: str, name: str, **more: Any) -> AttentionLine:
    """A line with the remedy of its trouble."""
    return AttentionLine(trouble, subject, name, remedy=TROUBLES[trouble].remedy, **more)
