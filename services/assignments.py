"""Who has a case: the choice of a reviewer among those who may act on it now (A11)."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from models.tables.cases import Case
from rules.cases import Status
from services import access

ON_THE_DESK = (Status.IN_REVIEW.value, Status.PROCESSING.value)
"""Where a case is work for the reviewer who has it."""

_CHOOSING = 1_245_662_038
TURN = func.pg_advisory_xact_lock(_CHOOSING, bindparam("turn", type_=Integer()))
"""Lets one unit of work at a time choose a reviewer in a unit, until it ends.

Taken by a statement before the one that counts, which then sees what the one before has given.
"""


def turn_of(unit_id: UUID) -> dict[str, Any]:
    """The parameters of `TURN`."""
    return {"turn": int.from_bytes(unit_id.bytes[-4:], "big", signed=True)}


async def take_turn(session: AsyncSession, unit_id: UUID) -> None:
    """Wait for `TURN`, after the case is locked and never before."""
    await session.exec(select(TURN), params=turn_of(unit_id))


@lru_cache
def _least_laden() -> SelectOfScalar[UUID]:
    """Those who may act on a case of a unit, the one with the fewest cases first.

    Of several, the one who has been longest without a new case, so that whoever decides at once is
    not given everything. One look into an index for each of them.
    """
    able = access.able()
    theirs = col(Case.reviewer_id) == able.c.person_id
    load = (
        select(func.count())
        .select_from(Case)
        .where(theirs, col(Case.closed_at).is_(None), col(Case.status).in_(ON_THE_DESK))
        .scalar_subquery()
    )
    last = select(func.max(col(Case.assigned_at))).where(theirs).scalar_subquery()
    return (
        select(able.c.person_id)
        .where(able.c.person_id != bindparam("applicant_id", type_=Uuid()))
        .order_by(load, last.nulls_first(), able.c.person_id)
    )


async def choose(
    session: AsyncSession, case: Case, now: datetime
) -> tuple[UUID | None, UUID | None]:
    """Who reviews: whoever had it before, the deputy of one who is away, or the least laden.

    The second answer is the absent person whom a deputy stands in for. The caller has taken the
    turn of the case's unit.
    """
    values = {
        "unit_id": case.responsible_unit_id,
        "applicant_id": case.applicant_id,
        "now": now,
    }
    found = (await session.exec(_least_laden(), params=values)).all()
    if case.reviewer_id is not None:
        if case.reviewer_id in found:
            return case.reviewer_id, None
        deputy = await access.deputy_of(session, case.reviewer_id, now)
        if deputy in found:
            return deputy, case.reviewer_id
    return (found[0] if found else None), None


def give(case: Case, to: UUID | None, now: datetime) -> None:
    """Note on a locked case who has it from now on; its caller saves and journals it."""
    if case.reviewer_id != to:
        case.reviewer_id = to
        case.assigned_at = now if to is not None else None
