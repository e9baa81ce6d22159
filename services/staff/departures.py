"""Departure and transfer: roles end, access ends, and nobody's case is left lying (I8).

From the moment in `Person.left_at` on nothing is open to the person, whichever process looks. The
rest is done at once if that moment is the present, and otherwise by the sweeper: grants end in the
table too, cases under review go back to the unit, and those who have a word on the person's own
open cases are told.
"""

from collections import Counter
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlalchemy import select as choose
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.base import Moment
from models.tables.cases import Case
from models.tables.credentials import Credential
from models.tables.people import Person, RoleGrant, Unit
from rules.access import Permission
from rules.cases.kinds import SEEN_BY_HEADS
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from services import access, own_workflows
from services.accounts.sessions import end_access
from services.cases import assignment
from services.journal import entries as journal
from services.meetings import sweep as meetings
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.results import looking as results
from services.staff import invitations
from services.staff.acting import demand_successor, manages_people

SYSTEM = "departure"


async def carry_out(session: AsyncSession, person: Person, now: datetime) -> None:
    """Detach everything from a person, locked, whose last moment has come."""
    left_at = person.left_at or now
    for grant in await _grants(session, person.id, left_at):
        await _end(session, grant, left_at, now, "left")
    await end_access(session, person.id, "left", now)
    await invitations.end(session, person.id, "left", now)
    person.departed_at = now
    session.add(person)
    await session.flush()
    await assignment.reconcile(session, now)
    await meetings.left(session, person.id, now)
    await _credentials_look(session, person, now)
    await results.person_changed(session, person.id, now)
    told = await _tell_of_cases(session, person.id, now)
    await journal.append(
        session,
        chain=person.id,
        kind=JournalKind.PERSON_LEFT,
        at=now,
        system=SYSTEM,
        facts={"left_at": left_at.isoformat(), "told_of_cases": told},
        lock=True,
    )


def is_due(now: Moment) -> ColumnElement[bool]:
    """The condition that somebody's last moment has come, and nothing was done about it."""
    return and_(col(Person.left_at) <= now, col(Person.departed_at).is_(None))


async def sweep(database: Database) -> int:
    """Carry out all departures whose moment has come. Returns how many there were."""
    done = 0
    while True:
        now = present()
        async with database.work() as session:
            found = await session.exec(
                select(Person)
                .where(is_due(now))
                .order_by(col(Person.left_at))
                .limit(1)
                .with_for_update(skip_locked=True, key_share=True)
            )
            person = found.first()
            if person is None:
                return done
            await carry_out(session, person, now)
        done += 1


async def transfer(session: AsyncSession, person: Person, to: UUID, now: datetime) -> None:
    """Move a person, locked, to another unit, and end what was held on account of the old one.

    These are grants in the old unit, below it and above it, except those that hold in the new unit
    as well, such as one for the whole institution. Sessions and tokens end too: whoever works
    elsewhere now begins there. The person is told. Raises Refusal 409 if nobody
    would be left to manage people somewhere. The caller has waited for its turn, and gives the
    person's cases to others afterwards (`assignment.reconcile`).
    """
    above_old, above_new = await _lineage(session, person.unit_id), await _lineage(session, to)
    of_old = above_old | await access.units_below(session, person.unit_id)
    grants = await _grants(session, person.id, now)
    ending = [one for one in grants if one.unit_id in of_old and one.unit_id not in above_new]
    kept = [one.unit_id for one in grants if one not in ending and manages_people(one)]
    keeps = [await access.units_below(session, unit_id) for unit_id in kept]
    await demand_successor(session, person.id, now, frozenset().union(*keeps))
    for grant in ending:
        await _end(session, grant, now, now, "transferred")
    await end_access(session, person.id, "transferred", now)
    person.unit_id = to
    session.add(person)
    await session.flush()
    await _credentials_look(session, person, now)
    await results.person_changed(session, person.id, now)
    key = f"{person.id}:transferred:{now.isoformat()}"
    told = NoticeEvent(person.id, NoticeKind.TRANSFERRED, key)
    await outbox.enqueue_all(session, [told], now)


async def _credentials_look(session: AsyncSession, person: Person, now: datetime) -> None:
    """The ends of credentials count by the days of the unit, and for who works here."""
    theirs = col(Credential.owner_id) == person.id
    await own_workflows.ask_to_look(session, Credential, "wakes_at", theirs, now)


async def _grants(session: AsyncSession, person_id: UUID, at: datetime) -> list[RoleGrant]:
    """The grants of a person that hold at this moment or later, locked."""
    found = await session.exec(
        select(RoleGrant)
        .where(
            RoleGrant.person_id == person_id,
            col(RoleGrant.valid_until).is_(None) | (col(RoleGrant.valid_until) > at),
        )
        .order_by(col(RoleGrant.id))
        .with_for_update()
    )
    return list(found.all())


async def _end(
    session: AsyncSession, grant: RoleGrant, at: datetime, now: datetime, why: str
) -> None:
    """End a grant; one that would have begun later never begins."""
    grant.valid_until = max(at, grant.valid_from)
    session.add(grant)
    await journal.append(
        session,
        chain=grant.person_id,
        kind=JournalKind.ROLE_ENDED,
        at=now,
        system=SYSTEM,
        facts={
            "role": grant.role,
            "unit": str(grant.unit_id),
            "until": grant.valid_until.isoformat(),
            "why": why,
        },
        lock=True,
    )


async def _lineage(session: AsyncSession, unit_id: UUID) -> frozenset[UUID]:
    """A unit with all units above it."""
    above = choose(col(Unit.id), col(Unit.parent_id)).where(col(Unit.id) == unit_id)
    line = above.cte("above", recursive=True)
    line = line.union(
        choose(col(Unit.id), col(Unit.parent_id)).join(line, col(Unit.id) == line.c.parent_id)
    )
    connection = await session.connection()
    return frozenset((await connection.execute(choose(line.c.id))).scalars())


async def _tell_of_cases(session: AsyncSession, person_id: UUID, now: datetime) -> int:
    """Tell those who have a word on the person's open cases. Returns how many people were told.

    That is the head of the unit of an application; where there is none, and for kinds that heads of
    units do not see, whoever sees to it that the case is decided.
    """
    found = await session.exec(
        select(Case).where(
            Case.applicant_id == person_id,
            col(Case.closed_at).is_(None),
            col(Case.number).is_not(None),
        )
    )
    heads: dict[tuple[UUID, Permission], list[UUID]] = {}
    told: Counter[UUID] = Counter()
    for case in found.all():
        people: list[UUID] = []
        if case.kind in SEEN_BY_HEADS:
            key = (case.unit_id, Permission.VIEW_UNIT_CASES)
            if key not in heads:
                heads[key] = await access.people_with(session, key[1], key[0], now)
            people = heads[key]
        if not people:
            people = await assignment.overseers_of(session, case, now)
        told.update(people)
    events = [
        NoticeEvent(
            head,
            NoticeKind.APPLICANT_LEFT,
            f"{person_id}:left:{now.isoformat()}",
            facts={"count": count},
        )
        for head, count in sorted(told.items())
        if head != person_id
    ]
    await outbox.enqueue_all(session, events, now)
    return len(events)
