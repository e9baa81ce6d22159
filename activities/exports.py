"""Activities that write an exported list to a file, with heartbeats."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

from clients.database import Database
from clients.objects import Objects
from models.messages import ExportProgress, ExportRef
from services.exports import building
from settings import Settings

BEAT = 5.0


class ExportActivities:
    """Activities of exports. Each is safe to repeat and goes on where the last attempt ended."""

    def __init__(self, settings: Settings, database: Database, objects: Objects) -> None:
        self._institution = settings.institution
        self._database = database
        self._objects = objects

    @activity.defn
    async def gather_lines(self, ref: ExportRef) -> ExportProgress:
        """Read the list part by part, and store the parts in the object store."""
        async with _beating() as beat:
            return await building.gather(self._database, self._objects, ref.export_id, beat)

    @activity.defn
    async def put_together(self, ref: ExportRef) -> ExportProgress:
        """Put the file together from its parts, and tell the person that it is ready."""
        async with _beating() as beat:
            return await building.put_together(
                self._database,
                self._objects,
                self._institution,
                ref.export_id,
                beat,
            )

    @activity.defn
    async def give_export_up(self, ref: ExportRef) -> None:
        """Record that the export could not be made, and tell the person."""
        await building.fail(self._database, ref.export_id)


@asynccontextmanager
async def _beating() -> AsyncIterator[building.Beat]:
    """Heartbeat with the newest progress beside the work: typesetting a long list takes time."""
    newest: list[ExportProgress] = []

    async def beat() -> None:
        while True:
            activity.heartbeat(*newest[-1:])
            await asyncio.sleep(BEAT)

    def told(progress: ExportProgress) -> None:
        newest[:] = [progress]
        activity.heartbeat(progress)

    beats = asyncio.create_task(beat())
    try:
        yield told
    finally:
        beats.cancel()
