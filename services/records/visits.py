"""Visits in a patient's record: an entry names the one it was written in, the history tells all.

A visit is an appointment to which the patient has come.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.schedule import Appointment
from rules.access import Actor
from rules.records.entries import OpenedFor
from rules.refusals import not_found
from rules.schedule.states import AppointmentState
from services.patients import links
from services.records.history import Encounters, HistoryEvent, Span, encounters_at, sees, tells

VISITS = "visits"
_TITLES: Mapping[str, str] = {
    AppointmentState.ARRIVED: "Приём: пациент пришёл",
    AppointmentState.IN_PROGRESS: "Приём идёт",
    AppointmentState.COMPLETED: "Приём состоялся",
    AppointmentState.NO_SHOW: "Пациент не пришёл на приём",
}
"""What is told of appointments by their state (msgids); of the others nothing."""


async def demand(session: AsyncSession, opened: OpenedFor) -> None:
    """Raise Refusal 404 unless the visit, if there is one, is the patient's."""
    if opened.visit_id is None:
        return
    visit = await session.get(Appointment, opened.visit_id)
    patients = (await links.joined(session, opened.patient_id)).ids
    if visit is None or visit.patient_id not in patients:
        raise not_found()


async def _told(
    session: AsyncSession, patients: frozenset[UUID], span: Span
) -> Sequence[HistoryEvent]:
    if span.kind:
        return []
    when = col(Appointment.starts_at)
    query = select(Appointment).where(
        col(Appointment.patient_id).in_(patients), col(Appointment.state).in_(_TITLES)
    )
    if span.since is not None:
        query = query.where(when >= span.since)
    if span.before is not None:
        query = query.where(when < span.before)
    if span.changed_since is not None:
        query = query.where(col(Appointment.changed_at) > span.changed_since)
    found = await session.exec(query.order_by(when.desc()).limit(span.limit))
    return [
        HistoryEvent(
            source=VISITS,
            ref=one.id,
            at=one.starts_at,
            title=_TITLES[one.state],
            about="",
            patient_id=one.patient_id,
            by=one.clinician_id,
            bad=one.state == AppointmentState.NO_SHOW,
            missed=one.state == AppointmentState.NO_SHOW,
        )
        for one in found.all()
    ]


async def _saw(
    session: AsyncSession, actor: Actor, patients: frozenset[UUID], begins: datetime
) -> Encounters:
    """By the actor's visits, from when they began; the next patient may be seen early."""
    found = await session.exec(
        select(*encounters_at(begins, Appointment.starts_at, Appointment.changed_at)).where(
            Appointment.clinician_id == actor.person_id,
            col(Appointment.patient_id).in_(patients),
            Appointment.state == AppointmentState.COMPLETED,
        )
    )
    return Encounters(*found.one())


tells(VISITS, "Приёмы", _told)
sees(VISITS, _saw)
