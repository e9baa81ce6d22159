"""Making a list into a file, heartbeating as it goes."""

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
    """Activities of exports. Each is safe to repeat and goes on where the last try ended."""

    def __init__(self, settings: Settings, database: Database, objects: Objects) -> None:
        self._institution = settings.institution
        self._database = database
        self._objects = objects

    @activity.defn
    async def gather_lines(self, ref: ExportRef) -> ExportProgress:
        """Read the list part by part into the object store."""
        async with _beating() as beat:
            return await building.gather(self._database, self._objects, ref.export_id, beat)

    @activity.defn
    async def put_together(self, ref: ExportRef) -> ExportProgress:
        """Make the file of the parts, and tell that it is ready."""
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
        """Say that it could not be made."""
        await building.fail(self._database, ref.export_id)


@asynccontextmanager
async def _beating() -> AsyncIterator[building.Beat]:
    """Heartbeat with the newest progress beside the work: setting a long list takes a while."""
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
