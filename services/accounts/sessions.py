"""Sessions: opened, recognised, kept alive by activity, listed and ended.

A session is a random token in a cookie, and a row with the token's hash. Every request looks it up
together with the person's rights, in one query, so that ending a session, locking an account or
revoking a right applies to the next request.
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

from sqlalchemy import bindparam, select, update
from sqlmodel import col
from sqlmodel import select as select_models
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database, DirectQuery
from models.tables.accounts import AccessToken, Account, AccountSession
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.accounts import (
    HALF_OPEN_LIFE,
    SESSION_LIFE,
    SESSIONS_AT_ONCE,
    AccountState,
    Device,
    Stage,
    is_alive,
    is_fresh,
    not_signed_in,
    password_expires_at,
    second_factor_needed,
    session_ended,
)
from rules.ids import new_id
from rules.refusals import not_found
from services.access import grants_of, held_grants, works_here
from services.accounts.last_seen import Activity


def hash_token(token: str) -> str:
    """The hash by which a token is stored; its 256 random bits need no salt (ASVS 6.5.2)."""
    return hashlib.sha256(token.encode()).hexdigest()


def form_token(secret: str) -> str:
    """The token that forms carry to prove that our page made them, bound to the cookie `secret`."""
    digest = hmac.new(secret.encode(), b"medcab form token", hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class Visitor:
    """Where a request comes from. `device_token` is the device's own cookie."""

    address: str
    device: Device
    device_token: str

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

    @property
    def person_id(self) -> UUID:
        """The id of the person who sent the request."""
        return self.actor.person_id

    def demand_fresh(self, now: datetime) -> None:
        """Raise Refusal 403 unless the second factor was checked within five minutes."""
        if not is_fresh(self.second_factor_at, now):
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


def _read(owner: Any, *columns: Any) -> DirectQuery:
    """The query for a token's row with its person and rights, unless locked, ended or gone."""
    found = (
        select(
            col(Person.id).label("person_id"),
            col(Person.name),
            col(Person.unit_id),
            col(Person.language),
            col(Unit.time_zone).label("zone"),
            col(Account.theme),
            col(Account.state),
            col(Account.password_changed_at),
            col(owner.id),
            col(owner.created_at),
            col(owner.ends_at),
            *columns,
        )
        .join(Account, col(Account.person_id) == col(owner.person_id))
        .join(Person, col(Person.id) == col(owner.person_id))
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .where(
            col(owner.token_hash) == bindparam("hash"),
            col(owner.ended_at).is_(None),
            col(Account.locked_at).is_(None),
            works_here(),
        )
        .cte("found")
    )
    whose = select(found.c.person_id).scalar_subquery()
    return DirectQuery(select(found, held_grants(whose).label("grants")))


_BY_SESSION = _read(
    AccountSession,
    col(AccountSession.stage),
    col(AccountSession.device),
    col(AccountSession.device_hash),
    col(AccountSession.last_active),
    col(AccountSession.second_factor_at),
    col(AccountSession.checked_at),
)
_BY_TOKEN = _read(AccessToken, col(AccessToken.scope))


async def recognise(
    database: Database,
    token: str,
    device_token: str | None,
    now: datetime,
    idle: timedelta,
    activity: Activity,
    *,
    counts: bool,
) -> Current:
    """The session of a cookie. `counts` says whether the request is the person's own activity.

    Raises Refusal 401 if there is no session, if it has ended, or if it began on another device.
    """
    row = await _BY_SESSION.one_or_none(database, {"hash": hash_token(token), "now": now})
    if row is None or device_token is None or hash_token(device_token) != row.device_hash:
        raise session_ended()
    last_active = max(row.last_active, activity.sessions.get(row.id, row.last_active))
    if not is_alive(last_active, row.ends_at, now, idle):
        raise session_ended()
    if counts:
        activity.sessions[row.id] = last_active = max(now, last_active)
    is_open = row.stage == Stage.OPEN
    return Current(
        actor=Actor(
            row.person_id,
            row.name,
            row.unit_id,
            grants_of(row.grants) if is_open else (),
            state=AccountState(row.state),
        ),
        stage=Stage(row.stage),
        language=row.language,
        zone=row.zone,
        theme=row.theme,
        password_expires_at=password_expires_at(row.password_changed_at),
        ends_at=row.ends_at,
        session_id=row.id,
        device=row.device,
        created_at=row.created_at,
        last_active=last_active,
        idle_ends_at=min(last_active + idle, row.ends_at),
        second_factor_at=row.second_factor_at,
        checked_at=row.checked_at,
        form_token=form_token(token),
    )


async def recognise_token(
    database: Database, token: str, now: datetime, activity: Activity
) -> Current:
    """The personal access token of a program. Raises Refusal 401 if it is unknown or has ended."""
    row = await _BY_TOKEN.one_or_none(database, {"hash": hash_token(token), "now": now})
    if row is None or row.ends_at <= now:
        raise not_signed_in()
    activity.tokens[row.id] = now
    scope = frozenset(Permission(name) for name in row.scope)
    return Current(
        actor=Actor(
            row.person_id,
            row.name,
            row.unit_id,
            grants_of(row.grants),
            scope,
            AccountState(row.state),
        ),
        stage=Stage.OPEN,
        language=row.language,
        zone=row.zone,
        theme=row.theme,
        password_expires_at=password_expires_at(row.password_changed_at),
        ends_at=row.ends_at,
        token_id=row.id,
        created_at=row.created_at,
    )


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
) -> OpenedSession:
    """Open a session for a person. It replaces the person's session on this device.

    If the person has too many sessions, the oldest one ends.
    """
    token = secrets.token_urlsafe(32)
    life = SESSION_LIFE if stage == Stage.OPEN else HALF_OPEN_LIFE
    row = AccountSession(
        id=new_id(),
        person_id=person_id,
        token_hash=hash_token(token),
        device_hash=visitor.device_hash,
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
    return OpenedSession(token, visitor.device_token, row.id, person_id, stage, row.ends_at)


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
    """End all sessions of the person on one device."""
    of_person, here = col(AccountSession.person_id), col(AccountSession.device_hash)
    await _end(session, now, why, of_person == person_id, here == device_hash)


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
    )


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
