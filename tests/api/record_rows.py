"""The access table of patients' records, API and pages. See `access.Row`.

A record is open to whoever treats and has a way in: here the patient's own clinician, who gave a
reason. To a colleague's patients nobody has one. What becomes of a way that ends:
tests/records/test_entries.py.
"""

from datetime import date, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.patients import RecordOpening
from models.tables.records import RecordDraft, RecordEntry, RecordVersion
from rules.access import Actor, Role
from rules.clock import now
from rules.ids import new_id
from rules.patients.identity import Identity, Sex
from services.patients.entering import enter
from tests.api.access import EVERYBODY, Row, Sent, act, body, form, mine, nothing, query

TREATS = frozenset({Role.DOCTOR, Role.NURSE})
_OF = {"patient_id": "record_patient_id", "draft_id": "record_draft_id"}
_FORM = {"of_patient": "{record_patient_id}", "version": 999}


def _theirs(to: str, send: Sent = nothing, **using: str) -> Row:
    return mine(to, send, TREATS, **{**_OF, **using})


RECORD_ROWS: dict[str, Row] = {
    "GET /api/v1/records/types": Row("signed_in", EVERYBODY),
    "GET /api/v1/records/icd10": Row("signed_in", TREATS, send=query(query="I10")),
    "GET /api/v1/patients/{patient_id}/record": _theirs("signed_in"),
    "GET /api/v1/patients/{patient_id}/record/entries/{entry_id}": _theirs("signed_in"),
    "GET /api/v1/patients/{patient_id}/record/card": _theirs("signed_in"),
    "POST /api/v1/patients/{patient_id}/record/drafts": _theirs("signed_in", act(type="note")),
    "PUT /api/v1/patients/{patient_id}/record/drafts/{draft_id}": _theirs(
        "signed_in", body(data={})
    ),
    "POST /api/v1/patients/{patient_id}/record/drafts/{draft_id}/sign": _theirs(
        "signed_in", body(version=0)
    ),
    "POST /api/v1/patients/{patient_id}/record/entries/{entry_id}/corrections": _theirs(
        "signed_in"
    ),
    "POST /api/v1/patients/{patient_id}/record/entries/{entry_id}/mistaken": _theirs(
        "signed_in", body(version=999, reason="Другой человек")
    ),
}

RECORD_PAGES: dict[str, Row] = {
    "GET /icd10/options": Row("session", TREATS, send=query(query="I10")),
    "GET /patients/{patient_id}": _theirs("session"),
    "GET /patients/{patient_id}/card.pdf": _theirs("session"),
    "POST /patients/{patient_id}/entries": _theirs(
        "session", form(draft_id="{new_draft_id}", kind="note")
    ),
    "GET /patients/{patient_id}/entries/{entry_id}": _theirs("session"),
    "POST /patients/{patient_id}/entries/{entry_id}/correct": _theirs("session", form()),
    "GET /patients/{patient_id}/entries/{entry_id}/mistaken": _theirs("session"),
    "POST /patients/{patient_id}/entries/{entry_id}/mistaken": _theirs(
        "session", form(reason="Другой человек", **_FORM)
    ),
    "GET /patients/{patient_id}/drafts/{draft_id}": _theirs("session"),
    "POST /patients/{patient_id}/drafts/{draft_id}/autosave": _theirs("session", form(**_FORM)),
    "POST /patients/{patient_id}/drafts/{draft_id}": _theirs("session", form(**_FORM)),
    "POST /patients/{patient_id}/drafts/{draft_id}/discard": Row(
        "session",
        TREATS,
        send=form(**_FORM),
        using={"patient_id": "record_patient_id", "draft_id": "no_draft_id"},
    ),
}


async def give_record(session: AsyncSession, actor: Actor) -> dict[str, str]:
    """A patient whose record is open to the person, with an entry and a draft of theirs."""
    moment = now()
    who = Identity("Вторая Ольга Ильинична", date(1961, 3, 14), Sex.FEMALE)
    patient = await enter(session, who, actor.unit_id, None, moment)
    if patient is None:
        raise ValueError("nobody else has no number")
    opening = RecordOpening(
        patient_id=patient.id,
        person_id=actor.person_id,
        ground="consent",
        at=moment,
        ends_at=moment + timedelta(hours=3),
    )
    session.add(opening)
    written = await give_writing(session, actor, patient.id)
    return {"record_patient_id": str(patient.id), **written}


async def give_writing(session: AsyncSession, actor: Actor, patient_id: UUID) -> dict[str, str]:
    """An entry of the person in the record of a patient, and a draft."""
    moment = now()
    entry = RecordEntry(
        id=new_id(),
        patient_id=patient_id,
        type="note",
        author_id=actor.person_id,
        unit_id=actor.unit_id,
        signed_at=moment,
    )
    session.add(entry)
    await session.flush()
    data = {"subject": "Разговор", "text": "О режиме"}
    version = RecordVersion(
        entry_id=entry.id,
        number=1,
        type_version=1,
        data=data,
        codes={},
        made_at=moment,
        made_by=actor.person_id,
    )
    draft = RecordDraft(
        author_id=actor.person_id,
        patient_id=patient_id,
        type="note",
        data={},
        created_at=moment,
    )
    session.add_all([version, draft])
    await session.flush()
    return {"entry_id": str(entry.id), "record_draft_id": str(draft.id)}
