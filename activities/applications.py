"""Activities of the workflow of an application. Each is safe to repeat."""

from temporalio import activity

from clients.database import Database
from clients.objects import Objects
from clients.registers import RegisterClient
from models.messages import CaseState, Look
from services.applications import checks, enrolment
from services.reviews import alarms
from services.seal import Seal
from settings import Settings


class ApplicationActivities:
    """Activities of applications, with the clients and the seal that the worker opened."""

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
        """Check the newest version and open the review, or wait for the register if it is down."""
        return await checks.check(self._database, self._register, case.case_id, case.step)

    @activity.defn
    async def wake(self, case: CaseState) -> CaseState:
        """A reminder or term is due: remind, escalate, or close a case that was never answered."""
        return await alarms.wake(self._database, case.case_id)

    @activity.defn
    async def issue_act(self, look: Look) -> CaseState:
        """Make, sign and store the enrolment certificate of an approved case that has none."""
        return await enrolment.issue(
            self._settings, self._database, self._objects, self._seal, look.case.case_id, look.rings
        )
