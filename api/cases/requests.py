"""Service requests over JSON: types on offer, one's own requests, answers of people (S1-S6).

What all kinds of case share stands in `api.cases.drafts`.
"""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, ValidationError

from api.cases.bodies import CaseOut, CaseStateOut, PresentStateOut, StepIn, case_out
from api.cases.drafts import DraftOut, IdempotencyKey, ListOut, add_routes, draft_out, list_response
from api.container import ContainerDep, Work
from api.http.auth import CurrentActor
from api.http.bodies import Form, is_form
from api.http.entrance import CleanRoute
from api.http.file_routes import VersionNumber, file_response
from api.http.problems import documented
from rules.cases.process import CaseKind
from rules.cases.terms import Terms
from rules.forms.definitions import CaseTypeDefinition, json_schema
from rules.forms.fields import NAME
from rules.refusals import FieldError, Refusal, not_found
from rules.texts.identifiers import whole
from services.cases import lists as case_lists
from services.cases import running
from services.cases.acts import Act
from services.cases.draft_contents import draft_of
from services.cases.lists import Filters
from services.cases.transitions import see
from services.dossier import page as dossier
from services.files.intake import Incoming
from services.requests import files as request_files
from services.requests.acts import Answer

router = APIRouter(route_class=CleanRoute, tags=["requests"])


class RequestTypeOut(BaseModel):
    """What may be requested: `definition` draws the form, `data_schema` describes its data."""

    key: str = Field(examples=["vaccination_certificate"])
    version: int
    title: str = Field(examples=["Справка о прививках"])
    hint: str
    channel: Literal["module", "desk"]
    answer: Literal["document", "data", "message"]
    recipient: str = Field(description="The name of the outside addressee; empty: a unit answers.")
    terms: Terms = Field(description="Terms in working days; `review` is that of the answer.")
    definition: CaseTypeDefinition
    data_schema: dict[str, Any]

    @classmethod
    def of(cls, definition: CaseTypeDefinition) -> Self:
        """From the definition."""
        shown = definition.model_dump(
            mode="json",
            include={"key", "version", "title", "hint", "channel", "answer", "recipient"},
        )
        return cls(
            **shown,
            terms=definition.terms,
            definition=definition,
            data_schema=json_schema(definition),
        )


class RequestIn(BaseModel):
    """The type of a new request."""

    type: str = Field(pattern=NAME, examples=["vaccination_certificate"])


class RequestAnswerIn(StepIn):
    """An answer that a person gives, in words."""

    message: str = Field("", max_length=4000)


class RefusalIn(StepIn):
    """Why a request is refused."""

    reason: str = Field(max_length=4000)


@router.get("/request-types", responses=documented(401, 403))
async def request_types(actor: CurrentActor, container: ContainerDep) -> list[RequestTypeOut]:
    """What may be requested here, in the order of the catalogue (S1)."""
    return [RequestTypeOut.of(one) for one in await container.requests.types(actor)]


@router.get("/requests", response_model=ListOut)
async def list_mine(
    container: ContainerDep,
    actor: CurrentActor,
    filters: Annotated[Filters, Query()],
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """My requests, newest first, narrowed by status, type, dates or number."""
    own = filters.model_copy(update={"kind": CaseKind.REQUEST})
    async with container.database.reading() as session:
        return list_response(await case_lists.mine(session, actor, own, after, limit))


@router.post("/requests", status_code=201, responses=documented(403, 404))
async def create(body: RequestIn, actor: CurrentActor, container: ContainerDep) -> DraftOut:
    """Begin a draft, filled in with what is already known of the applicant."""
    return draft_out(draft_of(await container.requests.create_draft(actor, body.type)))


@router.get("/requests/{case_id}", responses=documented(404))
async def read(case_id: UUID, session: Work, actor: CurrentActor) -> CaseOut:
    """The whole request: versions with their documents, answers, timeline."""
    page = await dossier.page(session, actor, case_id)
    if page.case.kind != CaseKind.REQUEST:
        raise not_found()
    return case_out(page)


@router.get("/requests/{case_id}/state", responses=documented(404))
async def present_state(
    case_id: UUID, actor: CurrentActor, container: ContainerDep
) -> PresentStateOut:
    """Ask the running request whom it waits for, until when, and what happens then.

    If the workflow does not answer, `live` is false and the state comes from the database.
    """
    # The transaction ends here: a workflow that answers slowly holds no connection.
    async with container.database.work() as session:
        case = await see(session, actor, case_id)
    if case.kind != CaseKind.REQUEST:
        raise not_found()
    live, state = await running.live_or_stored(container.temporal, case)
    return PresentStateOut(live=live, **state.model_dump())


_ANSWER: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A message, or a form with `step`, `message` and, last, `file`.",
        "content": {
            "application/json": {"schema": RequestAnswerIn.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["step"],
                    "properties": {
                        "step": {"type": "integer", "minimum": 0},
                        "message": {"type": "string", "maxLength": 4000},
                        "file": {"type": "string", "format": "binary"},
                    },
                }
            },
        },
    }
}


