"""People with their accounts, found by name, post, unit and state.

Who may see and who may manage people is decided here, for pages and the API alike. Names are
encrypted and have no index, which would show who bears a common one: they are decrypted in batches
and compared here. So a search costs time in proportion to the people of the units that whoever asks
may see, at most `MOST` of them.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, true
from sqlalchemy import select as choose
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import Account, Invitation
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.refusals import forbidden, not_found
from rules.staff.people import MOST_AT_ONCE, PersonState
from rules.texts.cleaning import in_order, searched
from rules.texts.mail_addresses import folded
from services import access
from services.accounts.sign_in import login_of

PAGE = 50
BATCH = 1000
MOST = 20 * BATCH
"""How many people one search compares. Of a larger institution, a unit is to be chosen."""
MOST_WORDS = 10


@dataclass(frozen=True)
class PeopleQuery:
    """What is asked for. Words must all occur in name or post; with «@» it is a mail address."""

    text: str = ""
    unit_id: UUID | None = None
    """The unit with those below it."""
    state: PersonState | None = None
    """None: everybody who works here."""


@dataclass(frozen=True)
class PersonLine:
    """A person in the list."""

    id: UUID
    name: str
    position: str
    unit: str
    state: PersonState


@dataclass(frozen=True)
class PeoplePage:
    """One page of the list, by name. `more` says that not all people could be compared."""

    lines: Sequence[PersonLine]
    found: int
    page: int
    pages: int
    more: bool


def seen_units(actor: Actor) -> frozenset[UUID]:
    """The units whose people the person may see. Raises Refusal 403 where there are none."""
    units = actor.units_with(Permission.VIEW_PEOPLE)
    if not units:
        raise forbidden()
    return units


def may_manage(actor: Actor, person: Person) -> bool:
    """Whether the person may act on another's account: never on the own one."""
    return person.id != actor.person_id and actor.may(Permission.MANAGE_PEOPLE, person.unit_id)


async def to_invite(
    session: AsyncSession,
    actor: Actor,
    query: PeopleQuery,
    people: Sequence[UUID],
    now: datetime,
) -> list[PersonLine]:
    """The people named whom the actor may invite; without names, those whom the query finds.

    At most `MOST_AT_ONCE`, in the order of names. Raises Refusal 403.
    """
    units = actor.units_with(Permission.MANAGE_PEOPLE)
    if not units:
        raise forbidden()
    found, _ = await _found(session, units, query, now, people)
    without = [PersonState.NONE, PersonState.INVITED]
    if people:
        # One who never finished signing in may be named; the act finds out.
        without.append(PersonState.ACTIVE)
    return [line for line in found if line.state in without][:MOST_AT_ONCE]


async def look_at(session: AsyncSession, actor: Actor, person_id: UUID) -> Person:
    """The person, if whoever asks may see them. Raises Refusal 403 and 404."""
    units = seen_units(actor)
    person = await session.get(Person, person_id)
    if person is None or person.unit_id not in units:
        raise not_found()
    return person


def _is_invited(now: datetime) -> Any:
    """The condition that the person has an invitation that is still valid."""
    waiting = select(Invitation.id).where(
        col(Invitation.person_id) == col(Person.id),
        col(Invitation.ended_at).is_(None),
        col(Invitation.ends_at) > now,
    )
    return waiting.exists()


def state_at(now: datetime) -> Any:
    """The state of an account as a column, in a query of `Person` joined with `Account`."""
    return case(
        (col(Person.left_at) <= now, PersonState.LEFT.value),
        (col(Account.locked_at).is_not(None), PersonState.LOCKED.value),
        (col(Account.person_id).is_not(None), PersonState.ACTIVE.value),
        (_is_invited(now), PersonState.INVITED.value),
        else_=PersonState.NONE.value,
    )


