"""The notices and their settings, as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DeliveryLine:
    """What became of a notice by one channel; `tone` and `icon` say it without words."""

    channel: str
    words: str
    tone: str
    icon: str
    resend_url: str = ""
    tries: Sequence[tuple[datetime, str]] = ()


@dataclass(frozen=True)
class NoticeLine:
    """A notice in the cabinet, with what became of it outside."""

    id: str
    at: datetime
    title: str
    text: str
    url: str
    icon: str
    unread: bool
    deliveries: Sequence[DeliveryLine]
    details_url: str
    programme: str = ""


@dataclass(frozen=True)
class NoticePage:
    """One notice, whole."""

    title: str
    text: str
    then: str
    link: str
    url: str
    at: datetime
    read_at: datetime | None
    deliveries: Sequence[DeliveryLine]
    programme: str = ""


@dataclass(frozen=True)
class CellView:
    """A box of the table: one channel of one group."""

    name: str
    label: str
    on: bool
    locked: bool


@dataclass(frozen=True)
class GroupView:
    """A row of the table: a group of events, in words, and its boxes."""

    title: str
    hint: str
    cells: Sequence[CellView]


@dataclass(frozen=True)
class BrowserView:
    """A browser that shows the person's notices."""

    device: str
    since: datetime
    last: datetime | None
    end_url: str


@dataclass(frozen=True)
class PendingView:
    """A new contact whose code was sent and not entered yet."""

    id: str
    value: str
    until: datetime
    tries: int
