"""Device tokens: given when both factors were right on a device, changed every 24 hours.

A session is worth something only together with the token of its device. Of many requests at once
one changes it, and the others go on with the one before, for half a minute and for reading.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.accounts import AccountSession, DeviceToken
from rules.ids import new_id
from rules.sign_in.device_tokens import LIVES, Standing, TokenText, drawn, read, standing


@dataclass(frozen=True)
class Held:
    """The token of a device as it stands in the database."""

    id: UUID
    family_hash: str
    token_hash: str
    before_hash: str | None
    salt: str | None
    rotated_at: datetime

    def standing_of(self, shown: TokenText, now: datetime) -> Standing:
        """What the token that was shown is worth here."""
        given = _hash(shown.secret)
        return standing(given, self.token_hash, self.before_hash, self.rotated_at, now)

    def is_of(self, shown: TokenText) -> bool:
        """Whether the token that was shown is of this family."""
        return _hash(shown.family) == self.family_hash


@dataclass(frozen=True)
class BoundTo:
    """The token to which a session is bound. `text` is for the browser, if it is to keep another.

    `reused` says whether a token was shown that is over.
    """

    id: UUID
    text: str = ""
    reused: bool = False


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def renew(database: Database, held: Held, shown: TokenText, now: datetime) -> str | None:
    """Change a token that is due. None if another request has changed it meanwhile."""
    async with database.work() as session:
        return await _renew(session, held.id, shown, now)


async def _renew(
    session: AsyncSession, token_id: UUID, shown: TokenText, now: datetime
) -> str | None:
    salt = drawn().secret
    renewed = shown.renewed(salt)
    changed = await session.exec(
        update(DeviceToken)
        .where(
            col(DeviceToken.id) == token_id,
            col(DeviceToken.token_hash) == _hash(shown.secret),
            col(DeviceToken.ended_at).is_(None),
        )
        .values(
            token_hash=_hash(renewed.secret),
            before_hash=_hash(shown.secret),
            salt=salt,
            rotated_at=now,
        )
        .returning(col(DeviceToken.id))
        .execution_options(synchronize_session=False)
    )
    return str(renewed) if changed.first() is not None else None


async def bind(
    session: AsyncSession, person_id: UUID, device_hash: str, shown_text: str, now: datetime
) -> BoundTo:
    """The token of this device for a person whose factors were right: the one it has, or a new one.

    One that is over ends, as does one that the browser has lost.
    """
    found = await session.exec(
        select(DeviceToken)
        .where(
            col(DeviceToken.person_id) == person_id,
            col(DeviceToken.device_hash) == device_hash,
            col(DeviceToken.ended_at).is_(None),
        )
        .with_for_update()
    )
    row, shown, reused = found.first(), read(shown_text), False
    if row is not None:
        held = held_of(row)
        if shown is not None and held.is_of(shown):
            match held.standing_of(shown, now):
                case Standing.PRESENT:
                    return BoundTo(row.id)
                case Standing.DUE:
                    return BoundTo(row.id, await _renew(session, row.id, shown, now) or "")
                case Standing.OLD:
                    return BoundTo(row.id, str(shown.renewed(held.salt or "")))
                case Standing.SPENT:
                    reused = True
        await end(session, row.id, "reused" if reused else "replaced", now)
    first = drawn()
    made = DeviceToken(
        id=new_id(),
        person_id=person_id,
        device_hash=device_hash,
        family_hash=_hash(first.family),
        token_hash=_hash(first.secret),
        rotated_at=now,
        created_at=now,
    )
    session.add(made)
    await session.flush()
    return BoundTo(made.id, str(first), reused)


def held_of(row: DeviceToken) -> Held:
    """The token of a row."""
    return Held(row.id, row.family_hash, row.token_hash, row.before_hash, row.salt, row.rotated_at)


async def end(session: AsyncSession, token_id: UUID, why: str, now: datetime) -> bool:
    """End a token with all sessions that are bound to it. False if it had ended."""
    ended = await session.exec(
        update(DeviceToken)
        .where(col(DeviceToken.id) == token_id, col(DeviceToken.ended_at).is_(None))
        .values(ended_at=now, ended_why=why)
        .returning(col(DeviceToken.id))
        .execution_options(synchronize_session=False)
    )
    await session.exec(
        update(AccountSession)
        .where(
            col(AccountSession.device_token_id) == token_id,
            col(AccountSession.ended_at).is_(None),
        )
        .values(ended_at=now, ended_why=f"device_token_{why}", pending_secret=None)
        .execution_options(synchronize_session=False)
    )
    return ended.first() is not None


async def end_all(
    session: AsyncSession, person_id: UUID, why: str, now: datetime, device_hash: str = ""
) -> None:
    """End all tokens of a person, or those of one device. Sessions are ended by the caller."""
    which = [col(DeviceToken.device_hash) == device_hash] if device_hash else []
    await session.exec(
        update(DeviceToken)
        .where(col(DeviceToken.person_id) == person_id, col(DeviceToken.ended_at).is_(None), *which)
        .values(ended_at=now, ended_why=why)
        .execution_options(synchronize_session=False)
    )


async def forget(session: AsyncSession, now: datetime) -> None:
    """Delete tokens that browsers no longer keep, and to which no session is bound."""
    bound = exists().where(col(AccountSession.device_token_id) == col(DeviceToken.id))
    await session.exec(delete(DeviceToken).where(col(DeviceToken.rotated_at) < now - LIVES, ~bound))