@router.post(
    "/requests/{case_id}/answer",
    responses=documented(400, 403, 404, 408, 409, 413, 415, 422, 429, 503),
    openapi_extra=_ANSWER,
)
async def answer(
    case_id: UUID,
    request: Request,
    actor: CurrentActor,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> CaseStateOut:
    """Answer a request for one's unit.

    Repeating the act id returns the same answer and changes nothing.
    """

    async def answered(step: int, message: str, file: Incoming | None = None) -> CaseStateOut:
        act, said = Act(idempotency_key, step), Answer(message, file)
        return CaseStateOut.of(await container.requests.answer(actor, case_id, act, said))

    if not is_form(request):
        body = await _answer_in(request)
        return await answered(body.step, body.message)
    form = Form(request)
    async for incoming in form.files():
        return await answered(*_fields(form.fields), incoming)
    return await answered(*_fields(form.fields))


@router.post("/requests/{case_id}/refuse", responses=documented(403, 404, 409, 422))
async def refuse(
    case_id: UUID,
    body: RefusalIn,
    actor: CurrentActor,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> CaseStateOut:
    """Refuse a request for one's unit, with the reason."""
    act = Act(idempotency_key, body.step)
    return CaseStateOut.of(await container.requests.refuse(actor, case_id, act, body.reason))


@router.get(
    "/requests/{case_id}/document",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The document.", "content": {"application/pdf": {}}},
        **documented(404, 503),
    },
)
async def document(
    case_id: UUID,
    session: Work,
    actor: CurrentActor,
    container: ContainerDep,
    version: VersionNumber = None,
) -> Response:
    """The electronic document of a version: PDF/A-3 with its data inside."""
    opened = await request_files.open_paper(session, container.objects, actor, case_id, version)
    return file_response(opened)


@router.get(
    "/requests/{case_id}/answer/{position}",
    response_class=StreamingResponse,
    responses={
        200: {"description": "The file.", "content": {"application/octet-stream": {}}},
        **documented(404, 503),
    },
)
async def answer_file(
    case_id: UUID,
    position: Annotated[int, Path(ge=1, le=1000)],
    session: Work,
    actor: CurrentActor,
    container: ContainerDep,
    version: VersionNumber = None,
) -> Response:
    """A file of the answer, for those who may see the request. Position 1 is the answer itself."""
    opened = await request_files.open_answer(
        session, container.files, actor, case_id, version, position
    )
    return file_response(opened)


async def _answer_in(request: Request) -> RequestAnswerIn:
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise Refusal("unreadable", "Запрос не удаётся прочесть.", 422) from None
    try:
        return RequestAnswerIn.model_validate(body)
    except ValidationError as error:
        wrong = [
            FieldError(".".join(map(str, one["loc"])) or "body", "Исправьте это поле.")
            for one in error.errors()
        ]
        raise Refusal("unreadable", "Запрос не удаётся прочесть.", 422, wrong) from None


def _fields(fields: Any) -> tuple[int, str]:
    """Step and message of a form; both stand before the file."""
    step = whole(str(fields.get("step", "")))
    if step is None:
        wrong = FieldError("step", "Обновите страницу.")
        raise Refusal("unreadable", "Запрос не удаётся прочесть.", 422, [wrong])
    return step, str(fields.get("message", ""))


add_routes(router, "/requests", lambda container: container.requests)
