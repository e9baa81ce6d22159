"""What types of cases have on the administrator's pages beside their form (O6)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.http.entrance import CleanRoute
from cabinet.catalogue_admin import pages
from cabinet.catalogue_admin.rooms.types import TYPE_FILES, TYPES
from cabinet.frame.views import Flash
from cabinet.frame.visits import Inside
from services.catalogue_admin import type_upgrades
from words.translation import gettext as _

router = APIRouter(
    route_class=CleanRoute, include_in_schema=False, prefix="/administration/types/{key}"
)


@router.get("")
async def edit(
    key: str,
    visit: Inside,
    version: Annotated[int, Query(ge=0, le=100_000)] = 0,
    moved: Annotated[int | None, Query(ge=0, le=10_000_000)] = None,
    left: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """The form of a type, with its versions and its history; any version of it beside."""
    if moved is None:
        return await pages.opened(visit, TYPES, key, version=version)
    words = _("Переведено: %(moved)s. Остались на прежней редакции: %(left)s.")
    said = Flash(words % {"moved": moved, "left": left})
    return await pages.opened(visit, TYPES, key, version=version, flash=said)


@router.post("")
async def change(key: str, visit: Inside) -> Response:
    """Change the form (`do=up s0f2`), look at what it means, or save it; nothing typed is lost."""
    return await pages.posted(visit, TYPES, key)


@router.get("/file")
async def edit_file(key: str, visit: Inside) -> Response:
    """The same as the text of a file."""
    return await pages.opened(visit, TYPE_FILES, key)


@router.post("/file")
async def save_file(key: str, visit: Inside) -> Response:
    """Look at a file or save it."""
    return await pages.posted(visit, TYPE_FILES, key)


@router.post("/move")
async def move(
    key: str,
    visit: Inside,
    version: Annotated[int, Form(ge=1, le=100_000)],
    act_id: Annotated[UUID, Form()],
) -> Response:
    """Move the open cases that a version leaves whole onto it."""
    done = await type_upgrades.move_cases(
        visit.container.database, visit.actor, key, version, act_id
    )
    return visit.go(f"{TYPES.url(key)}?moved={done.moved}&left={done.left}")
