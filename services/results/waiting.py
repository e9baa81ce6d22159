"""How many results wait for somebody, without anything of a patient: for the home page."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

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
    own = (col(LabResult.answers_id) == actor.person_id) & (
        col(LabResult.state) == ResultState.AWAITING.value
    )
    late = col(LabResult.due_at) < now
    critical = col(LabResult.urgency) == Urgency.CRITICAL.value
    not_own = col(LabResult.answers_id) != actor.person_id
    overseen = _in_units(actor, Permission.OVERSEE_RESULTS) & late & not_own
    nobodys = _in_units(actor, Permission.MATCH_RESULTS) & (
        col(LabResult.state) == ResultState.UNMATCHED.value
    )
    offered = (
        select(func.count())
        .where(
            col(LabOffer.to_id) == actor.person_id,
            col(LabOffer.state) == OfferState.OFFERED.value,
            col(LabOffer.lapses_at) > now,
        )
        .scalar_subquery()
    )
    connection = await session.connection()
    found = await connection.execute(
        select(
            func.count().filter(own & critical),
            func.count().filter(own & ~critical & late),
            func.count().filter(own & ~critical & ~late),
            offered,
            func.count().filter(overseen),
            func.count().filter(nobodys),
        ).where(col(LabResult.state).in_(OPEN_STATES), own | overseen | nobodys)
    )
    return ResultsWaiting(*found.one())


def _in_units(actor: Actor, permission: Permission) -> ColumnElement[bool]:
    units = actor.units_with(permission)
    return col(LabResult.unit_id).in_(units) if units else false()
