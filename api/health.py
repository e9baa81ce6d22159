"""Whether this process lives, and whether it can answer people."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.auth import OPEN_TO_ALL
from api.entrance import CleanRoute
from api.state import MedcabState

router = APIRouter(
    route_class=CleanRoute, prefix="/health", tags=["health"], dependencies=[OPEN_TO_ALL]
)

WITHIN = 2.0


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """`degraded` still takes submissions and decisions: the rest follows when all are back."""

    status: Literal["ready", "degraded", "down"]
    database: bool
    objects: bool
    temporal: bool


@router.get("/live")
async def live() -> Alive:
    """Alive, whatever else is not."""
    return Alive()


@router.get("/ready", responses={503: {"model": Ready}})
async def ready(response: Response, medcab: MedcabState) -> Ready:
    """Ready when the database answers within two seconds; says what else is missing."""

    async def answers(what: str) -> bool:
        try:
            async with asyncio.timeout(WITHIN):
                match what:
                    case "database":
                        await medcab.database.ping()
                    case "objects":
                        await medcab.objects.ping()
                    case _:
                        return await medcab.temporal.service_client.check_health()
        except Exception:  # whatever is wrong with it, it does not answer
            return False
        return True

    database, objects, temporal = await asyncio.gather(
        answers("database"), answers("objects"), answers("temporal")
    )
    if not database:
        response.status_code = 503
    status: Literal["ready", "degraded", "down"] = "down"
    if database:
        status = "ready" if objects and temporal else "degraded"
    return Ready(status=status, database=database, objects=objects, temporal=temporal)
