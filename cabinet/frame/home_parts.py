"""What a subject gives to the home page.

A part says by which permissions it is opened, where its blocks stand, and asks its own subject: a
fixed number of statements, each of them bounded and a transaction by itself. Who holds none of its
permissions costs nothing.
All parts stand in `cabinet.home.register`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cabinet.frame.states import StatusTag
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.access import Permission


@dataclass(frozen=True)
class HomeBlock:
    """A block with a template of its own, which reads `contents`."""

    template: str
    contents: Any


@dataclass(frozen=True)
class HomeLine:
    """One line of a list: when, what, and where it leads."""

    text: str
    url: str = ""
    when: str = ""
    note: str = ""
    tag: StatusTag | None = None


@dataclass(frozen=True)
class HomeList:
    """A short list with the way to all of it; `empty` is said where there is no line."""

    key: str
    title: str
    lines: Sequence[HomeLine]
    more: str = ""
    more_url: str = ""
    empty: str = ""


@dataclass(frozen=True)
class HomeSays:
    """What a part has to say to the visitor now.

    `calls` of the tone `bad` are dangerous and stand before everything else.
    """

    sentences: Sequence[str] = ()
    calls: Sequence[CallToAction] = ()
    blocks: Sequence[HomeBlock] = ()
    begins: Sequence[tuple[str, str]] = ()
    """What can be begun from here: addresses and words of the buttons."""


@dataclass(frozen=True)
class HomePart:
    """A part of the page. Any of the permissions opens it; with none it is for everybody."""

    opened_by: Sequence[Permission]
    ask: Callable[[Visit, DatabaseSession], Awaitable[HomeSays]]
    today: bool = False
    """Whether its blocks are about today: they stand above what waits, others below it."""

    def is_open(self, visit: Visit) -> bool:
        """Whether the visitor's rights open it."""
        return not self.opened_by or any(visit.actor.may(one) for one in self.opened_by)


def short_list(shown: HomeList) -> HomeBlock:
    """A list as a block."""
    return HomeBlock("home/list.html", shown)
