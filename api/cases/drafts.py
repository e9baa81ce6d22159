"""What applicants do with a case of any kind: fill in, submit, correct, withdraw, copy.

Every act takes an `Idempotency-Key`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Response
from pydantic import BaseModel, Field, WithJsonSchema
from pydantic_core import to_json

from api.cases.bodies import CaseStateOut, StepIn
from api.container import Container, ContainerDep
from api.http.auth import CurrentActor
from api.http.problems import documented
from rules.cases.limits import MOST_ATTACHMENTS
from rules.cases.process import Status
from rules.refusals import FieldError
from services.cases import lists as case_lists
from services.cases.acts import Act
from services.cases.draft_contents import Draft, citation, draft_of
from services.cases.drafts import Drafts
from services.cases.lists import CaseLine

_UUID = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
IdempotencyKey = Annotated[
    UUID,
    # Described as text with a pattern: generated clients cannot send a header of type UUID.
    WithJsonSchema({"type": "string", "pattern": _UUID}),
    Header(
        description="A UUID that the client makes. Sent again with the same body, it gets the"
        " stored answer; with another body it is refused (422).",
        examples=["0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"],
    ),
]


def _handed_in(body: StepIn, idempotency_key: IdempotencyKey) -> Act:
    return Act(idempotency_key, body.step)


HandedIn = Annotated[Act, Depends(_handed_in)]


CitedKind = Annotated[str, Path(max_length=64)]


class CitedIn(BaseModel):
    """One of the person's documents, chosen for this case."""

    kind: str = Field(max_length=64, examples=["diploma"])
    document_version_id: UUID


FieldName = Annotated[str, Field(max_length=100)]
Number = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""Integers that every reader of JSON represents exactly (RFC 8259, section 6)."""


class DraftEdit(BaseModel):
    """A change of the draft: `data` is merged by field, `attachments` replace the list when given.

    Without `revision`, a list may add documents but remove none (409).
    """

    data: dict[FieldName, bool | Number | str | None] | None = Field(
        None, max_length=500, examples=[{"phone": "+7 900 000-00-00"}]
    )
    attachments: list[CitedIn] | None = Field(None, max_length=MOST_ATTACHMENTS, fail_fast=True)
    revision: str | None = Field(
        None,
        max_length=64,
        description="The `revision` of the draft that was edited. If the draft has changed since,"
        " the edit is refused (409); the refusal has the present `revision`, `data` and"
        " `attachments`.",
    )


class FieldErrorOut(BaseModel):
    """What has to be corrected in one field."""

    field: str
    message: str


class DraftOut(BaseModel):
    """The stored draft, with the errors that would still prevent submitting it."""

    id: UUID
    step: int
    status: Status
    data: dict[str, Any]
    attachments: list[dict[str, str]]
    revision: str = Field(description="Names these contents; send it with the next change.")
    saved_at: datetime | None
    errors: list[FieldErrorOut] = []


class WithdrawalIn(StepIn):
    """Why the case is withdrawn."""

    reason: str = Field("", max_length=4000)


class ListOut(BaseModel):
    """A page of a list; `after` asks for the next one."""

    items: list[CaseLine]
    after: str | None


def list_response(listing: case_lists.Listing) -> Response:
    """The page as JSON. It is written without validation, since the query returned typed rows."""
    page = {"items": listing.rows, "after": listing.after}
    return Response(to_json(page), media_type="application/json")


def add_routes(router: APIRouter, base: str, drafts: Callable[[Container], Drafts]) -> None:
    """Add the routes that all kinds of case have in common, below `base`."""
    draft = f"{base}/{{case_id}}/draft"

    @router.put(draft, responses=documented(404, 409, 422))
    async def save_draft(
        case_id: UUID, body: DraftEdit, actor: CurrentActor, container: ContainerDep
    ) -> DraftOut:
        """Save what was typed, valid or not, and return the errors so far."""
        case, errors = await drafts(container).save_draft(actor, case_id, *_edited(body))
        return draft_out(draft_of(case), errors)

    @router.post(f"{draft}/attachments", responses=documented(404, 409, 422))
    async def attach(
        case_id: UUID, body: CitedIn, actor: CurrentActor, container: ContainerDep
    ) -> DraftOut:
        """Add one document to the draft.

        Parallel calls do not overwrite each other; adding it twice adds it once.
        """
        kept = await drafts(container).attach(actor, case_id, body.kind, body.document_version_id)
        return draft_out(draft_of(kept))

    @router.delete(
        f"{draft}/attachments/{{kind}}/{{document_version_id}}", responses=documented(404, 409)
    )
    async def detach(
        case_id: UUID,
        kind: CitedKind,
        document_version_id: UUID,
        actor: CurrentActor,
        container: ContainerDep,
    ) -> DraftOut:
        """Remove one document from the draft. It stays among the person's documents."""
        case = await drafts(container).detach(actor, case_id, kind, document_version_id)
        return draft_out(draft_of(case))

    @router.delete(draft, status_code=204)
    async def discard_draft(case_id: UUID, actor: CurrentActor, container: ContainerDep) -> None:
        """Delete a draft that was never submitted, or an unfinished correction."""
        await drafts(container).discard_draft(actor, case_id)

    @router.post(f"{base}/{{case_id}}/submit", responses=documented(429))
    async def submit(
        case_id: UUID, act: HandedIn, actor: CurrentActor, container: ContainerDep
    ) -> CaseStateOut:
        """Submit the draft: it gets its number, and its workflow begins."""
        return CaseStateOut.of(await drafts(container).submit(actor, case_id, act))

    @router.post(f"{base}/{{case_id}}/correct", responses=documented(429))
    async def correct(
        case_id: UUID, act: HandedIn, actor: CurrentActor, container: ContainerDep
    ) -> CaseStateOut:
        """Submit the draft as a new version without having been asked.

        Some kinds of case allow it after the answer too.
        """
        return CaseStateOut.of(await drafts(container).correct(actor, case_id, act))

    @router.post(f"{base}/{{case_id}}/withdraw")
    async def withdraw(
        case_id: UUID,
        body: WithdrawalIn,
        actor: CurrentActor,
        container: ContainerDep,
        idempotency_key: IdempotencyKey,
    ) -> CaseStateOut:
        """Withdraw the case."""
        act = Act(idempotency_key, body.step)
        return CaseStateOut.of(await drafts(container).withdraw(actor, case_id, act, body.reason))

    @router.post(f"{base}/{{case_id}}/copy", status_code=201)
    async def copy(case_id: UUID, actor: CurrentActor, container: ContainerDep) -> DraftOut:
        """Copy a case that was closed without success into a new draft."""
        return draft_out(draft_of(await drafts(container).copy(actor, case_id)))


def _edited(
    body: DraftEdit,
) -> tuple[dict[str, Any] | None, list[dict[str, str]] | None, str | None]:
    """Fields, citations and revision, in the form that a service takes."""
    given = body.attachments
    cited = None if given is None else [citation(a.kind, a.document_version_id) for a in given]
    return body.data, cited, body.revision


def draft_out(draft: Draft, errors: Sequence[FieldError] = ()) -> DraftOut:
    """A draft as JSON, with its errors so far."""
    return DraftOut(
        **vars(draft),
        errors=[FieldErrorOut(field=e.path, message=e.message) for e in errors],
    )
