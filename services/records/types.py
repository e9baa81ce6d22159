"""The types of entry as they stand in the catalogue. A process remembers versions, which never
change.

`services.catalogue.loading` fills them from files.
"""

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.records import EntryType
from rules.clock import now
from rules.records.types import EntryTypeDefinition
from rules.refusals import not_found
from services.catalogue.lookup import database_of

Known = dict[tuple[str, int], EntryTypeDefinition]
_known: WeakKeyDictionary[Any, Known] = WeakKeyDictionary()


async def offered(session: AsyncSession) -> Mapping[str, EntryTypeDefinition]:
    """The newest valid version of each type by key, in the order of lists."""
    key, version = col(EntryType.key), col(EntryType.version)
    found = await session.exec(
        select(EntryType)
        .ext(distinct_on(key))
        .where(EntryType.valid_from <= now())
        .order_by(key, version.desc())
    )
    known = [_read(session, row) for row in found.all()]
    return {one.key: one for one in sorted(known, key=lambda one: one.order)}


async def newest(session: AsyncSession, key: str) -> EntryTypeDefinition:
    """The newest valid version of one type. Raises Refusal 404."""
    if (found := (await offered(session)).get(key)) is None:
        raise not_found()
    return found


async def at_version(session: AsyncSession, key: str, version: int) -> EntryTypeDefinition:
    """The definition by which a version of an entry was written. Raises Refusal 404."""
    if (known := _remembered(session).get((key, version))) is not None:
        return known
    row = await session.get(EntryType, (key, version))
    if row is None:
        raise not_found()
    return _read(session, row)


def _remembered(session: AsyncSession) -> Known:
    return _known.setdefault(database_of(session), {})


def _read(session: AsyncSession, row: EntryType) -> EntryTypeDefinition:
    known, place = _remembered(session), (row.key, row.version)
    if place not in known:
        known[place] = EntryTypeDefinition.model_validate(row.definition)
    return known[place]
