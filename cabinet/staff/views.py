"""People and their accounts, as their pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cabinet.accounts.views import LoginLine, SessionView
from cabinet.frame.views import Chip, FieldView, Pages


@dataclass(frozen=True)
class StateView:
    """The state of an account: its word, its tone and its icon."""

    word: str
    tone: str
    icon: str


@dataclass(frozen=True)
class ListedPerson:
    """A person in the list."""

    url: str
    name: str
    position: str
    unit: str
    state: StateView


@dataclass(frozen=True)
class PeopleList:
    """The list of people, and how it was narrowed."""

    rows: Sequence[ListedPerson]
    fields: Sequence[FieldView]
    active: Sequence[Chip]
    found: str
    more: bool
    """Whether there were too many people to compare them all."""
    pages: Pages
    manages: bool
    invite_url: str
    """Leads to inviting those found; empty where none of them can be invited."""


@dataclass(frozen=True)
class GrantRow:
    """A role in a unit: its words, its time, and who gave it."""

    role: str
    unit: str
    since: datetime
    until: datetime | None
    by: str
    ended: bool
    how: Sequence[str] = ()
    """Who asked, confirmed, approved and ended it."""
    end_url: str = ""


@dataclass(frozen=True)
class DeviceRow:
    """A device on which the person has signed in."""

    id: str
    name: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True)
class Invitee:
    """Somebody who can be invited."""

    id: str
    name: str
    about: str
    state: StateView


@dataclass(frozen=True)
class InviteList:
    """Who can be invited by one act; `first_only` says that there are more."""

    people: Sequence[Invitee]
    act_id: str
    first_only: bool


@dataclass(frozen=True)
class InvitationView:
    """The last invitation of a person, and what became of its mail."""

    sent_at: datetime
    ends_at: datetime
    by: str
    over: bool
    mail: str
    mail_bad: bool


@dataclass(frozen=True)
class PersonPage:
    """A person with the account."""

    id: str
    url: str
    name: str
    state: StateView
    facts: Sequence[tuple[str, str]]
    grants: Sequence[GrantRow]
    own_open: int
    under_review: int
    cases: Sequence[tuple[str, str]]
    """Numbers and addresses of the open cases that the visitor may see."""
    sessions: Sequence[SessionView]
    tokens: int
    devices: Sequence[DeviceRow]
    logins: Sequence[LoginLine]
    own: bool
    acts: Sequence[tuple[str, str]]
    """What the visitor may do to the account: addresses and words; empty where nothing."""
    end_url: str
    """Where sessions are ended; empty where the visitor may not."""
    invitation: InvitationView | None
    rights_url: str
    """Where a change of rights is asked for; empty where the visitor may not."""
    invites: bool
    """Whether the visitor may invite this person."""
    act_id: str
    log_url: str = ""
    """The person's acts in the journal, for who may search it."""


@dataclass(frozen=True)
class StaffActPage:
    """An act on an account: what it does, and what is asked for it."""

    title: str
    does: str
    name: str
    back: str
    url: str
    fields: Sequence[FieldView]
    hidden: Mapping[str, str]
    dangerous: bool
