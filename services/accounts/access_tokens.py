"""Personal access tokens: made after a factor entered for it, shown once, stored hashed."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import AccessToken
from rules.access import Permission
from rules.accounts import TOKEN_LIFE, TOKEN_PREFIX, Outcome, Step
from rules.ids import new_id
from rules.notices.kinds import NoticeKind
from rules.refusals import FieldError, Refusal, not_found
from services.accounts import login_log
from services.accounts.sessions import Current, Visitor, hash_token, spend_check


@dataclass(frozen=True)
class Made:
    """A new token. Its `text` can be seen only now."""

    text: str
    token: AccessToken


async def make(
    session: AsyncSession,
    current: Current,
    name: str,
    scope: Collection[Permission],
    days: int,
    visitor: Visitor,
    now: datetime,
) -> Made:
    """Make a token for `days` days. It may have at most the rights of its owner.

    A factor entered for it is used up: signing in is none, so a session taken over makes no token.
    Raises Refusal 403 `second_factor_needed`, and 422 for a scope beyond the owner's rights or a
    life beyond 90 days.
    """
    await spend_check(session, current, now)
    beyond = sorted(right for right in scope if not current.actor.may(right))
    if beyond or not scope:
        message = "Выберите права из тех, что есть у вас."
        raise Refusal("scope", message, 422, [FieldError("scope", message)], beyond=beyond)
    if not 1 <= days <= TOKEN_LIFE.days:
        message = "Срок действия — от 1 до 90 дней."
        raise Refusal("token_life", message, 422, [FieldError("days", message)])
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = AccessToken(
        id=new_id(),
        person_id=current.person_id,
        name=name,
        token_hash=hash_token(text),
        hint=text[-4:],
        scope=sorted(scope),
        created_at=now,
        ends_at=now + timedelta(days=days),
    )
    session.add(token)
    await session.flush()
    await login_log.note(
        session, Step.TOKEN_MADE, Outcome.PASSED, visitor, now, person_id=current.person_id
    )
    await login_log.tell(session, current.person_id, NoticeKind.SECURITY, now)
    return Made(text, token)


async def tokens_of(session: AsyncSession, person_id: UUID, now: datetime) -> Sequence[AccessToken]:
    """The person's valid tokens, newest first."""
    found = await session.exec(
        select(AccessToken)
        .where(
            col(AccessToken.person_id) == person_id,
            col(AccessToken.ended_at).is_(None),
            col(AccessToken.ends_at) > now,
        )
        .order_by(col(AccessToken.created_at).desc())
    )
    return found.all()


async def end(
    session: AsyncSession, current: Current, token_id: UUID, visitor: Visitor, now: datetime
) -> None:
    """End one of the person's own tokens at once. Raises Refusal 404 if there is no such token."""
    ended = await session.exec(
        update(AccessToken)
        .where(
            col(AccessToken.id) == token_id,
            col(AccessToken.person_id) == current.person_id,
            col(AccessToken.ended_at).is_(None),
        )
        .values(ended_at=now)
        .returning(col(AccessToken.id))
        .execution_options(synchronize_session=False)
    )
    if ended.first() is None:
        raise not_found()
    await login_log.note(
        session, Step.TOKEN_ENDED, Outcome.PASSED, visitor, now, person_id=current.person_id
    )
