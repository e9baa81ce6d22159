"""«Мои документы»: uploaded once, replaced, chosen again (Q2, Q10); and the files of drafts.

Forms with files are read as a stream, so their token is checked here, before the file is read.
"""

import dataclasses
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.http.entrance import CleanRoute
from api.http.file_routes import download, page_image
from cabinet.cases.attachments import attachments_page, refused_row, slots_of, version_row
from cabinet.cases.filling import Editing, as_kept, drafts_of, editing
from cabinet.documents.uploads import by_script, files_of_form
from cabinet.documents.views import CategoryOption, DocumentCard
from cabinet.frame.views import FileRow
from cabinet.frame.visits import Inside, Visit, own_path
from rules.files.categories import CATEGORIES, Category
from rules.refusals import not_found
from services.documents import views
from services.documents.views import Given
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False)


@router.get("/documents")
async def list_mine(visit: Inside) -> Response:
    """The person's documents with what may be done to each."""
    return await _list(visit)


@router.post("/documents/files")
async def give(visit: Inside) -> Response:
    """Upload one or several documents of a category, from the plain form or from the script."""
    refused: FileRow | None = None
    chosen = ""
    async for fields, incoming in files_of_form(visit):
        chosen = fields.get("category", "")
        category = Category(chosen) if chosen in set(Category) else Category.OTHER
        given = await visit.container.documents.give(visit.actor, incoming, category)
        if not given.good:
            refused = _refused(given)
    if refused is None and not by_script(visit):
        return visit.go("/documents", "given")
    return await _list(visit, refused, chosen, status=422 if refused else 200)


async def _list(
    visit: Visit, refused: FileRow | None = None, chosen: str = "", status: int = 200
) -> Response:
    found = await visit.container.documents.mine(visit.actor, limit=200)
    return visit.page(
        "documents/list.html",
        status=status,
        documents=[_view(document) for document in found],
        categories=[
            CategoryOption(value.value, gettext(rule.title), gettext(rule.hint))
            for value, rule in CATEGORIES.items()
            if rule.offered
        ],
        chosen=chosen,
        refused=refused,
    )


def _view(document: views.DocumentView) -> DocumentCard:
    row = version_row(document.version)
    here = f"/documents/{document.id}"
    return DocumentCard(
        id=str(document.id),
        title=gettext(document.title),
        category=gettext(CATEGORIES[document.category].title),
        row=FileRow(
            **{**vars(row), "replace_url": f"{here}/replace", "remove_url": f"{here}/put-away"}
        ),
        url=here,
        older=[version_row(version) for version in document.older],
        used_in=[(number, f"/search?number={number}") for number in document.cases],
    )


@router.get("/documents/versions/{version_id}")
async def look(version_id: UUID, visit: Inside) -> Response:
    """The pages of a file as pictures, so that nothing of the file itself runs in the browser."""
    version = await visit.container.documents.version(visit.actor, version_id)
    here = f"/documents/versions/{version_id}"
    return visit.page(
        "documents/look.html",
        row=version_row(version),
        pages=[f"{here}/pages/{n}.png" for n in range(1, (version.pages or 1) + 1)],
        back_url=own_path(visit.request.query_params.get("back"), "/documents"),
    )


router.add_api_route("/documents/versions/{version_id}/file", download, methods=["GET"])
router.add_api_route(
    "/documents/versions/{version_id}/pages/{page}.png", page_image, methods=["GET"]
)


@router.get("/documents/{document_id}")
async def show(document_id: UUID, visit: Inside) -> Response:
    """One document with its older versions and the applications that cite it."""
    document = await visit.container.documents.one(visit.actor, document_id)
    return visit.page("documents/document.html", document=_view(document))


@router.get("/documents/{document_id}/replace")
async def replace_page(document_id: UUID, visit: Inside) -> Response:
    """Choose a newer file."""
    return await _replace_page(visit, document_id)


@router.post("/documents/files/{document_id}")
async def replace(document_id: UUID, visit: Inside) -> Response:
    """Upload a newer file. The older one stays readable where it is cited."""
    async for _, incoming in files_of_form(visit):
        given = await visit.container.documents.replace(visit.actor, document_id, incoming)
        if not given.good:
            return await _replace_page(visit, document_id, _refused(given))
    if by_script(visit):
        return await _replace_page(visit, document_id)
    return visit.go("/documents", "replaced")


async def _replace_page(
    visit: Visit, document_id: UUID, refused: FileRow | None = None
) -> Response:
    document = await visit.container.documents.one(visit.actor, document_id)
    return visit.page(
        "documents/replace.html",
        status=422 if refused else 200,
        document=_view(document),
        refused=refused,
        back_url="/documents",
        action=f"/documents/files/{document_id}",
    )


@router.post("/documents/{document_id}/put-away")
async def put_away(document_id: UUID, visit: Inside) -> Response:
    """Remove a document from the list."""
    await visit.container.documents.put_away(visit.actor, document_id)
    return visit.go("/documents", "put_away")


@router.post("/documents/files/cases/{case_id}/{kind}")
async def attach_file(case_id: UUID, kind: str, visit: Inside) -> Response:
    """Upload files and attach them to a draft; each gets its verdict."""
    edited = await editing(visit, case_id)
    if kind not in {rule.kind for rule in edited.page.attachment_rules}:
        raise not_found()
    category = Category(kind) if kind in set(Category) else Category.OTHER
    refused: dict[str, FileRow] = {}
    async for _, incoming in files_of_form(visit):
        given = await visit.container.documents.give(visit.actor, incoming, category)
        if given.document is None:
            refused[kind] = _refused(given)
        else:
            edited = await _attach(visit, edited, kind, given.document.version.id)
    if not refused and not by_script(visit):
        return visit.go(f"{edited.url}/attachments#slot-{kind}")
    return await _slots(visit, edited, kind, refused)


@router.post("/documents/cases/{case_id}/{kind}/choose")
async def choose(
    case_id: UUID, kind: str, visit: Inside, document_version_id: Annotated[UUID, Form()]
) -> Response:
    """Attach a document uploaded before."""
    edited = await _attach(visit, await editing(visit, case_id), kind, document_version_id)
    return visit.go(f"{edited.url}/attachments#slot-{kind}")


@router.post("/documents/cases/{case_id}/{kind}/{version_id}/remove")
async def detach(case_id: UUID, kind: str, version_id: UUID, visit: Inside) -> Response:
    """Remove a document from a draft. It stays among the person's documents."""
    edited = await editing(visit, case_id)
    drafts = drafts_of(visit, edited.page.case.kind)
    await drafts.detach(visit.actor, case_id, kind, version_id)
    return visit.go(f"{edited.url}/attachments#slot-{kind}")


async def _attach(visit: Visit, edited: Editing, kind: str, version_id: UUID) -> Editing:
    kept = edited.page.case
    drafts = drafts_of(visit, kept.kind)
    case = await drafts.attach(visit.actor, kept.id, kind, version_id)
    return as_kept(edited, dataclasses.replace(edited.page, case=case))


async def _slots(
    visit: Visit, edited: Editing, kind: str, refused: Mapping[str, FileRow]
) -> Response:
    """The whole page for the plain form, only the changed section for the script."""
    if not by_script(visit):
        return await attachments_page(visit, edited, refused)
    view = next(
        slot for slot in await slots_of(visit, edited, refused=refused) if slot.kind == kind
    )
    return visit.part("applications/slot.html", status=422 if refused else 200, view=view)


def _refused(given: Given) -> FileRow:
    return refused_row(given.file_name, given.size, given.findings)
