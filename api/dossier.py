"""A case as it was at any act, and a person's rights at a moment (I7, I13)."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel

from api.container import Work
from api.http.auth import CurrentActor, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission, Right, right_named
from rules.cases.limits import INTEGER
from rules.cases.process import Party, Status, Transition
from rules.clock import MeantMoment, now
from services.dossier import moment as dossier
from services.dossier.moment import Moment
from services.staff import rights
from services.staff.rights import GrantThen

router = APIRouter(route_class=CleanRoute, tags=["audit"])

Auditor = Annotated[Actor, require(Permission.AUDIT_CASES)]


class PastActOut(BaseModel):
    """One act of the case; `later` if it had not happened yet."""

    position: int
    at: AwareDatetime
    kind: str
    by: str | None
    reason: str
    later: bool


class PastVersionOut(BaseModel):
    """A version that had been submitted; without findings where they came later."""

    number: int
    submitted_at: AwareDatetime
    data: Mapping[str, Any]
    checked_at: AwareDatetime | None
    findings: list[Mapping[str, Any]]


class PastDecisionOut(BaseModel):
    """A decision that had been made."""

    outcome: Transition
    version: int
    by: str
    at: AwareDatetime
    reason: str
    remarks: Mapping[str, str]
    checklist: Mapping[str, bool]


class PastMessageOut(BaseModel):
    """A message that had been written."""

    by: str
    at: AwareDatetime
    internal: bool
    text: str


class PastRightOut(BaseModel):
    """A role, or a permission by itself, that somebody of the case held."""

    person: str
    role: Right
    unit: str
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None


class NotYetKnownOut(BaseModel):
    """How much came later."""

    versions: int
    findings: int
    decisions: int
    messages: int
    acts: int


class MomentOut(BaseModel):
    """A case after one act, with what was known then."""

    case_id: UUID
    number: str
    position: int
    at: AwareDatetime
    step: int
    status: Status
    waits_for: Party
    due_at: AwareDatetime | None
    reviewer: str | None
    versions: list[PastVersionOut]
    decisions: list[PastDecisionOut]
    messages: list[PastMessageOut]
    rights: list[PastRightOut]
    unknown: NotYetKnownOut
    acts: list[PastActOut]


class FoundCaseOut(BaseModel):
    """The case of a number."""

    id: UUID


class RightThenOut(BaseModel):
    """A role or a permission by itself, and where it stood at the moment."""

    role: Right
    unit: str
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None
    by: str | None
    stood: GrantThen


class RightsThenOut(BaseModel):
    """A person's roles at a moment."""

    person_id: UUID
    name: str
    at: AwareDatetime
    rights: list[RightThenOut]


@router.get("/audit/cases", responses=documented(401, 403, 422))
async def find(
    session: Work,
    actor: Auditor,
    number: Annotated[str, Query(max_length=60, description="The number of a case.")],
) -> FoundCaseOut:
    """The case of a number, for an auditor."""
    return FoundCaseOut(id=await dossier.found(session, actor, number))


@router.get("/cases/{case_id}/at/{position}", responses=documented(401, 404, 422))
async def read_moment(
    case_id: UUID,
    position: Annotated[int, Path(ge=1, le=INTEGER, description="Of the act in the journal.")],
    session: Work,
    actor: CurrentActor,
) -> MomentOut:
    """The case as it was after one act: for auditors, and for whoever decided on it.

    That you looked is recorded.
    """
    return _told(await dossier.moment(session, actor, case_id, position))


@router.get("/audit/cases/{case_id}", responses=documented(401, 403, 404))
async def read_newest(case_id: UUID, session: Work, actor: CurrentActor) -> MomentOut:
    """The case as it stands, with all acts whose moment can be read."""
    return _told(await dossier.moment(session, actor, case_id))


@router.get("/people/{person_id}/rights", responses=documented(401, 404, 422))
async def read_rights(
    person_id: UUID,
    session: Work,
    actor: CurrentActor,
    at: Annotated[MeantMoment | None, Query(description="Left out: now.")] = None,
) -> RightsThenOut:
    """The roles of a person at a moment. Of others this is recorded."""
    moment = now()
    found = await rights.rights_at(session, actor, person_id, at or moment, moment)
    return RightsThenOut(
        person_id=found.person_id,
        name=found.name,
        at=found.at,
        rights=[
            RightThenOut(
                role=right_named(one.role),
                unit=one.unit,
                valid_from=one.valid_from,
                valid_until=one.valid_until,
                by=one.by,
                stood=stood,
            )
            for one, stood in found.grants
        ],
    )


def _told(found: Moment) -> MomentOut:
    page, unknown = found.page, found.unknown
    return MomentOut(
        case_id=page.case.id,
        number=page.case.number or "",
        position=found.position,
        at=found.at,
        step=found.step,
        status=found.status,
        waits_for=found.waits_for,
        due_at=found.due_at,
        reviewer=found.reviewer,
        versions=[
            PastVersionOut(
                number=one.number,
                submitted_at=one.submitted_at,
                data=one.data,
                checked_at=one.checked_at,
                findings=list(one.findings),
            )
            for one in page.versions
        ],
        decisions=[
            PastDecisionOut(
                outcome=one.outcome,
                version=one.version,
                by=one.by,
                at=one.at,
                reason=one.reason,
                remarks=one.remarks,
                checklist=one.checklist,
            )
            for one in page.decisions
        ],
        messages=[
            PastMessageOut(by=one.by, at=one.at, internal=one.internal, text=one.text)
            for one in page.comments
        ],
        rights=[
            PastRightOut(
                person=one.person,
                role=right_named(one.role),
                unit=one.unit,
                valid_from=one.valid_from,
                valid_until=one.valid_until,
            )
            for one in found.rights
        ],
        unknown=NotYetKnownOut(
            versions=unknown.versions,
            findings=unknown.findings,
            decisions=unknown.decisions,
            messages=unknown.messages,
            acts=unknown.acts,
        ),
        acts=[
            PastActOut(
                position=one.position,
                at=one.at,
                kind=one.kind,
                by=one.by,
                reason=found.reason(one),
                later=one.position > found.position,
            )
            for one in found.positions
        ],
    )
