"""Patients are told: by SMS where a number is known and the message arrives, else by a person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.absences import AbsencePlan, DisplacedAppointment
from models.tables.notices import Notice
from models.tables.patients import Patient
from models.tables.schedule import Appointment
from rules.absences import PatientTelling
from rules.notices.kinds import NoticeKind, NoticeState
from rules.schedule.hours import wall_of
from services.notices import outbox


async def write(
    session: AsyncSession,
    displaced_id: UUID,
    old: Appointment,
    new: Appointment | None,
    now: datetime,
) -> tuple[PatientTelling, UUID | None]:
    """Write the message to the patient, if there is a number. Returns how far it is.

    It says which time is over and which is new: no name, no clinician, nothing of health.
    """
    patient = await session.get_one(Patient, old.patient_id)
    if not patient.phone:
        return PatientTelling.CALL, None
    facts = {"was": _clock(old)}
    kind = NoticeKind.VISIT_CANCELLED
    if new is not None:
        facts["at"], kind = _clock(new), NoticeKind.VISIT_MOVED
    key = f"{displaced_id}:told"
    notice_id = outbox.message_to(session, patient.phone, kind, key, facts, now)
    return PatientTelling.SMS, notice_id


def _clock(one: Appointment) -> str:
    return f"{wall_of(one.starts_at, one.zone):%d.%m.%Y %H:%M}"


async def follow(session: AsyncSession, plan: AbsencePlan, now: datetime) -> int:
    """See what became of messages. Returns how many are still on their way."""
    found = await session.exec(
        select(DisplacedAppointment.id, Notice)
        .outerjoin(Notice, col(Notice.id) == col(DisplacedAppointment.notice_id))
        .where(
            DisplacedAppointment.absence_id == plan.id,
            DisplacedAppointment.telling == PatientTelling.SMS.value,
            col(DisplacedAppointment.done_at).is_(None),
        )
        .execution_options(populate_existing=True)
    )
    waits = 0
    for displaced_id, notice in found.all():
        telling = _became(notice)
        if telling is PatientTelling.SMS:
            waits += 1
            continue
        await session.exec(
            update(DisplacedAppointment)
            .where(
                col(DisplacedAppointment.id) == displaced_id,
                col(DisplacedAppointment.telling) == PatientTelling.SMS.value,
            )
            .values(telling=telling.value, done_at=now if telling is PatientTelling.TOLD else None)
            .execution_options(synchronize_session=False)
        )
    return waits


def _became(notice: Notice | None) -> PatientTelling:
    """Told once the gateway has it and no report of failure is awaited any more."""
    if notice is None:
        return PatientTelling.CALL
    if notice.state == NoticeState.TOLD:
        return PatientTelling.SMS if notice.ask_at is not None else PatientTelling.TOLD
    return PatientTelling.SMS if notice.state == NoticeState.WAITING else PatientTelling.CALL
