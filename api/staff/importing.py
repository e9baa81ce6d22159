"""Import of staff and units from a file: a dry run, then applying it (O6)."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api.cases.drafts import IdempotencyKey
from api.container import Container, ContainerDep
from api.documents import words_of
from api.http.auth import require
from api.http.bodies import Form, incoming_of, is_form, octets_of
from api.http.entrance import CleanRoute
from api.http.problems import documented, in_words
from rules.access import Actor, Permission, Role
from rules.refusals import FieldError, Refusal
from rules.staff.table import TITLES, Column
from services.staff import importing
from services.staff.importing import Counts, DryRun, PersonChange, UnitChange

router = APIRouter(route_class=CleanRoute, prefix="/administration/staff", tags=["administration"])

Manager = Annotated[Actor, require(Permission.MANAGE_PEOPLE)]

_BODY: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The table itself, XLSX or CSV, at most 2 MB; or a form with `file`.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


class CountsOut(BaseModel):
    """How many units and people were added, changed or left alone."""

    units_added: int
    units_changed: int
    people_added: int
    people_changed: int
    left_alone: int

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """From what the service answered."""
        return cls(**vars(counts))


class ColumnDifferenceOut(BaseModel):
    """What differs in one column."""

    column: Column
    old: str
    new: str


class StaffLineOut(BaseModel):
    """A unit or a person to be added, or changed where something differs."""

    line: int
    title: str
    unit: str = Field(description="Code of the unit.")
    differences: list[ColumnDifferenceOut]

    @classmethod
    def of(cls, change: UnitChange | PersonChange) -> Self:
        """From what the service answered."""
        unit = change.row.code if isinstance(change, UnitChange) else change.row.unit
        differs = [ColumnDifferenceOut(column=c, old=o, new=n) for c, o, n in change.differences]
        return cls(line=change.row.line, title=change.row.name, unit=unit, differences=differs)


class WrongOut(BaseModel):
    """One mistake in the file."""

    line: int
    column: Column
    title: str = Field(description="Heading of the column.", examples=["СНИЛС"])
    message: str = Field(description="What to write instead.")


class ProposedOut(BaseModel):
    """A role that the file names. The import does not grant it: rights are granted elsewhere."""

    line: int
    name: str
    role: Role


class DryRunOut(BaseModel):
    """What a file would do."""

    digest: str = Field(description="Send it with the same file to apply it.")
    rows: int
    counts: CountsOut
    units: list[StaffLineOut]
    people: list[StaffLineOut]
    wrong: list[WrongOut] = Field(description="Mistakes; a file with any is not applied.")
    proposed_roles: list[ProposedOut]
    own_contacts: list[int] = Field(
        description="Lines whose contacts differ from those of an account, which are kept."
    )


@router.post(
    "/dry-run",
    responses=documented(400, 401, 403, 408, 413, 422, 429, 503),
    openapi_extra=dict(_BODY),
)
async def dry_run_staff(request: Request, actor: Manager, container: ContainerDep) -> DryRunOut:
    """What a table of staff and units would add and change, and its mistakes. Nothing is stored."""
    body = await _body(request, container, actor)
    told = await importing.dry_run(container.database, container.inspection, actor, body)
    return _out(request, told)


@router.post(
    "/apply",
    responses=documented(400, 401, 403, 408, 409, 413, 422, 429, 503),
    openapi_extra=dict(_BODY),
)
async def apply_staff(
    request: Request,
    actor: Manager,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
    digest: Annotated[
        str,
        Query(max_length=64, description="The `digest` that the dry run of this file returned."),
    ],
) -> CountsOut:
    """Do what the dry run of this file showed.

    The import grants no rights and opens no accounts.
    """
    body = await _body(request, container, actor)
    done = await importing.apply(
        container.database, container.inspection, actor, body, digest, idempotency_key
    )
    return CountsOut.of(done)


async def _body(request: Request, container: Container, actor: Actor) -> bytes:
    if not is_form(request):
        return await octets_of(container, actor, incoming_of(request, None))
    async for incoming in Form(request).files():
        return await octets_of(container, actor, incoming)
    words = "Выберите файл."
    raise Refusal("no_file", words, 422, [FieldError("file", words)])


def _out(request: Request, told: DryRun) -> DryRunOut:
    words = words_of(request)
    return DryRunOut(
        digest=told.digest,
        rows=told.rows,
        counts=CountsOut.of(told.counts),
        units=[StaffLineOut.of(one) for one in told.units],
        people=[StaffLineOut.of(one) for one in told.people],
        wrong=[
            WrongOut(
                line=one.line,
                column=one.column,
                title=words.gettext(TITLES[one.column]),
                message=in_words(words.gettext, one.message, {}),
            )
            for one in told.wrong
        ],
        proposed_roles=[
            ProposedOut(line=row.line, name=row.name, role=role) for row, role in told.proposed
        ],
        own_contacts=[row.line for row in told.own_contacts],
    )
