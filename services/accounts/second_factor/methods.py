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
    """Who answers, from where, and for what: `about` is the session that asks for the factor."""

    person_id: UUID
    about: UUID
    visitor: Visitor
    now: datetime


@dataclass(frozen=True)
class Offer:
    """A method that a person has set up. `left`: how often it can still be used, if limited."""

    method: Method
    left: int | None = None


Use = Callable[[AsyncSession], Awaitable[bool]]
"""Use up an answer that was recognised. True for one caller only, however many try at once."""


class SecondFactor(Protocol):
    """One method of proving that a person possesses something."""

    method: Method

    async def offer(self, session: AsyncSession, person_id: UUID) -> Offer | None:
        """The method as it is offered to a person; None if it is not set up."""

    async def recognise(self, database: Database, attempt: Attempt, answer: str) -> Use | None:
        """How to use up the answer; None if it is wrong. Nothing is changed yet."""

    def refusal(self) -> Refusal:
        """The refusal of a wrong answer."""
