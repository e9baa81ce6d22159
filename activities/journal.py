"""Making a checkpoint of the journal once a minute."""

from pathlib import Path

from temporalio import activity

from activities.shifts import in_a_shift
from clients.database import Database
from clients.objects import Objects
from services.journal import checkpoints
from services.journal.checkpoint_files import checkpoints_folder
from services.seal import Seal


class JournalActivities:
    """Activities of the journal. Copies of checkpoints go to `home` and to the object store."""

    def __init__(self, database: Database, objects: Objects, seal: Seal, home: Path) -> None:
        self._database = database
        self._objects = objects
        self._seal = seal
        self._folder = checkpoints_folder(home)

    @activity.defn
    async def seal_journal(self) -> None:
        """Make a checkpoint of everything written since the last one, every minute."""
        await in_a_shift(self._seal_once, every=checkpoints.SEAL_EVERY)

    async def _seal_once(self) -> None:
        await checkpoints.take(self._database, self._seal, self._folder, self._objects)
