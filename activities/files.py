"""The daily sweep of stored objects that no row names."""

from datetime import timedelta

from temporalio import activity

from clients.database import Database
from clients.objects import Objects
from rules.clock import now
from services.accreditations import packaging
from services.applications import enrolment
from services.exports import building
from services.files import intake, orphans
from services.handovers import packing
from services.requests import acts as requests

FOLDERS: orphans.Folders = {
    **enrolment.OBJECTS,
    **requests.OBJECTS,
    **packaging.OBJECTS,
    **packing.OBJECTS,
}
"""Folders of objects whose rows name them."""


class FileActivities:
    """Activities of files.

    Objects younger than `older_than` are left: they may be in use already.
    """

    def __init__(
        self, database: Database, objects: Objects, older_than: timedelta = intake.SWEEP_AFTER
    ) -> None:
        self._database = database
        self._objects = objects
        self._older_than = older_than

    @activity.defn
    async def sweep_files(self) -> int:
        """Remove old objects that no row names. Returns how many; safe to repeat."""
        before = now() - self._older_than
        removed = await orphans.sweep(self._database, self._objects, FOLDERS, before)
        removed += await building.sweep(self._database, self._objects, now())
        return removed + await intake.sweep(self._database, self._objects, now(), self._older_than)
