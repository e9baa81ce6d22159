"""The archive: all cases that the person may see, saved views, exports, a case as a file."""

from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from api.cases.drafts import ListOut, list_response
from api.container import ContainerDep, Reading, Work
from api.http.auth import CurrentActor
from api.http.downloads import file_headers
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.archive import ExportKind, ExportState
from rules.texts.paper_names import list_name
from services.archive import saved_views
from services.archive import search as archive
from services.archive.search import COUNTED, ArchiveFilters
from services.dossier import archive_file
from services.exports import columns

router = APIRouter(route_class=CleanRoute, prefix="/archive", tags=["archive"])


class CountOut(BaseModel):
    """How many cases match."""

    count: int
    more: bool = Field(description="True if more cases match; counting stopped at `count`.")


class ViewIn(BaseModel):
    """A saved view: its name and its filters."""

    name: str = Field(max_length=200, examples=["Отказы этого года"])
    query: str = Field(
        "", max_length=2000, description="The filters: the address of the page, after its `?`."
    )


class ViewName(BaseModel):
    """The new name of a saved view."""

    name: str = Field(max_length=200)


class ViewOut(BaseModel):
    """A saved view."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    query: str
    created_at: datetime


@router.get("", response_model=ListOut)
async def list_all(
    session: Work,
    actor: CurrentActor,
    filters: Annotated[ArchiveFilters, Query()],
    after: Annotated[str | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Own cases and those of the units that the person reviews or heads, newest first (S7)."""
    return list_response(await archive.page(session, actor, filters, after, limit))


@router.get("/count")
async def count(
    session: Work, actor: CurrentActor, filters: Annotated[ArchiveFilters, Query()]
) -> CountOut:
    """How many cases match the filters. Counting stops at a thousand."""
    number = await archive.count(session, actor, filters)
    return CountOut(count=min(number, COUNTED), more=number > COUNTED)


@router.get("/views")
async def list_views(session: Reading, actor: CurrentActor) -> list[ViewOut]:
    """My saved views."""
    return [ViewOut.model_validate(view) for view in await saved_views.mine(session, actor)]


@router.post("/views", status_code=201)
async def keep_view(body: ViewIn, session: Work, actor: CurrentActor) -> ViewOut:
    """Save filters under a name, in place of a view that has this name already."""
    return ViewOut.model_validate(await saved_views.keep(session, actor, body.name, body.query))


@router.patch("/views/{view_id}")
async def rename_view(view_id: UUID, body: ViewName, session: Work, actor: CurrentActor) -> ViewOut:
    """Rename a saved view."""
    return ViewOut.model_validate(await saved_views.rename(session, actor, view_id, body.name))


@router.delete("/views/{view_id}", status_code=204)
async def remove_view(view_id: UUID, session: Work, actor: CurrentActor) -> None:
    """Delete a saved view."""
    await saved_views.remove(session, actor, view_id)


@router.get(
    "/cases/{case_id}",
    response_class=Response,
    responses=documented(401, 404, 422, 503),
)
async def export_case(
    case_id: UUID, actor: CurrentActor, container: ContainerDep
) -> StreamingResponse:
    """A whole case as one ZIP: PDF/A with its history, and its files."""
    found = await archive_file.of_case(
        container.database,
        container.files,
        actor,
        case_id,
        container.settings.institution,
    )
    return StreamingResponse(
        found.chunks, media_type="application/zip", headers=file_headers(found.name)
    )


class ExportIn(ArchiveFilters):
    """The filters of the list to export, and the format of the file."""

    file: ExportKind = ExportKind.XLSX


class ExportOut(BaseModel):
    """The progress of an export in rows, and its file once made: `size` in bytes."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    file: ExportKind = Field(validation_alias="kind")
    state: ExportState
    done: int
    total: int
    asked_at: datetime
    ends_at: datetime
    size: int | None
    sha256: str | None


@router.post("/exports", status_code=202, responses=documented(401, 409, 422))
async def ask_export(body: ExportIn, actor: CurrentActor, container: ContainerDep) -> ExportOut:
    """Start an export of the filtered list in the background. Three of one person run at a time."""
    filters = ArchiveFilters.model_validate(body.model_dump(exclude={"file"}))
    return ExportOut.model_validate(await container.exports.ask(actor, body.file, filters))


@router.get("/exports")
async def list_exports(
    session: Work, actor: CurrentActor, container: ContainerDep
) -> list[ExportOut]:
    """My exports, newest first."""
    return [
        ExportOut.model_validate(export) for export in await container.exports.mine(session, actor)
    ]


@router.get("/exports/{export_id}", responses=documented(401, 404, 422))
async def read_export(
    export_id: UUID, session: Work, actor: CurrentActor, container: ContainerDep
) -> ExportOut:
    """The progress of one export."""
    return ExportOut.model_validate(await container.exports.one(session, actor, export_id))


@router.delete("/exports/{export_id}", status_code=204, responses=documented(401, 404, 422))
async def cancel_export(export_id: UUID, actor: CurrentActor, container: ContainerDep) -> None:
    """Cancel an export. One that has ended already stays as it is."""
    await container.exports.cancel(actor, export_id)


@router.get(
    "/exports/{export_id}/file",
    response_class=Response,
    responses=documented(401, 403, 404, 422, 503),
)
async def download_export(
    export_id: UUID, actor: CurrentActor, container: ContainerDep
) -> StreamingResponse:
    """Download an exported file.

    Refused (403) once the person may no longer see every case in it.
    """
    export, opened = await container.exports.download(actor, export_id)
    day = export.asked_at.astimezone(ZoneInfo(container.settings.time_zone)).date()
    return StreamingResponse(
        opened.chunks(),
        media_type=columns.MEDIA_TYPES[export.kind],
        headers=file_headers(list_name(day, f".{export.kind.value}"), opened.length),
    )
