"""Hand-overs: what authorities ask for and fetch, what officers decide, what people see (Q5)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from api.container import ContainerDep, Work
from api.http.auth import CurrentActor, CurrentSession, From, Openness, require
from api.http.downloads import file_headers
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.clock import now
from rules.credentials.handovers import MOST_CREDENTIALS, HandoverState
from rules.refusals import Refusal
from rules.texts.identifiers import snils
from services.handovers import seen
from services.handovers.asking import HandoverQuestion
from services.handovers.authorities import KnownAuthority
from services.handovers.packing import MEDIA_TYPE

router = APIRouter(route_class=CleanRoute, tags=["handovers"])

Officer = Annotated[Actor, require(Permission.RELEASE_CREDENTIALS)]
_BASIC = HTTPBasic(auto_error=False, description="Id and secret of an authority.")


class _Recognised:
    """Open to an authority that shows its secret, and to nobody else."""

    openness = Openness("authority")

    async def __call__(
        self,
        container: ContainerDep,
        visitor: From,
        given: Annotated[HTTPBasicCredentials | None, Depends(_BASIC)],
    ) -> KnownAuthority:
        if given is None:
            words = "Назовите идентификатор и секрет ведомства (HTTP Basic)."
            raise Refusal("not_signed_in", words, 401)
        name, secret = given.username, given.password
        return await container.authorities.recognise(name, secret, visitor.address)


AuthorityDep = Annotated[KnownAuthority, Depends(_Recognised())]


class QuestionIn(BaseModel):
    """What an authority asks for. The same reference again has the same answer."""

    model_config = ConfigDict(extra="forbid")

    reference: str = Field(min_length=1, max_length=100, description="Your number of the request.")
    snils: Annotated[str, Field(max_length=20), AfterValidator(snils)]
    purpose: str = Field(min_length=3, max_length=1000)
    ground: str = Field(min_length=3, max_length=1000, description="The legal ground.")
    categories: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]] = Field(
        default=[], max_length=20, description="Of documents; empty: what the purpose needs."
    )


class AnswerOut(BaseModel):
    """How far a request is."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    reference: str
    state: HandoverState
    asked_at: AwareDatetime
    decided_at: AwareDatetime | None
    reason: str | None = Field(description="Why it was refused.")
    package_sha256: str | None
    package_size: int | None
    ends_at: AwareDatetime | None = Field(description="Until when the package can be fetched.")


class HandoverOut(BaseModel):
    """A hand-over, for an officer, or for the person whose documents they are."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    authority: str
    reference: str
    person_id: UUID
    name: str
    purpose: str
    ground: str
    categories: list[str]
    asked_at: AwareDatetime
    due_at: AwareDatetime
    state: HandoverState
    decided_at: AwareDatetime | None
    reason: str | None
    fetched_at: AwareDatetime | None
    released: list[str] = Field(description="Titles of the documents that went out.")


class ReleaseIn(BaseModel):
    """The credentials whose files are handed over."""

    model_config = ConfigDict(extra="forbid")

    credentials: list[UUID] = Field(min_length=1, max_length=MOST_CREDENTIALS)


class HandoverRefusalIn(BaseModel):
    """Why nothing is handed over; the authority reads it."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=3, max_length=500)


@router.post(
    "/authority/handovers",
    status_code=202,
    responses=documented(401, 409, 422, 429),
)
async def ask(body: QuestionIn, authority: AuthorityDep, container: ContainerDep) -> AnswerOut:
    """Ask for documents of a person, by SNILS. An officer of the institution decides."""
    question = HandoverQuestion(
        body.reference, body.snils, body.purpose, body.ground, tuple(body.categories)
    )
    return AnswerOut.model_validate(await container.authorities.ask(authority, question))


@router.get(
    "/authority/handovers/{handover_id}",
    responses=documented(401, 404, 429),
)
async def look(handover_id: UUID, authority: AuthorityDep, container: ContainerDep) -> AnswerOut:
    """How far a request of yours is."""
    return AnswerOut.model_validate(await container.authorities.look(authority, handover_id))


@router.get(
    "/authority/handovers/{handover_id}/package",
    responses=documented(401, 404, 409, 429, 503),
)
async def fetch(handover_id: UUID, authority: AuthorityDep, container: ContainerDep) -> Response:
    """The package: a ZIP, signed (CMS) and encrypted to your certificate (CMS, AES-256-GCM)."""
    answer, opened = await container.authorities.fetch(authority, handover_id)
    return StreamingResponse(
        opened.chunks(),
        media_type=MEDIA_TYPE,
        headers=file_headers(f"handover-{answer.id}.p7m", opened.length),
    )


@router.get("/handovers", responses=documented(401, 403))
async def waiting(session: Work, actor: Officer, *, everything: bool = False) -> list[HandoverOut]:
    """What waits for your decision; with `everything`, what was decided too."""
    found = await seen.waiting(session, actor, everything=everything)
    return [HandoverOut.model_validate(one) for one in found]


@router.get("/handovers/mine", responses=documented(401))
async def mine(session: Work, actor: CurrentActor) -> list[HandoverOut]:
    """Which of your documents went where, and why."""
    return [HandoverOut.model_validate(one) for one in await seen.own(session, actor)]


@router.get("/handovers/{handover_id}", responses=documented(401, 403, 404))
async def one(handover_id: UUID, session: Work, actor: Officer) -> HandoverOut:
    """One request of an authority. That you looked is recorded."""
    return HandoverOut.model_validate(await seen.one(session, actor, handover_id))


@router.post(
    "/handovers/{handover_id}/release",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def release(
    handover_id: UUID, body: ReleaseIn, current: CurrentSession, container: ContainerDep
) -> Response:
    """Hand over the files of these credentials, as they stand now. Needs a fresh code."""
    current.demand_fresh(now())
    await container.handovers.release(current.actor, handover_id, body.credentials)
    return Response(status_code=204)


@router.post(
    "/handovers/{handover_id}/refuse",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def refuse(
    handover_id: UUID, body: HandoverRefusalIn, actor: Officer, container: ContainerDep
) -> Response:
    """Hand over nothing, and say why."""
    await container.handovers.refuse(actor, handover_id, body.reason)
    return Response(status_code=204)
