"""The files of a request, for all who may see it: its documents, and those of its answers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from api.container import Work
from api.http.entrance import CleanRoute
from api.http.file_routes import file_response
from cabinet.frame.views import FileRow
from cabinet.frame.visits import Inside, Visit
from services.requests import files as request_files
from services.requests import looks
from services.requests.files import Download
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/requests/{case_id}")

Version = Annotated[int, Path(ge=1, lt=2**31)]
Position = Annotated[int, Path(ge=1, le=1000)]
Page = Annotated[int, Path(ge=1, le=10_000)]


@router.get("/papers/{number}")
async def look_at_paper(case_id: UUID, number: Version, visit: Inside, session: Work) -> Response:
    """The pages of a version's electronic document as pictures (S3)."""
    objects = visit.container.objects
    found = await request_files.open_paper(session, objects, visit.actor, case_id, number)
    name = gettext("Запрос, версия %(n)s") % {"n": number}
    return await _look(visit, case_id, found, name, f"papers/{number}")


@router.get("/papers/{number}/file")
async def paper(case_id: UUID, number: Version, visit: Inside, session: Work) -> Response:
    """Download the electronic document of a version."""
    objects = visit.container.objects
    return file_response(
        await request_files.open_paper(session, objects, visit.actor, case_id, number)
    )


@router.get("/papers/{number}/pages/{page}.png")
async def paper_page(
    case_id: UUID, number: Version, page: Page, visit: Inside, session: Work
) -> Response:
    """One page of the electronic document of a version, as a picture."""
    objects = visit.container.objects
    found = await request_files.open_paper(session, objects, visit.actor, case_id, number)
    return await _picture(visit, found, page)


@router.get("/answers/{number}/{position}")
async def look_at_answer(
    case_id: UUID, number: Version, position: Position, visit: Inside, session: Work
) -> Response:
    """The pages of a file of the answer to a version as pictures (S4)."""
    files = visit.container.files
    found = await request_files.open_answer(session, files, visit.actor, case_id, number, position)
    name = gettext("Ответ на версию %(n)s") % {"n": number}
    return await _look(visit, case_id, found, name, f"answers/{number}/{position}")


@router.get("/answers/{number}/{position}/file")
async def answer_file(
    case_id: UUID, number: Version, position: Position, visit: Inside, session: Work
) -> Response:
    """Download a file of an answer."""
    files = visit.container.files
    return file_response(
        await request_files.open_answer(session, files, visit.actor, case_id, number, position)
    )


@router.get("/answers/{number}/{position}/pages/{page}.png")
async def answer_page(
    case_id: UUID, number: Version, position: Position, page: Page, visit: Inside, session: Work
) -> Response:
    """One page of a file of an answer, as a picture."""
    files = visit.container.files
    found = await request_files.open_answer(session, files, visit.actor, case_id, number, position)
    return await _picture(visit, found, page)


async def _look(visit: Visit, case_id: UUID, found: Download, name: str, what: str) -> Response:
    here = f"/requests/{case_id}/{what}"
    pages = await looks.pages_of(visit.container.inspection, found)
    return visit.page(
        "documents/look.html",
        row=FileRow(id=str(case_id), name=name, size=0, state="good", download_url=f"{here}/file"),
        pages=[f"{here}/pages/{n}.png" for n in range(1, pages + 1)],
        back_url=f"/cases/{case_id}",
    )


async def _picture(visit: Visit, found: Download, page: int) -> Response:
    drawn = await looks.picture(visit.container.inspection, found, page)
    headers = {"Cache-Control": "no-store, private", "X-Content-Type-Options": "nosniff"}
    return Response(drawn.body, media_type=drawn.media_type, headers=headers)
