"""The conversation on a case: messages with files, what is unread, what was read (A8)."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.cases.bodies import CommentLine
from api.cases.drafts import IdempotencyKey
from api.container import ContainerDep, Reading, Work
from api.http.auth import CurrentActor
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.cases.conversation import LONGEST, MOST_FILES
from services import conversation
from services.cases.transitions import see

router = APIRouter(route_class=CleanRoute, tags=["conversation"])


class MessageIn(BaseModel):
    """A new message. Its files are uploaded beforehand: `POST /documents?category=message`."""

    text: str = Field("", max_length=LONGEST)
    files: list[UUID] = Field(
        [],
        max_length=MOST_FILES,
        fail_fast=True,
        description="Ids of versions of one's own documents.",
    )
    internal: bool = Field(False, description="Only reviewers see it.")


class MessageOut(BaseModel):
    """A stored message."""

    id: UUID
    at: datetime
    internal: bool
    text: str
    files: list[UUID]


class MessagesReadIn(BaseModel):
    """The newest message that the person has seen."""

    message_id: UUID


class UnreadMessagesOut(BaseModel):
    """How many messages of one case are unread."""

    case_id: UUID
    unread: int = Field(examples=[2])


@router.get("/cases/{case_id}/messages", responses=documented(401, 404, 422))
async def list_messages(case_id: UUID, session: Work, actor: CurrentActor) -> list[CommentLine]:
    """The messages of a case, oldest first. Listing does not mark them as read: `/read` does."""
    case = await see(session, actor, case_id)
    return [
        CommentLine.model_validate(said)
        for said in await conversation.messages(session, actor, case)
    ]


@router.post(
    "/cases/{case_id}/messages",
    status_code=201,
    responses=documented(401, 403, 404, 409, 422, 429),
)
async def say(
    case_id: UUID,
    body: MessageIn,
    idempotency_key: IdempotencyKey,
    actor: CurrentActor,
    container: ContainerDep,
) -> MessageOut:
    """Write a message. The key becomes its id, so a repeated call writes nothing twice."""
    kept = await container.conversations.say(
        actor,
        case_id,
        body.text,
        files=body.files,
        internal=body.internal,
        message_id=idempotency_key,
    )
    return MessageOut(
        id=kept.id, at=kept.at, internal=kept.internal, text=kept.text, files=body.files
    )


@router.post("/cases/{case_id}/messages/read", status_code=204, responses=documented(401, 404, 422))
async def read(
    case_id: UUID, body: MessagesReadIn, actor: CurrentActor, container: ContainerDep
) -> None:
    """Mark the messages up to this one as read. A message of another case is ignored."""
    await container.conversations.read(actor, case_id, body.message_id)


@router.get("/messages/unread", responses=documented(401))
async def list_unread(session: Reading, actor: CurrentActor) -> list[UnreadMessagesOut]:
    """The cases with messages that I have not read."""
    found = await conversation.unread(session, actor)
    return [UnreadMessagesOut(case_id=case_id, unread=n) for case_id, n in found.items()]
