"""What pages show of people and units."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.people import Person, Unit
from rules.texts.cleaning import in_order


@dataclass(frozen=True)
class PersonnelFile:
    """A person's data, as shown to that person."""

    name: str
    position: str
    unit: str
    email: str
    phone: str | None
    snils: str | None
    inn: str | None


async def personnel_file(session: AsyncSession, person_id: UUID) -> PersonnelFile:
    """The person's own data."""
    found = await session.exec(
        select(Person, Unit.name)
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .where(Person.id == person_id)
    )
    person, unit = found.one()
    return PersonnelFile(
        person.name,
        person.position,
        unit,
        person.email,
        person.phone,
        person.snils,
        person.inn,
    )


async def email_of(session: AsyncSession, person_id: UUID) -> str:
    """The person's mail address."""
    return (await session.get_one(Person, person_id)).email


async def number_at_work(session: AsyncSession) -> int:
    """How many people work here now."""
    working = select(func.count()).select_from(Person).where(col(Person.left_at).is_(None))
    return (await session.exec(working)).one()


async def units(session: AsyncSession) -> Sequence[tuple[UUID, str]]:
    """All units with their names, ordered by name."""
    found = await session.exec(select(Unit.id, Unit.name))
    return sorted(found.all(), key=lambda unit: in_order(unit[1]))


async def unit_names(session: AsyncSession, unit_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of these units."""
    found = await session.exec(select(Unit.id, Unit.name).where(col(Unit.id).in_(unit_ids)))
    return dict(found.all())


async def unit_names_by_code(session: AsyncSession) -> dict[str, str]:
    """The names of all units by their codes."""
    return dict((await session.exec(select(Unit.code, Unit.name))).all())
