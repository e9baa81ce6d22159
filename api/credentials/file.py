"""Proofs of qualification: one's own file, those of one's units, and the acts on them (Q1-Q3, Q6,
Q7, Q9, Q10)."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.cases.drafts import FieldName, IdempotencyKey, Number
from api.container import ContainerDep, Work
from api.http.auth import CurrentActor
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.cases.limits import INTEGER
from rules.cases.process import CaseKind
from rules.clock import MeantDay, now
from rules.credentials.categories import MOST_FILES, End, Need, StateRegister, Validation
from rules.credentials.progress import GapKind, progress_of
from rules.credentials.reminders import LONGEST_LEAD
from rules.credentials.statuses import CredentialStatus
from rules.forms.definitions import json_schema
from services.credentials import categories, leads, overview, seen
from services.credentials.checks import Contents
from services.credentials.overview import StaffCredential, StaffQuery, StaffStanding
from services.credentials.seen import CredentialSeen, VersionSeen

router = APIRouter(route_class=CleanRoute, prefix="/credentials", tags=["credentials"])

Version = Annotated[
    int, Field(ge=1, le=INTEGER, description="The version that was seen; another one is a 409.")
]
Reason = Annotated[str, Field(max_length=2000)]


class CredentialCategoryOut(BaseModel):
    """A category, with what is asked about such a credential."""

    key: str = Field(examples=["accreditation"])
    version: int
    title: str
    group: str
    end: End
    known_to: StateRegister = Field(description="The register of the state that knows it.")
    validation: Validation = Field(description="Who vouches for what was entered.")
    need: Need | None
    files_required: bool
    form: dict[str, Any] = Field(description="JSON Schema of `data`.")


class CredentialFileOut(BaseModel):
    """A copy: a version of a document."""

    id: UUID = Field(description="For `GET /documents/versions/{version_id}/file`.")
    file_name: str
    media_type: str
    size: int


class CredentialVersionOut(BaseModel):
    """What it said from one moment until another."""

    number: int
    data: dict[str, Any]
    issued_on: date | None
    valid_until: date | None
    source: str = Field(description="`own`, or the name of a register.")
    how: str = Field(examples=["added"])
    reason: str | None
    made_at: datetime
    replaced_at: datetime | None
    confirmed_at: datetime | None = Field(description="When it was compared with the original.")
    files: list[CredentialFileOut]

    @classmethod
    def of(cls, version: VersionSeen) -> Self:
        """From what the service answered."""
        return cls.model_validate(
            {
                **{name: getattr(version, name) for name in cls.model_fields if name != "files"},
                "files": [
                    CredentialFileOut.model_validate(file, from_attributes=True)
                    for file in version.files
                ],
            }
        )


class CredentialOut(BaseModel):
    """A credential, and what it is worth today."""

    id: UUID
    owner_id: UUID
    category: str
    title: str
    about: str = Field(description="What tells it from others, such as the specialty.")
    number: str
    issuer: str
    status: CredentialStatus
    renewing: bool = Field(description="Whether a case that renews it is open.")
    days_left: int | None
    version: int
    current: CredentialVersionOut
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    replaced_by: UUID | None
    reminder_days: list[int] | None = Field(description="Its own; null: as of all others.")
    versions: list[CredentialVersionOut] = Field(
        [], description="All of them, when one credential is asked for."
    )

    @classmethod
    def of(cls, one: CredentialSeen, versions: list[VersionSeen] | None = None) -> Self:
        """From what the service answered."""
        return cls(
            id=one.id,
            owner_id=one.owner_id,
            category=one.category.key,
            title=one.category.title,
            about=one.about,
            number=one.number,
            issuer=one.issuer,
            status=one.status,
            renewing=one.standing.renewing,
            days_left=one.days_left,
            version=one.version,
            current=CredentialVersionOut.of(one.current),
            withdrawn_at=one.withdrawn_at,
            withdrawn_reason=one.withdrawn_reason,
            replaced_by=one.replaced_by,
            reminder_days=None if one.leads is None else list(one.leads),
            versions=[CredentialVersionOut.of(each) for each in versions or []],
        )


class GapOut(BaseModel):
    """One thing that is missing: of the file, or of one credential."""

    kind: GapKind
    need: Need | None
    credential_id: UUID | None


class QualificationOut(BaseModel):
    """A person's file, and how much of what it is expected to have is there."""

    person_id: UUID
    done: int
    total: int
    gaps: list[GapOut]
    credentials: list[CredentialOut]


