"""How many results wait for somebody, without anything of a patient: for the home page."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectRows
from models.tables.base import UtcDateTime
from models.tables.results import LabOffer, LabResult
from rules.access import Actor, Permission
from rules.results.life import OPEN_STATES, OfferState, ResultState
from rules.results.values import Urgency


@dataclass(frozen=True)
class ResultsWaiting:
    """Figures of results. `critical`, `late` and `other` are the actor's own, each once."""

    critical: int
    late: int
    other: int
    offered: int
    late_in_units: int
    unmatched: int

    @property
    def mine(self) -> int:
        """How many the actor is to confirm."""
        return self.critical + self.late + self.other


async def results_waiting(session: AsyncSession, actor: Actor, now: datetime) -> ResultsWaiting:
    """What waits for the actor, and in units that the actor oversees: one statement.

    Only results that are open are read, by the indexes of who answers and of the unit.
    """
    values = {
        "who": actor.person_id,
        "now": now,
        "overseen": list(actor.units_with(Permission.OVERSEE_RESULTS)),
        "matching": list(actor.units_with(Permission.MATCH_RESULTS)),
    }
    return ResultsWaiting(*await _waiting().one(session, values))


@lru_cache
def _waiting() -> DirectRows:
    """The statement of `results_waiting`."""
    who, now = bindparam("who", type_=Uuid()), bindparam("now", type_=UtcDateTime())
    own = (col(LabResult.answers_id) == who) & (col(LabResult.state) == ResultState.AWAITING.value)
    late = col(LabResult.due_at) < now
    critical = col(LabResult.urgency) == Urgency.CRITICAL.value
    not_own = col(LabResult.answers_id) != who
    overseen = _in_units("overseen") & late & not_own
    nobodys = _in_units("matching") & (col(LabResult.state) == ResultState.UNMATCHED.value)
    offered = (
        select(func.count())
        .where(
            col(LabOffer.to_id) == who,
            col(LabOffer.state) == OfferState.OFFERED.value,
            col(LabOffer.lapses_at) > now,
        )
        .scalar_subquery()
    )
    return DirectRows(
        select(
            func.count().filter(own & critical),
            func.count().filter(own & ~critical & late),
            func.count().filter(own & ~critical & ~late),
            offered,
            func.count().filter(overseen),
            func.count().filter(nobodys),
        ).where(col(LabResult.state).in_(OPEN_STATES), own | overseen | nobodys)
    )


def _in_units(name: str) -> ColumnElement[bool]:
    return col(LabResult.unit_id) == func.any(bindparam(name, type_=ARRAY(Uuid())))
