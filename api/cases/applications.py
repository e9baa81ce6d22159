"""Applications as their applicants see and act on them. Every act takes an `Idempotency-Key`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from pydantic import BaseModel, Field, WithJsonSchema
from pydantic_core import to_json

from api.cases.bodies import CaseOut, CaseStateOut, PresentStateOut, StepIn, case_out
from api.container import MedcabState, Work
from api.http.auth import CurrentActor
from api.http.downloads import file_headers
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.cases.limits import MOST_ATTACHMENTS
from rules.cases.process import CaseKind, Status
from rules.refusals import FieldError
from rules.texts.paper_names import act_name
from services.applications import enrolment
from services.cases import lists as case_lists
from services.cases import running
from services.cases.draft_contents import Draft, citation, draft_of
from services.cases.lists import CaseLine, Filters
from services.cases.transitions import Act, see
from services.dossier import page as dossier
from services.dossier import receipt as receipts

router = APIRouter(route_class=CleanRoute, prefix="/applications", tags=["applications"])

_UUID = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
IdempotencyKey = Annotated[
    UUID,
    # As text of a shape: what is generated for a UUID in a header cannot be sent by its client.
    WithJsonSchema({"type": "string", "pattern": _UUID}),
    Header(
        description="A UUID made by the client: the same again gives the same answer, with another"
        " body it is refused (422).",
        examples=["0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"],
    ),
]


def _handed_in(body: StepIn, idempotency_key: IdempotencyKey) -> Act:
    return Act(idempotency_key, body.step)


HandedIn = Annotated[Act, Depends(_handed_in)]

VersionNumber = Annotated[int | None, Query(ge=1, lt=2**31, description="The newest where absent.")]


class DraftIn(BaseModel):
    """An application for a programme."""

    programme_id: UUID


CitedKind = Annotated[str, Path(max_length=64)]


class CitedIn(BaseModel):
    """One of the person's documents, chosen for this application."""

    kind: str = Field(max_length=64, examples=["diploma"])
    document_version_id: UUID


FieldName = Annotated[str, Field(max_length=100)]
Number = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""What JSON readers of every kind tell apart (RFC 8259, 6)."""


class DraftEdit(BaseModel):
    """What was typed so far, merged by field; attachments replace the list when given.

    A list without `revision` may add documents and take none off (409).
    """

    data: dict[FieldName, bool | Number | str | None] | None = Field(
        None, max_length=500, examples=[{"phone": "+7 900 000-00-00"}]
    )
    attachments: list[CitedIn] | None = Field(None, max_length=MOST_ATTACHMENTS, fail_fast=True)
    revision: str | None = Field(
        None,
        max_length=64,
        description="That of the draft which this change was made on: refused (409) when it has"
        " changed since. The refusal carries `revision`, `data` and `attachments` as they are now.",
    )


class FieldErrorOut(BaseModel):
    """What has to be mended in one field."""

    field: str
    message: str


class DraftOut(BaseModel):
    """The draft as kept, and what would still be refused."""

    id: UUID
    step: int
    status: Status
    data: dict[str, Any]
    attachments: list[dict[str, str]]
    revision: str = Field(description="Names these contents: see `revision` of a change.")
    saved_at: datetime | None
    errors: list[FieldErrorOut] = []


class WithdrawalIn(StepIn):
    """Why the application is taken back."""

    reason: str = Field("", max_length=4000)


class CommentIn(BaseModel):
    """A remark on the case."""

    text: str = Field(max_length=4000)
    internal: bool = Field(False, description="Seen by reviewers only.")


class CommentOut(BaseModel):
    """A remark as kept."""

    id: UUID
    at: datetime
    internal: bool
    text: str


class ListOut(BaseModel):
    """A page of a list; `after` asks for the next one."""

    items: list[CaseLine]
    after: str | None


def list_response(listing: case_lists.Listing) -> Response:
    """The page as JSON, written once: rows were typed by the query already."""
    page = {"items": listing.rows, "after": listing.after}
    return Response(to_json(page), media_type="application/json")


@router.get("", response_model=ListOut)
async def list_mine(
    medcab: MedcabState,
    actor: CurrentActor,
    filters: Annotated[Filters, Query()],
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """My applications, newest first, narrowed by status, type, dates or number."""
    if after is None and not filters.model_fields_set:
        return list_response(
            await case_lists.first_of_mine(medcab.database, actor, limit, kind=CaseKind.APPLICATION)
        )
    async with medcab.database.reading() as session:
        own = filters.model_copy(update={"kind": CaseKind.APPLICATION})
        return list_response(await case_lists.mine(session, actor, own, after, limit))


@router.post("", status_code=201)
async def create(body: DraftIn, actor: CurrentActor, medcab: MedcabState) -> DraftOut:
    """Begin a draft, filled in from what is known already."""
    case = await medcab.applications.create_draft(actor, body.programme_id)
    return draft_out(draft_of(case))


@router.get("/{case_id}")
async def read(case_id: UUID, session: Work, actor: CurrentActor) -> CaseOut:
    """The whole case: versions, findings, decisions, timeline, comments."""
    return case_out(await dossier.page(session, actor, case_id))


@router.get("/{case_id}/state")
async def present_state(case_id: UUID, actor: CurrentActor, medcab: MedcabState) -> PresentStateOut:
    """Ask the running case whom it waits for, until when, and what happens then (A8).

    When it does not answer, `live` is false and the answer is what the database knows.
    """
    # A case that is slow to answer holds no connection to the database.
    async with medcab.database.work() as session:
        case = await see(session, actor, case_id)
    live, state = await running.live_or_stored(medcab.temporal, case)
    return PresentStateOut(live=live, **state.model_dump())


@router.put("/{case_id}/draft", responses=documented(404, 409, 422))
async def save_draft(
    case_id: UUID, body: DraftEdit, actor: CurrentActor, medcab: MedcabState
) -> DraftOut:
    """Keep what was typed, right or wrong, and say what is wrong so far."""
    case, errors = await medcab.applications.save_draft(actor, case_id, *edited(body))
    return draft_out(draft_of(case), errors)


@router.post("/{case_id}/draft/attachments", responses=documented(404, 409, 422))
async def attach(
    case_id: UUID, body: CitedIn, actor: CurrentActor, medcab: MedcabState
) -> DraftOut:
    """Add one document to the draft; several at once are all kept. Twice is once."""
    case = await medcab.applications.attach(actor, case_id, body.kind, body.document_version_id)
    return draft_out(draft_of(case))


@router.delete(
    "/{case_id}/draft/attachments/{kind}/{document_version_id}", responses=documented(404, 409)
)
async def detach(
    case_id: UUID,
    kind: CitedKind,
    document_version_id: UUID,
    actor: CurrentActor,
    medcab: MedcabState,
) -> DraftOut:
    """Take one document off the draft; it stays among the person's documents."""
    case = await medcab.applications.detach(actor, case_id, kind, document_version_id)
    return draft_out(draft_of(case))