class CredentialIn(BaseModel):
    """What a credential says. Files are uploaded beforehand: `POST /documents`."""

    data: dict[FieldName, bool | Number | str | None] = Field(max_length=60)
    files: list[UUID] = Field(
        [],
        max_length=MOST_FILES,
        fail_fast=True,
        description="Ids of versions of one's own documents.",
    )


class NewCredentialIn(CredentialIn):
    """A new credential."""

    category: str = Field(max_length=40, examples=["accreditation"])


class NewVersionIn(CredentialIn):
    """A newer version."""

    version: Version


class DatesIn(BaseModel):
    """The right days; one that is left out stays."""

    version: Version
    issued_on: MeantDay | None = None
    valid_until: MeantDay | None = None
    reason: Reason


class MistakeIn(BaseModel):
    """Why it was a mistake."""

    reason: Reason


class ReplacementIn(BaseModel):
    """Which other credential has replaced it."""

    by: UUID


class SeenOriginalIn(BaseModel):
    """Which version agrees with the original."""

    version: Version


class OwnRemindersIn(BaseModel):
    """How many days ahead to remind of this one; null: as of all others."""

    days: list[Annotated[int, Field(ge=0, le=LONGEST_LEAD)]] | None = Field(max_length=100)


class RenewalIn(BaseModel):
    """By which programme, where the kind of case that renews needs one."""

    programme_id: UUID | None = None


class RenewalOut(BaseModel):
    """The case that renews it: its draft is filled in from the file."""

    kind: CaseKind
    case_id: UUID


class CredentialMadeOut(BaseModel):
    """The id of the credential, and the number of its current version."""

    id: UUID
    version: int


class StaffCredentialOut(BaseModel):
    """A credential of somebody, and what they were told of its end."""

    id: UUID
    person_id: UUID
    name: str
    position: str
    unit: str
    category: str
    about: str
    valid_until: date | None
    standing: StaffStanding
    reminders_sent: int = Field(description="Of the present end.")
    answered_at: datetime | None = Field(description="When the owner did something about it.")

    @classmethod
    def of(cls, line: StaffCredential) -> Self:
        """From what the service answered."""
        return cls(
            id=line.id,
            person_id=line.owner_id,
            name=line.name,
            position=line.position,
            unit=line.unit,
            category=line.category.key,
            about=line.about,
            valid_until=line.valid_until,
            standing=line.standing,
            reminders_sent=line.sent,
            answered_at=line.answered,
        )


class StaffPageOut(BaseModel):
    """A page of the list."""

    credentials: list[StaffCredentialOut]
    next: str = Field(description="For `after`; empty on the last page.")


@router.get("/categories", responses=documented(401))
async def list_categories(session: Work, actor: CurrentActor) -> list[CredentialCategoryOut]:
    """The categories with their forms."""
    found = await categories.offered(session)
    return [
        CredentialCategoryOut(
            key=one.key,
            version=one.version,
            title=one.title,
            group=one.group,
            end=one.end,
            known_to=one.known_to,
            validation=one.validation,
            need=one.need,
            files_required=one.files_required,
            form=json_schema(one),
        )
        for one in found.values()
    ]


@router.get("", responses=documented(401, 403, 404))
async def mine(session: Work, actor: CurrentActor) -> QualificationOut:
    """My file, with what is missing."""
    return await _file(session, actor, actor.person_id)


@router.get("/people/{person_id}", responses=documented(401, 404, 422))
async def of_person(person_id: UUID, session: Work, actor: CurrentActor) -> QualificationOut:
    """The file of somebody in your units. That you looked is recorded."""
    return await _file(session, actor, person_id)


async def _file(session: Any, actor: Any, person_id: UUID) -> QualificationOut:
    owner, found = await seen.of_person(session, actor, person_id, now())
    progress = progress_of(found, owner.today)
    return QualificationOut(
        person_id=person_id,
        done=progress.done,
        total=progress.total,
        gaps=[GapOut.model_validate(gap, from_attributes=True) for gap in progress.gaps],
        credentials=[CredentialOut.of(one) for one in found],
    )


