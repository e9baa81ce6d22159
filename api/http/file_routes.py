"""Routes that send files. The JSON API and the pages register them at addresses of their own."""

import re
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Response
from fastapi.responses import StreamingResponse

from api.container import ContainerDep, Work
from api.http.auth import CurrentActor
from api.http.downloads import file_headers
from rules.refusals import Refusal
from rules.texts.paper_names import act_name
from services.accreditations.papers import open_portfolio
from services.applications import enrolment
from services.cases.transitions import see
from services.documents.acts import Documents, Opening
from services.dossier import receipt as receipts
from services.requests.files import Download

VersionNumber = Annotated[int | None, Query(ge=1, lt=2**31, description="Without it, the newest.")]
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def documents_of(container: ContainerDep) -> Documents:
    """The service of documents. A coroutine, because FastAPI runs a plain function in a thread."""
    return container.documents


DocumentsService = Annotated[Documents, Depends(documents_of)]


async def download_act(
    case_id: UUID, session: Work, actor: CurrentActor, container: ContainerDep
) -> Response:
    """The signed enrolment certificate as PDF/A."""
    act, body = await enrolment.file_of(session, container.objects, actor, case_id)
    return Response(
        body,
        media_type="application/pdf",
        headers=file_headers(act_name(act.number)),
    )


async def portfolio(
    case_id: UUID,
    session: Work,
    actor: CurrentActor,
    container: ContainerDep,
    version: VersionNumber = None,
) -> Response:
    """The signed portfolio of a version as PDF/A, once it was sent."""
    name, opened = await open_portfolio(session, container.objects, actor, case_id, version)
    return file_response(Download(name, "application/pdf", opened))


async def receipt(
    case_id: UUID,
    session: Work,
    actor: CurrentActor,
    container: ContainerDep,
    version: VersionNumber = None,
) -> Response:
    """The receipt of a version as a signed PDF/A with `receipt.json` inside.

    `medcab verify receipt` checks either of them offline.
    """
    case = await see(session, actor, case_id)
    name, body = await receipts.on_paper(
        session, container.seal, container.settings, case.id, version
    )
    return Response(body, media_type="application/pdf", headers=file_headers(name))


async def download(
    version_id: UUID,
    actor: CurrentActor,
    documents: DocumentsService,
    range_header: Annotated[str | None, Header(alias="Range", max_length=100)] = None,
    if_range: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Download a file: one of mine, or one cited by a case that I may see."""
    asked = _RANGE.fullmatch((range_header or "").strip())
    if asked is None or not any(asked.groups()):
        return _stream(await documents.open(actor, version_id))
    size = (await documents.version(actor, version_id)).size
    start, end = asked.groups()
    first = int(start) if start else max(0, size - int(end))
    last = min(int(end), size - 1) if start and end else size - 1
    if first > last:
        raise Refusal("no_such_bytes", "В файле нет таких байтов.", 416, size=size)
    opening = await documents.open(actor, version_id, first, last)
    if if_range is not None and if_range != f'"{opening.tag}"':
        await opening.opened.close()
        return _stream(await documents.open(actor, version_id))
    return _stream(opening)


async def page_image(
    version_id: UUID,
    page: Annotated[int, Path(ge=1, le=10_000)],
    actor: CurrentActor,
    documents: DocumentsService,
) -> Response:
    """A page as a picture, so that a browser shows it without running anything in the file.

    Pages of a PDF are PNG; a photograph is encoded anew as JPEG.
    """
    return _stream(await documents.page(actor, version_id, page), inline=True)


def file_response(download: Download) -> Response:
    """A stored paper or answer as a response."""
    return StreamingResponse(
        download.opened.chunks(),
        media_type=download.media_type,
        headers=file_headers(download.name, download.opened.length),
    )


def _stream(opening: Opening, *, inline: bool = False) -> Response:
    """The file, or the part of it that was asked for."""
    length = opening.opened.length
    headers = file_headers(opening.file_name, length, inline=inline)
    headers["ETag"] = f'"{opening.tag}"'
    if not inline:
        headers["Accept-Ranges"] = "bytes"
    partial = length < opening.size
    if partial:
        last = opening.first + length - 1
        headers["Content-Range"] = f"bytes {opening.first}-{last}/{opening.size}"
    return StreamingResponse(
        opening.opened.chunks(),
        status_code=206 if partial else 200,
        headers=headers,
        media_type=opening.media_type,
    )
