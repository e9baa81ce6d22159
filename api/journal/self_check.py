"""The self-check of protective measures, as programs read it (I13)."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.container import ContainerDep
from api.http.auth import require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.operation.self_check import Grade, Protection
from services.operation import self_check

router = APIRouter(route_class=CleanRoute, prefix="/journal", tags=["journal"])

Reader = Annotated[Actor, require(Permission.READ_JOURNAL)]


class MeasureOut(BaseModel):
    """A protective measure, examined now."""

    model_config = ConfigDict(from_attributes=True)

    protection: Protection
    grade: Grade
    finding: str = Field(description="Which of the findings of this measure it is.")
    facts: dict[str, str | int]


@router.get("/self-check", responses=documented(401, 403))
async def check(actor: Reader, container: ContainerDep) -> list[MeasureOut]:
    """Every measure with its state and figure, the worst first. That you looked is recorded."""
    found = await self_check.report(container.database, container.settings, container.keys, actor)
    return [MeasureOut.model_validate(one) for one in found]