@router.get("/staff", responses=documented(401, 403, 422))
async def staff(
    session: Work,
    actor: CurrentActor,
    unit_id: UUID | None = None,
    category: Annotated[str | None, Query(max_length=60)] = None,
    standing: StaffStanding | None = None,
    after: Annotated[str, Query(max_length=60, description="`next` of the page before.")] = "",
) -> StaffPageOut:
    """What the people of your units have, ending first what ends first. Your look is recorded."""
    query = StaffQuery(unit_id, category, standing)
    found = await overview.page(session, actor, query, now(), overview.after_cursor(after))
    lines = [StaffCredentialOut.of(line) for line in found.lines]
    return StaffPageOut(credentials=lines, next=found.cursor)


@router.get("/{credential_id}", responses=documented(401, 404, 422))
async def one(credential_id: UUID, session: Work, actor: CurrentActor) -> CredentialOut:
    """One credential with all its versions. Looking at somebody else's is recorded."""
    _owner, found, versions = await seen.one(session, actor, credential_id, now())
    return CredentialOut.of(found, list(versions))


@router.post("", status_code=201, responses=documented(401, 403, 404, 409, 422))
async def add(
    body: NewCredentialIn,
    idempotency_key: IdempotencyKey,
    actor: CurrentActor,
    container: ContainerDep,
) -> CredentialMadeOut:
    """Add a credential. A number that another of yours has is refused (409), with its id."""
    contents = Contents(body.data, body.files)
    made = await container.credentials.add(actor, idempotency_key, body.category, contents)
    return CredentialMadeOut(id=made, version=1)


@router.post(
    "/{credential_id}/versions", status_code=201, responses=documented(401, 403, 404, 409, 422)
)
async def update(
    credential_id: UUID,
    body: NewVersionIn,
    idempotency_key: IdempotencyKey,
    actor: CurrentActor,
    container: ContainerDep,
) -> CredentialMadeOut:
    """Make a newer version. The older ones stay readable."""
    number = await container.credentials.update(
        actor, credential_id, idempotency_key, body.version, Contents(body.data, body.files)
    )
    return CredentialMadeOut(id=credential_id, version=number)


@router.post("/{credential_id}/dates", responses=documented(401, 403, 404, 409, 422))
async def correct(
    credential_id: UUID,
    body: DatesIn,
    idempotency_key: IdempotencyKey,
    actor: CurrentActor,
    container: ContainerDep,
) -> CredentialMadeOut:
    """Correct the days, with the reason. That makes a version too."""
    days = {
        name: day.isoformat()
        for name, day in (("issued_on", body.issued_on), ("valid_until", body.valid_until))
        if day is not None
    }
    number = await container.credentials.correct(
        actor, credential_id, idempotency_key, body.version, days, body.reason
    )
    return CredentialMadeOut(id=credential_id, version=number)


@router.post(
    "/{credential_id}/withdraw", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def withdraw(
    credential_id: UUID, body: MistakeIn, actor: CurrentActor, container: ContainerDep
) -> None:
    """Say that it was entered by mistake. It stays readable."""
    await container.credentials.withdraw(actor, credential_id, body.reason)


@router.post(
    "/{credential_id}/replace", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def replace(
    credential_id: UUID, body: ReplacementIn, actor: CurrentActor, container: ContainerDep
) -> None:
    """Say that another one has replaced it."""
    await container.credentials.replace(actor, credential_id, body.by)


@router.put(
    "/{credential_id}/reminders", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def remind(
    credential_id: UUID, body: OwnRemindersIn, session: Work, actor: CurrentActor
) -> None:
    """Choose other days of reminders for this one, from now on."""
    await leads.choose_for(session, actor, credential_id, body.days, now())


@router.post("/{credential_id}/renew", responses=documented(401, 403, 404, 409, 422))
async def renew(
    credential_id: UUID, body: RenewalIn, actor: CurrentActor, container: ContainerDep
) -> RenewalOut:
    """Begin the case that renews it, or learn which one is open."""
    case = await container.renewals.begin(actor, credential_id, body.programme_id)
    return RenewalOut(kind=CaseKind(case.kind), case_id=case.id)


@router.post("/{credential_id}/confirm", status_code=204, responses=documented(401, 404, 409, 422))
async def confirm(
    credential_id: UUID, body: SeenOriginalIn, actor: CurrentActor, container: ContainerDep
) -> None:
    """Say, as the personnel department, that a version agrees with the original you have seen."""
    await container.credentials.confirm(actor, credential_id, body.version)
