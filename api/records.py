"""Patients' records: entries and their versions, drafts of one's own, and the dictionary (W2)."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.cases.drafts import FieldName, IdempotencyKey, Number
from api.container import ContainerDep, Work
from api.http.auth import CurrentActor
from api.http.downloads import file_headers
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Permission
from rules.cases.limits import INTEGER
from rules.clock import MeantMoment, now
from rules.forms.definitions import json_schema
from rules.records.entries import EntryState, OpenedFor
from services import access
from services.records import card, drafts, icd10, page, seen, types
from services.records.drafts import EntryDraftSeen
from services.records.seen import EntrySeen, EntryVersionSeen

router = APIRouter(route_class=CleanRoute, tags=["records"])
ROOM = "/patients/{patient_id}/record"

Seen = Annotated[int, Field(ge=0, le=INTEGER, description="The version that was seen; 0: new.")]
Visit = Annotated[UUID | None, Field(description="The visit it is written in, if there is one.")]


class EntryTypeOut(BaseModel):
    """A type of entry, with what is asked."""

    key: str = Field(examples=["visit"])
    version: int
    title: str
    form_number: str
    edition: str
    norm: str = Field(description="The key of the norm of law behind it.")
    form: dict[str, Any] = Field(description="JSON Schema of `data`.")


class EntryVersionOut(BaseModel):
    """What an entry said in one version."""

    number: int
    data: dict[str, Any]
    codes: dict[str, dict[str, str]] = Field(
        description="By field, the code of ICD-10 with its name and edition when it was signed."
    )
    reason: str | None
    made_at: datetime
    made_by: UUID

    @classmethod
    def of(cls, one: EntryVersionSeen) -> Self:
        """From what the service answered."""
        return cls.model_validate({name: getattr(one, name) for name in cls.model_fields})


class RecordEntryOut(BaseModel):
    """An entry of the record."""

    id: UUID
    patient_id: UUID = Field(description="Under which identity it was written.")
    visit_id: UUID | None
    type: str
    state: EntryState
    version: int
    author_id: UUID
    signed_at: datetime
    mistaken_at: datetime | None
    mistaken_reason: str | None
    current: EntryVersionOut
    versions: list[EntryVersionOut] = Field([], description="All, when one entry is asked for.")

    @classmethod
    def of(cls, one: EntrySeen, versions: list[EntryVersionSeen] | None = None) -> Self:
        """From what the service answered."""
        return cls(
            id=one.id,
            patient_id=one.patient_id,
            visit_id=one.visit_id,
            type=one.kind.key,
            state=one.state,
            version=one.version,
            author_id=one.author_id,
            signed_at=one.signed_at,
            mistaken_at=one.mistaken_at,
            mistaken_reason=one.mistaken_reason,
            current=EntryVersionOut.of(one.current),
            versions=[EntryVersionOut.of(each) for each in versions or []],
        )


class PatientRecordOut(BaseModel):
    """A page of the record: what warns, and entries, the newest first."""

    warnings: list[RecordEntryOut]
    entries: list[RecordEntryOut]


class RecordDraftOut(BaseModel):
    """What the person is writing and has not signed."""

    id: UUID
    patient_id: UUID
    visit_id: UUID | None
    type: str
    corrects: UUID | None
    version: int = Field(description="The version it corrects; 0 for a new entry.")
    data: dict[str, Any]
    saved_at: datetime | None

    @classmethod
    def of(cls, one: EntryDraftSeen) -> Self:
        """From what the service answered."""
        return cls(
            id=one.id,
            patient_id=one.patient_id,
            visit_id=one.visit_id,
            type=one.kind.key,
            corrects=one.entry_id,
            version=one.base_version,
            data=dict(one.data),
            saved_at=one.saved_at,
        )


class NewRecordDraftIn(BaseModel):
    """What is begun."""

    type: str = Field(max_length=40, examples=["note"])
    visit_id: Visit = None


class RecordDraftIn(BaseModel):
    """What was typed. Fields that are left out stay as they are."""

    visit_id: Visit = None
    data: dict[FieldName, bool | Number | str | None] = Field(max_length=60)
    reason: str | None = Field(None, max_length=2000, description="Why an entry is corrected.")


class SigningIn(BaseModel):
    """Which version was seen."""

    visit_id: Visit = None
    version: Seen


class EntryMistakeIn(BaseModel):
    """Why an entry was made in error, and which version was seen."""

    version: Annotated[int, Field(ge=1, le=INTEGER)]
    reason: str = Field(max_length=2000)


class SignedOut(BaseModel):
    """The entry that was signed."""

    id: UUID


class DiagnosisOut(BaseModel):
    """A code of МКБ-10."""

    code: str
    name: str
    edition: str


@router.get("/records/types", responses=documented(401))
async def list_types(session: Work, actor: CurrentActor) -> list[EntryTypeOut]:
    """The types of entry with their forms."""
    found = await types.offered(session)
    return [
        EntryTypeOut(
            key=one.key,
            version=one.version,
            title=one.title,
            form_number=one.form_number,
            edition=one.edition,
            norm=one.norm,
            form=json_schema(one),
        )
        for one in found.values()
    ]


@router.get("/records/icd10", responses=documented(401, 403, 422))
async def search_codes(
    session: Work, actor: CurrentActor, query: Annotated[str, Query(max_length=200)]
) -> list[DiagnosisOut]:
    """Codes of МКБ-10 that begin like the text, or whose names have its words."""
    actor.demand(Permission.TREAT)
    today = await access.day_in(session, actor.unit_id, now())
    found = await icd10.search(session, query, today)
    return [DiagnosisOut.model_validate(one, from_attributes=True) for one in found]


@router.get(ROOM, responses=documented(401, 403, 404, 422))
async def read(
    patient_id: UUID,
    session: Work,
    actor: CurrentActor,
    before: Annotated[MeantMoment | None, Query(description="Older than this.")] = None,
) -> PatientRecordOut:
    """The record of a patient that is open to you. That you looked is recorded."""
    head = await page.head(session, actor, patient_id, now())
    found = await seen.entries(session, head.patients, before=before)
    return PatientRecordOut(
        warnings=[RecordEntryOut.of(one) for one in head.warnings],
        entries=[RecordEntryOut.of(one) for one in found],
    )


@router.get(f"{ROOM}/entries/{{entry_id}}", responses=documented(401, 403, 404, 422))
async def read_entry(
    patient_id: UUID, entry_id: UUID, session: Work, actor: CurrentActor
) -> RecordEntryOut:
    """One entry with all its versions. That you looked is recorded."""
    found = await page.entry(session, actor, patient_id, entry_id, now())
    return RecordEntryOut.of(found.entry, list(found.versions))


@router.get(
    f"{ROOM}/card",
    responses={
        200: {"description": "The card as PDF/A.", "content": {"application/pdf": {}}},
        **documented(401, 403, 404, 422),
    },
    response_class=Response,
)
async def print_card(patient_id: UUID, actor: CurrentActor, container: ContainerDep) -> Response:
    """The card on paper. That it was printed is recorded."""
    institution = container.settings.institution
    body = await card.print_card(container.database, actor, patient_id, institution)
    return Response(body, media_type="application/pdf", headers=file_headers("card.pdf"))


@router.post(f"{ROOM}/drafts", status_code=201, responses=documented(401, 403, 404, 409, 422))
async def begin(
    patient_id: UUID,
    body: NewRecordDraftIn,
    idempotency_key: IdempotencyKey,
    actor: CurrentActor,
    container: ContainerDep,
) -> RecordDraftOut:
    """Begin an entry. Only you see it until it is signed."""
    opened = OpenedFor(patient_id, body.visit_id)
    begun = await container.record_drafts.begin(actor, opened, idempotency_key, body.type)
    async with container.database.work() as session:
        draft = await drafts.own(session, actor, begun, opened)
        return RecordDraftOut.of(await drafts.seen(session, actor, draft))


@router.put(f"{ROOM}/drafts/{{draft_id}}", responses=documented(401, 403, 404, 409, 422))
async def save(
    patient_id: UUID,
    draft_id: UUID,
    body: RecordDraftIn,
    actor: CurrentActor,
    container: ContainerDep,
) -> RecordDraftOut:
    """Keep what was typed. A form that was opened for another patient is a 409."""
    opened = OpenedFor(patient_id, body.visit_id)
    draft, _clashes = await container.record_drafts.save(
        actor, draft_id, opened, body.data, {}, body.reason
    )
    return RecordDraftOut.of(draft)


@router.post(f"{ROOM}/drafts/{{draft_id}}/sign", responses=documented(401, 403, 404, 409, 422))
async def sign(
    patient_id: UUID, draft_id: UUID, body: SigningIn, actor: CurrentActor, container: ContainerDep
) -> SignedOut:
    """Sign a draft. Of an entry that was corrected since the version you saw this is a 409."""
    opened = OpenedFor(patient_id, body.visit_id)
    return SignedOut(id=await container.records.sign(actor, draft_id, opened, body.version))


@router.post(
    f"{ROOM}/entries/{{entry_id}}/corrections",
    status_code=201,
    responses=documented(401, 403, 404, 409, 422),
)
async def correct(
    patient_id: UUID, entry_id: UUID, actor: CurrentActor, container: ContainerDep
) -> RecordDraftOut:
    """Begin a correction, or go on with the one begun."""
    begun = await container.record_drafts.begin_correction(actor, patient_id, entry_id)
    return RecordDraftOut.of(begun)


@router.post(
    f"{ROOM}/entries/{{entry_id}}/mistaken",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def mark_mistaken(
    patient_id: UUID,
    entry_id: UUID,
    body: EntryMistakeIn,
    actor: CurrentActor,
    container: ContainerDep,
) -> None:
    """Say that an entry was made in error. It stays readable."""
    opened = OpenedFor(patient_id)
    await container.records.mark_mistaken(actor, opened, entry_id, body.version, body.reason)
