"""What of patients waits for somebody to decide, as figures without names: for the home page."""

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.patients import Emergency, Patient, PatientLink
from rules.access import Actor, Permission
from rules.patients.emergencies import EmergencyState


async def emergencies_waiting(
    session: AsyncSession, actor: Actor, now: datetime
) -> tuple[int, int]:
    """How many emergencies the actor may judge, and how many of these are late.

    Raises Refusal 403.
    """
    actor.demand(Permission.JUDGE_EMERGENCIES)
    connection = await session.connection()
    found = await connection.execute(
        select(func.count(), func.count().filter(col(Emergency.due_at) < now)).where(
            col(Emergency.unit_id).in_(actor.units_with(Permission.JUDGE_EMERGENCIES)),
            col(Emergency.person_id) != actor.person_id,
            col(Emergency.state) == EmergencyState.WAITS.value,
        )
    )
    waits, late = found.one()
    return waits, late


async def links_waiting(session: AsyncSession, actor: Actor) -> int:
    """How many links others have proposed, which the actor may decide on. Raises Refusal 403."""
    actor.demand(Permission.REGISTER_PATIENTS)
    connection = await session.connection()
    found = await connection.execute(
        select(func.count())
        .select_from(PatientLink)
        .join(Patient, col(Patient.id) == col(PatientLink.from_id))
        .where(
            col(PatientLink.made_at).is_(None),
            col(PatientLink.ended_at).is_(None),
            col(PatientLink.proposed_by) != actor.person_id,
            col(Patient.unit_id).in_(actor.units_with(Permission.REGISTER_PATIENTS)),
        )
    )
    return found.scalar_one()
