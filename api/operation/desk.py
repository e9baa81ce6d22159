"""The ops desk as JSON: what needs attention, and the remedies."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.cases.drafts import IdempotencyKey
from api.container import ContainerDep
from api.http.auth import require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.operation.states import Remedy, Trouble
from services.operation import desk as operation
from services.operation.desk import Desk
from services.operation.remedies import Done, RemedyOrder

router = APIRouter(route_class=CleanRoute, prefix="/operation", tags=["operation"])

Watcher = Annotated[Actor, require(Permission.WATCH_OPERATION)]
Operator = Annotated[Actor, require(Permission.OPERATE)]


class AttentionOut(BaseModel):
    """One thing that needs attention; `remedy` is applied to `subject`."""

    subject: str
    name: str
    since: datetime | None
    facts: dict[str, Any]
    workflow_id: str | None
    remedy: Remedy | None


class SectionOut(BaseModel):
    """All troubles of one kind; `total` also counts those beyond the lines."""

    trouble: Trouble
    total: int
    lines: list[AttentionOut]


class PartOut(BaseModel):
    """A standing workflow, and when it was last seen to work."""

    id: str
    runs: bool
    worked_at: datetime | None


class WorkerOut(BaseModel):
    """A worker, and when it last asked for work."""

    name: str
    asked_at: datetime


class DeskOut(BaseModel):
    """The state of the installation.

    `workers`, `seen`, `standing` are null while Temporal does not answer.
    """

    as_of: datetime
    attention: int
    workers: int | None
    seen: list[WorkerOut] | None
    standing: list[PartOut] | None
    sealed_at: datetime | None
    backed_up_at: datetime | None
    sections: list[SectionOut]

    @classmethod
    def of(cls, desk: Desk) -> "DeskOut":
        """The desk as JSON."""
        return cls(
            as_of=desk.as_of,
            attention=desk.attention,
            workers=desk.engine.workers if desk.engine else None,
            seen=[WorkerOut(name=one.name, asked_at=one.asked_at) for one in desk.engine.seen]
            if desk.engine
            else None,
            standing=[
                PartOut(id=one.id, runs=one.runs, worked_at=one.worked_at)
                for one in desk.engine.standing
            ]
            if desk.engine
            else None,
            sealed_at=desk.sealed_at,
            backed_up_at=desk.backed_up_at,
            sections=[
                SectionOut(
                    trouble=section.trouble,
                    total=section.total,
                    lines=[
                        AttentionOut(
                            subject=line.subject,
                            name=line.name,
                            since=line.since,
                            facts=dict(line.facts),
                            workflow_id=line.workflow_id,
                            remedy=line.remedy,
                        )
                        for line in section.lines
                    ],
                )
                for section in desk.sections
            ],
        )


class RemedyIn(BaseModel):
    """Which remedy to apply, to what, and why."""

    remedy: Remedy
    subject: str = Field(min_length=1, max_length=100)
    reason: str = Field(max_length=500)


class DoneOut(BaseModel):
    """How many cases or notices were touched; `told` is false where Temporal did not take it."""

    remedy: Remedy
    touched: int
    told: bool

    @classmethod
    def of(cls, done: Done) -> "DoneOut":
        """The outcome as JSON."""
        return cls(remedy=done.remedy, touched=done.touched, told=done.told)


@router.get("")
async def desk(container: ContainerDep, watcher: Watcher) -> DeskOut:
    """What needs attention now, with the remedy for each."""
    grace = container.settings.sweep_grace
    return DeskOut.of(await operation.desk(container.database, container.standings, watcher, grace))


@router.post("/remedies", responses=documented(404, 409, 422))
async def remedy(
    body: RemedyIn, container: ContainerDep, operator: Operator, idempotency_key: IdempotencyKey
) -> DoneOut:
    """Apply a remedy. Repeating the act id returns the same answer and changes nothing."""
    wanted = RemedyOrder(body.remedy, body.subject, body.reason)
    return DoneOut.of(await container.operation.act(operator, idempotency_key, wanted))
