"""Norms of law as data: all of them with where they stand, and the warning before one ends (O8)."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.people import Unit
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.notices.kinds import NoticeKind
from rules.operation.norms import Norm, NormStage
from rules.refusals import forbidden
from services import access
from services.notices import outbox
from services.notices.outbox import NoticeEvent

FILE = Path(__file__).with_name("norms.yaml")


@cache
def norms() -> Sequence[Norm]:
    """All norms, in the order of the file. Raises KeyError or ValueError for a faulty one."""
    read = yaml.safe_load(FILE.read_text("utf-8"))["norms"]
    made = [
        Norm(
            one["key"],
            one["what"],
            one["source"],
            one["since"],
            one.get("until"),
            tuple(one["rests"]),
        )
        for one in read
    ]
    if len({one.key for one in made}) < len(made):
        raise ValueError("a norm stands there twice")
    if any((one.until and one.until <= one.since) or not one.rests for one in made):
        raise ValueError("a norm ends before it begins, or nothing rests on it")
    return made


async def today_of(session: AsyncSession, now: datetime) -> date:
    """The present day in the zone of the institution."""
    found = await session.exec(select(Unit.time_zone).where(col(Unit.parent_id).is_(None)))
    return now.astimezone(ZoneInfo(found.first() or "UTC")).date()


async def list_norms(
    session: AsyncSession, actor: Actor, now: datetime
) -> Sequence[tuple[Norm, NormStage]]:
    """All norms with where they stand, those that end first first. Raises Refusal 403."""
    if not (actor.may(Permission.MANAGE_CATALOGUE) or actor.may(Permission.READ_JOURNAL)):
        raise forbidden()
    today = await today_of(session, now)
    ordered = sorted(norms(), key=lambda one: one.until or date.max)
    return [(one, one.stage(today)) for one in ordered]


async def warn(database: Database) -> None:
    """Tell administrators of norms that end soon or have ended: each once for each of the two."""
    now = present()
    async with database.work() as session:
        today = await today_of(session, now)
        stages = [(one, one.stage(today)) for one in norms()]
        ending = [(one, stage) for one, stage in stages if stage in _TOLD]
        if not ending:
            return
        held = access.holding(Permission.MANAGE_CATALOGUE, of_unit=False)
        people = await session.exec(select(held.c.person_id).distinct(), params={"now": now})
        events = [
            NoticeEvent(person, _TOLD[stage], f"norm:{one.key}:{one.until}:{stage.value}")
            for person in people.all()
            for one, stage in ending
        ]
        await outbox.enqueue_all(session, events, now)


_TOLD = {NormStage.NEAR: NoticeKind.NORM_NEAR, NormStage.OVER: NoticeKind.NORM_OVER}
