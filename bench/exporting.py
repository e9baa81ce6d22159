"""One export in a process of its own, which reports how much memory it took at most.

`python -m bench.exporting EXPORT` makes the file as the worker would and prints one line of JSON:
the peaks of memory of this process and of the child that typesets the file, in bytes, and the
seconds.
"""

import asyncio
import json
import resource
import sys
import time
from uuid import UUID

from clients.database import Database
from clients.objects import Objects
from models.messages import ExportProgress
from services.exports import building
from settings import Settings


def _heard(_: ExportProgress) -> None:
    """Drop the heartbeat: nobody listens here."""


async def _export(export_id: UUID) -> None:
    settings = Settings()
    database, objects = Database.from_settings(settings), Objects(settings)
    began = time.perf_counter()
    await building.gather(database, objects, export_id, _heard)
    await building.put_together(database, objects, settings.institution, export_id, _heard)
    seconds = time.perf_counter() - began
    await objects.close()
    await database.close()
    peaks = [
        resource.getrusage(who).ru_maxrss * 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    sys.stdout.write(json.dumps({"own": peaks[0], "child": peaks[1], "seconds": seconds}) + "\n")


if __name__ == "__main__":
    asyncio.run(_export(UUID(sys.argv[1])))