@router.delete("/{case_id}/draft", status_code=204)
async def discard_draft(case_id: UUID, actor: CurrentActor, medcab: MedcabState) -> None:
    """Throw away a draft never submitted, or a correction in the making."""
    await medcab.applications.discard_draft(actor, case_id)


@router.post("/{case_id}/submit", responses=documented(429))
async def submit(
    case_id: UUID, act: HandedIn, actor: CurrentActor, medcab: MedcabState
) -> CaseStateOut:
    """Submit the draft: it gets its number, and its workflow begins."""
    return CaseStateOut.of(await medcab.applications.submit(actor, case_id, act))


@router.post("/{case_id}/resubmit", responses=documented(429))
async def resubmit(
    case_id: UUID, act: HandedIn, actor: CurrentActor, medcab: MedcabState
) -> CaseStateOut:
    """Answer a clarification with the draft as a new version."""
    return CaseStateOut.of(await medcab.applications.resubmit(actor, case_id, act))


@router.post("/{case_id}/correct", responses=documented(429))
async def correct(
    case_id: UUID, act: HandedIn, actor: CurrentActor, medcab: MedcabState
) -> CaseStateOut:
    """Hand in the draft as a new version on one's own initiative."""
    return CaseStateOut.of(await medcab.applications.correct(actor, case_id, act))


@router.post("/{case_id}/withdraw")
async def withdraw(
    case_id: UUID,
    body: WithdrawalIn,
    actor: CurrentActor,
    medcab: MedcabState,
    idempotency_key: IdempotencyKey,
) -> CaseStateOut:
    """Take the application back."""
    act = Act(idempotency_key, body.step)
    state = await medcab.applications.withdraw(actor, case_id, act, body.reason)
    return CaseStateOut.of(state)


@router.post("/{case_id}/copy", status_code=201)
async def copy(case_id: UUID, actor: CurrentActor, medcab: MedcabState) -> DraftOut:
    """Copy a closed case without success into a new draft."""
    return draft_out(draft_of(await medcab.applications.copy(actor, case_id)))


@router.post("/{case_id}/comments", status_code=201)
async def comment(
    case_id: UUID, body: CommentIn, actor: CurrentActor, medcab: MedcabState
) -> CommentOut:
    """Write a remark on the case; with files, see `/cases/{case_id}/messages`."""
    kept = await medcab.conversations.say(actor, case_id, body.text, internal=body.internal)
    return CommentOut(id=kept.id, at=kept.at, internal=kept.internal, text=kept.text)


@router.get("/{case_id}/act", response_class=Response)
async def download_act(
    case_id: UUID, session: Work, actor: CurrentActor, medcab: MedcabState
) -> Response:
    """The signed act of enrolment as PDF/A."""
    act, body = await enrolment.file_of(session, medcab.objects, actor, case_id)
    return Response(
        body,
        media_type="application/pdf",
        headers=file_headers(act_name(act.number)),
    )


@router.get("/{case_id}/receipt", response_class=Response)
async def receipt(
    case_id: UUID,
    session: Work,
    actor: CurrentActor,
    medcab: MedcabState,
    version: VersionNumber = None,
) -> Response:
    """The receipt of a version as a signed PDF/A with `receipt.json` inside.

    `medcab verify receipt` checks either of them offline.
    """
    case = await see(session, actor, case_id)
    name, body = await receipts.on_paper(session, medcab.seal, medcab.settings, case.id, version)
    return Response(body, media_type="application/pdf", headers=file_headers(name))


def edited(
    body: DraftEdit,
) -> tuple[dict[str, Any] | None, list[dict[str, str]] | None, str | None]:
    """What was typed, what was chosen and on which revision, as a service takes them."""
    given = body.attachments
    cited = None if given is None else [citation(a.kind, a.document_version_id) for a in given]
    return body.data, cited, body.revision


def draft_out(draft: Draft, errors: Sequence[FieldError] = ()) -> DraftOut:
    """A draft, with what is wrong with it so far."""
    return DraftOut(
        **asdict(draft),
        errors=[FieldErrorOut(field=e.path, message=e.message) for e in errors],
    )
