"""Who passed the course, to whom it is assigned, who is late, and who is reminded (I12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, case, func, literal, true
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.accounts import Account
from models.tables.people import CoursePass, CourseReminder, Person, Unit
from rules.access import Actor, Permission
from rules.cases.terms import last_day
from rules.clock import now as present
from rules.course import LIFE, NEAR, TERM, CoursePassed, CourseStage, assigned_at
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.journal.tags import ViewCode
from rules.notices.kinds import NoticeKind
from rules.refusals import forbidden
from services.access import works_here
from services.course.contents import course
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent

MOST = 1000
"""How many of those who are late one list shows, the latest first."""
AT_ONCE = 200
"""How many people one round reminds; the next round goes on."""
_TOLD = {
    CourseStage.ASSIGNED: NoticeKind.COURSE_ASSIGNED,
    CourseStage.NEAR: NoticeKind.COURSE_NEAR,
    CourseStage.OVERDUE: NoticeKind.COURSE_OVERDUE,
}


@dataclass(frozen=True)
class CourseState:
    """Where one person stands. `assigned` may be ahead: then there is nothing to do yet."""

    passed: CoursePassed | None
    assigned: datetime
    now: datetime

    @property
    def due(self) -> datetime:
        """Until when it is to be passed."""
        return self.assigned + TERM

    @property
    def open(self) -> bool:
        """Whether it is to be passed now."""
        return self.assigned <= self.now

    @property
    def overdue(self) -> bool:
        """Whether its term is over."""
        return self.due <= self.now


@dataclass(frozen=True)
class LateLine:
    """Somebody whose term is over."""

    person_id: UUID
    name: str
    position: str
    unit: str
    passed_at: datetime | None
    due: datetime


async def state_of(session: AsyncSession, person_id: UUID) -> CourseState:
    """Where the person stands with the course."""
    account = await session.get_one(Account, person_id)
    return await _state(session, account, present())


async def _state(session: AsyncSession, account: Account, now: datetime) -> CourseState:
    found = await session.exec(
        select(CoursePass)
        .where(CoursePass.person_id == account.person_id)
        .order_by(col(CoursePass.at).desc())
        .limit(1)
    )
    row = found.one_or_none()
    passed = CoursePassed(row.version, row.at) if row else None
    assigned = assigned_at(account.created_at, _since(), course().version, passed)
    return CourseState(passed, assigned, now)


def _since() -> datetime:
    """When the newest version began to be assigned."""
    return datetime.combine(course().since, time(0), UTC)


async def answer(
    database: Database, actor: Actor, version: int, answers: Mapping[str, str]
) -> CourseState:
    """Pass the course. Who has passed it already passes no second time.

    Raises Refusal 409 for a version that is over, 422 for wrong answers.
    """
    course().demand_right(version, answers)
    async with database.work() as session:
        # Locked, so that two windows make one pass.
        found = await session.exec(
            select(Account)
            .where(Account.person_id == actor.person_id)
            .with_for_update(key_share=True)
        )
        account, now = found.one(), present()
        known = await _state(session, account, now)
        if not known.open:
            return known
        session.add(CoursePass(id=new_id(), person_id=actor.person_id, version=version, at=now))
        await journal.append(
            session,
            chain=actor.person_id,
            kind=JournalKind.ACCOUNT_COURSE_PASSED,
            at=now,
            by=actor.person_id,
            facts={"version": version},
            lock=True,
        )
        await session.flush()
        return await _state(session, account, now)


def _assigned() -> tuple[Any, Any]:
    """The latest pass of an account as a lateral table, and when the course is assigned, in SQL.

    The same as `rules.course.assigned_at`, which a test compares.
    """
    last = (
        choose(col(CoursePass.version).label("version"), col(CoursePass.at).label("at"))
        .where(col(CoursePass.person_id) == col(Account.person_id))
        .order_by(col(CoursePass.at).desc())
        .limit(1)
        .lateral("last")
    )
    since, again = literal(_since()), last.c.at + literal(LIFE, Interval())
    assigned = case(
        (last.c.at.is_(None), func.greatest(col(Account.created_at), since)),
        (last.c.version == course().version, again),
        else_=func.least(again, func.greatest(since, last.c.at)),
    )
    return last, assigned


def _people() -> Any:
    """Everybody with an account who works here and is not locked, with the time of assignment."""
    last, assigned = _assigned()
    return (
        choose(
            col(Person.id).label("id"),
            col(Person.unit_id).label("unit_id"),
            assigned.label("assigned"),
            last.c.at.label("passed_at"),
        )
        .select_from(Account)
        .join(Person, col(Person.id) == col(Account.person_id))
        .outerjoin(last, true())
        .where(works_here(), col(Account.locked_at).is_(None))
        .subquery("people")
    )


async def late(session: AsyncSession, actor: Actor) -> Sequence[LateLine]:
    """Who is late in the units that the person watches over, the latest first; recorded.

    Raises Refusal 403 without the right.
    """
    units = actor.units_with(Permission.OVERSEE_COURSE)
    if not units:
        raise forbidden()
    await journal.record_view(session, actor, actor.person_id, ViewCode.COURSE_OVERDUE)
    now, people = present(), _people()
    found = await session.exec(
        choose(Person, Unit.name, people.c.passed_at, people.c.assigned)  # type: ignore[call-overload]
        .join(people, people.c.id == col(Person.id))
        .join(Unit, col(Unit.id) == people.c.unit_id)
        .where(people.c.unit_id.in_(units), people.c.assigned <= now - TERM)
        .order_by(people.c.assigned, people.c.id)
        .limit(MOST),
        params={"now": now},
    )
    return [
        LateLine(person.id, person.name, person.position, unit, passed_at, assigned + TERM)
        for person, unit, passed_at, assigned in found.all()
    ]


async def number_late(session: AsyncSession, now: datetime) -> int:
    """How many people in the whole institution are late."""
    people = _people()
    found = await session.exec(
        choose(func.count()).select_from(people).where(people.c.assigned <= now - TERM),  # type: ignore[call-overload]
        params={"now": now},
    )
    return int(found.scalar_one())


async def remind(database: Database) -> int:
    """Tell people of the course: when it is assigned, before its term ends, and after. Each once.

    Returns how many were told.
    """
    told = 0
    for stage, before in (
        (CourseStage.OVERDUE, TERM),
        (CourseStage.NEAR, TERM - NEAR),
        (CourseStage.ASSIGNED, timedelta(0)),
    ):
        async with database.work() as session:
            told += await _remind(session, stage, before)
    return told


async def _remind(session: AsyncSession, stage: CourseStage, passed: timedelta) -> int:
    """Tell those to whom the course was assigned so long ago, and not of a later stage yet."""
    now, people = present(), _people()
    later = list(CourseStage)[list(CourseStage).index(stage) :]
    known = (
        select(CourseReminder.person_id)
        .where(
            col(CourseReminder.person_id) == people.c.id,
            col(CourseReminder.assigned_at) == people.c.assigned,
            col(CourseReminder.stage).in_([one.value for one in later]),
        )
        .exists()
    )
    found = await session.exec(
        choose(people.c.id, people.c.assigned, col(Unit.time_zone))  # type: ignore[call-overload]
        .join(Unit, col(Unit.id) == people.c.unit_id)
        .where(people.c.assigned <= now - passed, ~known)
        .order_by(people.c.assigned, people.c.id)
        .limit(AT_ONCE),
        params={"now": now},
    )
    zones: dict[UUID, str] = {}
    rows = []
    for person, assigned, zone in found.all():
        zones[person] = zone
        rows.append({"person_id": person, "assigned_at": assigned, "stage": stage.value, "at": now})
    if not rows:
        return 0
    kept = await session.exec(
        insert(CourseReminder)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(col(CourseReminder.person_id), col(CourseReminder.assigned_at))
    )
    events = [
        NoticeEvent(
            person,
            _TOLD[stage],
            f"{person}:course:{stage.value}:{assigned.isoformat()}",
            facts={"course_until": last_day(assigned + TERM, zones[person]).isoformat()},
        )
        for person, assigned in kept.all()
    ]
    await outbox.enqueue_all(session, events, now)
    return len(events)