async def page(
    session: AsyncSession, actor: Actor, query: PeopleQuery, now: datetime, number: int = 1
) -> PeoplePage:
    """A page of the people whom the person may see, in the order of names. Raises Refusal 403."""
    found, more = await _found(session, seen_units(actor), query, now)
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(number, 1), pages)
    return PeoplePage(found[(number - 1) * PAGE : number * PAGE], len(found), number, pages, more)


async def _found(
    session: AsyncSession,
    units: frozenset[UUID],
    query: PeopleQuery,
    now: datetime,
    people: Sequence[UUID] = (),
) -> tuple[list[PersonLine], bool]:
    """The people of these units whom a query finds, by name; whether there were too many.

    With `people`, only they are looked at.
    """
    if query.unit_id is not None:
        units &= await access.units_below(session, query.unit_id)
    words = searched(query.text).split()[:MOST_WORDS]
    address = folded(query.text) if "@" in query.text else ""
    found, compared = [], 0
    async for line, email in _all(
        session, units, query.state, now, addresses=bool(address), people=people
    ):
        compared += 1
        if compared > MOST:
            break
        text = f"{searched(line.name)} {searched(line.position)}"
        if folded(email) == address if address else all(word in text for word in words):
            found.append(line)
    found.sort(key=lambda line: (in_order(line.name), line.id))
    return found, compared > MOST


async def _all(
    session: AsyncSession,
    units: frozenset[UUID],
    state: PersonState | None,
    now: datetime,
    *,
    addresses: bool,
    people: Sequence[UUID],
) -> AsyncIterator[tuple[PersonLine, str]]:
    """The people of these units, in batches, so that other requests go on in between."""
    shown = state_at(now)
    query = (
        choose(
            col(Person.id),
            col(Person.name),
            col(Person.position),
            col(Unit.name).label("unit"),
            shown.label("state"),
            *([col(Person.email)] if addresses else []),
        )
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .outerjoin(Account, col(Account.person_id) == col(Person.id))
        .where(
            col(Person.unit_id).in_(units),
            col(Person.id).in_(people) if people else true(),
            shown == state.value if state else shown != PersonState.LEFT.value,
        )
        .order_by(col(Person.id))
        .limit(BATCH)
    )
    connection = await session.connection()
    last: UUID | None = None
    while True:
        here = query if last is None else query.where(col(Person.id) > last)
        rows = (await connection.execute(here)).all()
        for row in rows:
            email = row.email if addresses else ""
            yield (
                PersonLine(row.id, row.name, row.position, row.unit, PersonState(row.state)),
                email,
            )
        if len(rows) < BATCH:
            return
        last = rows[-1].id


async def units_of(session: AsyncSession, actor: Actor) -> Sequence[tuple[UUID, str]]:
    """The units whose people the person may see, by name. Raises Refusal 403."""
    found = await session.exec(
        select(Unit.id, Unit.name).where(col(Unit.id).in_(seen_units(actor)))
    )
    return sorted(found.all(), key=lambda unit: in_order(unit[1]))


async def by_address(session: AsyncSession, email: str) -> Person:
    """Whoever has this mail address: who signs in with it, else who works here, else who left.

    Addresses are encrypted: all of them are read, in batches. Raises Refusal 404.
    """
    wanted = folded(email)
    account = await session.exec(select(Account.person_id).where(Account.login == login_of(wanted)))
    person_id = account.one_or_none()
    last: UUID | None = None
    while person_id is None:
        rows = await session.exec(
            select(Person.id, Person.email)
            .where(col(Person.id) > last if last else true())
            .order_by(col(Person.id))
            .limit(BATCH)
        )
        batch = rows.all()
        found = [id_ for id_, address in batch if folded(address) == wanted]
        if found:
            here = await session.exec(
                select(Person.id).where(col(Person.id).in_(found), col(Person.left_at).is_(None))
            )
            person_id = here.first() or found[0]
        elif len(batch) < BATCH:
            raise not_found()
        else:
            last = batch[-1][0]
    return await session.get_one(Person, person_id)
