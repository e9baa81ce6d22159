"""Many refused tries to sign in as one person are a sign, found in the login journal.

They are looked for beside the requests, so that an answer takes as long for a known address as for
an unknown one.
"""

import asyncio
from contextlib import suppress
from datetime import datetime

from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from clients.database import Database
from models.tables.accounts import LoginAttempt
from rules.accounts import Device, DeviceKind, Outcome
from rules.clock import now as present
from rules.risks import LOOKED_BACK, RiskKind
from services.accounts.risks.events import raise_event
from services.accounts.sessions import Visitor


async def look(database: Database, now: datetime) -> None:
    """Raise an event for everybody of whom tries were refused for being too many.

    It is known by the hour of the last try, so looking again changes nothing.
    """
    person_id = col(LoginAttempt.person_id)
    async with database.reading() as session:
        last = await session.exec(
            select(LoginAttempt)
            .ext(distinct_on(person_id))
            .where(
                person_id.is_not(None),
                LoginAttempt.outcome == Outcome.TOO_OFTEN,
                LoginAttempt.at > now - LOOKED_BACK,
            )
            .order_by(person_id, col(LoginAttempt.at).desc())
        )
        found = last.all()
    for tried in found:
        if tried.person_id is None:
            continue
        device = Device(DeviceKind(tried.device_kind), tried.device)
        visitor = Visitor(tried.address, device, "")
        async with database.work() as session:
            await raise_event(
                session, RiskKind.FAILURES, tried.person_id, visitor, tried.at, once=True
            )


async def keep_looking(database: Database, every: float = 30.0) -> None:
    """Run `look` every `every` seconds, for ever."""
    while True:
        await asyncio.sleep(every)
        with suppress(SQLAlchemyError, OSError):
            await look(database, present())
