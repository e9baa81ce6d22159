"""The nightly sweep of papers, envelopes and answers whose row never came."""

from datetime import datetime

from sqlmodel import col, select, union_all

from clients.database import Database
from clients.objects import Objects
from models.tables.requests import RequestAnswer, RequestFile, RequestMessage
from services.requests import FOLDER

_SWEPT_TOGETHER = 500


async def sweep(database: Database, objects: Objects, before: datetime) -> int:
    """Remove what is older than `before` and named by no row. Returns how many objects.

    Raises ObjectsDownError.
    """
    removed = 0
    old: list[str] = []
    async for item in objects.list(f"{FOLDER}/"):
        if item.modified < before:
            old.append(item.key)
        if len(old) == _SWEPT_TOGETHER:
            removed += await _remove_strays(database, objects, old)
            old = []
    return removed + await _remove_strays(database, objects, old)


async def _remove_strays(database: Database, objects: Objects, keys: list[str]) -> int:
    if not keys:
        return 0
    columns = (
        col(RequestMessage.paper_key),
        col(RequestMessage.envelope_key),
        col(RequestAnswer.envelope_key),
        col(RequestFile.object_key),
    )
    named = union_all(*(select(column).where(column.in_(keys)) for column in columns))
    async with database.work() as session:
        found = await (await session.connection()).execute(named)
        known = {key for (key,) in found.all()}
    strays = [key for key in keys if key not in known]
    if strays:
        await objects.remove(*strays)
    return len(strays)
