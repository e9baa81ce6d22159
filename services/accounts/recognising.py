"""Who sends a request: the session of a browser, or the access token of a program.

Every request looks it up together with the person's rights, in one query, so that ending a session,
locking an account or revoking a right applies to the next request.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlmodel import col

from clients.database import Database, DirectQuery
from models.tables.accounts import AccessToken, Account, AccountSession, DeviceToken
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.accounts import (
    AccountState,
    Stage,
    is_alive,
    not_signed_in,
    password_expires_at,
    session_ended,
)
from rules.refusals import Refusal
from rules.sign_in.device_tokens import Standing, read, reads_only
from services.access import grants_of, held_grants, works_here
from services.accounts import device_tokens
from services.accounts.last_seen import Activity
from services.accounts.sessions import Current, form_token, hash_token


@dataclass(frozen=True)
class Cookies:
    """What a browser shows: its session, its own name, and the account confirmed on it."""

    session: str
    device: str | None
    account: str | None


class DeviceTokenReused(Refusal):
    """A token of the device was shown that is over: somebody has a copy. Nothing was ended yet."""

    def __init__(self, person_id: UUID, token_id: UUID) -> None:
        ended = session_ended()
        super().__init__(ended.code, ended.message, ended.status)
        self.person_id, self.token_id = person_id, token_id


def _read(owner: Any, *columns: Any, bound: bool = False) -> DirectQuery:
    """The query for a token's row with its person and rights, unless locked, ended or gone.

    `bound` says whether the token of its device is read too.
    """
    query = (
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
    )
    if bound:
        query = query.join(
            DeviceToken,
            (col(DeviceToken.id) == col(owner.device_token_id))
            & col(DeviceToken.ended_at).is_(None),
            isouter=True,
        )
    found = query.cte("found")
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
    col(DeviceToken.id).label("device_token_id"),
    col(DeviceToken.family_hash),
    col(DeviceToken.token_hash),
    col(DeviceToken.before_hash),
    col(DeviceToken.salt),
    col(DeviceToken.rotated_at),
    bound=True,
)
_BY_TOKEN = _read(AccessToken, col(AccessToken.scope))


async def recognise(
    database: Database,
    shown: Cookies,
    now: datetime,
    idle: timedelta,
    activity: Activity,
    *,
    counts: bool,
    reads: bool = True,
) -> Current:
    """The session of a browser. `counts` says whether the request is the person's own activity.

    `reads` says whether it changes nothing. Raises Refusal 401 if there is no session, if it has
    ended, or if it began on another device; DeviceTokenReused; 409 for a change by a token of the
    device that another request has just changed.
    """
    row = await _BY_SESSION.one_or_none(database, {"hash": hash_token(shown.session), "now": now})
    if row is None or shown.device is None or hash_token(shown.device) != row.device_hash:
        raise session_ended()
    last_active = max(row.last_active, activity.sessions.get(row.id, row.last_active))
    if not is_alive(last_active, row.ends_at, now, idle):
        raise session_ended()
    renewed = ""
    if row.stage in (Stage.OPEN, Stage.PASSWORD):
        renewed = await _demand_device(database, row, shown.account, now, reads=reads)
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
        form_token=form_token(shown.session),
        device_token_id=row.device_token_id,
        account_token=renewed,
    )


async def _demand_device(
    database: Database, row: Any, shown_text: str | None, now: datetime, *, reads: bool
) -> str:
    """Check the token of the device, and change it when it is due. Returns the one to keep, or "".

    Raises Refusal 401 without one, DeviceTokenReused, 409 for a change by the one before.
    """
    shown = read(shown_text)
    if row.device_token_id is None or shown is None:
        raise session_ended()
    held = device_tokens.Held(
        row.device_token_id,
        row.family_hash,
        row.token_hash,
        row.before_hash,
        row.salt,
        row.rotated_at,
    )
    if not held.is_of(shown):
        raise session_ended()
    worth = held.standing_of(shown, now)
    if worth is Standing.SPENT:
        raise DeviceTokenReused(row.person_id, held.id)
    if worth is Standing.DUE:
        renewed = await device_tokens.renew(database, held, shown, now)
        if renewed is not None:
            return renewed
    elif worth is Standing.PRESENT:
        return ""
    if not reads:
        raise reads_only()
    return str(shown.renewed(held.salt or "")) if worth is Standing.OLD else ""


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
