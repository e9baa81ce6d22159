"""How far the comparison of everybody is, for workflows and for ops."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import SyncProgress
from models.tables.registers import RegisterRun
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.refusals import forbidden
from rules.registers.kinds import RegisterName
from services import outages
from services.registers.asking import SYSTEMS


def progress(run: RegisterRun) -> SyncProgress:
    """How far a run is, and when it will be done at the pace so far."""
    left = max(run.total - run.done, 0)
    ends_at = None
    if run.done and run.ended_at is None:
        begins = max(present(), run.next_try_at or present())
        ends_at = begins + timedelta(seconds=run.worked / run.done * left)
    return SyncProgress(
        run_id=run.id,
        done=run.done,
        total=max(run.total, run.done),
        under_way=run.ended_at is None,
        again_at=run.next_try_at,
        ends_at=ends_at,
    )


@dataclass(frozen=True)
class RunLine:
    """The newest run of a register, and since when the register has been down."""

    register: RegisterName
    started_at: datetime
    ended_at: datetime | None
    changed: int
    unknown: int
    progress: SyncProgress
    down_since: datetime | None


async def runs(session: AsyncSession, actor: Actor) -> Sequence[RunLine]:
    """How far the comparison of everybody is with each register. Raises Refusal 403."""
    if not actor.may(Permission.WATCH_OPERATION):
        raise forbidden()
    newest = (
        select(RegisterRun.source, func.max(RegisterRun.started_at).label("at"))
        .group_by(col(RegisterRun.source))
        .subquery()
    )
    found = await session.exec(
        select(RegisterRun).join(
            newest,
            (col(RegisterRun.source) == newest.c.source)
            & (col(RegisterRun.started_at) == newest.c.at),
        )
    )
    rows: dict[str, RegisterRun] = {row.source: row for row in found.all()}
    lines = []
    for register in RegisterName:
        if (row := rows.get(register.value)) is not None:
            down = await outages.open_since(session, SYSTEMS[register])
            lines.append(
                RunLine(
                    register,
                    row.started_at,
                    row.ended_at,
                    row.changed,
                    row.unknown,
                    progress(row),
                    down,
                )
            )
    return lines
