"""Sessions: opened, replaced, listed and ended.

A session is a random token in a cookie, and a row with the token's hash. How a request is known by
it: `services.accounts.recognising`.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import col
from sqlmodel import select as select_models
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import AccessToken, AccountSession
from rules.access import Actor
from rules.accounts import (
    FRESH,
    HALF_OPEN_LIFE,
    SESSION_LIFE,
    SESSIONS_AT_ONCE,
    Device,
    Stage,
    is_alive,
    is_fresh,
    not_signed_in,
    second_factor_needed,
    session_ended,
)
from rules.ids import new_id
from rules.refusals import not_found
from services.accounts import device_tokens
from services.accounts.last_seen import Activity


def hash_token(token: str) -> str:
    """The hash by which a token is stored; its 256 random bits need no salt (ASVS 6.5.2)."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_link() -> tuple[str, str]:
    """The secret of a link that is sent by mail, and the hash of it, which alone is stored."""
    secret = secrets.token_urlsafe(32)
    return secret, hash_token(secret)


def form_token(secret: str) -> str:
    """The token that forms carry to prove that our page made them, bound to the cookie `secret`."""
    digest = hmac.new(secret.encode(), b"medcab form token", hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class Visitor:
    """Where a request comes from. `device_token` is the device's own cookie.

    `account_token` shows which account was confirmed on it, as `services.accounts.device_tokens`
    gives it.
    """

    address: str
    device: Device
    device_token: str
    account_token: str = ""

    @property
    def device_hash(self) -> str:
        """The hash by which the device is stored."""
        return hash_token(self.device_token)


@dataclass(frozen=True)
class OpenedSession:
    """A session that was just opened. Its token can be seen only now."""

    token: str
    device_token: str
    session_id: UUID
    person_id: UUID
    stage: Stage
    ends_at: datetime
    failures_before: int = 0
    account_token: str = ""
    """The token of the device, where the browser is to keep another one."""
    token_reused: bool = False
    """Whether the device showed a token that was over."""

    @property
    def form_token(self) -> str:
        """The form token of the new session."""
        return form_token(self.token)


@dataclass(frozen=True)
class Current:
    """The session or access token of a request, with the person and the rights held now."""

    actor: Actor
    stage: Stage
    language: str
    zone: str
    """The zone of the person's unit: times and quiet hours of the person are in it."""
    theme: str
    password_expires_at: datetime
    ends_at: datetime
    session_id: UUID | None = None
    token_id: UUID | None = None
    device: str = ""
    created_at: datetime | None = None
    last_active: datetime | None = None
    idle_ends_at: datetime | None = None
    second_factor_at: datetime | None = None
    checked_at: datetime | None = None
    """When a factor was entered in this session so that another one may be set up."""
    form_token: str = ""
    device_token_id: UUID | None = None
    account_token: str = ""
    """The token of the device that the browser is to keep from now on, if it changes."""

    @property
    def person_id(self) -> UUID:
        """The id of the person who sent the request."""
        return self.actor.person_id

    def is_fresh(self, now: datetime) -> bool:
        """Whether the second factor was checked within five minutes."""
        return is_fresh(self.second_factor_at, now)

    def demand_fresh(self, now: datetime) -> None:
        """Raise Refusal 403 unless the second factor was checked within five minutes."""
        if not self.is_fresh(now):
            raise second_factor_needed()


@dataclass(frozen=True)
class SessionSeen:
    """One of a person's sessions, as shown to that person."""

    id: UUID
    device: str
    device_kind: str
    address: str
    created_at: datetime
    last_active: datetime
    ends_at: datetime
    is_this: bool


async def open_session(
    session: AsyncSession,
    person_id: UUID,
    stage: Stage,
    visitor: Visitor,
    now: datetime,
    *,
    ends_at: datetime | None = None,
    second_factor_at: datetime | None = None,
    checked_at: datetime | None = None,
    bound_to: UUID | None = None,
) -> OpenedSession:
    """Open a session for a person. It replaces the person's session on this device.

    Past the second factor it is bound to the token of the device: `bound_to`, or the one that the
    device has, or a new one. If the person has too many sessions, the oldest one ends.
    """
    bound = None
    if bound_to is not None:
        bound = device_tokens.BoundTo(bound_to)
    elif stage in (Stage.OPEN, Stage.PASSWORD):
        bound = await device_tokens.bind(
            session, person_id, visitor.device_hash, visitor.account_token, now
        )
    token = secrets.token_urlsafe(32)
    life = SESSION_LIFE if stage == Stage.OPEN else HALF_OPEN_LIFE
    row = AccountSession(
        id=new_id(),
        person_id=person_id,
        token_hash=hash_token(token),
        device_hash=visitor.device_hash,
        device_token_id=bound.id if bound else None,
        device=visitor.device.name,
        device_kind=visitor.device.kind,
        address=visitor.address,
        stage=stage,
        created_at=now,
        last_active=now,
        ends_at=ends_at or now + life,
        second_factor_at=second_factor_at,
        checked_at=checked_at,
    )
    session.add(row)
    await session.flush()
    # Its cookie is overwritten by the new one, so nobody could end that session any more.
    await _end(
        session,
        now,
        "replaced",
        col(AccountSession.person_id) == person_id,
        col(AccountSession.device_hash) == visitor.device_hash,
        col(AccountSession.id) != row.id,
    )
    if stage == Stage.OPEN:
        newest = (
            select(col(AccountSession.id))
            .where(
                col(AccountSession.person_id) == person_id,
                col(AccountSession.ended_at).is_(None),
                col(AccountSession.stage) == Stage.OPEN,
                col(AccountSession.ends_at) > now,
            )
            .order_by(col(AccountSession.created_at).desc(), col(AccountSession.id).desc())
            .limit(SESSIONS_AT_ONCE)
        )
        await _end(
            session,
            now,
            "too_many",
            col(AccountSession.person_id) == person_id,
            col(AccountSession.stage) == Stage.OPEN,
            col(AccountSession.id).not_in(newest),
        )
    return OpenedSession(
        token,
        visitor.device_token,
        row.id,
        person_id,
        stage,
        row.ends_at,
        account_token=bound.text if bound else "",
        token_reused=bound is not None and bound.reused,
    )


async def _end(session: AsyncSession, now: datetime, why: str, *which: Any) -> list[UUID]:
    ended = await session.exec(
        update(AccountSession)
        .where(col(AccountSession.ended_at).is_(None), *which)
        .values(ended_at=now, ended_why=why, pending_secret=None)
        .returning(col(AccountSession.id))
        .execution_options(synchronize_session=False)
    )
    return list(ended.scalars())


async def end_session(
    session: AsyncSession, person_id: UUID, session_id: UUID, why: str, now: datetime
) -> None:
    """End one session of the person. Raises Refusal 404 if there is no such session."""
    ended = await _end(
        session,
        now,
        why,
        col(AccountSession.id) == session_id,
        col(AccountSession.person_id) == person_id,
    )
    if not ended:
        raise not_found()


async def end_device(
    session: AsyncSession, person_id: UUID, device_hash: str, why: str, now: datetime
) -> None:
    """End all sessions of the person on one device, and its token."""
    of_person, here = col(AccountSession.person_id), col(AccountSession.device_hash)
    await _end(session, now, why, of_person == person_id, here == device_hash)
    await device_tokens.end_all(session, person_id, why, now, device_hash)


async def end_sessions(
    session: AsyncSession, person_id: UUID, why: str, now: datetime, but: UUID | None = None
) -> int:
    """End all sessions of the person, except `but`. Returns how many."""
    which: Iterable[Any] = [col(AccountSession.person_id) == person_id]
    if but is not None:
        which = [*which, col(AccountSession.id) != but]
    return len(await _end(session, now, why, *which))


async def end_access(
    session: AsyncSession, person_id: UUID, why: str, now: datetime, but: UUID | None = None
) -> None:
    """End the person's access: all sessions except `but`, and all access tokens."""
    await end_sessions(session, person_id, why, now, but)
    await session.exec(
        update(AccessToken)
        .where(col(AccessToken.person_id) == person_id, col(AccessToken.ended_at).is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )


async def rotate(
    session: AsyncSession,
    current: Current,
    stage: Stage,
    visitor: Visitor,
    now: datetime,
    *,
    second_factor_at: datetime | None,
    checked_at: datetime | None = None,
) -> OpenedSession:
    """Replace a session by one with a new token, so that the old token is worthless (ASVS 7.2.4).

    Raises Refusal 401 if the session has ended meanwhile: of several requests at once, one
    succeeds.
    """
    if current.session_id is None:
        raise not_signed_in()
    ended = await _end(session, now, "rotated", col(AccountSession.id) == current.session_id)
    if not ended:
        raise session_ended()
    stays_open = current.stage == Stage.OPEN and stage == Stage.OPEN
    return await open_session(
        session,
        current.person_id,
        stage,
        visitor,
        now,
        ends_at=current.ends_at if stays_open else None,
        second_factor_at=second_factor_at,
        checked_at=checked_at,
        bound_to=current.device_token_id,
    )


async def spend_check(session: AsyncSession, current: Current, now: datetime) -> None:
    """Use up the factor that was entered in this session for an act, within five minutes.

    One answer is good for one act, also if several are tried at once. Raises Refusal 403
    `second_factor_needed`.
    """
    spent = await session.exec(
        update(AccountSession)
        .where(
            col(AccountSession.id) == current.session_id,
            col(AccountSession.ended_at).is_(None),
            col(AccountSession.checked_at) > now - FRESH,
        )
        .values(checked_at=None)
        .returning(col(AccountSession.id))
        .execution_options(synchronize_session=False)
    )
    if spent.first() is None:
        raise second_factor_needed()


async def sessions_of(
    session: AsyncSession, current: Current, now: datetime, idle: timedelta, activity: Activity
) -> list[SessionSeen]:
    """The open sessions of the person who asks, the last used first."""
    return await sessions_of_person(
        session, current.person_id, now, idle, activity, this=current.session_id
    )


async def sessions_of_person(
    session: AsyncSession,
    person_id: UUID,
    now: datetime,
    idle: timedelta,
    activity: Activity,
    *,
    this: UUID | None = None,
) -> list[SessionSeen]:
    """The open sessions of a person, the last used first; `this` is the one of whoever asks."""
    rows = await session.exec(
        select_models(AccountSession).where(
            col(AccountSession.person_id) == person_id,
            col(AccountSession.ended_at).is_(None),
            col(AccountSession.stage) == Stage.OPEN,
            col(AccountSession.ends_at) > now,
        )
    )
    seen = []
    for row in rows:
        last_active = max(row.last_active, activity.sessions.get(row.id, row.last_active))
        if is_alive(last_active, row.ends_at, now, idle):
            seen.append(
                SessionSeen(
                    row.id,
                    row.device,
                    row.device_kind,
                    row.address,
                    row.created_at,
                    last_active,
                    row.ends_at,
                    row.id == this,
                )
            )
    return sorted(seen, key=lambda one: one.last_active, reverse=True)
