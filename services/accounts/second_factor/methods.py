"""What every method of the second factor has in common."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from rules.refusals import Refusal
from rules.second_factor import Method
from services.accounts.sessions import Visitor


@dataclass(frozen=True)
class Attempt:
    """Who answers, from where, and for what: `about` is the session that asks for the factor.

    Of a forgotten password it is the link.
    """

    person_id: UUID
    about: UUID
    visitor: Visitor
    now: datetime


@dataclass(frozen=True)
class Site:
    """Which site asks: the address that people open, and whose it is."""

    public_url: str
    institution: str


@dataclass(frozen=True)
class Offer:
    """A method that a person has set up.

    `left`: how often it can still be used, if limited; `hint`: what tells its owner which it is.
    """

    method: Method
    left: int | None = None
    hint: str = ""


Use = Callable[[AsyncSession], Awaitable[bool]]
"""Use up an answer that was recognised. True for one caller only, however many try at once."""


class Provable(Protocol):
    """Something whose possession can be proven."""

    method: Method

    async def recognise(self, database: Database, attempt: Attempt, answer: str) -> Use | None:
        """How to use up the answer; None if it is wrong. Nothing is changed yet."""

    def refusal(self) -> Refusal:
        """The refusal of a wrong answer."""


class NewFactor(Provable, Protocol):
    """A factor that becomes the person's by its first answer."""

    replaces: bool
    """Whether it takes the place of an earlier one."""


class SecondFactor(Provable, Protocol):
    """One method, as far as people have set it up."""

    async def offer(self, session: AsyncSession, person_id: UUID) -> Offer | None:
        """The method as it is offered to a person; None if it is not set up."""

    async def begin(self, database: Database, attempt: Attempt, site: Site) -> str:
        """Do what has to be done before it can be answered. Returns what the browser needs for it.

        Raises Refusal 409 if it is not set up, 429 if it was begun too often.
        """

    async def remove(self, session: AsyncSession, person_id: UUID, which: UUID | None) -> bool:
        """Remove it from the person, or `which` of several. False if there was none."""
