"""What a run of faults has seen: the answers that people got, the faults that were made."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from rules.accounts import AccountState
from rules.cases.process import Transition
from rules.clock import now
from rules.schedule.states import AppointmentState


@dataclass(frozen=True)
class ActOutcome:
    """An act that was answered for good: accepted, or refused by the business."""

    act_id: UUID
    case_id: UUID
    transition: Transition
    by: UUID
    accepted: bool


@dataclass
class Tally:
    """Counts rounds of three tries of five seconds; without an answer there is another round.

    `rounds` began while the API could answer, `during_outage` while it could not.
    """

    rounds: int = 0
    unanswered: int = 0
    during_outage: int = 0
    unanswered_then: int = 0
    retried: int = 0
    hung_up: int = 0
    refused: int = 0

    def count(self, *, up: bool, answered: bool) -> None:
        """Count one round."""
        self.rounds += up
        self.unanswered += up and not answered
        self.during_outage += not up
        self.unanswered_then += not up and not answered

    @property
    def share(self) -> float:
        """The share of rounds that got their answer, of those begun while the servers were back."""
        return 1 - self.unanswered / self.rounds if self.rounds else 0.0


@dataclass
class Evidence:
    """All that the checker compares with what the servers hold."""

    tally: Tally = field(default_factory=Tally)
    submitted: dict[UUID, str] = field(default_factory=dict)
    """Number by case, as acknowledged."""
    attached: set[tuple[UUID, str, UUID]] = field(default_factory=set)
    """Case, kind and version of each document that was answered as attached to a draft."""
    answers: list[ActOutcome] = field(default_factory=list)
    states: dict[UUID, AccountState] = field(default_factory=dict)
    """The state that each account under verification has to have."""
    locks: dict[UUID, UUID] = field(default_factory=dict)
    """The lock of each owner who locked the account."""
    agreed: dict[UUID, list[UUID]] = field(default_factory=dict)
    """Who was answered that the lock is opened by them."""
    ended: set[UUID] = field(default_factory=set)
    """Credentials of whose end people were reminded and told."""
    granted: set[UUID] = field(default_factory=set)
    """Cases of accreditation that the federal centre has granted."""
    packages: dict[UUID, str | None] = field(default_factory=dict)
    """SHA-256 of what the authority fetched, by hand-over; None for one that was refused."""
    appointments: dict[UUID, AppointmentState] = field(default_factory=dict)
    """Where each appointment stands as people were told."""
    visit_acts: dict[UUID, UUID] = field(default_factory=dict)
    """The appointment of each accepted act on the schedule, by the id of the act."""
    confirmed: dict[tuple[str, int], UUID] = field(default_factory=dict)
    """Who was answered that a version of a result, by its number, is confirmed."""
    stories: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    """Stories that came to no end, and why."""
    faults: Counter[str] = field(default_factory=Counter)
    sender_interrupted: int = 0
    """Faults that may come between sending a message and storing that: each excuses a duplicate."""
    cuts: list[tuple[datetime, datetime]] = field(default_factory=list)
    """When the mail server took messages without saying so."""
    browsers: dict[str, UUID] = field(default_factory=dict)
    """Whose browsers take push messages, by their names with the push service."""
    gone: set[str] = field(default_factory=set)
    """Browsers whose subscriptions have ended."""

    def next_to_go(self) -> str | None:
        """The browser whose subscription is to end next; None once all have ended."""
        name = next((one for one in self.browsers if one not in self.gone), None)
        if name is not None:
            self.gone.add(name)
        return name

    @contextmanager
    def cutting(self) -> Iterator[None]:
        """A time in which the mail server hangs up before its reply."""
        began = now()
        try:
            yield
        finally:
            self.cuts.append((began, now()))
