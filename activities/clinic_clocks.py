"""The clocks of the clinic: holds that run out, days that come up, appointments nobody came to."""

from temporalio import activity

from activities.shifts import in_a_shift
from clients.database import Database
from clients.telemetry.traces import anew
from services.schedule import clocks

EVERY = 15.0
"""Seconds between two looks. Whoever books over a hold that has run out waits for none."""


class ClinicClockActivities:
    """Activities of the clocks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def watch_clinic_clocks(self) -> None:
        """Do what is due of all subjects, again and again until the shift is over."""
        await in_a_shift(self._look, every=EVERY)

    async def _look(self) -> None:
        # The clocks run for ever and are not traced.
        with anew():
            await clocks.drain_all(self._database)
