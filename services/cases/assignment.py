"""Who reviews a case: the person with the fewest cases among those who may act on it now (A11).

`access.able` says who may act. When that changes, the cases of people who may not act any more are
reassigned: at once if a person made the change, and otherwise by the sweeper, for example after a
role that expired or an absence that began at midnight.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    func,
    or_,
    tuple_,
)
from sqlalchemy import case as sql_case
from sqlalchemy import select as choose_columns
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from clients.database import Database, DirectRows
from models.tables.cases import READ_FOR, Case, CaseComment, CaseReading
from rules.access import Permission
from rules.cases import deciding
from rules.cases.kinds import DECIDING, process_of
from rules.cases.process import Party, Status
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from services import access
from services.journal import entries as journal
from services.notices import outbox

ON_THE_DESK = (Status.IN_REVIEW.value, Status.PROCESSING.value, Status.CONFIRMING.value)
"""Statuses in which a case is work for its reviewer."""

HELD = (
    *ON_THE_DESK,
    Status.CHECKING.value,
    Status.CLARIFICATION.value,
    Status.ACCEPTED.value,
)
"""Statuses in which a case has a reviewer, or had one who gets it back.

Once a case is decided, its reviewer stays.
"""

NEAREST_FIRST = frozenset({Permission.CONFIRM_ACCESS})
"""Permissions with which the head of the unit itself decides before those of units above it."""

A_FULL_DESK = 100
"""From this many cases on everybody counts as equally laden, so that counting is cheap."""

BATCH = 25
"""How many cases are reassigned in one unit of work, which keeps others from choosing meanwhile."""

_CHOOSING = 1_245_662_038
TURN = func.pg_advisory_xact_lock(_CHOOSING, bindparam("turn", type_=Integer()))
"""Lets one unit of work at a time choose a reviewer in a unit; the lock lasts until it ends.

