"""Checking that every encrypted value can be decrypted in its own row."""

from collections.abc import AsyncIterator

from sqlalchemy import LargeBinary, Table, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from crypto.key_ring import KeyRing, UndecryptableError
from models.encrypted_columns import EncryptedColumn, decrypt_for
from rules.journal.entries import IntegrityFault


async def each_value(
    connection: AsyncConnection, ring: KeyRing
) -> AsyncIterator[IntegrityFault | None]:
    """Check every encrypted value of every table except the journal: its fault, or None."""
    for table in SQLModel.metadata.sorted_tables:
        if table.name != "journal_entry":
            async for fault in _of(table, connection, ring):
                yield fault


async def _of(
    table: Table, connection: AsyncConnection, ring: KeyRing
) -> AsyncIterator[IntegrityFault | None]:
    places = {
        one.type.place: type_coerce(one, LargeBinary)
        for one in table.c
        if isinstance(one.type, EncryptedColumn)
    }
    if not places:
        return
    query = select(*table.primary_key, *places.values())
    query = query.where(or_(*(one.is_not(None) for one in places.values())))
    rows = await connection.stream(query, execution_options={"yield_per": 500})
    async for row in rows:
        key = tuple(row[: -len(places)])
        for place, sealed in zip(places, row[-len(places) :], strict=True):
            if sealed is None:
                continue
            try:
                decrypt_for(ring, bytes(sealed), place, key)
            except UndecryptableError as error:
                yield IntegrityFault(
                    f"{place}, row {', '.join(map(str, key))}", f"cannot be read: {error}"
                )
            else:
                yield None
