"""Signing in and out, sessions, access tokens, the password, preferences."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.container import Container, ContainerDep, Work
from api.http.auth import (
    OPEN_TO_ALL,
    CurrentSession,
    From,
    SignedIn,
    SigningIn,
    ends_session,
    set_cookies,
)
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Permission, Right
from rules.accounts import PASSWORD_LONGEST, TOKEN_LIFE, AccountState, Outcome, Stage, Step
from rules.clock import now
from rules.refusals import not_found
from rules.second_factor import Method
from services.accounts import access_tokens, login_log, sessions
from services.accounts import sign_in as accounts
from services.accounts.second_factor import entering
from services.accounts.sessions import OpenedSession, SessionSeen

router = APIRouter(route_class=CleanRoute, tags=["account"])

Email = Annotated[str, Field(min_length=3, max_length=254, examples=["sokolova@medcab.invalid"])]
Password = Annotated[SecretStr, Field(min_length=1, max_length=PASSWORD_LONGEST)]
Code = Annotated[str, Field(min_length=6, max_length=16, examples=["123456"])]
Answer = Annotated[str, Field(min_length=6, max_length=4000, examples=["123456"])]


class StrictBody(BaseModel):
    """A body in which an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class SignInIn(StrictBody):
    """The first step of signing in."""

    email: Email
    password: Password


class SignInCodeIn(StrictBody):
    """What proves the second factor."""

    code: Code


class SecondStepIn(StrictBody):
    """What proves the second factor, and by which method: a code, or what the browser answers."""

    code: Answer
    method: Method = Method.APP


class PasswordChangeIn(StrictBody):
    """The present password and the new one."""

    old_password: Password
    new_password: Password


class TokenIn(StrictBody):
    """Name, scope and life (in days) of a new access token."""

    name: str = Field(min_length=1, max_length=100, examples=["Отчёт отдела"])
    scope: list[Permission] = Field(
        min_length=1, max_length=50, fail_fast=True, examples=[["apply", "keep_documents"]]
    )
    days: int = Field(30, ge=1, le=TOKEN_LIFE.days)


class PreferencesIn(StrictBody):
    """Language of pages and mails, and the theme. A field left out keeps its value."""

    language: Literal["ru", "en"] | None = None
    theme: Literal["light", "dark", "system"] | None = None


class StageOut(BaseModel):
    """How far signing in has come; the session itself is in the cookie."""

    stage: Stage = Field(
        description="What comes next: `code`: send a code; `setup`: set up the app; `open`: done."
    )
    ends_at: datetime
    csrf_token: str = Field(
        description="Send it as `X-CSRF-Token` with each request that changes something."
    )
    failures_before: int = Field(0, description="Failed tries since the last successful sign-in.")


class RoleOut(BaseModel):
    """A role, or a permission by itself, with the units it holds in."""

    role: Right
    units: list[UUID]


class SessionOut(BaseModel):
    """Who is signed in, and for how long."""

    person_id: UUID
    name: str
    unit_id: UUID
    roles: list[RoleOut]
    language: str
    theme: str
    stage: Stage
    state: AccountState = Field(description="How far the account is confirmed; opens rights.")
    idle_seconds_left: int | None = Field(
        description="Seconds until the session ends unused; null for an access token."
    )
    ends_at: datetime
    password_expires_at: datetime
    second_factor_at: datetime | None
    csrf_token: str | None


class SessionLine(BaseModel):
    """One of my sessions."""

    id: UUID
    device: str
    device_kind: str
    address: str
    created_at: datetime
    last_active: datetime
    ends_at: datetime
    is_this: bool


class SignInAttemptOut(BaseModel):
    """One entry of my login journal."""

    at: datetime
    step: Step
    outcome: Outcome
    method: Method | None = Field(description="Of the second factor, if one was used.")
    address: str
    device: str
    device_kind: str
    times: int = Field(description="For a refusal: how often it happened within the hour; else 1.")


