"""What may be asked of the audit: the longest period, and whose data a line is about."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from rules.journal.tags import AuditTag
from rules.refusals import FieldError, Refusal

PAGE = 50
WINDOW = timedelta(days=92)
"""The longest period that one search covers, so that its cost has a bound."""
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing was recorded before."""
USUAL = timedelta(days=30)
"""The period where none is asked for."""


class Source(StrEnum):
    """Where a line comes from."""

    ENTRY = "entry"
    VIEW = "view"
    ATTEMPT = "attempt"


@dataclass(frozen=True)
class AuditQuery:
    """What is asked for. What is left out narrows nothing."""

    since: datetime
    until: datetime
    by: UUID | None = None
    """Who acted."""
    about: UUID | None = None
    """Whose data were looked at, or whose account was acted on, by somebody else."""
    case_id: UUID | None = None
    address: str = ""
    """The network address of a sign-in; then only tries to sign in are found."""
    tags: tuple[AuditTag, ...] = ()


def period(
    since: datetime | None, until: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """The period that is searched. Raises Refusal 422 for one that is longer than `WINDOW`."""
    ends = max(min(until or now, now), FIRST + WINDOW)
    if since is None:
        return ends - USUAL, ends
    since = max(since, FIRST)
    if until is None and ends - since > WINDOW:
        ends = since + WINDOW
    if ends - since > WINDOW:
        message = "Выберите период не длиннее 92 дней."
        raise Refusal("period_too_long", message, 422, [FieldError("from", message)])
    return since, ends
