"""Activities of the workflow of a verification. Each is safe to repeat."""

from temporalio import activity

from clients.database import Database
from clients.registers import IdentityClient
from models.messages import CaseState, Look
from services.verifications import checks, settling


class VerificationActivities:
    """Activities of verifications, with the line to the identity register."""

    def __init__(self, database: Database, register: IdentityClient) -> None:
        self._database = database
        self._register = register

    @activity.defn
    async def check_identity(self, case: CaseState) -> CaseState:
        """Check the newest version; open the review, or wait for the register if it is down."""
        return await checks.check(self._database, self._register, case.case_id, case.step)

    @activity.defn
    async def wake_verification(self, case: CaseState) -> CaseState:
        """A reminder or term is due: remind, or close a case that was never answered."""
        return await checks.wake(self._database, case.case_id)

    @activity.defn
    async def settle_verification(self, look: Look) -> CaseState:
        """Raise the account to the state that its steps open; remind of what is left."""
        return await settling.settle(self._database, look.case.case_id, look.rings)
