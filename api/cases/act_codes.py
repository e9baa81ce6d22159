"""What anyone who holds the code of an act may learn: number, date and outcome (A5)."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from api.container import ContainerDep, Work
from api.http.auth import OPEN_TO_ALL
from api.http.entrance import CleanRoute
from api.http.problems import documented
from services.applications import enrolment_certificate

router = APIRouter(route_class=CleanRoute, prefix="/verify", tags=["verification"])


class ConfirmationOut(BaseModel):
    """An act that this institution issued; nothing that identifies a person."""

    institution: str
    number: str
    issued_at: datetime
    outcome: str
    sha256: str


@router.get("/{code}", dependencies=[OPEN_TO_ALL], responses=documented(404, 422))
async def confirm(code: str, session: Work, container: ContainerDep) -> ConfirmationOut:
    """Confirm the act with this code."""
    found = await enrolment_certificate.confirm(session, code[:80])
    return ConfirmationOut(
        institution=container.settings.institution,
        number=found.number,
        issued_at=found.issued_at,
        outcome=found.outcome,
        sha256=found.sha256,
    )
