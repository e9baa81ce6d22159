"""The comparison with state registers: what they say, what differs, and the acts on it (Q7, Q8)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.cases.drafts import IdempotencyKey
from api.container import ContainerDep, Work
from api.http.auth import CurrentActor
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Permission
from rules.clock import now
from rules.registers.comparison import DifferenceKind, FieldDifference
from rules.registers.kinds import RecordState, RegisterName
from services import access
from services.registers import checks, differences, disputes, runs, seen
from services.registers.checks import CheckState
from services.registers.differences import RegisterDifference
from services.registers.disputes import DisputeSeen

router = APIRouter(route_class=CleanRoute, prefix="/registers", tags=["registers"])

Key = Annotated[str, Field(min_length=1, max_length=200, description="`key` of the difference.")]
Said = Annotated[str, Field(max_length=5000)]


class RegisterFieldOut(BaseModel):
    """A field in which both differ; `ours` is null where we have nothing."""

    name: str
    ours: Any
    theirs: Any

    @classmethod
    def all_of(cls, fields: Sequence[FieldDifference]) -> list[Self]:
        """From what the service answered."""
        return [cls(name=one.name, ours=one.ours, theirs=one.theirs) for one in fields]


class DisputeOut(BaseModel):
    """What was said against a register, and the answer."""

    id: UUID
    words: str
    at: datetime
    answer: str | None
    answered_at: datetime | None


class RegisterDifferenceOut(BaseModel):
    """A credential in which a register and the file differ, or that the register alone has."""

    key: str = Field(description="Names exactly this: it changes with anything that is shown.")
    register_name: RegisterName
    kind: DifferenceKind
    category: str
    credential_id: UUID | None
    fields: list[RegisterFieldOut]
    ours_source: str | None
    ours_since: datetime | None
    theirs_since: date | None
    dispute: DisputeOut | None

    @classmethod
    def of(cls, one: RegisterDifference, disputed: DisputeSeen | None) -> Self:
        """From what the service answered; a dispute about something else is left out."""
        fits = disputed is not None and list(disputed.fields) == list(one.fields)
        return cls(
            key=one.key,
            register_name=one.register,
            kind=one.kind,
            category=one.category.key,
            credential_id=one.credential_id,
            fields=RegisterFieldOut.all_of(one.fields),
            ours_source=one.ours_source,
            ours_since=one.ours_since,
            theirs_since=one.since,
            dispute=DisputeOut.model_validate(disputed, from_attributes=True) if fits else None,
        )


class SaidOut(BaseModel):
    """What a register said last."""

    register_name: RegisterName
    state: RecordState
    records: list[dict[str, Any]]
    changed_on: date | None
    checked_at: datetime


class CheckOut(BaseModel):
    """How far a check is that the person asked for."""

    asked_at: datetime
    waits_for: list[RegisterName]
    next_try_at: datetime
    ended_at: datetime | None
    given_up: bool

    @classmethod
    def of(cls, check: CheckState) -> Self:
        """From what the service answered."""
        return cls.model_validate(check, from_attributes=True)


class OwnRegistersOut(BaseModel):
    """All registers beside the person's file."""

    said: list[SaidOut]
    differences: list[RegisterDifferenceOut]
    check: CheckOut | None


class RegisterDifferenceIn(BaseModel):
    """Which difference the person saw."""

    key: Key


class DisputeIn(RegisterDifferenceIn):
    """What is wrong in the register."""

    reason: Said


class AnswerToDisputeIn(BaseModel):
    """What the personnel department says."""

    reason: Said


class TakenOverOut(BaseModel):
    """The credential that was made or changed."""

    credential_id: UUID


class ToCompleteOut(BaseModel):
    """The draft in which the rest is described."""

    draft_id: UUID


class WaitingDisputeOut(DisputeOut):
    """A dispute that waits for an answer."""

    person_id: UUID
    name: str
    unit: str
    register_name: RegisterName
    category: str
    fields: list[RegisterFieldOut]


class RunOut(BaseModel):
    """How far the comparison of everybody with one register is."""

    register_name: RegisterName
    started_at: datetime
    ended_at: datetime | None
    done: int
    total: int
    changed: int
    unknown: int
    ends_at: datetime | None = Field(description="When it will be done at the pace so far.")
    down_since: datetime | None


