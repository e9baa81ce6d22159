"""Patients of a test's own, with identities nobody else has."""

from collections.abc import Mapping
from datetime import date
from itertools import count
from uuid import UUID

from sqlmodel import col, select

from clients.database import Database
from models.tables.notices import Notice
from rules.clock import now
from rules.patients.identity import Identity, Sex
from rules.texts.identifiers import snils_with_check
from services.patients.entering import enter

_NUMBERS = count(1)


def identity(name: str = "Королёва Наталья Петровна", **known: str | None) -> Identity:
    """Somebody new; without `snils` and `policy` unless they are given."""
    return Identity(name, date(1961, 3, 14), Sex.FEMALE, **known)


async def patient(database: Database, unit_id: UUID, who: Identity | None = None) -> UUID:
    """A patient with an insurance number of its own; the id."""
    async with database.work() as session:
        who = who or identity(snils=fresh_snils())
        row = await enter(session, who, unit_id, None, now())
        assert row is not None
        return row.id


def fresh_snils() -> str:
    """An insurance number that no other patient of this process has."""
    return snils_with_check(500_000_000 + next(_NUMBERS))


async def codes(database: Database, phone: str) -> list[str]:
    """The codes that were sent to a number, the newest first."""
    async with database.work() as session:
        found = await session.exec(
            select(Notice).where(Notice.kind == "patient_code").order_by(col(Notice.id).desc())
        )
        sent: list[Mapping[str, str]] = [one.contents for one in found.all() if one.contents]
    return [one["code"] for one in sent if one["to"] == phone]
