"""The reviewers' desk: queue, decisions, assignment, absences."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.cases.bodies import CaseStateOut, StepIn
from api.cases.drafts import IdempotencyKey, ListOut, list_response
from api.container import ContainerDep, Reading, Work
from api.http.auth import CurrentActor, SignedIn
from api.http.entrance import CleanRoute
from rules.cases.limits import LONGEST_REASON, LONGEST_REMARK
from rules.cases.process import Transition
from rules.clock import MeantDay, now
from services.cases import lists as case_lists
from services.cases.acts import Act
from services.cases.lists import CaseLine, Filters, Order
from services.catalogue import lookup as catalogue
from services.dossier import page as dossier
from services.reviews.decisions import Decision
from services.staff import absences

router = APIRouter(route_class=CleanRoute, tags=["reviews"])

Outcome = Literal[
    Transition.APPROVE, Transition.CLARIFY, Transition.REJECT, Transition.CONFIRM_ACCESS
]


class DecisionBody(BaseModel):
    """A decision, always with its reason (A4)."""

    outcome: Outcome
    reason: str = Field(max_length=LONGEST_REASON, examples=["Документы в порядке."])
    remarks: dict[str, Annotated[str, Field(max_length=LONGEST_REMARK)]] = Field(
        {},
        max_length=100,
        description="What to correct, by field or kind of attachment; for the outcome `clarify`.",
    )
    checklist: dict[str, bool] = Field(
        {}, max_length=100, description="Answers to the questions of the checklist, by their keys."
    )

    def decision(self) -> Decision:
        """As the service takes it."""
        return Decision(Transition(self.outcome), self.reason, self.remarks, self.checklist)


class DecisionIn(DecisionBody, StepIn):
    """A decision on the step that the reviewer saw."""


class OneOfSeveral(StepIn):
    """One of several cases decided together, with an act id of its own."""

    case_id: UUID
    act_id: UUID


class DecisionsIn(DecisionBody):
    """One decision with one reason on several cases."""

    cases: list[OneOfSeveral] = Field(min_length=1, max_length=100, fail_fast=True)


class DecidedOut(BaseModel):
    """What became of one case: its state, or the code and words of the refusal."""

    case_id: UUID
    state: CaseStateOut | None = None
    refused: str | None = None
    message: str | None = None


class TakeIn(StepIn):
    """The step and the reviewer of the case as the client last saw them."""

    reviewer_id: UUID | None = Field(
        None,
        description="The colleague who had the case when you last looked; null if nobody had it or "
        "you. If somebody else has it by now, the request is refused (409, `taken`).",
    )


class HandOverIn(TakeIn):
    """The colleague who gets the case, and why."""

    to: UUID
    reason: str = Field("", max_length=LONGEST_REMARK)


class AbsenceIn(BaseModel):
    """First and last day away, both included, and who stands in."""

    person_id: UUID
    first_day: MeantDay
    last_day: MeantDay
    deputy_id: UUID | None = None


class AbsenceOut(AbsenceIn):
    """A stored absence."""

    id: UUID


class ReviewerOut(BaseModel):
    """A reviewer, with how many cases they have."""

    id: UUID
    name: str
    position: str
    in_review: int
    overdue: int
    away_now: bool


@router.get("/desk", response_model=ListOut)
async def desk(
    session: Reading,
    actor: CurrentActor,
    filters: Annotated[Filters, Query()],
    order: Order = Order.DUE,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """The queue of cases to review. By default those due first come first, so overdue ones lead."""
    return list_response(await case_lists.desk(session, actor, filters, after, limit, order))


@router.get("/desk/counts")
async def counts(session: Work, actor: CurrentActor) -> dict[str, int]:
    """How many cases wait for review, how many for me, how many are overdue or unassigned."""
    return await case_lists.counts(session, actor, now())


@router.post("/applications/{case_id}/decision")
async def decide(
    case_id: UUID,
    body: DecisionIn,
    current: SignedIn,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> CaseStateOut:
    """Decide the review. Repeating the act id returns the same answer and changes nothing.

    A change of rights needs a code entered within five minutes.
    """
    act, fresh = Act(idempotency_key, body.step), current.is_fresh(now())
    decision = body.decision()
    return CaseStateOut.of(
        await container.reviews.decide(current.actor, case_id, act, decision, fresh=fresh)
    )


@router.post("/desk/decisions")
async def decide_several(
    body: DecisionsIn, actor: CurrentActor, container: ContainerDep
) -> list[DecidedOut]:
    """Decide several cases with one reason. Each is decided or refused on its own."""
    acts = {one.case_id: Act(one.act_id, one.step) for one in body.cases}
    done = await container.reviews.decide_several(actor, acts, body.decision())
    return [
        DecidedOut(
            case_id=one.case_id,
            state=CaseStateOut.of(one.state) if one.state else None,
            refused=one.refusal.code if one.refusal else None,
            message=one.refusal.message if one.refusal else None,
        )
        for one in done
    ]


@router.post("/applications/{case_id}/take")
async def take(
    case_id: UUID, body: TakeIn, actor: CurrentActor, container: ContainerDep
) -> CaseStateOut:
    """Assign the case to oneself."""
    state = await container.reviews.take(actor, case_id, body.step, body.reviewer_id)
    return CaseStateOut.of(state)


@router.post("/applications/{case_id}/hand-over")
async def hand_over(
    case_id: UUID, body: HandOverIn, actor: CurrentActor, container: ContainerDep
) -> CaseStateOut:
    """Assign the case to a colleague."""
    state = await container.reviews.hand_over(
        actor, case_id, body.step, body.to, body.reason, body.reviewer_id
    )
    return CaseStateOut.of(state)


@router.post("/applications/{case_id}/reading", status_code=204)
async def reading(case_id: UUID, actor: CurrentActor, container: ContainerDep) -> None:
    """Report that one has the case open. Others are shown this for a minute."""
    await container.reviews.read(actor, case_id)


@router.get("/applications/{case_id}/history")
async def history(case_id: UUID, session: Work, actor: CurrentActor) -> list[CaseLine]:
    """The applicant's other cases, for those who review this one."""
    return list(await dossier.history_of(session, actor, case_id))


@router.get("/desk/reviewers")
async def reviewers(session: Work, actor: CurrentActor) -> list[ReviewerOut]:
    """Who reviews, how many cases each has, who is away."""
    unit = await catalogue.unit_id(session, "hr")
    return [
        ReviewerOut(
            id=r.id,
            name=r.name,
            position=r.position,
            in_review=r.in_review,
            overdue=r.overdue,
            away_now=r.away_now,
        )
        for r in await absences.reviewers(session, actor, unit)
    ]


@router.post("/desk/absences", status_code=201)
async def set_absence(body: AbsenceIn, session: Work, actor: CurrentActor) -> AbsenceOut:
    """Record an absence: one's own, or anybody's by the head of HR."""
    unit = await catalogue.unit_id(session, "hr")
    absence = await absences.set_absence(
        session, actor, unit, body.person_id, body.first_day, body.last_day, body.deputy_id
    )
    return AbsenceOut(id=absence.id, **body.model_dump())


@router.delete("/desk/absences/{absence_id}", status_code=204)
async def end_absence(absence_id: UUID, session: Work, actor: CurrentActor) -> None:
    """Remove an absence."""
    unit = await catalogue.unit_id(session, "hr")
    await absences.end_absence(session, actor, unit, absence_id)
