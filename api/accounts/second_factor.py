"""The second factor: its methods, setting up an app, recovery codes."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.accounts.sign_in import Answer, SignInCodeIn, StageOut, StrictBody, stage_out
from api.container import ContainerDep, Work
from api.http.auth import CurrentSession, From, SigningIn
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.clock import now
from rules.second_factor import NAME_LONGEST, Method
from services.accounts.second_factor import (
    app,
    entering,
    passkeys,
    recovery_codes,
    register,
    sms,
)

router = APIRouter(route_class=CleanRoute, tags=["account"])


class MethodOut(BaseModel):
    """A method that I have set up."""

    model_config = ConfigDict(from_attributes=True)

    method: Method
    left: int | None = Field(description="How often it can still be used; null: without limit.")
    hint: str = Field(description="What tells me which one it is, such as the end of a number.")


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
        description="Ten codes, each good for one sign-in. They cannot be read again. Empty where"
        " those before are still valid."
    )


class BeginIn(StrictBody):
    """Which method is going to be used."""

    method: Method


class PasskeyNameIn(StrictBody):
    """How I recognise the passkey."""

    name: str = Field(min_length=1, max_length=NAME_LONGEST, examples=["Ключ на ноутбуке"])


class PasskeyIn(PasskeyNameIn):
    """What the browser has made, as JSON, and a name for it."""

    code: Answer


class PasskeyOut(BaseModel):
    """One of my passkeys."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


class BegunOut(BaseModel):
    """The method can be answered now."""

    for_browser: str = Field(description="What the browser needs to answer; empty for codes.")


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


@router.post("/second-factor/begin", responses=documented(401, 409, 422, 429))
async def begin(
    body: BeginIn, current: SigningIn, visitor: From, container: ContainerDep
) -> BegunOut:
    """Begin a method that needs it: a code by SMS is sent, a challenge for passkeys is made."""
    begun = await entering.begin(
        container.database, current, body.method, visitor, now(), container.site
    )
    return BegunOut(for_browser=begun)


@router.post("/second-factor/sms", status_code=204, responses=documented(401, 403, 409, 429))
async def begin_sms_setup(current: SigningIn, visitor: From, container: ContainerDep) -> None:
    """Send a code to my confirmed number, to have codes sent to it from now on.

    In an open session it needs a second factor that was entered there within five minutes.
    """
    await sms.begin_setup(container.database, current, visitor, now())


@router.post("/second-factor/sms/confirm", responses=documented(401, 403, 409, 422, 429))
async def confirm_sms_setup(
    body: SignInCodeIn,
    response: Response,
    current: SigningIn,
    visitor: From,
    container: ContainerDep,
) -> CodesOut:
    """Confirm the number by the code that was sent to it."""
    done = await sms.confirm_setup(
        container.database, current, body.code, visitor, now(), entering.LIMITS
    )
    stage = stage_out(response, container, done.opened)
    return CodesOut(**stage.model_dump(), recovery_codes=list(done.recovery_codes))


@router.get("/second-factor/passkeys", responses=documented(401, 403))
async def list_passkeys(session: Work, current: CurrentSession) -> list[PasskeyOut]:
    """My passkeys, the oldest first."""
    found = await passkeys.passkeys_of(session, current.person_id)
    return [PasskeyOut.model_validate(row) for row in found]


@router.post("/second-factor/passkeys/begin", responses=documented(401, 403, 409))
async def begin_passkey(
    current: CurrentSession, visitor: From, container: ContainerDep
) -> BegunOut:
    """A challenge to make a passkey.

    Needs a second factor that was entered in this session within five minutes.
    """
    begun = await passkeys.begin_setup(container.database, current, visitor, now(), container.site)
    return BegunOut(for_browser=begun)


@router.post("/second-factor/passkeys", responses=documented(401, 403, 409, 422, 429))
async def add_passkey(
    body: PasskeyIn,
    response: Response,
    current: CurrentSession,
    visitor: From,
    container: ContainerDep,
) -> StageOut:
    """Keep the passkey that the browser has made for the challenge."""
    done = await passkeys.confirm_setup(
        container.database, current, body.name, body.code, visitor, now(), entering.LIMITS
    )
    return stage_out(response, container, done.opened)


@router.patch(
    "/second-factor/passkeys/{passkey_id}",
    status_code=204,
    responses=documented(401, 403, 404, 422),
)
async def rename_passkey(
    passkey_id: UUID, body: PasskeyNameIn, session: Work, current: CurrentSession
) -> None:
    """Give one of my passkeys another name."""
    await passkeys.rename(session, current.person_id, passkey_id, body.name)


@router.delete(
    "/second-factor/passkeys/{passkey_id}", responses=documented(401, 403, 404, 409, 422)
)
async def remove_passkey(
    passkey_id: UUID,
    response: Response,
    current: CurrentSession,
    visitor: From,
    container: ContainerDep,
) -> StageOut:
    """Remove one of my passkeys, though not my last factor. Other sessions and tokens end.

    Needs a second factor that was entered in this session within five minutes.
    """
    opened = await register.remove(
        container.database, current, Method.PASSKEY, visitor, now(), passkey_id
    )
    return stage_out(response, container, opened)


@router.delete("/second-factor/{method}", responses=documented(401, 403, 404, 409, 422))
async def remove_method(
    method: Method,
    response: Response,
    current: CurrentSession,
    visitor: From,
    container: ContainerDep,
) -> StageOut:
    """Remove one of my methods, though not the last one. Other sessions and access tokens end.

    Needs a second factor that was entered in this session within five minutes.
    """
    opened = await register.remove(container.database, current, method, visitor, now())
    return stage_out(response, container, opened)
