"""The sweeper's walk: ring what is late, as long as the worker lives."""

import asyncio

from temporalio import activity

from clients.database import Database
from services import watching
from services.bell import Bell

WALKS = 120


class SweeperActivities:
    """Activities of the sweeper."""

    def __init__(self, database: Database, bell: Bell, grace: float) -> None:
        self._database = database
        self._bell = bell
        self._grace = grace
        self._every = min(max(grace / 4, 1.0), 5.0)

    @activity.defn
    async def sweep(self) -> int:
        """Walk over the late cases again and again, heartbeating. Returns how many it rang."""
        rung = 0
        for _ in range(WALKS):
            rung += await watching.sweep(self._database, self._bell, self._grace)
            activity.heartbeat(rung)
            if activity.is_worker_shutdown():
                break
            await asyncio.sleep(self._every)
        return rung
