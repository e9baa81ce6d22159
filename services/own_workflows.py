"""Rows that have a durable workflow of their own, and how the sweeper wakes those that are late.

A case has the engine of cases. An export, the lock of an account or a credential is one row, which
says when it is to be looked at next, and one small workflow, which looks. Temporal may be down or
lose a run: then the row is late, and the sweeper wakes its workflow or begins another.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import WAKE_UP, WorkflowName
from models.tables.base import Moment

PAUSE = timedelta(minutes=1)
"""Between two wake-ups of one row, so that rows that do not answer leave room for others."""
AT_A_TIME = 100
STUCK_AFTER = timedelta(minutes=10)
"""A look may take two minutes, and a failed one is tried again within a minute. A run that was
woken and has not moved its row for ten minutes hangs on something else, such as a workflow task
that fails for ever: only a new run helps."""


class Wake(Protocol):
    """Signals the workflow of a row, or begins it."""

    def __call__(
        self, row_id: UUID, *, signal: str = WAKE_UP, anew: bool = False
    ) -> Awaitable[bool]:
        """False if Temporal did not accept it. With `anew` an open run is ended first."""


Wakers = Callable[[WorkflowName], Wake]
"""The `Wake` of each type of workflow."""


@dataclass(frozen=True)
class OwnWorkflow:
    """The rows of one table that have a workflow of this type.

    `table` has the columns `id` and `woken_at`. `lives` is the condition that a row still needs its
    workflow, and `due` the column that says when it is to be looked at. A run that
    was woken in vain and does not go on is ended after `held`, and another begun.
    """

    name: WorkflowName
    table: Any
    due: str
    lives: Callable[[], ColumnElement[bool]]
    held: timedelta = STUCK_AFTER

    def is_late(self, due_before: Moment, woken_before: Moment) -> ColumnElement[bool]:
        """The condition that the time of a row came before then, and that it may be woken again."""
        woken = col(self.table.woken_at)
        return and_(
            self.lives(),
            getattr(self.table, self.due) < due_before,
            or_(woken.is_(None), woken < woken_before),
        )


async def ask_to_look(
    session: AsyncSession, table: Any, due: str, which: ColumnElement[bool], now: datetime
) -> None:
    """Let the workflows of these rows look at once, where they have one: their days have changed.

    The sweeper wakes them within moments.
    """
    await session.exec(
        update(table)
        .where(which, getattr(table, due).is_not(None))
        .values({due: now})
        .execution_options(synchronize_session=False)
    )


async def wake_late(
    database: Database, rows: OwnWorkflow, wake: Wake, now: datetime, grace: timedelta
) -> int:
    """Wake the workflows of rows whose time is past by `grace`. Returns how many were woken.

    Those that were not woken for longest come first. It stops at the first that Temporal does not
    accept. A row whose run was begun anew has its time again.
    """
    table, due = rows.table, getattr(rows.table, rows.due)
    async with database.reading() as session:
        found = await session.exec(
            select(table.id, due, table.woken_at)
            .where(rows.is_late(now - grace, now - PAUSE))
            .order_by(col(table.woken_at).nulls_first(), due)
            .limit(AT_A_TIME)
        )
        late: Sequence[tuple[UUID, datetime, datetime | None]] = found.all()
    woken: list[UUID] = []
    anew: list[UUID] = []
    for row_id, due_at, woken_at in late:
        in_vain = woken_at is not None and woken_at > due_at
        held = in_vain and due_at < now - rows.held
        if not await wake(row_id, anew=held):
            break
        (anew if held else woken).append(row_id)
    if woken or anew:
        async with database.work() as session:
            for ids, values in ((woken, {}), (anew, {rows.due: now})):
                if ids:
                    await session.exec(
                        update(table)
                        .where(col(table.id).in_(ids), rows.lives())
                        .values(woken_at=now, **values)
                        .execution_options(synchronize_session=False)
                    )
    return len(woken) + len(anew)
