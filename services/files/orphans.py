"""The nightly sweep of objects that no row names."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import select, union_all

from clients.database import Database
from clients.objects import Objects

Folders = Mapping[str, Sequence[Any]]
"""For each folder, the columns that name its objects."""

_SWEPT_TOGETHER = 500


async def sweep(database: Database, objects: Objects, folders: Folders, before: datetime) -> int:
    """Remove objects that are older than `before` and that no row names. Returns how many.

    Raises ObjectsDownError.
    """
    removed = 0
    for folder, columns in folders.items():
        old: list[str] = []
        async for item in objects.list(f"{folder}/"):
            if item.modified < before:
                old.append(item.key)
            if len(old) == _SWEPT_TOGETHER:
                removed += await _remove_orphans(database, objects, columns, old)
                old = []
        removed += await _remove_orphans(database, objects, columns, old)
    return removed


async def _remove_orphans(
    database: Database, objects: Objects, columns: Sequence[Any], keys: Sequence[str]
) -> int:
    if not keys:
        return 0
    queries = [select(column).where(column.in_(keys)) for column in columns]
    named = union_all(*queries) if len(queries) > 1 else queries[0]
    async with database.work() as session:
        found = await (await session.connection()).execute(named)
        known = {key for (key,) in found.all()}
    strays = [key for key in keys if key not in known]
    if strays:
        await objects.remove(*strays)
    return len(strays)
