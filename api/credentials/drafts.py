"""What people are about to add to their file: described bit by bit, checked as a whole (Q2, Q3)."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.cases.drafts import FieldErrorOut, FieldName, IdempotencyKey, Number
from api.container import ContainerDep, Work
from api.credentials.file import CredentialFileOut
from api.http.auth import CurrentActor
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.forms.definitions import check_form
from rules.refusals import FieldError
from services.credentials import drafts
from services.credentials.drafts import DraftSeen
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, prefix="/credential-drafts", tags=["credentials"])


class CredentialDraftOut(BaseModel):
    """What is typed and uploaded so far, with what is still wrong."""

    id: UUID
    credential_id: UUID | None = Field(description="What it is a new version of.")
    category: str | None = Field(description="None: not chosen yet.")
    data: dict[str, Any]
    files: list[CredentialFileOut]
    created_at: datetime
    saved_at: datetime | None
    errors: list[FieldErrorOut] = Field(description="Of the fields; a missing copy is told later.")

    @classmethod
    def of(cls, draft: DraftSeen) -> Self:
        """From what the service answered."""
        errors: list[FieldError] = []
        if draft.category is not None:
            known = {n: v for n, v in draft.data.items() if n in draft.category.fields}
            _, errors = check_form(draft.category, known, complete=True, today=draft.today)
        return cls(
            id=draft.id,
            credential_id=draft.credential_id,
            category=draft.category.key if draft.category else None,
            data=dict(draft.data),
            files=[CredentialFileOut.model_validate(one, from_attributes=True)
                   for one in draft.files],
            created_at=draft.created_at,
            saved_at=draft.saved_at,
            errors=[FieldErrorOut(field=one.path, message=in_words(one.message))
                    for one in errors],
        )  # fmt: skip


class CredentialDraftIn(BaseModel):
    """What is to be described: a new credential, or a new version of one."""

    category: str | None = Field(None, max_length=40, examples=["accreditation"])
    credential_id: UUID | None = Field(
        None, description="A draft of a new version: one that is begun is gone on with."
    )


class CredentialEditIn(BaseModel):
    """What changes; fields that are not named stay."""

    category: str | None = Field(None, max_length=40)
    data: dict[FieldName, bool | Number | str | None] = Field({}, max_length=60)


class DescribedOut(BaseModel):
    """The credential that was made or changed."""

    credential_id: UUID


FileId = Annotated[UUID, Field(description="A version of one of one's own documents.")]


@router.get("", responses=documented(401, 403))
async def mine(session: Work, actor: CurrentActor) -> list[CredentialDraftOut]:
    """What I have begun, the oldest first."""
    return [CredentialDraftOut.of(one) for one in await drafts.mine(session, actor)]


@router.post("", status_code=201, responses=documented(401, 403, 404, 409, 422))
async def begin(
    body: CredentialDraftIn,
    idempotency_key: IdempotencyKey,
    actor: CurrentActor,
    container: ContainerDep,
) -> CredentialDraftOut:
    """Begin to describe a credential. Its id will be that of the draft."""
    acts = container.credential_drafts
    if body.credential_id is not None:
        draft_id = await acts.begin_update(actor, body.credential_id)
    else:
        draft_id = await acts.begin(actor, idempotency_key, body.category)
    return await _seen(container, actor, draft_id)


@router.get("/{draft_id}", responses=documented(401, 403, 404, 422))
async def one(draft_id: UUID, session: Work, actor: CurrentActor) -> CredentialDraftOut:
    """One that I have begun."""
    return CredentialDraftOut.of(await drafts.one(session, actor, draft_id))


@router.patch("/{draft_id}", responses=documented(401, 403, 404, 409, 422))
async def change(
    draft_id: UUID, body: CredentialEditIn, actor: CurrentActor, container: ContainerDep
) -> CredentialDraftOut:
    """Choose the category, or store what was typed, right or wrong."""
    acts = container.credential_drafts
    if body.category is not None:
        await acts.choose(actor, draft_id, body.category)
    if body.data:
        seen, _ = await acts.save(actor, draft_id, body.data, {})
        return CredentialDraftOut.of(seen)
    return await _seen(container, actor, draft_id)


@router.put("/{draft_id}/files/{file_id}", responses=documented(401, 403, 404, 422))
async def attach(
    draft_id: UUID, file_id: FileId, actor: CurrentActor, container: ContainerDep
) -> CredentialDraftOut:
    """Add a file: a document that was uploaded before."""
    await container.credential_drafts.attach(actor, draft_id, file_id)
    return await _seen(container, actor, draft_id)


@router.delete("/{draft_id}/files/{file_id}", responses=documented(401, 403, 404, 422))
async def detach(
    draft_id: UUID, file_id: FileId, actor: CurrentActor, container: ContainerDep
) -> CredentialDraftOut:
    """Remove a file; it stays among the documents."""
    await container.credential_drafts.detach(actor, draft_id, file_id)
    return await _seen(container, actor, draft_id)


@router.post("/{draft_id}/finish", responses=documented(401, 403, 404, 409, 422))
async def finish(draft_id: UUID, actor: CurrentActor, container: ContainerDep) -> DescribedOut:
    """Make the credential, or its new version. Again, it has the same answer."""
    made = await container.credential_drafts.finish(actor, draft_id)
    return DescribedOut(credential_id=made)


@router.delete("/{draft_id}", status_code=204, responses=documented(401, 403, 422))
async def discard(draft_id: UUID, actor: CurrentActor, container: ContainerDep) -> None:
    """Throw it away; its files stay among the documents."""
    await container.credential_drafts.discard(actor, draft_id)


async def _seen(container: ContainerDep, actor: CurrentActor, draft_id: UUID) -> CredentialDraftOut:
    async with container.database.work() as session:
        return CredentialDraftOut.of(await drafts.one(session, actor, draft_id))
