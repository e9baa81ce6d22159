"""Who answers for a result: whoever ordered it, a deputy, the head, and somebody in any case."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from models.tables.people import Absence
from models.tables.results import LabResult
from rules.access import Permission
from rules.refusals import Refusal
from rules.results.life import OPEN_STATES
from services import access


async def can_answer(
    session: AsyncSession, person_id: UUID, unit_id: UUID, now: datetime, *, unmatched: bool
) -> bool:
    """Whether somebody works here, is present today, and may do what the result waits for.

    That is to find its patient, or to confirm it: with the right to treat, or as the head.
    """
    rights = (Permission.MATCH_RESULTS,) if unmatched else (Permission.OVERSEE_RESULTS,)
    held = [_is_able(one, person_id, unit_id) for one in rights]
    if not unmatched:
        held.append(_is_able(Permission.TREAT, person_id))
    found = await session.exec(select(or_(*held)), params={"now": now})
    return bool(found.one())


def _is_able(
    permission: Permission, person_id: UUID, unit_id: UUID | None = None
) -> ColumnElement[bool]:
    """The condition that somebody holds a permission and is here: in a unit, or in any."""
    able = access.able(permission, of_unit=False)
    query = select(able.c.person_id).where(able.c.person_id == person_id)
    if unit_id is not None:
        query = query.where(able.c.unit_id == unit_id)
    return query.exists()


async def is_away(session: AsyncSession, person_id: UUID, unit_id: UUID, now: datetime) -> bool:
    """Whether somebody is absent today, by the calendar of their unit."""
    today = await access.day_in(session, unit_id, now)
    found = await session.exec(
        select(Absence.id).where(
            Absence.person_id == person_id, Absence.first_day <= today, Absence.last_day >= today
        )
    )
    return found.first() is not None


async def choose(
    session: AsyncSession,
    unit_id: UUID,
    preferred: UUID | None,
    now: datetime,
    *,
    unmatched: bool,
) -> UUID:
    """The one person: who is preferred, their deputy, the head of the unit or of one above it.

    Where all heads are away, one of them all the same, and where there is none, whoever manages
    people. Raises Refusal 503 for an installation that has nobody at all: the message comes again.
    """
    if preferred is not None:
        if await can_answer(session, preferred, unit_id, now, unmatched=unmatched):
            return preferred
        deputy = await access.deputy_of(session, preferred, now)
        if deputy and await can_answer(session, deputy, unit_id, now, unmatched=unmatched):
            return deputy
    right = Permission.MATCH_RESULTS if unmatched else Permission.OVERSEE_RESULTS
    values = {"unit_id": unit_id, "now": now}
    found = (await session.exec(_nearest(right), params=values)).first()
    if found is not None:
        return found
    for permission in (right, Permission.OVERSEE_RESULTS, Permission.MANAGE_PEOPLE):
        people = await access.people_with(session, permission, unit_id, now)
        if people:
            return people[0]
    words = "Некому ответить за результат: в организации нет ни руководителя, ни администратора."
    raise Refusal("nobody_answers", words, 503)


async def heads(session: AsyncSession, unit_id: UUID, now: datetime) -> list[UUID]:
    """Who is told that a result is late: the nearest head who is here, or whoever is left."""
    values = {"unit_id": unit_id, "now": now}
    found = (await session.exec(_nearest(Permission.OVERSEE_RESULTS), params=values)).first()
    if found is not None:
        return [found]
    for permission in (Permission.OVERSEE_RESULTS, Permission.MANAGE_PEOPLE):
        people = await access.people_with(session, permission, unit_id, now)
        if people:
            return people
    return []


@lru_cache
def _nearest(permission: Permission) -> SelectOfScalar[UUID]:
    """Those who hold the permission and are here, the nearest to the unit first, then by load."""
    able = access.able(permission)
    load = (
        select(func.count())
        .select_from(LabResult)
        .where(col(LabResult.answers_id) == able.c.person_id, col(LabResult.state).in_(OPEN_STATES))
        .scalar_subquery()
    )
    return select(able.c.person_id).order_by(
        access.height(permission, able.c.person_id), load, able.c.person_id
    )


async def able_to_treat(session: AsyncSession, unit_id: UUID, now: datetime) -> Sequence[UUID]:
    """Who treats in a unit and is here today."""
    found = access.able(Permission.TREAT)
    query = select(found.c.person_id).order_by(found.c.person_id)
    return (await session.exec(query, params={"unit_id": unit_id, "now": now})).all()
