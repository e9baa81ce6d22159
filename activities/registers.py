"""Activities of the comparison with registers. Each goes on where the last attempt ended."""

from temporalio import activity

from activities.shifts import beating
from clients.database import Database
from models.messages import CheckLook, CheckRef, SyncProgress, SyncRun
from rules.registers.kinds import RegisterName
from services.registers import checks, syncing
from services.registers.asking import RegisterLines


class RegisterActivities:
    """Activities with the lines that the worker opened."""

    def __init__(self, database: Database, lines: RegisterLines) -> None:
        self._database = database
        self._lines = lines

    @activity.defn
    async def begin_register_run(self, register: RegisterName) -> SyncProgress:
        """Begin to compare everybody with a register, or find how far it is."""
        return await syncing.begin(self._database, register)

    @activity.defn
    async def compare_with_register(self, run: SyncRun) -> SyncProgress:
        """Compare batch after batch, for a shift."""
        async with beating():
            return await syncing.shift(self._database, self._lines, run.run_id)

    @activity.defn
    async def look_at_check(self, ref: CheckRef) -> CheckLook:
        """Ask the registers about one person. Returns when to ask again."""
        async with beating():
            again_at = await checks.look(self._database, self._lines, ref.check_id)
            return CheckLook(again_at=again_at)
