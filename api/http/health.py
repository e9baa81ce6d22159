"""Whether this process runs, and whether it can serve people."""

import asyncio
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.container import ContainerDep
from api.http.auth import OPEN_TO_ALL
from api.http.entrance import CleanRoute
from rules.clock import now as present

router = APIRouter(
    route_class=CleanRoute, prefix="/health", tags=["health"], dependencies=[OPEN_TO_ALL]
)

WITHIN = 2.0


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """`degraded`: submissions and decisions are taken, what follows from them waits for the rest.

    `temporal` is true while workers complete tasks; the last one ended at about `worked_at`.
    """

    status: Literal["ready", "degraded", "down"]
    database: bool
    objects: bool
    temporal: bool
    worked_at: datetime | None = None


@router.get("/live")
async def live() -> Alive:
    """The process answers, whatever the servers behind it do."""
    return Alive()


@router.get("/ready", responses={503: {"model": Ready}})
async def ready(response: Response, container: ContainerDep) -> Ready:
    """Ready when the database answers within two seconds.

    Also says whether the other servers work.
    """

    async def answers(what: str) -> bool:
        try:
            async with asyncio.timeout(WITHIN):
                if what == "database":
                    await container.database.ping()
                else:
                    await container.objects.ping()
        except Exception:  # whatever the error, this server does not answer
            return False
        return True

    database, objects, engine = await asyncio.gather(
        answers("database"), answers("objects"), container.standings.known()
    )
    temporal = engine is not None and engine.works(present())
    if not database:
        response.status_code = 503
    status: Literal["ready", "degraded", "down"] = "down"
    if database:
        status = "ready" if objects and temporal else "degraded"
    worked_at = engine.worked_at if engine else None
    return Ready(
        status=status, database=database, objects=objects, temporal=temporal, worked_at=worked_at
    )
