"""An institution of people whom the simulated registers know."""

from uuid import uuid4

from clients.database import Database
from models.tables.people import Person, Unit
from rules.clock import now
from simulators.registers.people import full_name_of, snils_of


async def employ(database: Database, count: int, first: int = 0) -> None:
    """Let so many people work here; the registers know them by the same numbers."""
    async with database.work() as session:
        unit = Unit(code=uuid4().hex, name="Отделение")
        session.add(unit)
        await session.flush()
        session.add_all(
            Person(
                unit_id=unit.id,
                position="врач",
                name=full_name_of(number),
                email=f"{number}@example.org",
                snils=snils_of(number),
                created_at=now(),
            )
            for number in range(first, first + count)
        )
