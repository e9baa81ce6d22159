"""The archive: all cases that the person may see, views kept of it, exports, terms of keeping."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.applications import ListOut, list_response
from api.auth import CurrentActor
from api.state import Reading, Work
from models.tables.archive import SavedView
from services import archive, saved_views
from services.archive import COUNTED, ArchiveFilters

router = APIRouter(prefix="/archive", tags=["archive"])


class CountOut(BaseModel):
    """How many cases there are."""

    count: int
    more: bool = Field(description="There are more than `count`, which were not counted.")


class ViewIn(BaseModel):
    """A name and the filters that it stands for."""

    name: str = Field(max_length=200, examples=["Отказы этого года"])
    query: str = Field("", max_length=2000, description="The address of the page after `?`.")


class ViewName(BaseModel):
    """A new name."""

    name: str = Field(max_length=200)


class ViewOut(BaseModel):
    """A kept view."""

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
    """How many cases the filters leave, counted up to a thousand."""
    number = await archive.count(session, actor, filters)
    return CountOut(count=min(number, COUNTED), more=number > COUNTED)


@router.get("/views")
async def list_views(session: Reading, actor: CurrentActor) -> list[ViewOut]:
    """The person's kept views."""
    return [_view_out(view) for view in await saved_views.mine(session, actor)]


@router.post("/views", status_code=201)
async def keep_view(body: ViewIn, session: Work, actor: CurrentActor) -> ViewOut:
    """Keep filters under a name; the same name again replaces them."""
    return _view_out(await saved_views.keep(session, actor, body.name, body.query))


@router.patch("/views/{view_id}")
async def rename_view(view_id: UUID, body: ViewName, session: Work, actor: CurrentActor) -> ViewOut:
    """Give a kept view another name."""
    return _view_out(await saved_views.rename(session, actor, view_id, body.name))


@router.delete("/views/{view_id}", status_code=204)
async def remove_view(view_id: UUID, session: Work, actor: CurrentActor) -> None:
    """Forget a kept view."""
    await saved_views.remove(session, actor, view_id)


def _view_out(view: SavedView) -> ViewOut:
    return ViewOut(id=view.id, name=view.name, query=view.query, created_at=view.created_at)
