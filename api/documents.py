"""Documents: uploaded as a plain body or in a form, listed, downloaded, shown by page, removed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api.http.auth import CurrentActor
from api.http.bodies import Form, incoming_of, is_form
from api.http.entrance import CleanRoute
from api.http.file_routes import DocumentsService, download, page_image
from api.http.problems import documented
from rules.files.categories import CATEGORIES, TITLE_LENGTH, Category
from rules.files.checks import Code, Finding
from rules.refusals import FieldError, Refusal
from services.documents.acts import PAGE
from services.documents.views import DocumentView, Given, VersionView
from services.files.intake import Incoming
from words.translation import catalogue, choose_language

router = APIRouter(route_class=CleanRoute, prefix="/documents", tags=["documents"])


class DocumentVersionOut(BaseModel):
    """One file of a document."""

    id: UUID
    number: int = Field(examples=[1])
    file_name: str = Field(examples=["Диплом.pdf"])
    media_type: str = Field(examples=["application/pdf"])
    size: int = Field(description="Size in bytes.", examples=[482113])
    sha256: str
    pages: int | None = Field(description="Number of pages that can be shown.", examples=[2])
    dpi: int | None = Field(
        description="Resolution of its coarsest scanned page; null: no page is scanned."
    )
    scanned: bool = Field(description="Whether an antivirus has checked it.")
    uploaded_at: datetime
    replaced_at: datetime | None

    @classmethod
    def of(cls, view: VersionView) -> Self:
        """From what the service answered."""
        return cls.model_validate(view, from_attributes=True)


class DocumentOut(BaseModel):
    """A document with its current file.

    `older` and `cases` are filled only when one document is asked for.
    """

    id: UUID
    category: Category
    title: str = Field(examples=["Диплом об образовании"])
    created_at: datetime
    archived_at: datetime | None
    version: DocumentVersionOut
    older: list[DocumentVersionOut] = []
    cases: list[str] = Field([], examples=[["ПК-2026-000123-0"]])
    known: bool = Field(False, description="True if the same file was uploaded before.")

    @classmethod
    def of(cls, view: DocumentView, *, known: bool = False) -> Self:
        """From what the service answered."""
        made = cls.model_validate(view, from_attributes=True)
        return made.model_copy(update={"known": known})


class DocumentPage(BaseModel):
    """A page of the list; `before` asks for the next one."""

    items: list[DocumentOut]
    before: UUID | None


class CategoryOut(BaseModel):
    """A category that a document can be uploaded under."""

    value: Category
    title: str
    hint: str


_BODY: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, or a form with `file` last; of several files the first.",
        "content": {
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
            "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "category": {"type": "string"},
                        "title": {"type": "string"},
                        "file": {"type": "string", "format": "binary"},
                    },
                }
            },
        },
    }
}

FileName = Annotated[
    str | None,
    Query(max_length=300, description="Name of the file.", examples=["Диплом.pdf"]),
]


@router.get("/categories", response_model=list[CategoryOut], responses=documented(401))
async def categories(request: Request, actor: CurrentActor) -> list[CategoryOut]:
    """The categories of documents."""
    words = words_of(request)
    return [
        CategoryOut(value=value, title=words.gettext(rule.title), hint=words.gettext(rule.hint))
        for value, rule in CATEGORIES.items()
    ]


@router.get("", responses=documented(401, 403, 422))
async def list_mine(
    actor: CurrentActor,
    documents: DocumentsService,
    category: Category | None = None,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
) -> DocumentPage:
    """My documents that can be attached, newest first."""
    found = await documents.mine(actor, category, before=before, limit=limit)
    return DocumentPage(
        items=[DocumentOut.of(view) for view in found],
        before=found[-1].id if len(found) == limit else None,
    )


@router.post(
    "",
    status_code=201,
    responses=documented(400, 401, 403, 408, 413, 415, 422, 429, 503),
    openapi_extra=dict(_BODY),
)
async def give(
    request: Request,
    actor: CurrentActor,
    documents: DocumentsService,
    category: Annotated[Category | None, Query(description="Or a field of the form.")] = None,
    title: Annotated[str, Query(max_length=TITLE_LENGTH)] = "",
    file_name: FileName = None,
) -> DocumentOut:
    """Upload a document. It is checked at once; a refusal says what is wrong and how to correct it.

    A file that the category holds already is not stored twice: the existing document is returned.
    """

    async def taken(incoming: Incoming, fields: Mapping[str, str]) -> Given:
        chosen = category or _category(fields.get("category"))
        named = title or fields.get("title", "")
        return await documents.give(actor, incoming, chosen, named)

    return _answer(request, await _take(request, file_name, taken))


@router.post(
    "/{document_id}/versions",
    status_code=201,
    responses=documented(400, 401, 403, 404, 408, 413, 415, 422, 429, 503),
    openapi_extra=dict(_BODY),
)
async def replace(
    request: Request,
    document_id: UUID,
    actor: CurrentActor,
    documents: DocumentsService,
    file_name: FileName = None,
) -> DocumentOut:
    """Upload a newer file of a document.

    The older file stays readable in the cases that cite it.
    """

    async def taken(incoming: Incoming, fields: Mapping[str, str]) -> Given:
        return await documents.replace(actor, document_id, incoming)

    return _answer(request, await _take(request, file_name, taken))


@router.get("/{document_id}", responses=documented(401, 403, 404, 422))
async def one(document_id: UUID, actor: CurrentActor, documents: DocumentsService) -> DocumentOut:
    """One of my documents, with its older files and the applications that cite it."""
    return DocumentOut.of(await documents.one(actor, document_id))


@router.delete("/{document_id}", status_code=204, responses=documented(401, 403, 404, 422))
async def put_away(document_id: UUID, actor: CurrentActor, documents: DocumentsService) -> None:
    """Remove a document from my list. It stays readable in the cases that cite it."""
    await documents.put_away(actor, document_id)


router.get(
    "/versions/{version_id}/file",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The file.", "content": {"application/pdf": {}, "image/jpeg": {}}},
        206: {"description": "The bytes asked for."},
        **documented(401, 403, 404, 416, 422, 503),
    },
)(download)


router.get(
    "/versions/{version_id}/pages/{page}.png",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The page.", "content": {"image/png": {}, "image/jpeg": {}}},
        **documented(401, 403, 404, 422, 503),
    },
)(page_image)


Taken = Callable[[Incoming, Mapping[str, str]], Awaitable[Given]]


async def _take(request: Request, file_name: str | None, taken: Taken) -> Given:
    """Pass the one file of the request to `taken` as it streams in."""
    if not is_form(request):
        return await taken(incoming_of(request, file_name), {})
    form, given = Form(request), None
    async for incoming in form.files():
        if given is None:
            given = await taken(incoming, form.fields)
    if given is None:
        raise Refusal("no_file", "Выберите файл.", 422, [FieldError("file", "Выберите файл.")])
    return given


def _category(value: str | None) -> Category:
    try:
        return Category(value or "")
    except ValueError as error:
        words = "Выберите одно из допустимых значений."
        raise Refusal("no_category", words, 422, [FieldError("category", words)]) from error


_STATUS = {Code.TOO_BIG: 413, Code.WRONG_TYPE: 415, Code.HEIC: 415}


def _answer(request: Request, given: Given) -> DocumentOut:
    if given.document is not None:
        return DocumentOut.of(given.document, known=given.known)
    first = given.findings[0].code
    raise Refusal(
        "file_refused",
        "Файл не принят.",
        _STATUS.get(first, 422),
        findings=_in_words(request, given.findings),
    )


def _in_words(request: Request, findings: Sequence[Finding]) -> list[dict[str, str]]:
    words = words_of(request)
    return [
        {
            "code": finding.code.value,
            "problem": words.gettext(finding.problem) % dict(finding.facts),
            "remedy": words.gettext(finding.remedy) % dict(finding.facts),
        }
        for finding in findings
    ]


def words_of(request: Request) -> Any:
    """The words of the language that the client reads."""
    current = getattr(request.state, "current", None)
    return catalogue(
        choose_language(
            request.headers.get("accept-language"), current.language if current else None
        )
    )
