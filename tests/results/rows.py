"""The lines of the access table about results, and the rows that they are about (W2).

Heads and registrars hold their right in units; who treats sees what is theirs to answer for. What a
way into the record opens besides: `tests.results.test_results.test_who_sees_a_result`.
"""

from datetime import date, timedelta
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.results import LabMatch, LabOffer, LabResult, LabVersion
from rules.access import Actor, Role
from rules.clock import now
from rules.ids import new_id
from rules.patients.identity import Identity, Sex
from services.patients.entering import enter
from tests.api.access import EVERYBODY, NOBODY, UNIT_HEAD, Roles, Row, body, form, public

_TREAT: Roles = frozenset({Role.DOCTOR, Role.NURSE})
_ANSWER: Roles = _TREAT | UNIT_HEAD
_REGISTRAR: Roles = frozenset({Role.REGISTRAR})
_MATCH: Roles = UNIT_HEAD | _REGISTRAR
_OF_NOBODY = {"result_id": "unmatched_id"}
_PATIENT = "{result_patient_id}"


def _theirs(**sent: str | int) -> tuple[Row, Row]:
    """By JSON and by a form: who answers for it, and nobody else."""
    rows = [Row(one, _ANSWER, NOBODY, NOBODY, made(**sent)) for one, made in _BOTH]
    return rows[0], rows[1]


def _of_the_desk(**sent: str | int) -> tuple[Row, Row]:
    """By JSON and by a form: who finds patients in the unit of the result."""
    return (
        Row("match_results", _MATCH, _MATCH, _REGISTRAR, body(**sent), _OF_NOBODY),
        Row("session", _MATCH, _MATCH, _REGISTRAR, form(**sent), _OF_NOBODY),
    )


_BOTH = (("signed_in", body), ("session", form))
_CONFIRM = _theirs(version=99, patient_id=_PATIENT, next_step="nothing")
_CALL = _theirs(version=99, words="Лаборант врачу")
_OFFER = {"to": "{hr_person_id}", "reason": "Прошу помочь"}
_REASON = "Пробирки перепутаны"
_DETACH = (_ANSWER | _MATCH, _MATCH, _REGISTRAR)
_MATCHED = _of_the_desk(version=99, patient_id=_PATIENT)
_RETURNED = _of_the_desk(version=99, reason=_REASON)

RESULT_ROWS: dict[str, Row] = {
    "POST /api/v1/callbacks/laboratory": public(),
    "GET /api/v1/results": Row("signed_in", EVERYBODY),
    "GET /api/v1/results/late": Row("oversee_results", UNIT_HEAD),
    "GET /api/v1/results/unmatched": Row("match_results", _MATCH),
    "GET /api/v1/results/unmatched/{result_id}": Row(
        "match_results", _MATCH, _MATCH, _REGISTRAR, using=_OF_NOBODY
    ),
    "GET /api/v1/results/{result_id}": Row("signed_in", _ANSWER, NOBODY, NOBODY),
    "POST /api/v1/results/{result_id}/confirm": _CONFIRM[0],
    "POST /api/v1/results/{result_id}/call": _CALL[0],
    "POST /api/v1/results/{result_id}/offers": Row(
        "signed_in", _ANSWER, NOBODY, NOBODY, body(**_OFFER)
    ),
    "POST /api/v1/results/{result_id}/offers/{offer_id}": Row(
        "signed_in", _ANSWER, NOBODY, NOBODY, body(answer="withdrawn")
    ),
    "POST /api/v1/results/{result_id}/take": Row(
        "oversee_results", UNIT_HEAD, UNIT_HEAD, NOBODY, using={"result_id": "late_id"}
    ),
    "POST /api/v1/results/{result_id}/match": _MATCHED[0],
    "POST /api/v1/results/{result_id}/detach": Row(
        "signed_in", *_DETACH, body(patient_id="{case_id}", reason=_REASON)
    ),
    "POST /api/v1/results/{result_id}/return": _RETURNED[0],
}
RESULT_PAGES: dict[str, Row] = {
    "GET /results": Row("session", _ANSWER | _MATCH),
    "GET /results/unmatched": Row("session", _MATCH),
    "GET /results/unmatched/{result_id}": Row(
        "session", _MATCH, _MATCH, _REGISTRAR, using=_OF_NOBODY
    ),
    "POST /results/unmatched/{result_id}/match": _MATCHED[1],
    "POST /results/unmatched/{result_id}/return": _RETURNED[1],
    "GET /results/{result_id}": Row("session", _ANSWER, NOBODY, NOBODY),
    "POST /results/{result_id}/confirm": _CONFIRM[1],
    "POST /results/{result_id}/call": _CALL[1],
    "POST /results/{result_id}/offer": Row("session", _ANSWER, NOBODY, NOBODY, form(**_OFFER)),
    "POST /results/{result_id}/offers/{offer_id}": Row(
        "session", _ANSWER, NOBODY, NOBODY, form(answer="withdrawn")
    ),
    "POST /results/{result_id}/take": Row(
        "session", UNIT_HEAD, UNIT_HEAD, NOBODY, using={"result_id": "late_id"}
    ),
    "POST /results/{result_id}/detach": Row(
        "session", *_DETACH, form(patient_id="{case_id}", detach_reason=_REASON)
    ),
}


async def give_results(session: AsyncSession, actor: Actor, other: Actor) -> dict[str, str]:
    """A result that the person answers for and has offered, a late one, and one for nobody."""
    moment = now()
    who = Identity("Никитина Ольга Львовна", date(1970, 5, 6), Sex.FEMALE)
    patient, another = [await enter(session, who, actor.unit_id, None, moment) for _ in range(2)]
    assert patient is not None
    assert another is not None, "who takes the late one has a way into that record alone"
    ids = [
        await give_result(session, patient_id, actor.person_id, actor.unit_id)
        for patient_id in (patient.id, another.id, None)
    ]
    offer = LabOffer(
        result_id=ids[0],
        from_id=actor.person_id,
        to_id=other.person_id,
        reason="Прошу помочь",
        made_at=moment,
        lapses_at=moment + timedelta(days=1),
        state="offered",
    )
    session.add(offer)
    await session.flush()
    return {
        "result_id": str(ids[0]),
        "late_id": str(ids[1]),
        "unmatched_id": str(ids[2]),
        "offer_id": str(offer.id),
        "result_patient_id": str(patient.id),
    }


async def give_result(
    session: AsyncSession, patient_id: UUID | None, answers_id: UUID, unit_id: UUID
) -> UUID:
    """A result of a patient, or of nobody, for which somebody answers; the id."""
    moment = now()
    row = LabResult(
        id=new_id(),
        number=uuid4().hex,
        unit_id=unit_id,
        patient_id=patient_id,
        answers_id=answers_id,
        state="awaiting" if patient_id else "unmatched",
        urgency="other",
        version=1,
        opened_at=moment,
        due_at=moment,
    )
    session.add(row)
    await session.flush()
    session.add(_version(row))
    if patient_id:
        session.add(LabMatch(result_id=row.id, patient_id=patient_id, how="number", made_at=moment))
    return row.id


def _version(row: LabResult) -> LabVersion:
    said = {
        "number": row.number,
        "version": 1,
        "stage": "final",
        "order": "З-1",
        "patient": {"name": "Никитина Ольга Львовна"},
        "ready_at": row.opened_at.isoformat(),
        "test": {"code": "2823-3", "name": "Калий"},
        "value": "4.2",
    }
    return LabVersion(
        result_id=row.id,
        number=1,
        stage="final",
        urgency="other",
        heard_at=row.opened_at,
        body_hash="none",
        said=said,
    )