class TokenOut(BaseModel):
    """One of my access tokens, without its text."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    hint: str
    scope: list[Permission]
    created_at: datetime
    ends_at: datetime
    last_used_at: datetime | None


class MadeTokenOut(TokenOut):
    """A new access token."""

    token: str = Field(description="The text of the token. It cannot be read again.")


def stage_out(response: Response, container: Container, opened: OpenedSession) -> StageOut:
    """Give the browser the cookies of a session, and the program its stage."""
    set_cookies(response, container.settings, opened)
    return StageOut(
        stage=opened.stage,
        ends_at=opened.ends_at,
        csrf_token=opened.form_token,
        failures_before=opened.failures_before,
    )


@router.post("/sign-in", dependencies=[OPEN_TO_ALL], responses=documented(401, 403, 422, 429))
async def sign_in(
    body: SignInIn, response: Response, visitor: From, container: ContainerDep
) -> StageOut:
    """Check email and password. The second step must follow within five minutes."""
    opened = await accounts.sign_in(
        container.database, body.email, body.password.get_secret_value(), visitor, now()
    )
    return stage_out(response, container, opened)


@router.post("/sign-in/code", responses=documented(401, 422, 429))
async def enter_code(
    body: SecondStepIn,
    response: Response,
    current: SigningIn,
    visitor: From,
    container: ContainerDep,
) -> StageOut:
    """Enter a code: the second step, or a fresh check before something dangerous."""
    opened = await entering.enter_code(
        container.database, current, body.code, visitor, now(), method=body.method
    )
    return stage_out(response, container, opened)


@router.post("/password", responses=documented(401, 422, 429))
async def change_password(
    body: PasswordChangeIn,
    response: Response,
    current: SigningIn,
    visitor: From,
    container: ContainerDep,
) -> StageOut:
    """Change the password. Other sessions and all access tokens end."""
    opened = await accounts.change_password(
        container.database,
        current,
        body.old_password.get_secret_value(),
        body.new_password.get_secret_value(),
        visitor,
        now(),
        institution=container.settings.institution,
    )
    return stage_out(response, container, opened)


@router.get("/session", responses=documented(401))
async def read_session(current: SignedIn) -> SessionOut:
    """Who I am, what I may, and how long the session still lives."""
    return _session_out(current)


@router.post("/session/extend", responses=documented(401))
async def extend(current: CurrentSession) -> SessionOut:
    """Stay signed in. Like every request that a person makes, this one restarts the idle time."""
    return _session_out(current)


def _session_out(current: sessions.Current) -> SessionOut:
    left = current.idle_ends_at - now() if current.idle_ends_at else None
    return SessionOut(
        person_id=current.person_id,
        name=current.actor.name,
        unit_id=current.actor.unit_id,
        roles=[
            RoleOut(role=grant.right, units=sorted(grant.units)) for grant in current.actor.grants
        ],
        language=current.language,
        theme=current.theme,
        stage=current.stage,
        state=current.actor.state,
        idle_seconds_left=max(0, left // timedelta(seconds=1)) if left is not None else None,
        ends_at=current.ends_at,
        password_expires_at=current.password_expires_at,
        second_factor_at=current.second_factor_at,
        csrf_token=current.form_token or None,
    )


@router.delete("/session", status_code=204, responses=documented(401))
async def sign_out(
    response: Response, session: Work, current: SigningIn, visitor: From, container: ContainerDep
) -> None:
    """Sign out on this device."""
    if current.session_id is None:
        raise not_found()
    moment = now()
    await sessions.end_session(session, current.person_id, current.session_id, "sign_out", moment)
    await login_log.note(
        session, Step.SIGN_OUT, Outcome.PASSED, visitor, moment, person_id=current.person_id
    )
    ends_session(container, response)


@router.get("/sessions", responses=documented(401, 403))
async def list_sessions(
    session: Work, current: CurrentSession, container: ContainerDep
) -> list[SessionLine]:
    """Where I am signed in."""
    seen: Iterable[SessionSeen] = await sessions.sessions_of(
        session,
        current,
        now(),
        timedelta(seconds=container.settings.session_idle),
        container.activity,
    )
    return [SessionLine.model_validate(one, from_attributes=True) for one in seen]


@router.delete("/sessions/{session_id}", status_code=204, responses=documented(401, 403, 404))
async def end_session(
    session_id: UUID, session: Work, current: CurrentSession, visitor: From
) -> None:
    """End one of my sessions. Needs a code entered within five minutes."""
    moment = now()
    current.demand_fresh(moment)
    await sessions.end_session(session, current.person_id, session_id, "ended", moment)
    await login_log.note(
        session, Step.SESSION_ENDED, Outcome.PASSED, visitor, moment, person_id=current.person_id
    )


@router.delete("/sessions", status_code=204, responses=documented(401, 403))
async def end_other_sessions(session: Work, current: CurrentSession, visitor: From) -> None:
    """End all my sessions but this one. Needs a code entered within five minutes."""
    moment = now()
    current.demand_fresh(moment)
    await sessions.end_sessions(session, current.person_id, "ended", moment, but=current.session_id)
    await login_log.note(
        session, Step.SESSION_ENDED, Outcome.PASSED, visitor, moment, person_id=current.person_id
    )


@router.get("/login-attempts", responses=documented(401, 403))
async def list_attempts(session: Work, current: CurrentSession) -> list[SignInAttemptOut]:
    """My login journal: the last attempts to sign in, and changes to how I sign in.

    Refusals of the same kind within an hour are one entry that counts them. 50 entries at most.
    """
    return [
        SignInAttemptOut.model_validate(entry, from_attributes=True)
        for entry in await login_log.attempts_of(session, current.person_id, now())
    ]


@router.get("/tokens", responses=documented(401, 403))
async def list_tokens(session: Work, current: CurrentSession) -> list[TokenOut]:
    """My access tokens that are still valid."""
    found = await access_tokens.tokens_of(session, current.person_id, now())
    return [TokenOut.model_validate(token) for token in found]


@router.post("/tokens", status_code=201, responses=documented(401, 403, 422))
async def make_token(
    body: TokenIn, session: Work, current: CurrentSession, visitor: From
) -> MadeTokenOut:
    """Make an access token for programs. Needs a code entered within five minutes."""
    made = await access_tokens.make(
        session, current, body.name, body.scope, body.days, visitor, now()
    )
    return MadeTokenOut(**TokenOut.model_validate(made.token).model_dump(), token=made.text)


@router.delete("/tokens/{token_id}", status_code=204, responses=documented(401, 403, 404))
async def end_token(token_id: UUID, session: Work, current: CurrentSession, visitor: From) -> None:
    """End one of my access tokens at once."""
    await access_tokens.end(session, current, token_id, visitor, now())


@router.patch("/preferences", status_code=204, responses=documented(401, 403))
async def set_preferences(body: PreferencesIn, session: Work, current: CurrentSession) -> None:
    """Choose the language and the theme."""
    await accounts.set_preferences(
        session, current.person_id, language=body.language, theme=body.theme
    )
