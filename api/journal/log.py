"""The audit as programs read it: one's own log, and the search of information security (I9)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.container import Work
from api.http.auth import CurrentActor, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.clock import MeantMoment
from rules.journal.audit import Source
from rules.journal.tags import AuditTag
from services.journal import searching
from services.journal.searching import AuditAsked, LogSide

router = APIRouter(route_class=CleanRoute, prefix="/journal", tags=["journal"])

Reader = Annotated[Actor, require(Permission.READ_JOURNAL)]
Short = Annotated[str, Query(max_length=200)]
Since = Annotated[MeantMoment | None, Query(description="Left out: 30 days before the end.")]
Until = Annotated[MeantMoment | None, Query(description="The period has at most 92 days.")]
After = Annotated[UUID | None, Query(description="`after` of the page before.")]


class AuditLineOut(BaseModel):
    """One act, view or attempt."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: AwareDatetime
    source: Source
    tag: AuditTag
    by: UUID | None = Field(description="Who acted, if it was a person.")
    by_name: str
    system: str | None = Field(description="Which part of the program acted, if nobody did.")
    subject: UUID | None = Field(description="The case, person or document that it is about.")
    case_number: str | None
    about_name: str
    title: str
    address: str
    device: str


class AuditPageOut(BaseModel):
    """A page of the audit, newest first."""

    model_config = ConfigDict(from_attributes=True)

    lines: list[AuditLineOut]
    after: UUID | None = Field(description="The place of the next page; null on the last one.")


@router.get("/own", responses=documented(401, 422))
async def own_log(
    session: Work,
    actor: CurrentActor,
    side: LogSide = LogSide.MINE,
    tag: Annotated[str, Query(max_length=60, description="A tag, or its first part.")] = "",
    since: Since = None,
    until: Until = None,
    after: After = None,
) -> AuditPageOut:
    """What you did, or what others did to your account and who looked at your data."""
    found = await searching.own(session, actor, side, tag, since, until, after)
    return AuditPageOut.model_validate(found)


@router.get("/entries", responses=documented(401, 403, 422))
async def search(
    session: Work,
    actor: Reader,
    person: Annotated[Short, Query(description="Who acted: mail address or id.")] = "",
    about: Annotated[Short, Query(description="Whose data: mail address or id.")] = "",
    tag: Annotated[str, Query(max_length=60, description="A tag, or its first part.")] = "",
    number: Annotated[str, Query(max_length=60, description="The number of a case.")] = "",
    address: Annotated[str, Query(max_length=60, description="The address of a sign-in.")] = "",
    since: Since = None,
    until: Until = None,
    after: After = None,
) -> AuditPageOut:
    """What happened, newest first. That you searched, and for what, is journaled."""
    asked = AuditAsked(person, about, tag, number, address, since, until)
    return AuditPageOut.model_validate(await searching.search(session, actor, asked, after))