Take it in a statement before the one that counts: the count then sees what the last holder
assigned.
"""


def turn_of(unit_id: UUID) -> dict[str, Any]:
    """The parameters of `TURN`."""
    return {"turn": int.from_bytes(unit_id.bytes[-4:], "big", signed=True)}


async def take_turn(session: AsyncSession, unit_id: UUID) -> None:
    """Wait for `TURN`. Call this after locking the case, never before."""
    await session.exec(select(TURN), params=turn_of(unit_id))


@lru_cache
def _least_laden(permission: Permission) -> DirectRows:
    """The people who may act on a case of a unit, the one with the fewest cases first.

    Among equals, the one who has been without a new case for longest comes first, so that a
    reviewer who decides quickly does not get every case. Each person costs one index scan, up to a
    full desk.
    """
    able = access.able(permission)
    theirs = col(Case.reviewer_id) == able.c.person_id
    on_the_desk = (
        choose_columns(col(Case.id))
        .where(theirs, col(Case.closed_at).is_(None), col(Case.status).in_(ON_THE_DESK))
        .limit(A_FULL_DESK)
        .correlate(able)
        .subquery()
    )
    load = select(func.count()).select_from(on_the_desk).scalar_subquery()
    last = select(func.max(col(Case.assigned_at))).where(theirs).scalar_subquery()
    first = [access.height(permission, able.c.person_id)] if permission in NEAREST_FIRST else []
    return DirectRows(
        select(able.c.person_id)
        .where(able.c.person_id != all_(bindparam("barred", type_=ARRAY(Uuid()))))
        .order_by(*first, load, last.nulls_first(), able.c.person_id)
    )


async def choose(
    session: AsyncSession, case: Case, now: datetime
) -> tuple[UUID | None, UUID | None]:
    """Who reviews: the previous reviewer, the deputy of an absent one, or the least laden.

    The second value is the absent person whom a deputy stands in for. The caller holds the `TURN`
    of the case's unit.
    """
    found = await able_to_decide(session, case, now)
    if case.reviewer_id is not None:
        if case.reviewer_id in found:
            return case.reviewer_id, None
        deputy = await access.deputy_of(session, case.reviewer_id, now)
        if deputy in found:
            return deputy, case.reviewer_id
    return (found[0] if found else None), None


async def able_to_decide(session: AsyncSession, case: Case, now: datetime) -> Sequence[UUID]:
    """Who may decide the case now, the one with the fewest cases first."""
    values = {"unit_id": case.responsible_unit_id, "barred": deciding.barred(case), "now": now}
    return await _least_laden(deciding.permission_of(case)).all(session, values)


async def appoint(session: AsyncSession, case: Case, now: datetime) -> None:
    """Assign a locked case that others decide from now on, and tell whoever got it.

    If nobody may decide it, those are told who see to it that somebody does.
    """
    await take_turn(session, case.responsible_unit_id)
    reviewer, absent = await choose(session, case, now)
    give(case, reviewer, now, instead_of=absent)
    session.add(case)
    await journal.append(
        session,
        chain=case.id,
        kind=JournalKind.CASE_ASSIGNED,
        at=now,
        system="clock",
        step=case.step,
        facts={"from": None, "to": str(reviewer) if reviewer else None, "stands_in_for": None},
    )
    to = [reviewer] if reviewer else await overseers_of(session, case, now)
    kind = process_of(case.kind).assigned_notice
    event = f"{case.id}:{case.step}:{kind}"
    if reviewer is None:
        kind = NoticeKind.CASES_WITHOUT_REVIEWER
    facts = {"number": case.number} if reviewer else {"count": 1}
    events = [outbox.NoticeEvent(person, NoticeKind(kind), event, case.id, facts) for person in to]
    await outbox.enqueue_all(session, events, now)


def give(case: Case, to: UUID | None, now: datetime, *, instead_of: UUID | None = None) -> None:
    """Set the reviewer of a locked case. The caller saves and journals the change.

    `instead_of` is who gets the case back after an absence (see `owner_of`); people who give or
    take a case mean it to stay.
    """
    if case.reviewer_id != to:
        case.reviewer_id = to
        case.assigned_at = now if to is not None else None
    case.stands_in_for = instead_of if instead_of != to else None


def owner_of(case: Case) -> UUID | None:
    """Who had the case before anybody stood in."""
    return case.stands_in_for or case.reviewer_id


def has_nobody() -> ColumnElement[bool]:
    """The condition that a case has no reviewer who may act on it now."""
    able, reviewer = access.able_anywhere(DECIDING), col(Case.reviewer_id)
    holder = tuple_(reviewer, col(Case.responsible_unit_id), col(Case.review_permission))
    return or_(
        reviewer.is_(None),
        reviewer == col(Case.applicant_id),
        reviewer == col(Case.subject_id),
        reviewer == any_(col(Case.earlier_reviewers)),
        holder.not_in(choose_columns(able.c.person_id, able.c.unit_id, able.c.permission)),
    )


def _somebody_could() -> ColumnElement[bool]:
    """The condition that somebody who is not barred may act on the case.

    For cases that bar their applicant alone it compares sets, so that there is no look-up for each.
    """
    able, unit, right = (
        access.able_anywhere(DECIDING),
        col(Case.responsible_unit_id),
        col(Case.review_permission),
    )
    places = choose_columns(able.c.unit_id, able.c.permission)
    several = places.group_by(able.c.unit_id, able.c.permission).having(func.count() > 1)
    another = and_(
        tuple_(unit, right).in_(places),
        tuple_(col(Case.applicant_id), unit, right).not_in(
            choose_columns(able.c.person_id, able.c.unit_id, able.c.permission)
        ),
    )
    bars_others = or_(
        col(Case.subject_id).is_not(None), func.cardinality(col(Case.earlier_reviewers)) > 0
    )
    unbarred = choose_columns(able.c.person_id).where(
        able.c.unit_id == unit,
        able.c.permission == right,
        able.c.person_id != col(Case.applicant_id),
        able.c.person_id.is_distinct_from(col(Case.subject_id)),
        able.c.person_id != all_(col(Case.earlier_reviewers)),
    )
    return sql_case(
        (bars_others, unbarred.exists()), else_=or_(tuple_(unit, right).in_(several), another)
    )


def _adrift() -> ColumnElement[bool]:
    """The condition that an open case has to be reassigned.

    A case that waits for people and has no reviewer is among them once somebody can take it.
    """
    waits = col(Case.waits_for) == Party.REVIEWER.value
    return and_(
        col(Case.closed_at).is_(None),
        col(Case.status).in_(HELD),
        has_nobody(),
        or_(col(Case.reviewer_id).is_not(None), and_(waits, _somebody_could())),
    )


def _returning() -> ColumnElement[bool]:
    """The condition that an open case is to be given back: nobody has done anything with it.

    A decision ends standing in. A case that its reviewer has open or has written on stays for now.
    """
    able = access.able_anywhere(DECIDING)
    written = select(CaseComment.id).where(
        col(CaseComment.case_id) == col(Case.id),
        col(CaseComment.by) == col(Case.reviewer_id),
        col(CaseComment.at) >= col(Case.assigned_at),
    )
    read = select(CaseReading.case_id).where(
        col(CaseReading.case_id) == col(Case.id),
        col(CaseReading.person_id) == col(Case.reviewer_id),
        col(CaseReading.at) > bindparam("read_since", type_=DateTime(timezone=True)),
    )
    owner = tuple_(
        col(Case.stands_in_for), col(Case.responsible_unit_id), col(Case.review_permission)
    )
    return and_(
        col(Case.stands_in_for).is_not(None),
        col(Case.closed_at).is_(None),
        col(Case.status).in_(HELD),
        col(Case.stands_in_for) != col(Case.applicant_id),
        owner.in_(choose_columns(able.c.person_id, able.c.unit_id, able.c.permission)),
        ~written.exists(),
        ~read.exists(),
    )


@lru_cache
def _locked(condition: Callable[[], ColumnElement[bool]]) -> SelectOfScalar[Case]:
    """Up to `BATCH` cases of which this is true, locked; those locked by others are skipped."""
    return (
        select(Case)
        .where(condition())
        .order_by(col(Case.id))
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Case)
    )


def is_due() -> ColumnElement[bool]:
    """The condition that `reconcile` would find something, with the parameters that `at` gives."""
    return or_(*(select(Case.id).where(one()).exists() for one in (_returning, _adrift)))


def at(now: datetime) -> dict[str, datetime]:
    """The parameters of the conditions at this moment."""
    return {"now": now, "read_since": now - READ_FOR}


async def reconcile(session: AsyncSession, now: datetime) -> int:
    """Give cases back to owners who have returned, and reassign those whose reviewers may not act.

    Each step takes up to `BATCH` cases. Returns how many were moved.

    A case is reassigned to the person `choose` names, or to nobody. Everything is journaled. A
    person who gets cases is notified once of all of them, and so are heads of cases that were
    reassigned; applicants are not notified.
    """
    back = (await session.exec(_locked(_returning), params=at(now))).all()
    moved = await _pass_on(session, back, now, back=True)
    cases = (await session.exec(_locked(_adrift), params=at(now))).all()
    for unit_id in sorted({case.responsible_unit_id for case in cases}):
        await take_turn(session, unit_id)
    return moved + await _pass_on(session, cases, now)


async def keep(session: AsyncSession, case: Case, now: datetime) -> None:
    """Reassign one locked case if its reviewer may not act on it any more."""
    await take_turn(session, case.responsible_unit_id)
    await _pass_on(session, [case], now)


async def _pass_on(
    session: AsyncSession, cases: Sequence[Case], now: datetime, *, back: bool = False
) -> int:
    """Give each case to its owner (`back`), or to the person `choose` names.

    Returns how many moved.
    """
    moved = 0
    told: dict[tuple[UUID, NoticeKind], list[str]] = {}
    heads: dict[tuple[UUID, str], list[UUID]] = {}
    for case in cases:
        to, absent = (case.stands_in_for, None) if back else await choose(session, case, now)
        if to == case.reviewer_id:
            continue
        before = case.reviewer_id
        give(case, to, now, instead_of=owner_of(case))
        session.add(case)
        entry = await journal.append(
            session,
            chain=case.id,
            kind=JournalKind.CASE_ASSIGNED,
            at=now,
            system="clock",
            step=case.step,
            facts={
                "from": str(before) if before else None,
                "to": str(to) if to else None,
                "stands_in_for": str(absent) if absent else None,
            },
        )
        moved += 1
        where = (case.responsible_unit_id, case.review_permission)
        if where not in heads:
            heads[where] = [] if back else await overseers_of(session, case, now)
        event = f"{case.id}:assigned:{entry.position}"
        kind = NoticeKind.CASES_PASSED_ON if to else NoticeKind.CASES_WITHOUT_REVIEWER
        for person in heads[where]:
            told.setdefault((person, kind), []).append(event)
        if to is not None:
            told.setdefault((to, NoticeKind.CASES_RECEIVED), []).append(event)
    events = [
        outbox.NoticeEvent(person, kind, found[0], facts={"count": len(found)})
        for (person, kind), found in told.items()
    ]
    await outbox.enqueue_all(session, events, now)
    return moved


async def heads_of(session: AsyncSession, unit_id: UUID, now: datetime) -> list[UUID]:
    """Who oversees the reviews of a unit: heads who are present, else all with their deputies."""
    right = Permission.OVERSEE_REVIEWS
    here = await access.present_reviewers(session, unit_id, now, right)
    if here:
        return here
    heads = await access.people_with(session, right, unit_id, now)
    deputies = [await access.deputy_of(session, head, now) for head in heads]
    return list(dict.fromkeys([*(one for one in deputies if one), *heads]))


async def overseers_of(session: AsyncSession, case: Case, now: datetime) -> list[UUID]:
    """Who sees to it that somebody decides the case.

    Where a kind has a permission of its own, these are all who hold it and are not barred, and
    without any, those who watch the operation.
    """
    unit_id, permission = case.responsible_unit_id, deciding.permission_of(case)
    if permission is deciding.USUAL:
        return await heads_of(session, unit_id, now)
    barred = deciding.barred(case)
    held = await access.people_with(session, permission, unit_id, now)
    others = [person for person in held if person not in barred]
    return others or await access.people_with(session, Permission.WATCH_OPERATION, unit_id, now)


async def sweep(database: Database) -> int:
    """Run `reconcile` until nothing is left. Returns how many cases were moved."""
    moved = 0
    while True:
        async with database.work() as session:
            found = await reconcile(session, present())
        moved += found
        if found < BATCH:
            return moved
