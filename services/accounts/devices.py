"""Devices on which people have signed in before, and deleting what is long out of date."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.accounts import AccountSession, KnownDevice, PasswordReset, ProviderAttempt
from models.tables.second_factor import PasskeyChallenge, SmsCode
from rules.clock import now as present
from services import rate_limits
from services.accounts import device_tokens
from services.accounts.risks import queue
from services.accounts.sessions import Visitor


async def knows_device(session: AsyncSession, person_id: UUID, visitor: Visitor) -> bool:
    """Whether the person has signed in on this device before."""
    found = await session.exec(
        select(col(KnownDevice.id)).where(
            col(KnownDevice.person_id) == person_id,
            col(KnownDevice.device_hash) == visitor.device_hash,
        )
    )
    return found.first() is not None


async def remember_device(
    session: AsyncSession, person_id: UUID, visitor: Visitor, now: datetime
) -> bool:
    """Remember the device. True if it is new, and the person has other devices."""
    devices = list(
        await session.exec(
            select(KnownDevice).where(col(KnownDevice.person_id) == person_id).with_for_update()
        )
    )
    for device in devices:
        if device.device_hash == visitor.device_hash:
            device.last_seen = now
            return False
    made = KnownDevice(
        person_id=person_id,
        device_hash=visitor.device_hash,
        name=visitor.device.name,
        first_seen=now,
        last_seen=now,
    )
    noted = insert(KnownDevice).values(made.model_dump()).on_conflict_do_nothing()
    # Of two first sign-ins at once on one device, the second finds it stored and sends no notice.
    new = (await session.exec(noted.returning(col(KnownDevice.id)))).first() is not None
    return new and bool(devices)


async def forget_all(session: AsyncSession, person_id: UUID) -> None:
    """Let every device be new to the person."""
    await session.exec(delete(KnownDevice).where(col(KnownDevice.person_id) == person_id))


async def forget_old(database: Database, now: datetime) -> None:
    """Delete sessions ended 30 days ago, devices unseen for a year, links and limits out of use."""
    async with database.work() as session:
        await session.exec(
            delete(AccountSession).where(col(AccountSession.ends_at) < now - timedelta(days=30))
        )
        await device_tokens.forget(session, now)
        await queue.forget(session, now)
        await session.exec(
            delete(KnownDevice).where(col(KnownDevice.last_seen) < now - timedelta(days=365))
        )
        await session.exec(delete(PasswordReset).where(col(PasswordReset.ends_at) < now))
        for asked in (SmsCode, PasskeyChallenge, ProviderAttempt):
            await session.exec(delete(asked).where(col(asked.ends_at) < now))
        await rate_limits.forget(session, now)


async def keep_forgetting(database: Database, every: float = 3600.0) -> None:
    """Run `forget_old` every `every` seconds, for ever."""
    while True:
        await asyncio.sleep(every)
        with suppress(SQLAlchemyError, OSError):
            await forget_old(database, present())
