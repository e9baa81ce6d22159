"""The second factor: its methods, setting up an app, recovery codes."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.accounts.sign_in import SignInCodeIn, StageOut, stage_out
from api.container import ContainerDep, Work
from api.http.auth import CurrentSession, From, SigningIn
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.clock import now
from rules.second_factor import Method
from services.accounts.second_factor import app, entering, recovery_codes, register

router = APIRouter(route_class=CleanRoute, tags=["account"])


class MethodOut(BaseModel):
    """A method that I have set up."""

    model_config = ConfigDict(from_attributes=True)

    method: Method
    left: int | None = Field(description="How often it can still be used; null: without limit.")


class SetupOut(BaseModel):
    """The seed for an authenticator app, as text, address and QR code.

    Shown until its first code is entered.
    """

    secret: str
    uri: str
    qr_svg: str


class CodesOut(StageOut):
    """The session under its new token, and a new set of recovery codes."""

    recovery_codes: list[str] = Field(
        description="Ten codes, each good for one sign-in. They cannot be read again."
    )


@router.get("/second-factor", responses=documented(401))
async def list_methods(session: Work, current: SigningIn) -> list[MethodOut]:
    """The methods that I have set up, in the order in which they are offered."""
    found = await register.offers(session, current.person_id)
    return [MethodOut.model_validate(offer) for offer in found]


@router.post("/second-factor", responses=documented(401, 403))
async def show_second_factor(
    session: Work, current: SigningIn, container: ContainerDep
) -> SetupOut:
    """The seed for the authenticator app: at the first sign-in, or to change the app.

    In an open session it needs a second factor that was entered there within five minutes; the one
    of signing in does not count.
    """
    shown = await app.show_setup(session, current, now(), container.settings.institution)
    return SetupOut.model_validate(shown, from_attributes=True)


@router.post("/second-factor/confirm", responses=documented(401, 403, 409, 422, 429))
async def confirm_second_factor(
    body: SignInCodeIn,
    response: Response,
    current: SigningIn,
    visitor: From,
    container: ContainerDep,
) -> CodesOut:
    """Confirm the new seed with its first code. All other sessions and all access tokens end.

    New recovery codes replace the ones before.
    """
    done = await app.confirm_setup(
        container.database, current, body.code, visitor, now(), entering.LIMITS
    )
    stage = stage_out(response, container, done.opened)
    return CodesOut(**stage.model_dump(), recovery_codes=list(done.recovery_codes))


@router.post("/second-factor/recovery-codes", responses=documented(401, 403))
async def renew_recovery_codes(
    response: Response, current: CurrentSession, visitor: From, container: ContainerDep
) -> CodesOut:
    """Make ten new recovery codes; those before are not valid any more.

    Needs a second factor that was entered in this session within five minutes.
    """
    made = await recovery_codes.renew(container.database, current, visitor, now())
    stage = stage_out(response, container, made.opened)
    return CodesOut(**stage.model_dump(), recovery_codes=list(made.codes))
