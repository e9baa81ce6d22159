"""How an export is made: its lines are read in parts, which then become one file.

Every step is safe to repeat. A part counts once its row says so; an object that no row counts is
written again or swept.
"""

import gzip
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.objects import CHUNK, Objects
from models.messages import ExportProgress
from models.tables.archive import Export
from rules.archive import UNDER_WAY, ExportKind, ExportState
from rules.clock import now
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal
from services import access
from services.archive import search as archive
from services.archive.search import BATCH, Scope
from services.exports import columns
from services.exports.acts import FOLDER, lock
from services.exports.lists import list_job
from services.exports.rendering import make, write_rows
from services.notices import outbox

log = structlog.get_logger(__name__)

STRAY_AFTER = timedelta(days=1)
"""Objects without a row are left alone for so long: their row may not be committed yet."""

RIGHTS, TROUBLE = "rights", "trouble"
"""Why an export failed: the person lost a right, or our servers failed."""

Beat = Callable[[ExportProgress], None]


async def gather(
    database: Database, objects: Objects, export_id: UUID, beat: Beat
) -> ExportProgress:
    """Read the remaining lines, part by part. Stops if the export was cancelled.

    Memory holds one part, however long the list. Rights are checked with every part.
    """
    while True:
        part = await _next_part(database, export_id)
        if isinstance(part, ExportProgress):
            return part
        export, rows, after = part
        packed = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode(), 6)
        await objects.put(_part_key(export, export.parts), packed, len(packed), "application/gzip")
        async with database.work() as session:
            kept = await lock(session, export_id)
            if kept is not None and kept.state in UNDER_WAY and kept.parts == export.parts:
                kept.done += len(rows)
                kept.parts += 1
                kept.after = after
                kept.beat_at = now()
                session.add(kept)
        beat(_progress(kept))


async def _next_part(
    database: Database, export_id: UUID
) -> ExportProgress | tuple[Export, Sequence[list[str]], str | None]:
    """The lines of the next part; or the progress of the export, if no part is to be read."""
    async with database.work() as session:
        export = await lock(session, export_id)
        if export is None or export.state not in UNDER_WAY or _gathered(export):
            return _progress(export)
        try:
            actor = await access.actor_for(session, export.person_id, now())
        except Refusal:
            actor = None
        if actor is None or not Scope.of(actor).holds(export.scope):
            await _fail(session, export, RIGHTS)
            return _progress(export)
        export.state = ExportState.RUNNING.value
        session.add(export)
        filters = archive.of_stored(export.filters)
        page = await archive.page(session, actor, filters, export.after, BATCH)
        titles = await columns.titles(session)
        zone = ZoneInfo(export.zone)
        return export, [columns.row(one, titles, zone) for one in page.lines], page.after


def _gathered(export: Export) -> bool:
    return export.parts > 0 and export.after is None


def _progress(export: Export | None) -> ExportProgress:
    if export is None:
        return ExportProgress(under_way=False)
    return ExportProgress(done=export.done, total=export.total, under_way=export.state in UNDER_WAY)


def _part_key(export: Export, number: int) -> str:
    return f"{export.folder}/part-{number:05}"


async def put_together(
    database: Database,
    objects: Objects,
    institution: str,
    export_id: UUID,
    beat: Beat,
) -> ExportProgress:
    """Make the file from the parts, store it for a week, and tell the person."""
    async with database.work() as session:
        export = await lock(session, export_id)
        if export is None or export.state not in UNDER_WAY:
            return _progress(export)
        filters = archive.of_stored(export.filters)
        zone = ZoneInfo(export.zone)
        head = await columns.head(session, institution, filters, export.asked_at, zone)
    kind = ExportKind(export.kind)
    with tempfile.TemporaryDirectory(prefix="medcab-export-") as folder:
        rows, out = Path(folder) / "rows", Path(folder) / "out"
        rows.touch()
        for number in range(export.parts):
            packed = await objects.read(_part_key(export, number))
            write_rows(rows, map(json.loads, gzip.decompress(packed).decode().splitlines()))
            beat(_progress(export))
        await make(list_job(kind, head, rows, out))
        size = out.stat().st_size
        key = f"{export.folder}/file.{kind.value}"
        stored = await objects.put(key, _pieces(out), size, columns.MEDIA_TYPES[kind])
    async with database.work() as session:
        kept = await lock(session, export_id)
        if kept is not None and kept.state in UNDER_WAY:
            kept.state = ExportState.READY.value
            kept.object_key, kept.size, kept.sha256 = stored.key, stored.size, stored.sha256
            kept.ready_at = kept.beat_at = now()
            session.add(kept)
            await _tell(session, kept, NoticeKind.EXPORT_READY)
    await objects.remove(*(_part_key(export, number) for number in range(export.parts)))
    return _progress(kept)


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as source:
        while piece := source.read(CHUNK):
            yield piece


async def fail(database: Database, export_id: UUID) -> None:
    """Give an export up after all tries, and tell the person."""
    async with database.work() as session:
        export = await lock(session, export_id)
        if export is not None and export.state in UNDER_WAY:
            await _fail(session, export, TROUBLE)


async def _fail(session: AsyncSession, export: Export, reason: str) -> None:
    export.state = ExportState.FAILED.value
    export.reason = reason
    session.add(export)
    if reason != RIGHTS:
        await _tell(session, export, NoticeKind.EXPORT_FAILED)
    log.info("export_failed", export=str(export.id), reason=reason)


async def _tell(session: AsyncSession, export: Export, kind: NoticeKind) -> None:
    await outbox.enqueue(
        session,
        person_id=export.person_id,
        kind=kind.value,
        event_key=f"{export.id}:{kind.value}",
        now=now(),
    )


async def sweep(database: Database, objects: Objects, at: datetime) -> int:
    """Remove expired files, leftovers of finished exports, and objects without a row.

    Returns how many objects were removed; nothing that can still be downloaded is touched. Raises
    ObjectsDownError.
    """
    removed = 0
    folders: dict[str, list[tuple[str, datetime]]] = {}
    async for item in objects.list(f"{FOLDER}/"):
        folder = item.key.rpartition("/")[0]
        if folder not in folders and len(folders) >= BATCH:
            removed += await _sweep_folders(database, objects, folders, at)
            folders = {}
        folders.setdefault(folder, []).append((item.key, item.modified))
    return removed + await _sweep_folders(database, objects, folders, at)


async def _sweep_folders(
    database: Database, objects: Objects, folders: dict[str, Any], at: datetime
) -> int:
    async with database.work() as session:
        found = await session.exec(select(Export).where(col(Export.folder).in_(folders)))
        rows = {export.folder: export for export in found.all()}
    stray: list[str] = []
    for folder, items in folders.items():
        export = rows.get(folder)
        for key, modified in items:
            if export is None:
                gone = modified < at - STRAY_AFTER
            elif export.state in UNDER_WAY:
                gone = export.ends_at <= at
            else:
                gone = key != export.object_key or export.ends_at <= at
            if gone:
                stray.append(key)
    if stray:
        await objects.remove(*stray)
    over = [export.id for export in rows.values() if export.ends_at <= at]
    async with database.work() as session:
        for export_id in over:
            export = await lock(session, export_id)
            if export is not None and export.state != ExportState.REMOVED:
                export.state, export.object_key = ExportState.REMOVED.value, None
                session.add(export)
    return len(stray)
