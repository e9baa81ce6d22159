"""Results of the laboratory: what waits for whom, and what people do with it (W2)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.container import ContainerDep, Work
from api.http.auth import CurrentActor, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from clients.clinic.laboratory import LabMessage
from rules.access import Actor, Permission
from rules.clock import MeantMoment
from rules.results.life import NextStep, OfferState, ResultStage, ResultState
from rules.results.values import Urgency
from services.results import seen, unmatched
from services.results.acts import Confirmed, Telling

router = APIRouter(route_class=CleanRoute, prefix="/results", tags=["results"])

Head = Annotated[Actor, require(Permission.OVERSEE_RESULTS)]
Matcher = Annotated[Actor, require(Permission.MATCH_RESULTS)]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ResultLineOut(_Out):
    """A result in a list."""

    id: UUID
    state: ResultState
    urgency: Urgency
    stage: ResultStage
    opened_at: AwareDatetime
    due_at: AwareDatetime | None
    late: bool
    answers_id: UUID | None = Field(description="Who answers for it.")
    answers: str
    patient: str = Field(description="Empty in the list of a head.")
    test: str
    value: str
    offer_id: UUID | None


class ResultListOut(_Out):
    """What waits for you, the dangerous first, and what is offered to you."""

    mine: list[ResultLineOut]
    offered: list[ResultLineOut]


class ResultVersionOut(_Out):
    """What the laboratory said once."""

    number: int
    stage: ResultStage
    urgency: Urgency
    heard_at: AwareDatetime
    said: LabMessage
    confirmed_by: str
    confirmed_at: AwareDatetime | None
    next_step: NextStep | None
    follows: str


class ResultOut(_Out):
    """One result as a whole; versions are newest first."""

    line: ResultLineOut
    patient_id: UUID
    versions: list[ResultVersionOut]
    yours: bool


class SaidSuggestionOut(_Out):
    """A patient whose result it may be."""

    id: UUID
    name: str
    birth_date: date
    by_number: bool
    alike: int = Field(description="How alike the names are, of 100.")


class UnmatchedResultOut(_Out):
    """A result for nobody, without its value."""

    id: UUID
    number: str
    version: int
    urgency: Urgency
    test: str
    order: str
    due_at: AwareDatetime | None
    answers: str
    suggestions: list[SaidSuggestionOut]


class ConfirmIn(_In):
    """Which version of whose result you confirm, and what follows."""

    version: int = Field(ge=1, lt=2**31)
    patient_id: UUID
    next_step: NextStep
    follows: str = Field("", max_length=2000)


class CallIn(_In):
    """How a critical value was told: when and by whom, or that nobody rang."""

    version: int = Field(ge=1, lt=2**31)
    told_at: MeantMoment | None = None
    words: str = Field(min_length=1, max_length=2000)


class OfferIn(_In):
    """Who is asked to answer for it instead, and why."""

    to: UUID
    reason: str = Field(min_length=3, max_length=500)


class OfferOut(_Out):
    """The offer that was made."""

    id: UUID


class OfferAnswerIn(_In):
    """`accepted` or `refused` by whom it was offered to, `withdrawn` by who offered it."""

    answer: OfferState


class ResultMatchIn(_In):
    """Whose the result is, in the version that you saw."""

    patient_id: UUID
    version: int = Field(ge=1, lt=2**31)


class ResultDetachIn(_In):
    """Whose the result is not, and why."""

    patient_id: UUID
    reason: str = Field(min_length=3, max_length=500)


class ResultReturnIn(_In):
    """Why the laboratory gets it back; it reads this."""

    version: int = Field(ge=1, lt=2**31)
    reason: str = Field(min_length=3, max_length=500)


@router.get("", responses=documented(401))
async def mine(session: Work, actor: CurrentActor) -> ResultListOut:
    """What waits for you, and what is offered to you."""
    return ResultListOut.model_validate(
        {
            "mine": await seen.mine(session, actor),
            "offered": await seen.offered(session, actor),
        }
    )


@router.get("/late", responses=documented(401, 403))
async def late(session: Work, actor: Head) -> list[ResultLineOut]:
    """What is late in your units: who answers, and nothing of the patient."""
    return [ResultLineOut.model_validate(one) for one in await seen.late(session, actor)]


@router.get("/unmatched", responses=documented(401, 403))
async def unmatched_ones(session: Work, actor: Matcher) -> list[UnmatchedResultOut]:
    """Results for nobody in your units."""
    found = await unmatched.waiting(session, actor)
    return [UnmatchedResultOut.model_validate(one) for one in found]


@router.get("/unmatched/{result_id}", responses=documented(401, 403, 404))
async def unmatched_one(result_id: UUID, session: Work, actor: Matcher) -> UnmatchedResultOut:
    """One of them, with the patients it may be of. That you looked is recorded."""
    return UnmatchedResultOut.model_validate(await unmatched.one(session, actor, result_id))


@router.get("/{result_id}", responses=documented(401, 403, 404))
async def one(result_id: UUID, session: Work, actor: CurrentActor) -> ResultOut:
    """One result. That you looked is recorded; its newest version counts as seen by you."""
    return ResultOut.model_validate(await seen.one(session, actor, result_id))


@router.post("/{result_id}/confirm", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def confirm(
    result_id: UUID, body: ConfirmIn, actor: CurrentActor, container: ContainerDep
) -> Response:
    """Confirm a version that you have seen."""
    said = Confirmed(body.version, body.patient_id, body.next_step, body.follows)
    await container.results.confirm(actor, result_id, said)
    return Response(status_code=204)


@router.post("/{result_id}/call", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def call(
    result_id: UUID, body: CallIn, actor: CurrentActor, container: ContainerDep
) -> Response:
    """Record how a critical version was told."""
    said = Telling(body.version, body.told_at, body.words)
    await container.results.record_call(actor, result_id, said)
    return Response(status_code=204)


@router.post("/{result_id}/offers", status_code=201, responses=documented(401, 403, 404, 409, 422))
async def offer(
    result_id: UUID, body: OfferIn, actor: CurrentActor, container: ContainerDep
) -> OfferOut:
    """Ask a colleague to answer for it. Until they accept, you do."""
    return OfferOut(id=await container.results.offer(actor, result_id, body.to, body.reason))


@router.post(
    "/{result_id}/offers/{offer_id}",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def answer_offer(
    result_id: UUID,
    offer_id: UUID,
    body: OfferAnswerIn,
    actor: CurrentActor,
    container: ContainerDep,
) -> Response:
    """Accept, refuse or take back an offer."""
    await container.results.answer_offer(actor, result_id, offer_id, body.answer)
    return Response(status_code=204)


@router.post("/{result_id}/take", status_code=204, responses=documented(401, 403, 404, 409))
async def take(result_id: UUID, actor: Head, container: ContainerDep) -> Response:
    """Take a result of your unit upon yourself."""
    await container.results.take(actor, result_id)
    return Response(status_code=204)


@router.post("/{result_id}/match", status_code=204, responses=documented(401, 403, 404, 409))
async def match(
    result_id: UUID, body: ResultMatchIn, actor: Matcher, container: ContainerDep
) -> Response:
    """Say whose a result for nobody is."""
    await container.results.match(actor, result_id, body.patient_id, body.version)
    return Response(status_code=204)


@router.post("/{result_id}/detach", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def detach(
    result_id: UUID, body: ResultDetachIn, actor: CurrentActor, container: ContainerDep
) -> Response:
    """Take it out of the record of a patient whose it is not. Who had read it is told."""
    await container.results.detach(actor, result_id, body.patient_id, body.reason)
    return Response(status_code=204)


@router.post("/{result_id}/return", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def give_back(
    result_id: UUID, body: ResultReturnIn, actor: Matcher, container: ContainerDep
) -> Response:
    """Return a result for nobody to the laboratory."""
    await container.results.give_back(actor, result_id, body.version, body.reason)
    return Response(status_code=204)
