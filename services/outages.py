"""Outages of outside systems: at most one open row for each, and when to try again."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Outage
from rules.cases.process import Party
from rules.ids import new_id

REGISTER = "register"
GOV_SERVICE = "gov-service"
IDENTITY = "identity"
PERSONNEL = "personnel"
ACCREDITATION = "accreditation-register"
EDUCATION = "education-portal"
FEDERAL_CENTRE = "federal-centre"
LABORATORY = "laboratory"

SYSTEMS: Mapping[Party, str] = {
    Party.REGISTER: REGISTER,
    Party.ADDRESSEE: GOV_SERVICE,
    Party.IDENTITY_REGISTER: IDENTITY,
    Party.FEDERAL_CENTRE: FEDERAL_CENTRE,
}
"""Which system a case waits for, by its party. The names are stored: never rename."""

FIRST_TRY_AFTER, LAST_TRY_AFTER = timedelta(seconds=5), timedelta(minutes=10)
"""The shortest and longest time between tries while a system is down."""


async def begin(session: AsyncSession, system: str, now: datetime) -> datetime:
    """Note that the system does not answer. Returns when to try again.

    The longer it has been down, the longer the wait.
    """
    await session.exec(
        insert(Outage).values(id=new_id(), system=system, since=now).on_conflict_do_nothing()
    )
    down_for = now - (await open_since(session, system) or now)
    return now + min(max(FIRST_TRY_AFTER, down_for / 4), LAST_TRY_AFTER)


async def end(session: AsyncSession, system: str, now: datetime) -> None:
    """Note that the system answered: its outage is over, whoever noted it."""
    await session.exec(
        update(Outage)
        .where(col(Outage.system) == system, col(Outage.until).is_(None))
        .values(until=now)
    )


async def open_since(session: AsyncSession, system: str) -> datetime | None:
    """Since when the system has been down; None if it is up."""
    found = await session.exec(
        select(Outage.since).where(Outage.system == system, col(Outage.until).is_(None))
    )
    return found.first()
