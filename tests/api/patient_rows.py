"""The lines of the access table about patients, and the rows that they are about (W2).

Who a patient is and whether a record is open are asked separately: a registrar sees the identity
of any patient of the units below, and opens no record; who treats opens any, by a ground that is
recorded, and sees no identity page. What opens a record without one: tests/patients/test_access.py.
"""

from datetime import date, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.patients import Emergency, PatientLink, RecordOpening
from rules.access import Actor, Role
from rules.clock import now
from rules.patients.emergencies import EmergencyState
from rules.patients.identity import Identity, Sex
from services.patients.entering import enter
from tests.api.access import EVERYBODY, SECURITY, Roles, Row, body, form, nothing, public, upload
from tests.api.access_rows import ACT

REGISTRAR: Roles = frozenset({Role.REGISTRAR})
TREATS: Roles = frozenset({Role.DOCTOR, Role.NURSE})
SEARCHES = REGISTRAR | TREATS
_REGISTERS = ("register_patients", REGISTRAR, REGISTRAR, REGISTRAR)
_OPENS = ("treat", TREATS, TREATS, TREATS)
_JUDGES = ("judge_emergencies", SECURITY, SECURITY, SECURITY)
_WHO = {"name": "Никто Иван", "birth_date": "01.02.1903", "sex": "male"}
_WHY = "Так решено"

PATIENT_ROWS: dict[str, Row] = {
    "POST /api/v1/patients/search": Row("signed_in", SEARCHES, send=body(text="Нет Такого")),
    "POST /api/v1/patients": Row(
        "register_patients", REGISTRAR, send=body(unit_id="{unit_id}", **_WHO)
    ),
    "GET /api/v1/patients/links": Row("register_patients", REGISTRAR),
    "POST /api/v1/patients/links/{link_id}/make": Row(*_REGISTERS),
    "POST /api/v1/patients/links/{link_id}/end": Row(*_REGISTERS, body(reason=_WHY)),
    "GET /api/v1/patients/emergencies": Row("judge_emergencies", SECURITY),
    "POST /api/v1/patients/emergencies/{emergency_id}/take": Row(*_JUDGES),
    "POST /api/v1/patients/emergencies/{emergency_id}/judge": Row(
        "session", *_JUDGES[1:], body(verdict="justified", reason=_WHY)
    ),
    "GET /api/v1/patients/{patient_id}/identity": Row(*_REGISTERS),
    "PUT /api/v1/patients/{patient_id}/identity": Row(*_REGISTERS, body(version=999, **_WHO)),
    "POST /api/v1/patients/{patient_id}/check": Row(*_REGISTERS),
    "POST /api/v1/patients/{patient_id}/invitation": Row("session", *_REGISTERS[1:]),
    "DELETE /api/v1/patients/{patient_id}/invitation": Row(*_REGISTERS),
    "POST /api/v1/patients/{patient_id}/links": Row(
        *_REGISTERS, body(to_id="{other_patient_id}", reason=_WHY)
    ),
    "POST /api/v1/patients/{patient_id}/open": Row(*_OPENS, body(ground="consent")),
    "POST /api/v1/patients/{patient_id}/open-at-once": Row(*_OPENS, body(words="Без сознания")),
}
_PAGE, _OPEN_PAGE = ("session", *_REGISTERS[1:]), ("session", *_OPENS[1:])
PATIENT_PAGES: dict[str, Row] = {
    "GET /patients": Row("session", SEARCHES),
    "POST /patients/search": Row("session", SEARCHES, send=form(text="Нет Такого")),
    "GET /patients/new": Row("session", REGISTRAR),
    "POST /patients/new": Row(
        "session", REGISTRAR, send=form(patient_id="{patient_id}", unit="{unit_id}", **_WHO)
    ),
    "GET /patients/import": Row("session", REGISTRAR),
    "GET /patients/import/template.csv": Row("session", REGISTRAR),
    "POST /patients/import": Row("session", REGISTRAR, send=upload()),
    "POST /patients/import/apply": Row(
        "session", REGISTRAR, send=form(digest="0", packed="eJwDAAAAAAE=", act_id=ACT)
    ),
    "GET /patients/links": Row("session", REGISTRAR),
    "POST /patients/links/{link_id}/make": Row(*_PAGE),
    "POST /patients/links/{link_id}/end": Row(*_PAGE, form(reason=_WHY)),
    "GET /patients/emergencies": Row("session", SECURITY),
    "GET /patients/emergencies/mine": Row("session", EVERYBODY),
    "POST /patients/emergencies/{emergency_id}/take": Row("session", *_JUDGES[1:]),
    "POST /patients/emergencies/{emergency_id}/judge": Row(
        "session", *_JUDGES[1:], form(verdict="justified", reason=_WHY)
    ),
    "GET /patients/{patient_id}/identity": Row(*_PAGE),
    "POST /patients/{patient_id}/identity": Row(
        *_PAGE, form(version=999, about="{patient_id}", **_WHO)
    ),
    "POST /patients/{patient_id}/check": Row(*_PAGE),
    "POST /patients/{patient_id}/invitation": Row(*_PAGE),
    "POST /patients/{patient_id}/invitation/revoke": Row(*_PAGE),
    "POST /patients/{patient_id}/links": Row(*_PAGE, form(to_id="{other_patient_id}", reason=_WHY)),
    "GET /patients/{patient_id}/open": Row(*_OPEN_PAGE),
    "POST /patients/{patient_id}/open": Row(
        *_OPEN_PAGE, form(about="{patient_id}", ground="consent")
    ),
    "POST /patients/{patient_id}/open-at-once": Row(
        *_OPEN_PAGE, form(about="{patient_id}", what="Без сознания")
    ),
    "GET /patient": public(),
    "GET /patient/enter/{secret}": public(),
    "POST /patient/enter/{secret}/code": public(),
    "POST /patient/enter/{secret}": public(form(code="123456")),
    "POST /patient/leave": public(nothing),
}


async def give_patients(session: AsyncSession, actor: Actor) -> dict[str, str]:
    """Two patients who may be one, and a record that was opened as an emergency."""
    moment, ids = now(), []
    for name in ("Первая Анна", "Первая Анна Ильинична"):
        who = Identity(name, date(1961, 3, 14), Sex.FEMALE, phone="+79160000000")
        row = await enter(session, who, actor.unit_id, None, moment)
        if row is None:
            raise ValueError("nobody else has this number")
        ids.append(row.id)
    link = PatientLink(
        from_id=ids[0],
        to_id=ids[1],
        reason="Похожи",
        proposed_by=actor.person_id,
        proposed_at=moment,
    )
    opening = RecordOpening(
        patient_id=ids[0],
        person_id=actor.person_id,
        emergency=True,
        words="Без сознания",
        at=moment,
        ends_at=moment + timedelta(hours=2),
    )
    session.add_all([link, opening])
    await session.flush()
    emergency = Emergency(
        id=opening.id,
        person_id=actor.person_id,
        unit_id=actor.unit_id,
        state=EmergencyState.WAITS.value,
        due_at=moment + timedelta(days=2),
    )
    session.add(emergency)
    await session.flush()
    return {
        "patient_id": str(ids[0]),
        "other_patient_id": str(ids[1]),
        "link_id": str(link.id),
        "emergency_id": str(opening.id),
    }
