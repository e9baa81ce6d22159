"""The activities of patients: emergencies are judged in time, comparisons end."""

from temporalio import activity

from clients.clinic.patient_registry import PatientRegistry
from clients.database import Database
from models.messages import EmergencyLook, EmergencyRef, PatientCheckLook, PatientCheckRef
from services.patients import checks, judging


class PatientActivities:
    """Activities of patients. Looking twice at the same moment does nothing twice."""

    def __init__(self, database: Database, registry: PatientRegistry) -> None:
        self._database = database
        self._registry = registry

    @activity.defn
    async def look_at_emergency(self, ref: EmergencyRef) -> EmergencyLook:
        """Remind, escalate, pass on. Returns when to look again."""
        return EmergencyLook(looks_at=await judging.look(self._database, ref.opening_id))

    @activity.defn
    async def look_at_patient_check(self, ref: PatientCheckRef) -> PatientCheckLook:
        """Ask the registry, if it is time. Returns when to ask again."""
        again = await checks.look(self._database, self._registry, ref.patient_id)
        return PatientCheckLook(next_try_at=again)
