"""What the workflow of an application lets happen in the world. Each is safe to repeat."""

from temporalio import activity

from clients.database import Database
from clients.objects import Objects
from clients.registers import RegisterClient
from models.messages import CaseState, Look
from services.applications import checks, enrolment
from services.reviews import alarms
from services.seal.institution import Seal
from settings import Settings


class ApplicationActivities:
    """Activities of applications over the lines out that the worker opened."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        objects: Objects,
        register: RegisterClient,
        seal: Seal,
    ) -> None:
        self._settings = settings
        self._database = database
        self._objects = objects
        self._register = register
        self._seal = seal

    @activity.defn
    async def check(self, case: CaseState) -> CaseState:
        """Check the version and open the review, or wait for the register."""
        return await checks.check(self._database, self._register, case.case_id, case.step)

    @activity.defn
    async def wake(self, case: CaseState) -> CaseState:
        """The time is over: remind, escalate, or close what was never answered."""
        return await alarms.wake(self._database, case.case_id)

    @activity.defn
    async def issue_act(self, look: Look) -> CaseState:
        """Make, sign and keep the act of enrolment, if the case is approved and has none."""
        return await enrolment.issue(
            self._settings, self._database, self._objects, self._seal, look.case.case_id, look.rings
        )
