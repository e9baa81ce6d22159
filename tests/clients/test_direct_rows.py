"""Queries of a unit of work that go past SQLAlchemy, and objects that belong to it all the same."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, inspect, select
from sqlalchemy.exc import NoResultFound
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database, DirectRows
from models.tables.base import UtcDateTime
from models.tables.people import Person, Unit
from rules.clock import now

_KNOWN: Any = (
    select(Person, col(Unit.code), Unit)
    .outerjoin(
        Unit, (col(Unit.id) == col(Person.unit_id)) & (col(Unit.name) == bindparam("unit_name"))
    )
    .where(
        col(Person.id) == bindparam("person_id"),
        col(Person.created_at) <= bindparam("moment", type_=UtcDateTime(), callable_=now),
    )
)
KNOWN = DirectRows(_KNOWN)


async def test_rows_are_the_objects_of_the_unit_of_work(database: Database) -> None:
    """As SQLAlchemy reads them: decrypted, each once, none where a join finds none."""
    async with AsyncSession(database.engine, expire_on_commit=False) as session:
        unit = Unit(code=uuid4().hex, name="Приёмное отделение")
        session.add(unit)
        await session.flush()
        made = Person(
            unit_id=unit.id, position="врач", name="Анна", email="a@clinic.test", created_at=now()
        )
        # Written by the query itself, which finds it.
        session.add(made)
        asked = {"person_id": made.id, "unit_name": unit.name}
        assert await KNOWN.one(session, asked) == (made, unit.code, unit)
        session.expunge_all()
        person, code, place = await KNOWN.one(session, asked)
        assert (person.name, person.email, person.phone) == ("Анна", "a@clinic.test", None)
        assert (code, place.time_zone) == (unit.code, unit.time_zone)
        [(again, _, _)] = (await session.exec(_KNOWN, params=asked)).all()
        assert again is person
        assert not inspect(person).modified
        person.position = "заведующий"
        assert (await KNOWN.one(session, asked | {"unit_name": ""})) == (person, None, None)
        session.expunge_all()
        assert (await KNOWN.one(session, asked))[0].position == "заведующий"
        with pytest.raises(NoResultFound):
            await KNOWN.one(session, asked | {"moment": made.created_at.replace(year=2000)})
        await session.rollback()
