"""A worker that is killed in the middle of an export: `python -m tests.exports.half EXPORT PARTS`.

It reads its settings from the environment, gathers so many parts, and dies without a word.
"""

import asyncio
import os
import signal
import sys
from uuid import UUID

from clients.database import Database
from clients.objects import Objects
from crypto.key_ring import KeyRing, use_key_ring
from models.messages import ExportProgress
from services.exports import building
from settings import Settings


async def main(export_id: UUID, parts: int) -> None:
    """Gather until the last of the parts, then die."""
    settings = Settings()
    use_key_ring(KeyRing.parse(settings.keys.get_secret_value()))
    seen = 0

    def beat(progress: ExportProgress) -> None:
        nonlocal seen
        seen += 1
        if seen == parts:
            os.kill(os.getpid(), signal.SIGKILL)

    database, objects = Database.from_settings(settings), Objects(settings)
    await building.gather(database, objects, export_id, beat)


if __name__ == "__main__":
    asyncio.run(main(UUID(sys.argv[1]), int(sys.argv[2])))
