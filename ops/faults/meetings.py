"""Meetings of a run: chosen and recorded by the API. Their time comes at once, in the database."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import select

from clients.database import Database
from models.tables.meetings import Meeting, MeetingSlot
from ops.faults.clients import ApiClient, NoAnswer, Reply
from rules.clock import now
from rules.meetings import CHECKLIST, MeetingState

_T = TypeVar("_T")
PATIENCE = 200.0
_HALF_HOUR = timedelta(minutes=30)
_OFFERED = 500
"""Times of each operator: more than a run uses."""


async def surely(do: Callable[[], Awaitable[_T]]) -> _T:
    """What the database answers, once it is back. Raises NoAnswer."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return await do()
        except Exception as error:
            if time.monotonic() > end:
                raise NoAnswer(f"the database: {type(error).__name__}") from error
            await asyncio.sleep(1)


async def offer_times(database: Database, operators: Sequence[UUID]) -> None:
    """Let operators offer times from two days ahead on."""
    first = (now() + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    async with database.work() as session:
        session.add_all(
            MeetingSlot(operator_id=operator, starts_at=first + n * _HALF_HOUR)
            for operator in operators
            for n in range(_OFFERED)
        )


async def let_begin(database: Database, meeting_id: UUID, dice: random.Random) -> None:
    """Let the time of a meeting have come a moment ago."""

    async def begin() -> None:
        async with database.work() as session:
            meeting = await session.get_one(Meeting, meeting_id)
            slot = await session.get_one(MeetingSlot, meeting.slot_id)
            if slot.starts_at > now():
                slot.starts_at = now() - timedelta(seconds=1 + 3000 * dice.random())
                session.add(slot)

    await surely(begin)


async def booked_meeting(database: Database, person_id: UUID) -> UUID | None:
    """The meeting that a person has booked."""

    async def look() -> UUID | None:
        async with database.reading() as session:
            found = await session.exec(
                select(Meeting.id).where(
                    Meeting.person_id == person_id, Meeting.state == MeetingState.BOOKED.value
                )
            )
            return found.one_or_none()

    return await surely(look)


async def choose(
    database: Database,
    person_id: UUID,
    dice: random.Random,
    times: Callable[[], Awaitable[Sequence[Any]]],
    book: Callable[[str], Awaitable[Reply]],
) -> UUID:
    """Choose one of the free times until one is the person's: others choose at the same time."""
    while True:
        free = await times()
        if not free:
            raise NoAnswer("no free time")
        await book(dice.choice(free)["slot_id"])
        meeting_id = await booked_meeting(database, person_id)
        if meeting_id is not None:
            return meeting_id


async def record(
    operator: ApiClient, meeting_id: UUID, outcome: MeetingState, marked: Sequence[str] = ()
) -> None:
    """Record how a meeting ended. Raises NoAnswer for any refusal."""
    body = {
        "outcome": outcome.value,
        "compared": list(CHECKLIST) if outcome is MeetingState.CONFIRMED else [],
        "reason": "Так и было.",
        "marked": list(marked),
    }
    reply = await operator.ask("POST", f"/meetings/{meeting_id}/outcome", body)
    if not reply.good:
        raise NoAnswer(f"an outcome: {reply.status} {reply.body}")
