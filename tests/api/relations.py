"""Who reaches what of a patient by what lies between the two: the table, and such patients.

Every route of the clinic stands in one of the groups below; a new one is put there. Which role gets
through at all says the access table: here somebody who treats is asked with each relation, somebody
who has every other role and every fact that opens a record to those who treat, and the patient.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.patients import PatientEntry, PatientInvitation, RecordOpening
from models.tables.schedule import Appointment
from rules.access import Actor, Role
from rules.clock import now
from rules.ids import new_id
from rules.schedule.hours import wall_of
from services.accounts.sessions import hash_token
from services.patients.entering import enter
from tests.api.access import EVERYBODY
from tests.api.record_rows import give_writing
from tests.api.schedule_rows import ZONE
from tests.patients.people import identity
from tests.results.rows import give_result

PREFIXES = ("/patient", "/records", "/icd10", "/results", "/schedule")
"""Where the routes of the clinic lie, as pages and below `/api/v1`."""
OTHERS = EVERYBODY - {Role.DOCTOR, Role.NURSE}
"""All roles of those who do not treat."""


class Relation(StrEnum):
    """What lies between somebody who treats and a patient."""

    OWN = "own"
    """On the list of today, with a result that waits for them."""
    REASON = "reason"
    EXPIRED = "expired"
    EMERGENCY = "emergency"
    NONE = "none"


OF_THE_RECORD = frozenset(
    {
        "GET /api/v1/patients/{patient_id}/record",
        "GET /api/v1/patients/{patient_id}/record/card",
        "POST /api/v1/patients/{patient_id}/record/drafts",
        "PUT /api/v1/patients/{patient_id}/record/drafts/{draft_id}",
        "POST /api/v1/patients/{patient_id}/record/drafts/{draft_id}/sign",
        "GET /api/v1/patients/{patient_id}/record/entries/{entry_id}",
        "POST /api/v1/patients/{patient_id}/record/entries/{entry_id}/corrections",
        "POST /api/v1/patients/{patient_id}/record/entries/{entry_id}/mistaken",
        "GET /api/v1/results/{result_id}",
        "GET /patients/{patient_id}",
        "GET /patients/{patient_id}/card.pdf",
        "GET /patients/{patient_id}/drafts/{draft_id}",
        "POST /patients/{patient_id}/drafts/{draft_id}",
        "POST /patients/{patient_id}/drafts/{draft_id}/autosave",
        "POST /patients/{patient_id}/entries",
        "GET /patients/{patient_id}/entries/{entry_id}",
        "POST /patients/{patient_id}/entries/{entry_id}/correct",
        "GET /patients/{patient_id}/entries/{entry_id}/mistaken",
        "POST /patients/{patient_id}/entries/{entry_id}/mistaken",
        "GET /results/{result_id}",
        "POST /api/v1/results/{result_id}/call",
        "POST /api/v1/results/{result_id}/confirm",
        "POST /api/v1/results/{result_id}/offers",
        "POST /results/{result_id}/call",
        "POST /results/{result_id}/confirm",
        "POST /results/{result_id}/offer",
    }
)
"""Open to who treats and has a way into the record. Who sees a result and does not answer for it is
told so when they try: nothing is hidden from them by it."""

OF_ONES_OWN = frozenset(
    {
        "POST /api/v1/results/{result_id}/detach",
        "GET /api/v1/schedule/appointments/{appointment_id}",
        "POST /api/v1/schedule/appointments/{appointment_id}/move",
        "POST /api/v1/schedule/appointments/{appointment_id}/steps",
        "POST /results/{result_id}/detach",
        "GET /schedule/appointments/{appointment_id}",
        "POST /schedule/appointments/{appointment_id}/move",
        "POST /schedule/appointments/{appointment_id}/step",
    }
)
"""Open to who sees the patient, or answers for the result."""

BY_ROLE = frozenset(
    {
        "POST /api/v1/patients",
        "GET /api/v1/patients/emergencies",
        "POST /api/v1/patients/emergencies/{emergency_id}/judge",
        "POST /api/v1/patients/emergencies/{emergency_id}/take",
        "GET /api/v1/patients/links",
        "POST /api/v1/patients/links/{link_id}/end",
        "POST /api/v1/patients/links/{link_id}/make",
        "POST /api/v1/patients/search",
        "POST /api/v1/patients/{patient_id}/check",
        "GET /api/v1/patients/{patient_id}/identity",
        "PUT /api/v1/patients/{patient_id}/identity",
        "DELETE /api/v1/patients/{patient_id}/invitation",
        "POST /api/v1/patients/{patient_id}/invitation",
        "POST /api/v1/patients/{patient_id}/links",
        "POST /api/v1/patients/{patient_id}/open",
        "POST /api/v1/patients/{patient_id}/open-at-once",
        "GET /api/v1/records/icd10",
        "GET /api/v1/records/types",
        "GET /api/v1/results",
        "GET /api/v1/results/late",
        "GET /api/v1/results/unmatched",
        "GET /api/v1/results/unmatched/{result_id}",
        "POST /api/v1/results/{result_id}/match",
        "POST /api/v1/results/{result_id}/offers/{offer_id}",
        "POST /api/v1/results/{result_id}/return",
        "POST /api/v1/results/{result_id}/take",
        "GET /api/v1/schedule/absences",
        "POST /api/v1/schedule/absences",
        "POST /api/v1/schedule/absences/appointments/{displaced_id}/accept",
        "POST /api/v1/schedule/absences/appointments/{displaced_id}/cancel",
        "POST /api/v1/schedule/absences/appointments/{displaced_id}/choose",
        "GET /api/v1/schedule/absences/appointments/{displaced_id}/times",
        "POST /api/v1/schedule/absences/appointments/{displaced_id}/told",
        "GET /api/v1/schedule/absences/{plan_id}",
        "PUT /api/v1/schedule/absences/{plan_id}",
        "POST /api/v1/schedule/absences/{plan_id}/accept",
        "POST /api/v1/schedule/absences/{plan_id}/withdraw",
        "POST /api/v1/schedule/appointments",
        "GET /api/v1/schedule/calendars",
        "POST /api/v1/schedule/calendars",
        "DELETE /api/v1/schedule/calendars/{feed_id}",
        "GET /api/v1/schedule/clinicians",
        "GET /api/v1/schedule/clinicians/{clinician_id}/appointments",
        "POST /api/v1/schedule/exceptions",
        "DELETE /api/v1/schedule/exceptions/{exception_id}",
        "GET /api/v1/schedule/free",
        "POST /api/v1/schedule/hours",
        "POST /api/v1/schedule/hours/{hours_id}/end",
        "POST /api/v1/schedule/rooms",
        "DELETE /api/v1/schedule/rooms/{room_id}",
        "GET /api/v1/schedule/units/{unit_id}/appointments",
        "GET /api/v1/schedule/units/{unit_id}/hours",
        "GET /api/v1/schedule/units/{unit_id}/rooms",
        "GET /api/v1/schedule/units/{unit_id}/to-settle",
        "GET /api/v1/schedule/waiting",
        "POST /api/v1/schedule/waiting",
        "DELETE /api/v1/schedule/waiting/{wish_id}",
        "GET /icd10/options",
        "GET /patient",
        "GET /patient/enter/{secret}",
        "POST /patient/enter/{secret}",
        "POST /patient/enter/{secret}/code",
        "POST /patient/leave",
        "GET /patients",
        "GET /patients/emergencies",
        "GET /patients/emergencies/mine",
        "POST /patients/emergencies/{emergency_id}/judge",
        "POST /patients/emergencies/{emergency_id}/take",
        "GET /patients/import",
        "POST /patients/import",
        "POST /patients/import/apply",
        "GET /patients/import/template.csv",
        "GET /patients/links",
        "POST /patients/links/{link_id}/end",
        "POST /patients/links/{link_id}/make",
        "GET /patients/new",
        "POST /patients/new",
        "POST /patients/search",
        "POST /patients/{patient_id}/check",
        "POST /patients/{patient_id}/drafts/{draft_id}/discard",
        "GET /patients/{patient_id}/identity",
        "POST /patients/{patient_id}/identity",
        "POST /patients/{patient_id}/invitation",
        "POST /patients/{patient_id}/invitation/revoke",
        "POST /patients/{patient_id}/links",
        "GET /patients/{patient_id}/open",
        "POST /patients/{patient_id}/open",
        "POST /patients/{patient_id}/open-at-once",
        "GET /results",
        "GET /results/unmatched",
        "GET /results/unmatched/{result_id}",
        "POST /results/unmatched/{result_id}/match",
        "POST /results/unmatched/{result_id}/return",
        "POST /results/{result_id}/offers/{offer_id}",
        "POST /results/{result_id}/take",
        "GET /schedule",
        "GET /schedule/absences",
        "POST /schedule/absences",
        "GET /schedule/absences/appointments/{displaced_id}",
        "POST /schedule/absences/appointments/{displaced_id}/accept",
        "POST /schedule/absences/appointments/{displaced_id}/cancel",
        "POST /schedule/absences/appointments/{displaced_id}/choose",
        "POST /schedule/absences/appointments/{displaced_id}/told",
        "GET /schedule/absences/new",
        "GET /schedule/absences/{plan_id}",
        "POST /schedule/absences/{plan_id}/accept",
        "POST /schedule/absences/{plan_id}/days",
        "POST /schedule/absences/{plan_id}/withdraw",
        "POST /schedule/beside",
        "GET /schedule/book",
        "POST /schedule/book",
        "POST /schedule/book/search",
        "GET /schedule/calendars",
        "POST /schedule/calendars",
        "POST /schedule/calendars/{feed_id}/revoke",
        "GET /schedule/clinicians/{clinician_id}",
        "GET /schedule/clinicians/{clinician_id}/sheet",
        "GET /schedule/clinicians/{clinician_id}/week",
        "POST /schedule/exceptions/{exception_id}/take-back",
        "POST /schedule/hours/{hours_id}/end",
        "POST /schedule/rooms/{room_id}/close",
        "GET /schedule/units/{unit_id}",
        "POST /schedule/units/{unit_id}/exceptions",
        "POST /schedule/units/{unit_id}/hours",
        "GET /schedule/units/{unit_id}/plan",
        "POST /schedule/units/{unit_id}/rooms",
        "GET /schedule/units/{unit_id}/visits",
        "GET /schedule/waiting",
        "POST /schedule/waiting",
        "POST /schedule/waiting/{wish_id}/close",
    }
)
"""What a role alone opens or closes: no relation changes it."""

NAMED_BY_BOOKING = frozenset({"POST /schedule/beside", "POST /schedule/book"})
"""Who books a patient is told whom, whoever it is."""

OPENS = {
    **dict.fromkeys(OF_THE_RECORD, frozenset({Relation.OWN, Relation.REASON, Relation.EMERGENCY})),
    **dict.fromkeys(OF_ONES_OWN, frozenset({Relation.OWN})),
}
"""By which relations who treats gets through."""


@dataclass(frozen=True)
class Related:
    """A patient, by a name that nobody else has, and the ids of what there is of them."""

    name: str
    things: Mapping[str, str]


async def give_related(
    session: AsyncSession, actor: Actor, relations: Collection[Relation], other: Mapping[str, str]
) -> Related:
    """A patient to whom the actor has these relations; what is not theirs is the other person's.

    An entry and a draft are the actor's in any case: to have written is no way in.
    """
    moment, name = now(), f"Тайная{uuid4().hex} Анна Ильинична"
    patient = await enter(session, identity(name), actor.unit_id, None, moment)
    assert patient is not None
    own = Relation.OWN in relations
    person_id = actor.person_id if own else UUID(other["person_id"])
    unit_id = actor.unit_id if own else UUID(other["unit_id"])
    # One of them is today's even if the day ends meanwhile.
    visits = [
        Appointment(
            clinician_id=person_id,
            patient_id=patient.id,
            unit_id=unit_id,
            starts_at=moment + timedelta(minutes=minutes),
            ends_at=moment + timedelta(minutes=minutes + 5),
            wall=wall_of(moment, ZONE),
            zone=ZONE,
            state="booked",
            changed_at=moment,
            booked_by=person_id,
        )
        for minutes in (10, 0)
    ]
    session.add_all(visits)
    for relation, hours in (
        (Relation.REASON, 3),
        (Relation.EXPIRED, -1),
        (Relation.EMERGENCY, 2),
    ):
        if relation in relations:
            opening = RecordOpening(
                patient_id=patient.id,
                person_id=actor.person_id,
                emergency=relation is Relation.EMERGENCY,
                ground=None if relation is Relation.EMERGENCY else "consent",
                words="Так надо",
                at=moment + timedelta(hours=hours - 2),
                ends_at=moment + timedelta(hours=hours),
            )
            session.add(opening)
    written = await give_writing(session, actor, patient.id)
    result_id = await give_result(session, patient.id, person_id, unit_id)
    key = str(patient.id)
    return Related(
        name.split()[0],
        {
            **written,
            "patient_id": key,
            "own_patient_id": key,
            "record_patient_id": key,
            "result_patient_id": key,
            "new_draft_id": str(new_id()),
            "appointment_id": str(visits[0].id),
            "result_id": str(result_id),
        },
    )


async def give_invitation(session: AsyncSession, actor: Actor, patient_id: UUID) -> str:
    """A session of the patient who was invited; its token."""
    moment, token = now(), uuid4().hex
    invitation = PatientInvitation(
        patient_id=patient_id,
        secret_hash=uuid4().hex,
        created_by=actor.person_id,
        created_at=moment,
        ends_at=moment + timedelta(days=1),
    )
    session.add(invitation)
    await session.flush()
    entry = PatientEntry(
        id=new_id(),
        invitation_id=invitation.id,
        asked_at=moment,
        token_hash=hash_token(token),
        ends_at=moment + timedelta(minutes=30),
    )
    session.add(entry)
    return token
