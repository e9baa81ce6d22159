"""Registering by oneself: asking for the link, and the first password by its secret."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.accounts.sign_in import Email, StageOut, StrictBody, stage_out
from api.container import ContainerDep, Work
from api.http.auth import OPEN_TO_ALL, From, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from api.staff.invitation import AcceptIn
from rules.access import Actor, Permission
from rules.clock import now
from rules.staff.registration import NAME_LONGEST, Applicant
from services.staff import registrations
from words.translation import current

router = APIRouter(route_class=CleanRoute, tags=["account"])


class RegistrationIn(StrictBody):
    """Who wants an account."""

    name: str = Field(min_length=1, max_length=NAME_LONGEST, examples=["Соколова Анна Сергеевна"])
    email: Email
    unit: str = Field("", max_length=100, description="Code of a unit, where several are open.")
    terms: bool = Field(description="Whether processing of these data was agreed to.")


@router.post(
    "/registration",
    status_code=202,
    dependencies=[OPEN_TO_ALL],
    responses=documented(404, 422, 429),
)
async def ask(body: RegistrationIn, visitor: From, container: ContainerDep) -> None:
    """Send a mail to the address. The answer is the same, whether it has an account or not.

    404 where people are only invited.
    """
    registrations.demand_open(container.settings)
    applicant = Applicant.read(body.name, body.email, body.unit, terms=body.terms)
    await registrations.ask(
        container.database, container.settings, applicant, visitor, current().language, now()
    )


class UndeliveredOut(BaseModel):
    """Somebody who registers and whose mail did not arrive."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    email: str
    unit: str
    at: datetime
    reason: str


@router.get("/registrations", responses=documented(401, 403))
async def list_undelivered(
    session: Work, actor: Annotated[Actor, require(Permission.MEET_PEOPLE)]
) -> Sequence[UndeliveredOut]:
    """Who registers in my units and gets no mail, 200 at most."""
    found = await registrations.undelivered(session, actor)
    return [UndeliveredOut.model_validate(one) for one in found]


@router.post(
    "/registration/confirm", dependencies=[OPEN_TO_ALL], responses=documented(404, 409, 422)
)
async def accept(
    body: AcceptIn, response: Response, visitor: From, container: ContainerDep
) -> StageOut:
    """Make the account by the end of the link. The second factor comes next, as at sign-in."""
    registrations.demand_open(container.settings)
    opened = await registrations.accept(
        container.database,
        body.secret.get_secret_value(),
        body.password.get_secret_value(),
        visitor,
        now(),
        container.settings.institution,
    )
    return stage_out(response, container, opened)
