"""Places in the intakes of programmes: an applicant has one until the case ends without success.

Places are counted by the code of the programme, so that a new version gives none of them away
again.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case, CaseVersion
from models.tables.catalogue import IntakeCount, Programme
from rules.catalogue.intakes import FIELD, Intake, check_intake, with_taken
from rules.refusals import FieldError


async def of_programme(session: AsyncSession, programme: Programme | None) -> list[Intake]:
    """The intakes of a programme with the places taken; empty if it begins on any day."""
    if programme is None or not programme.intakes:
        return []
    counted = await session.exec(
        select(IntakeCount).where(IntakeCount.programme_code == programme.code)
    )
    return with_taken(programme.intakes, {one.starts_on: one.taken for one in counted})


async def faults(
    session: AsyncSession,
    case: Case,
    programme: Programme | None,
    data: Mapping[str, Any],
    today: date,
) -> list[FieldError]:
    """Why the day in these data cannot be chosen for this case; empty if it can."""
    if programme is None or not programme.intakes:
        return []
    sent = await session.get(CaseVersion, (case.id, case.version)) if case.version else None
    held = [sent.data.get(FIELD)] if sent else []
    return check_intake(await of_programme(session, programme), data.get(FIELD), held, today)


async def hold(
    session: AsyncSession, case: Case, programme: Programme, chosen: Any
) -> list[FieldError]:
    """Give a locked case a place in the intake of this day, and release the one it had.

    One statement counts and takes a place: if two people ask for the last one, one gets it and the
    other gets an error.
    """
    limits = {one.starts_on: one.places for one in programme.intakes}
    day = date.fromisoformat(chosen) if isinstance(chosen, str) else None
    wanted = day if day in limits else None
    before, case.intake_on = case.intake_on, wanted
    changed = (before, wanted) if before != wanted else ()
    # In the order of days, so that two people who swap places do not wait for each other.
    for one in sorted(day for day in changed if day is not None):
        if one == before:
            await _let_go(session, programme.code, one)
        elif not await _take(session, programme.code, one, limits[one]):
            full = Intake(one, date.max, 0)
            return check_intake([full], one.isoformat(), (), one)
    session.add(case)
    return []


async def let_go(session: AsyncSession, case: Case) -> None:
    """Release the place of a case that ended without success."""
    if case.intake_on is None or case.programme_id is None:
        return
    programme = await session.get_one(Programme, case.programme_id)
    await _let_go(session, programme.code, case.intake_on)
    case.intake_on = None
    session.add(case)


async def _take(session: AsyncSession, code: str, day: date, places: int | None) -> bool:
    taken = insert(IntakeCount).values(programme_code=code, starts_on=day, taken=1)
    one_more = taken.on_conflict_do_update(
        index_elements=["programme_code", "starts_on"],
        set_={"taken": IntakeCount.taken + 1},
        where=None if places is None else col(IntakeCount.taken) < places,
    ).returning(col(IntakeCount.taken))
    return (await session.exec(one_more)).one_or_none() is not None


async def _let_go(session: AsyncSession, code: str, day: date) -> None:
    await session.exec(
        update(IntakeCount)
        .where(
            col(IntakeCount.programme_code) == code,
            col(IntakeCount.starts_on) == day,
            col(IntakeCount.taken) > 0,
        )
        .values(taken=IntakeCount.taken - 1)
    )
