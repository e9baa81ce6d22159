"""What a decision causes besides moving its case, for kinds that register something.

The effect is part of the decision: it happens in the same unit of work, under the lock of the case.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.cases import Case
from rules.access import Actor
from rules.cases.kinds import process_of
from rules.cases.process import CaseKind, Transition
from rules.refusals import Refusal
from services.cases.transitions import CaseNotice, arrow_of


@dataclass(frozen=True)
class Decided:
    """A decision that is about to move its case, which is locked."""

    session: AsyncSession
    case: Case
    outcome: Transition
    by: Actor
    now: datetime


class OvertakenError(Exception):
    """The decision cannot be made, and the case has to move otherwise first.

    The unit of work ends without effect; then `instead` moves the case in one of its own, and the
    person gets the refusal.
    """

    def __init__(self, refusal: Refusal, instead: Callable[[Database], Awaitable[None]]) -> None:
        super().__init__(refusal.code)
        self.refusal, self.instead = refusal, instead


Effect = Callable[[Decided], Awaitable[list[CaseNotice]]]
"""Does what the decision causes. Returns who else is told. Raises Refusal or OvertakenError."""

_EFFECTS: dict[CaseKind, Effect] = {}


def register(kind: CaseKind, effect: Effect) -> None:
    """Register what the decisions on a kind cause."""
    _EFFECTS[kind] = effect


async def take_effect(decided: Decided) -> list[CaseNotice]:
    """Do what the decision causes. Raises KeyError if a kind decided in turns has no effect."""
    process = process_of(decided.case.kind)
    if len(process.deciding) > 1:
        arrow_of(decided.case, decided.outcome)
        return await _EFFECTS[process.kind](decided)
    return []
