"""A slot in the queue before a register: all processes together ask no faster than agreed.

A row of `rate_limit` holds the moment of the next free slot, by the clock of the database. Whoever
wants to ask takes that slot and moves the next one on; whoever is killed leaves a slot unused.
"""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from clients.database import Database
from rules.registers.kinds import RegisterName

TRIES = 20
"""So many slots may be missed by a process that is not given the processor in time."""

_TAKE = text(
    """
    insert into rate_limit (key, whole_at) values (:key, clock_timestamp() + :spacing)
    on conflict (key) do update
        set whole_at = greatest(rate_limit.whole_at, clock_timestamp()) + :spacing
        where rate_limit.whole_at <= clock_timestamp() + :patience
    returning extract(epoch from whole_at - :spacing - clock_timestamp())
    """
)
_HOLD = text(
    """
    insert into rate_limit (key, whole_at) values (:key, clock_timestamp() + :pause)
    on conflict (key) do update
        set whole_at = greatest(rate_limit.whole_at, clock_timestamp() + :pause)
    """
)


class NoSlotError(Exception):
    """No slot is free in time."""


async def turn(
    database: Database, register: RegisterName, rate: float, patience: timedelta
) -> None:
    """Wait for one's turn to ask a register that is asked `rate` times a second at most.

    A slot that was missed is let go: used late, it would come together with those after it.
    Raises NoSlotError if none is free within `patience`.
    """
    spacing = timedelta(seconds=1 / rate)
    loop = asyncio.get_running_loop()
    for _ in range(TRIES):
        values = {"key": _key(register), "spacing": spacing, "patience": patience}
        async with database.work() as session:
            left = (await session.exec(_TAKE, params=values)).scalar_one_or_none()  # type: ignore[call-overload]
        if left is None:
            break
        due = loop.time() + max(0.0, float(left))
        await asyncio.sleep(due - loop.time())
        if loop.time() < due + spacing.total_seconds():
            return
    raise NoSlotError


async def hold(database: Database, register: RegisterName, pause: timedelta) -> None:
    """Let nobody ask a register before a pause is over, as it demanded."""
    async with database.work() as session:
        await session.exec(_HOLD, params={"key": _key(register), "pause": pause})  # type: ignore[call-overload]


def _key(register: RegisterName) -> str:
    return f"register:{register.value}"