@router.get("", responses=documented(401))
async def own(session: Work, actor: CurrentActor) -> OwnRegistersOut:
    """What registers say of me, and what differs from my file."""
    person = actor.person_id
    today = await access.day_in(session, actor.unit_id, now())
    found = await differences.of_person(session, person, today)
    disputed = await disputes.own(session, person)
    check = await checks.newest(session, person)
    return OwnRegistersOut(
        said=[
            SaidOut(
                register_name=one.register,
                state=one.state,
                records=[record.model_dump(mode="json") for record in one.records],
                changed_on=one.changed_on,
                checked_at=one.checked_at,
            )
            for one in (await seen.of_person(session, person)).values()
        ],
        differences=[
            RegisterDifferenceOut.of(one, disputed.get(one.subject)) for one in found.differences
        ],
        check=CheckOut.of(check) if check else None,
    )


@router.post("/check", status_code=202, responses=documented(401, 403, 409, 429))
async def check(actor: CurrentActor, container: ContainerDep) -> CheckOut:
    """Have me compared now. It goes on if the registers do not answer within moments."""
    return CheckOut.of(await container.register_checks.ask(actor))


@router.post("/accept", responses=documented(401, 403, 404, 409, 422))
async def accept(
    body: RegisterDifferenceIn,
    idempotency_key: IdempotencyKey,
    actor: CurrentActor,
    container: ContainerDep,
) -> TakenOverOut:
    """Take over what a register says; 422 names what our form asks for besides."""
    made = await container.register_differences.accept(actor, idempotency_key, body.key)
    return TakenOverOut(credential_id=made)


@router.post("/complete", status_code=201, responses=documented(401, 403, 404, 409, 422))
async def complete(
    body: RegisterDifferenceIn,
    idempotency_key: IdempotencyKey,
    actor: CurrentActor,
    container: ContainerDep,
) -> ToCompleteOut:
    """Begin a draft with what the register has, where our form asks for more."""
    draft = await container.register_differences.complete(actor, idempotency_key, body.key)
    return ToCompleteOut(draft_id=draft)


@router.post("/dispute", status_code=204, responses=documented(401, 403, 409, 422))
async def dispute(
    body: DisputeIn,
    idempotency_key: IdempotencyKey,
    actor: CurrentActor,
    container: ContainerDep,
) -> None:
    """Say that the register is wrong, and why."""
    await container.register_disputes.dispute(actor, idempotency_key, body.key, body.reason)


@router.get("/disputes", responses=documented(401, 403))
async def waiting(session: Work, actor: CurrentActor) -> list[WaitingDisputeOut]:
    """What people of my units dispute, the oldest first. That I looked is recorded."""
    return [
        WaitingDisputeOut(
            id=one.id,
            words=one.words,
            at=one.at,
            answer=one.answer,
            answered_at=one.answered_at,
            person_id=one.person_id,
            name=one.name,
            unit=one.unit,
            register_name=one.register,
            category=one.category.key,
            fields=RegisterFieldOut.all_of(one.fields),
        )
        for one in await disputes.waiting(session, actor)
    ]


@router.post(
    "/disputes/{dispute_id}/answer", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def answer(
    dispute_id: UUID, body: AnswerToDisputeIn, actor: CurrentActor, container: ContainerDep
) -> None:
    """Answer a dispute of somebody in my units."""
    await container.register_disputes.answer(actor, dispute_id, body.reason)


@router.get("/runs", responses=documented(401, 403))
async def comparison_runs(session: Work, actor: CurrentActor) -> list[RunOut]:
    """How far the comparison of everybody is, for ops."""
    actor.demand(Permission.WATCH_OPERATION)
    return [
        RunOut(
            register_name=one.register,
            started_at=one.started_at,
            ended_at=one.ended_at,
            done=one.progress.done,
            total=one.progress.total,
            changed=one.changed,
            unknown=one.unknown,
            ends_at=one.progress.ends_at,
            down_since=one.down_since,
        )
        for one in await runs.runs(session, actor)
    ]
