"""Accepting an invitation: the first password, by the secret of the link in the mail."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.accounts.sign_in import Password, StageOut, stage_out
from api.container import ContainerDep
from api.http.auth import OPEN_TO_ALL, From
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.clock import now
from services.staff import invitations

router = APIRouter(route_class=CleanRoute, tags=["account"])


class AcceptIn(BaseModel):
    """The end of the link in the mail, and the first password."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[SecretStr, Field(min_length=1, max_length=100)]
    password: Password


@router.post("/invitation", dependencies=[OPEN_TO_ALL], responses=documented(409, 422))
async def accept(
    body: AcceptIn, response: Response, visitor: From, container: ContainerDep
) -> StageOut:
    """Make the account that one is invited to. The second factor comes next, as at sign-in."""
    opened = await invitations.accept(
        container.database,
        body.secret.get_secret_value(),
        body.password.get_secret_value(),
        visitor,
        now(),
        container.settings.institution,
    )
    return stage_out(response, container, opened)
