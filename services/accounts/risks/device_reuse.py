"""A token of a device was shown that is over: the device ends, and its owner is told (I2)."""

from datetime import datetime

from clients.database import Database
from rules.risks import RiskKind
from services.accounts import device_tokens
from services.accounts.recognising import DeviceTokenReused
from services.accounts.risks.events import raise_event
from services.accounts.sessions import Visitor


async def answer(
    database: Database, reused: DeviceTokenReused, visitor: Visitor, now: datetime
) -> None:
    """End the token and all its sessions, once, however many requests show it."""
    async with database.work() as session:
        if await device_tokens.end(session, reused.token_id, "reused", now):
            await raise_event(session, RiskKind.TOKEN_REUSED, reused.person_id, visitor, now)
