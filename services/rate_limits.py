"""Rate limits as rows, so that several processes count together.

Each row holds one moment: when the allowance will be whole again. A try moves it on by the spacing
of the limit, and is refused if that would pass `now + per` (the generic cell rate algorithm of
ITU-T I.371). So `times` tries may come at once, and one more after every `per / times`.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, Interval, bindparam, delete, func, literal, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectStatement
from models.tables.accounts import RateLimit
from models.tables.base import UtcDateTime
from rules.accounts import Limit

Allowance = tuple[Limit, str]


def key_of(allowance: Allowance) -> str:
    """The key of the row: the name of the limit, and whom it counts."""
    limit, whom = allowance
    return f"{limit.name}:{whom}"


def _lasting(duration: timedelta) -> BindParameter[timedelta]:
    return literal(duration, Interval())


_TABLE = SQLModel.metadata.tables["rate_limit"]
_LATER = func.greatest(_TABLE.c.whole_at, bindparam("present", type_=UtcDateTime())) + bindparam(
    "spacing", type_=Interval()
)
_TAKE = DirectStatement(
    insert(_TABLE)
    .values(key=bindparam("of_key"), whole_at=bindparam("first"))
    .on_conflict_do_update(
        index_elements=["key"],
        set_={"whole_at": _LATER},
        where=bindparam("latest", type_=UtcDateTime()) >= _LATER,
    )
    .returning(_TABLE.c.key)
)
"""Built once: each upload sends it twice."""


async def take(session: AsyncSession, allowances: Sequence[Allowance], now: datetime) -> int:
    """Use one try of each allowance. Returns 0 if all had one left, else the seconds to wait.

    If the caller refuses but commits, the tries taken stay taken; a rollback takes none. Name the
    allowances in the same order everywhere: rows stay locked until the transaction ends.
    """
    for allowance in allowances:
        limit, key = allowance[0], key_of(allowance)
        values = {
            "of_key": key,
            "present": now,
            "spacing": limit.spacing,
            "first": now + limit.spacing,
            "latest": now + limit.per,
        }
        taken = await _TAKE.run(session, values)
        if await taken.fetchone() is None:
            whole_at: datetime = (
                await session.exec(select(col(RateLimit.whole_at)).where(col(RateLimit.key) == key))
            ).one()
            wait = whole_at + limit.spacing - limit.per - now
            return max(1, math.ceil(wait.total_seconds()))
    return 0


async def give_back(session: AsyncSession, allowances: Sequence[Allowance]) -> None:
    """Give back the try of each allowance: it succeeded."""
    for allowance in allowances:
        await session.exec(
            update(RateLimit)
            .where(col(RateLimit.key) == key_of(allowance))
            .values(whole_at=col(RateLimit.whole_at) - _lasting(allowance[0].spacing))
        )


async def forget(session: AsyncSession, now: datetime, age: timedelta = timedelta(days=1)) -> None:
    """Delete allowances that have been whole for `age`."""
    await session.exec(delete(RateLimit).where(col(RateLimit.whole_at) < now - age))
