"""What the engine asks of a kind of case whose cases are answered by an addressee.

Such a kind registers in the module that talks to its addressee; the engine names no kind.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from rules.cases.kinds import process_of
from rules.cases.process import CaseKind


@dataclass(frozen=True)
class Addressee:
    """What only the kind knows.

    `owes`: whether the addressee has yet to be told how a closed case ended. `replies_among`: which
    of these ids are the addressee's replies on the case.
    """

    owes: Callable[[AsyncSession, Case], Awaitable[bool]]
    replies_among: Callable[[AsyncSession, Case, Collection[UUID]], Awaitable[set[UUID]]]


_ADDRESSEES: dict[CaseKind, Addressee] = {}


def register(kind: CaseKind, addressee: Addressee) -> None:
    """Register the addressee of a kind."""
    _ADDRESSEES[kind] = addressee


def known() -> frozenset[CaseKind]:
    """The kinds that have registered."""
    return frozenset(_ADDRESSEES)


def _of(case: Case) -> Addressee | None:
    """The addressee of the case's kind; None if the kind has none.

    Raises KeyError if a kind has an addressee but has not registered it.
    """
    kind = CaseKind(case.kind)
    return _ADDRESSEES[kind] if process_of(kind).has_addressee else None


async def owes(session: AsyncSession, case: Case) -> bool:
    """Whether the workflow of a closed case has yet to tell its addressee."""
    addressee = _of(case)
    if addressee is None or case.closed_at is None:
        return False
    return await addressee.owes(session, case)


async def replies_among(session: AsyncSession, case: Case, ids: Collection[UUID]) -> set[UUID]:
    """Which of these ids are replies of the case's addressee."""
    addressee = _of(case)
    return await addressee.replies_among(session, case, ids) if addressee else set()
