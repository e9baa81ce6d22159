"""The catalogue as administrators see it: every entry in the words of its file, with its version.

Versions that are not valid yet are included, and so are entries that are no longer offered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.catalogue import CatalogueChange
from models.tables.people import Person
from rules.catalogue.entries import Subject, differences
from services.catalogue_admin.categories import CATEGORIES
from services.catalogue_admin.days import DAYS
from services.catalogue_admin.kinds import Entry, EntryKind
from services.catalogue_admin.programmes import PROGRAMMES
from services.catalogue_admin.reasons import REASONS
from services.catalogue_admin.types import TYPES
from services.catalogue_admin.units import UNITS

KINDS: Mapping[Subject, EntryKind] = {
    kind.subject: kind for kind in (PROGRAMMES, TYPES, CATEGORIES, REASONS, UNITS, DAYS)
}


@dataclass(frozen=True)
class Changed:
    """One change in the history: who made it, when, from when it is valid, and what differs."""

    at: datetime
    by: str
    valid_from: datetime
    version: int | None
    lines: Sequence[tuple[str, str, str]]


async def listed(session: AsyncSession, subject: Subject) -> list[Entry]:
    """The newest entry of every key, including those not valid yet."""
    return await KINDS[subject].listed(session)


async def newest(session: AsyncSession, subject: Subject, key: str) -> Entry | None:
    """The newest entry of a key, valid or not; None if there is none."""
    return await KINDS[subject].newest(session, key)


async def history(session: AsyncSession, subject: Subject, key: str) -> list[Changed]:
    """The changes by administrators, newest first."""
    rows = await session.exec(
        select(CatalogueChange, Person)
        .join(Person, col(Person.id) == col(CatalogueChange.by))
        .where(CatalogueChange.subject == subject, CatalogueChange.key == key)
        .order_by(col(CatalogueChange.at).desc())
        .limit(100)
    )
    return [
        Changed(
            change.at,
            person.name,
            change.valid_from,
            change.version,
            differences(change.before, change.after),
        )
        for change, person in rows.all()
    ]
