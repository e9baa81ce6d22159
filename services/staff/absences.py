"""Who reviews, how many cases each has, who is absent and who stands in (A11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from models.tables.people import Absence, Person
from rules.access import Actor, Permission
from rules.cases.kinds import DECIDING
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.refusals import FieldError, Refusal, forbidden, not_found
from rules.texts.cleaning import in_order
from services import access, turns
from services.cases import assignment
from services.journal import entries as journal
from services.results import looking as results

LONGEST = timedelta(days=3 * 366)


@dataclass(frozen=True)
class Away:
    """An absence; both days are included."""

    id: UUID
    first_day: date
    last_day: date
    deputy_id: UUID | None
    deputy: str | None


@dataclass(frozen=True)
class Reviewer:
    """A reviewer of a unit, with the number of cases on their desk."""

    id: UUID
    name: str
    position: str
    in_review: int
    overdue: int
    away_now: bool
    absences: Sequence[Away]


async def reviewers(
    session: AsyncSession,
    actor: Actor,
    unit_id: UUID,
    permission: Permission = Permission.REVIEW,
) -> list[Reviewer]:
    """The reviewers of a unit, for those who review there; `permission` is with which."""
    if not actor.may(permission, unit_id):
        raise forbidden()
    now = present()
    ids = await access.people_with(session, permission, unit_id, now)
    here = set(await access.present_reviewers(session, unit_id, now, permission))
    people = {
        p.id: p for p in (await session.exec(select(Person).where(col(Person.id).in_(ids)))).all()
    }
    load = await _load(session, unit_id, now)
    today = await access.day_in(session, unit_id, now)
    away: dict[UUID, list[Away]] = {i: [] for i in ids}
    absences = await session.exec(
        select(Absence)
        .where(col(Absence.person_id).in_(ids), Absence.last_day >= today)
        .order_by(col(Absence.first_day))
    )
    for absence in absences.all():
        deputy = people.get(absence.deputy_id) if absence.deputy_id else None
        away[absence.person_id].append(
            Away(
                absence.id,
                absence.first_day,
                absence.last_day,
                absence.deputy_id,
                deputy.name if deputy else None,
            )
        )
    return sorted(
        (
            Reviewer(
                i,
                people[i].name,
                people[i].position,
                *load.get(i, (0, 0)),
                away_now=i not in here,
                absences=away[i],
            )
            for i in ids
        ),
        key=lambda r: in_order(r.name),
    )


async def _load(session: AsyncSession, unit_id: UUID, now: datetime) -> dict[UUID, tuple[int, int]]:
    rows = await session.exec(
        select(
            Case.reviewer_id,
            func.count(),
            func.count().filter(col(Case.due_at) < now),
        )
        .where(
            Case.responsible_unit_id == unit_id,
            col(Case.status).in_(assignment.ON_THE_DESK),
            col(Case.reviewer_id).is_not(None),
        )
        .group_by(col(Case.reviewer_id))
    )
    return {person: (count, overdue) for person, count, overdue in rows.all() if person}


async def set_absence(
    session: AsyncSession,
    actor: Actor,
    unit_id: UUID,
    person_id: UUID,
    first_day: date,
    last_day: date,
    deputy_id: UUID | None,
) -> Absence:
    """Store that a reviewer is absent: one's own absence, or anybody's by the head of HR.

    From the first day on, the cases go to the deputy, or to others if there is no deputy.
    """
    await _may_set(session, actor, unit_id, person_id)
    errors = []
    if last_day < first_day:
        errors.append(FieldError("last_day", "Последний день не может быть раньше первого."))
    elif last_day - first_day > LONGEST:
        errors.append(FieldError("last_day", "Отсутствие не бывает дольше трёх лет."))
    if deputy_id == person_id:
        errors.append(FieldError("deputy_id", "Выберите другого сотрудника."))
    elif deputy_id is not None and not await _decides(session, deputy_id, unit_id):
        errors.append(FieldError("deputy_id", "Этот сотрудник не рассматривает заявки."))
    if errors:
        raise Refusal("incomplete", "Исправьте отмеченные поля.", 422, errors)
    # The lock makes a form that was sent twice store one absence.
    await turns.of_person(session, person_id)
    absence = Absence(
        person_id=person_id, first_day=first_day, last_day=last_day, deputy_id=deputy_id
    )
    same = await session.exec(
        select(Absence).where(
            Absence.person_id == person_id,
            Absence.first_day == first_day,
            Absence.last_day == last_day,
            col(Absence.deputy_id).is_not_distinct_from(deputy_id),
        )
    )
    if (known := same.first()) is not None:
        return known
    session.add(absence)
    await session.flush()
    await _journal(session, actor, absence, "set")
    await results.person_changed(session, person_id, present())
    await assignment.reconcile(session, present())
    return absence


async def end_absence(session: AsyncSession, actor: Actor, unit_id: UUID, absence_id: UUID) -> None:
    """End an absence; cases without a reviewer are assigned."""
    absence = await session.get(Absence, absence_id)
    if absence is None:
        raise not_found()
    await _may_set(session, actor, unit_id, absence.person_id)
    await session.delete(absence)
    await _journal(session, actor, absence, "ended")
    await assignment.reconcile(session, present())


async def _may_set(session: AsyncSession, actor: Actor, unit_id: UUID, person_id: UUID) -> None:
    if person_id != actor.person_id and not actor.may(Permission.OVERSEE_REVIEWS, unit_id):
        raise forbidden()
    if not await _decides(session, person_id, unit_id):
        raise not_found()


async def _decides(session: AsyncSession, person_id: UUID, unit_id: UUID) -> bool:
    """Whether the person decides cases of the unit, of whatever kind."""
    for permission in DECIDING:
        if person_id in await access.people_with(session, permission, unit_id, present()):
            return True
    return False


async def _journal(session: AsyncSession, actor: Actor, absence: Absence, what: str) -> None:
    await journal.append(
        session,
        chain=absence.person_id,
        kind=JournalKind.ABSENCE_SET,
        by=actor.person_id,
        lock=True,
        facts={
            "what": what,
            "first_day": absence.first_day.isoformat(),
            "last_day": absence.last_day.isoformat(),
            "deputy": str(absence.deputy_id) if absence.deputy_id else None,
        },
    )
