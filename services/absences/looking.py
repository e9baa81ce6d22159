"""What the clock does to an absence: it follows its days, proposes, reminds, and forgets nobody."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.encrypted_columns import bound_row
from models.messages import AbsenceLook, WorkflowName
from models.tables.absences import AbsencePlan, DisplacedAppointment
from models.tables.people import Person
from models.tables.schedule import Appointment
from rules.absences import AbsenceReason, AbsenceState, is_urgent, reminds_at
from rules.access import Permission
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from services import access
from services.absences import gathering, proposing, rows, telling
from services.own_workflows import OwnWorkflow
from services.schedule import clocks

AGAIN = timedelta(minutes=10)
"""While somebody has to decide: proposals may be taken, and days change elsewhere."""
SENDING = timedelta(minutes=1)
"""While a message is on its way."""
MANY = 100
"""So many absences are found by one look of the clock."""

OWN = OwnWorkflow(
    name=WorkflowName.ABSENCE,
    table=AbsencePlan,
    due="looks_at",
    lives=lambda: col(AbsencePlan.looks_at).is_not(None),
)
"""What the sweeper has to know of absences."""


async def look(database: Database, plan_id: UUID) -> AbsenceLook:
    """Do what is due. Returns where it stands and when to look again; None: nobody waits.

    Looking twice at one moment changes and tells nothing more.
    """
    now = present()
    async with database.work() as session:
        plan = await session.get(AbsencePlan, plan_id)
        if plan is None:
            return AbsenceLook(state="none")
        await gathering.follow(session, plan)
        gathered = await gathering.gather(session, plan, now)
        await proposing.propose(session, plan, now)
        sending = await telling.follow(session, plan, now)
        if gathered != gathering.Gathered():
            facts = asdict(gathered)
            await rows.note(session, plan.id, JournalKind.ABSENCE_GATHERED, now, None, facts)
    async with database.work() as session:
        plan = await session.get_one(
            AbsencePlan, plan_id, with_for_update=True, populate_existing=True
        )
        more = gathered.added == gathering.AT_ONCE
        waits, earliest = await waiting(session, plan_id)
        if not waits:
            plan.looks_at = plan.reminds_at = None
            plan.reminded = 0
            if plan.state == AbsenceState.OPEN:
                plan.state = AbsenceState.SETTLED.value
        else:
            if plan.state == AbsenceState.SETTLED:
                plan.state = AbsenceState.OPEN.value
            await _remind(session, plan, earliest or now, now)
            pause = SENDING if sending else AGAIN
            plan.looks_at = now if more else min(now + pause, plan.reminds_at or now + pause)
        session.add(plan)
        return AbsenceLook(state=plan.state, waits=waits, looks_at=plan.looks_at)


async def waiting(session: AsyncSession, plan_id: UUID) -> tuple[int, datetime | None]:
    """How many appointments of an absence wait for people, and when the first would be."""
    found = await session.exec(
        select(func.count(), func.min(DisplacedAppointment.starts_at)).where(
            DisplacedAppointment.absence_id == plan_id,
            col(DisplacedAppointment.done_at).is_(None),
        )
    )
    number, earliest = found.one()
    return number, earliest


async def _remind(
    session: AsyncSession, plan: AbsencePlan, earliest: datetime, now: datetime
) -> None:
    """Tell those who plan, at once and again; near the first appointment also the heads.

    That are those of each unit where an appointment waits: a clinician may work in several.
    """
    if plan.reminds_at is not None and plan.reminds_at > now:
        return
    kind = NoticeKind.ABSENCE_WAITS if plan.reminded else NoticeKind.ABSENCE_BEGUN
    plan.reminded += 1
    plan.reminds_at = reminds_at(now, earliest)
    more = f"{plan.begun_at.isoformat()}:{plan.reminded}:{now.date().isoformat()}"
    found = await session.exec(
        select(DisplacedAppointment.unit_id)
        .where(
            DisplacedAppointment.absence_id == plan.id,
            col(DisplacedAppointment.done_at).is_(None),
        )
        .distinct()
    )
    units = sorted(found.all())
    told = [one for unit_id in units for one in await planners(session, plan, unit_id, now)]
    await rows.tell(session, plan, sorted(set(told)), kind, more, now)
    if is_urgent(now, earliest):
        above = [
            one
            for unit_id in units
            for one in await access.nearest_heads(session, unit_id, plan.person_id, now)
        ]
        heads = sorted(set(above))
        await rows.tell(session, plan, heads, NoticeKind.ABSENCE_LATE, more, now)
        facts = {"told": [str(one) for one in heads]}
        await rows.note(session, plan.id, JournalKind.ABSENCE_ESCALATED, now, None, facts)


async def planners(
    session: AsyncSession, plan: AbsencePlan, unit_id: UUID, now: datetime
) -> Sequence[UUID]:
    """Who plans a unit and is here; all who may if nobody is; else whoever manages people."""
    right = Permission.PLAN_SCHEDULE
    there: Sequence[UUID] = await access.present_reviewers(session, unit_id, now, right)
    for permission in (right, Permission.MANAGE_PEOPLE):
        there = there or await access.people_with(session, permission, unit_id, now)
    return [one for one in there if one != plan.person_id] or there


async def begin(
    session: AsyncSession,
    absences: Sequence[tuple[UUID, UUID, UUID, date, date]],
    now: datetime,
) -> None:
    """Let absences that displace appointments have a workflow; those that have one look again."""
    table = SQLModel.metadata.tables["absence_plan"]
    values = [
        bound_row(
            AbsencePlan(
                id=plan_id,
                person_id=person_id,
                unit_id=unit_id,
                first_day=first_day,
                last_day=last_day,
                reason=AbsenceReason.OTHER.value,
                state=AbsenceState.OPEN.value,
                begun_at=now,
                looks_at=now,
            )
        )
        for plan_id, person_id, unit_id, first_day, last_day in absences
    ]
    statement = insert(table).values(values)
    await session.exec(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={"looks_at": func.least(table.c.looks_at, statement.excluded.looks_at)},
        )
    )


async def find(session: AsyncSession, now: datetime) -> int:
    """Find what displaces appointments and was entered anywhere: nobody is forgotten.

    That are absences with appointments that stand in no list, whoever entered the days, and booked
    whatever at the same moment; people who leave with such appointments; and lists whose absence
    has other days now, or is gone.
    """
    away = rows.away().c
    listed = select(DisplacedAppointment.id).where(
        col(DisplacedAppointment.appointment_id) == col(Appointment.id),
        col(DisplacedAppointment.outcome).is_(None),
    )
    displaced = select(Appointment.id).where(
        rows.is_displaced(away.person_id, away.first_day, away.last_day),
        Appointment.starts_at > now - timedelta(days=2),
        ~listed.exists(),
    )
    looked_at = select(AbsencePlan.id).where(
        col(AbsencePlan.id) == away.id, col(AbsencePlan.looks_at) <= now
    )
    wanted: Any = (
        choose(away.id, away.person_id, col(Person.unit_id), away.first_day, away.last_day)
        .join(Person, col(Person.id) == away.person_id)
        .where(
            away.last_day >= (now - timedelta(days=2)).date(),
            displaced.exists(),
            ~looked_at.exists(),
        )
        .limit(MANY)
    )
    new = (await session.exec(wanted)).all()
    if new:
        await begin(session, list(new), now)
    same = choose(away.id).where(
        away.id == col(AbsencePlan.id),
        away.person_id == col(AbsencePlan.person_id),
        away.first_day == col(AbsencePlan.first_day),
        away.last_day == col(AbsencePlan.last_day),
    )
    await session.exec(
        update(AbsencePlan)
        .where(
            col(AbsencePlan.state) == AbsenceState.OPEN.value,
            col(AbsencePlan.looks_at) > now,
            ~same.exists(),
        )
        .values(looks_at=now)
        .execution_options(synchronize_session=False)
    )
    return len(new)


clocks.register("absences", find)
