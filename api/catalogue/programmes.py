"""The catalogue: programmes, types of case with their forms, and reasons for reviewers."""

import base64
import binascii
import json
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.container import Work
from api.http.auth import CurrentActor, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.cases.terms import Terms
from rules.forms.definitions import (
    AttachmentRule,
    CaseTypeDefinition,
    ChecklistItem,
    json_schema,
    merged_attachments,
    merged_checklist,
    merged_terms,
)
from rules.forms.fields import NAME
from rules.refusals import FieldError, Refusal
from services.catalogue import intakes
from services.catalogue import lookup as catalogue
from services.catalogue.loading import APPLICATION_TYPE

router = APIRouter(route_class=CleanRoute, tags=["catalogue"])

Kind = Literal["course", "distance", "seminar"]


class ProgrammeLine(BaseModel):
    """A programme as a list shows it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str = Field(examples=["CARD-144"])
    version: int
    title: str = Field(examples=["Кардиология. Периодическая аккредитация"])
    kind: Kind
    organisation: str
    hours: int = Field(examples=[144])
    certified_hours: int
    starts_on: list[date] = Field(description="Days on which it begins; empty: any day.")
    specialties: list[str] = Field(
        description="Specialties that may apply, as the form names them; empty: all."
    )


class ProgrammePage(BaseModel):
    """A page of the catalogue; `after` asks for the next one."""

    items: list[ProgrammeLine]
    after: str | None


class IntakeOut(BaseModel):
    """When a programme begins, until when one may apply, and how many places there are."""

    starts_on: date
    apply_until: date
    places: int | None = Field(description="Null: without a limit.")
    places_left: int | None = Field(validation_alias="left")


class ProgrammeOut(ProgrammeLine):
    """A programme with what an application for it needs."""

    description: str
    offered: bool = Field(description="False: nobody can apply any more; open applications go on.")
    attachments: list[AttachmentRule]
    intakes: list[IntakeOut] = Field(
        description="`starts_on` of an application must be one of these days; empty: any day."
    )
    checklist: list[ChecklistItem] = Field(description="What reviewers will check.")
    terms: Terms


class CaseTypeOut(BaseModel):
    """A type of case: `definition` draws the form, `data_schema` describes its data."""

    definition: CaseTypeDefinition
    data_schema: dict[str, Any]


class ReasonOut(BaseModel):
    """A ready-made reason that a reviewer may use and edit."""

    key: str
    outcome: Literal["approve", "clarify", "reject"]
    title: str
    text: str


@router.get("/programmes")
async def list_programmes(
    session: Work,
    actor: CurrentActor,
    kind: Annotated[Kind | None, Query(description="Type of training.")] = None,
    text: Annotated[str | None, Query(max_length=200, examples=["кардио"])] = None,
    specialty: Annotated[str | None, Query(pattern=NAME, examples=["cardiology"])] = None,
    after: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ProgrammePage:
    """Programmes on offer, by title. `text` finds those that have all of its words."""
    found = await catalogue.programmes(
        session, kind, text, specialty, _place(after) if after else None, limit + 1
    )
    shown = found[:limit]
    return ProgrammePage(
        items=[ProgrammeLine.model_validate(each) for each in shown],
        after=_cursor(shown[-1].sort_key, shown[-1].id) if len(found) > limit else None,
    )


@router.get("/programmes/{programme_id}", responses=documented(404))
async def read_programme(programme_id: UUID, session: Work, actor: CurrentActor) -> ProgrammeOut:
    """One programme, its documents (waived ones with the reason), checklist and terms."""
    programme = await catalogue.programme(session, programme_id)
    definition = await catalogue.case_type(session, APPLICATION_TYPE)
    return ProgrammeOut(
        **ProgrammeLine.model_validate(programme).model_dump(),
        description=programme.description,
        offered=await catalogue.is_offered(session, programme_id),
        attachments=list(merged_attachments(definition, programme)),
        intakes=[
            IntakeOut.model_validate(one, from_attributes=True)
            for one in await intakes.of_programme(session, programme)
        ],
        checklist=list(merged_checklist(definition, programme)),
        terms=merged_terms(definition, programme),
    )


@router.get("/case-types/{key}", responses=documented(404))
async def read_case_type(
    key: Annotated[str, Path(pattern=NAME, examples=["qualification"])],
    session: Work,
    actor: CurrentActor,
    version: Annotated[
        int | None, Query(ge=1, le=100_000, description="Without it, the newest in force.")
    ] = None,
) -> CaseTypeOut:
    """The form of a type of case, as a definition and as JSON Schema of its data."""
    definition = await catalogue.case_type(session, key, version)
    return CaseTypeOut(definition=definition, data_schema=json_schema(definition))


@router.get("/reasons", responses=documented(403))
async def list_reasons(
    session: Work,
    actor: Annotated[Actor, require(Permission.REVIEW)],
    outcome: Literal["approve", "clarify", "reject"] | None = None,
) -> list[ReasonOut]:
    """The ready-made reasons, for reviewers."""
    found = await catalogue.reasons(session, outcome)
    return [ReasonOut.model_validate(each, from_attributes=True) for each in found]


def _cursor(sort_key: str, programme_id: UUID) -> str:
    place = json.dumps([sort_key, str(programme_id)], ensure_ascii=False)
    return base64.urlsafe_b64encode(place.encode()).decode()


def _place(cursor: str) -> tuple[str, UUID]:
    try:
        sort_key, programme_id = json.loads(base64.urlsafe_b64decode(cursor))
        str(sort_key).encode()
        return str(sort_key).replace("\x00", ""), UUID(programme_id)
    except (binascii.Error, ValueError, TypeError, AttributeError):
        wrong = FieldError("after", "Откройте список сначала")
        raise Refusal("wrong_cursor", "Такой страницы списка нет.", 422, [wrong]) from None
