"""The course on protecting data (I12)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.container import ContainerDep, Work
from api.http.auth import CurrentSession, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from services.course import passing
from services.course.contents import course
from services.course.passing import CourseState

router = APIRouter(route_class=CleanRoute, prefix="/course", tags=["course"])

Overseer = Annotated[Actor, require(Permission.OVERSEE_COURSE)]


class CourseStateOut(BaseModel):
    """Where you stand."""

    version: int = Field(description="The newest version.")
    passed_at: AwareDatetime | None
    passed_version: int | None
    due: AwareDatetime
    open: bool = Field(description="Whether it is to be passed now.")
    overdue: bool


class CourseAnswersIn(BaseModel):
    """The answers by the names of the questions."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=10_000)
    answers: dict[Annotated[str, Field(max_length=60)], Annotated[str, Field(max_length=60)]] = (
        Field(max_length=50)
    )


class LateOut(BaseModel):
    """Somebody whose term is over."""

    model_config = ConfigDict(from_attributes=True)

    person_id: UUID
    name: str
    position: str
    unit: str
    passed_at: AwareDatetime | None
    due: AwareDatetime


@router.get("", responses=documented(401))
async def read(session: Work, current: CurrentSession) -> CourseStateOut:
    """Which version there is, and until when you are to pass it."""
    return _told(await passing.state_of(session, current.person_id))


@router.post("", responses=documented(401, 409, 422))
async def answer(
    body: CourseAnswersIn, current: CurrentSession, container: ContainerDep
) -> CourseStateOut:
    """Answer the questions. Passed again before it is assigned again, it changes nothing."""
    done = await passing.answer(container.database, current.actor, body.version, body.answers)
    return _told(done)


@router.get("/overdue", responses=documented(401, 403))
async def overdue(session: Work, actor: Overseer) -> list[LateOut]:
    """Who is late in your units. That you looked is recorded."""
    return [LateOut.model_validate(one) for one in await passing.late(session, actor)]


def _told(state: CourseState) -> CourseStateOut:
    return CourseStateOut(
        version=course().version,
        passed_at=state.passed.at if state.passed else None,
        passed_version=state.passed.version if state.passed else None,
        due=state.due,
        open=state.open,
        overdue=state.overdue,
    )
