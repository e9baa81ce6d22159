"""The sweeper: it wakes late cases, carries out departures, reassigns cases, and reminds of the
course."""

import time

from temporalio import activity

from activities.shifts import in_a_shift
from clients.database import Database
from clients.telemetry.traces import anew
from rules.clock import now
from services import sweeping
from services.cases.signals import CaseSignals
from services.course import passing
from services.operation import norms
from services.own_workflows import Wakers
from services.subscribers import delivering

REMIND_EVERY = 3600.0
"""Seconds between two rounds of reminders of the course, of norms that end, and of forgetting."""


class SweeperActivities:
    """Activities of the sweeper. `grace` is in seconds; `wakers` wake the workflows of rows."""

    def __init__(
        self,
        database: Database,
        signals: CaseSignals,
        grace: float,
        wakers: Wakers,
    ) -> None:
        self._database = database
        self._signals = signals
        self._grace = grace
        self._wakers = wakers
        self._reminded = 0.0

    @activity.defn
    async def sweep(self) -> None:
        """Go over late cases and exports, and cases without a reviewer, again and again."""
        await in_a_shift(
            self._walk,
            every=min(max(self._grace / 4, 1.0), 5.0),
        )

    async def _walk(self) -> None:
        # The sweeper runs for ever and is not traced; each wake-up begins a trace of its own.
        with anew():
            await sweeping.sweep(self._database, self._signals, self._grace, self._wakers)
            if time.monotonic() - self._reminded > REMIND_EVERY or not self._reminded:
                self._reminded = time.monotonic()
                await passing.remind(self._database)
                await norms.warn(self._database)
                await delivering.forget(self._database, now())
