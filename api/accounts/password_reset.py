"""A forgotten password: ask for a link, and set a new one by it and a second factor."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, SecretStr

from api.accounts.second_factor import BegunOut
from api.accounts.sign_in import Answer, Email, Password, StrictBody
from api.container import ContainerDep
from api.http.auth import OPEN_TO_ALL, From
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.clock import now
from rules.second_factor import Method
from services.accounts import password_reset

router = APIRouter(route_class=CleanRoute, tags=["account"])


class ResetIn(StrictBody):
    """Whose password is to be set anew."""

    email: Email


class ResetBeginIn(StrictBody):
    """The secret of the link, and the method that is going to be used."""

    key: Annotated[SecretStr, Field(min_length=1, max_length=100)]
    method: Method = Method.APP


class ResetConfirmIn(ResetBeginIn):
    """The secret of the link, what proves the second factor, and the new password."""

    code: Answer
    new_password: Password


@router.post(
    "/password-reset", status_code=202, dependencies=[OPEN_TO_ALL], responses=documented(422, 429)
)
async def ask(body: ResetIn, visitor: From, container: ContainerDep) -> None:
    """Send a link to the address, if somebody signs in with it. The answer is always the same."""
    await password_reset.ask(container.database, body.email, visitor, now())


@router.post(
    "/password-reset/begin", dependencies=[OPEN_TO_ALL], responses=documented(409, 422, 429)
)
async def begin(body: ResetBeginIn, visitor: From, container: ContainerDep) -> BegunOut:
    """Begin a method that needs it: a code by SMS is sent."""
    begun = await password_reset.begin(
        container.database,
        body.key.get_secret_value(),
        body.method,
        visitor,
        now(),
        container.site,
    )
    return BegunOut(for_browser=begun)


@router.post(
    "/password-reset/confirm",
    status_code=204,
    dependencies=[OPEN_TO_ALL],
    responses=documented(409, 422, 429),
)
async def confirm(body: ResetConfirmIn, visitor: From, container: ContainerDep) -> None:
    """Set the new password. Everybody who was signed in with the old one is signed out."""
    await password_reset.complete(
        container.database,
        body.key.get_secret_value(),
        body.method,
        body.code,
        body.new_password.get_secret_value(),
        visitor,
        now(),
        institution=container.settings.institution,
    )
