"""The sweeper's walk: ring what is late, as long as the worker lives."""

from temporalio import activity

from activities.shifts import in_a_shift
from clients.database import Database
from services import watching
from services.bell import Bell


class SweeperActivities:
    """Activities of the sweeper; `grace` is in seconds."""

    def __init__(self, database: Database, bell: Bell, grace: float) -> None:
        self._database = database
        self._bell = bell
        self._grace = grace

    @activity.defn
    async def sweep(self) -> None:
        """Walk over the late cases again and again."""
        await in_a_shift(
            lambda: watching.sweep(self._database, self._bell, self._grace),
            every=min(max(self._grace / 4, 1.0), 5.0),
        )
