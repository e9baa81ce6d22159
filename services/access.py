"""Who may do what at this moment: rights, who holds them in a unit, and who stands in.

Rights are read in one query each time they are needed, so a change of rights applies to the next
request, even of a session that is open already (requirement I7).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    ScalarSelect,
    Subquery,
    bindparam,
    func,
    literal,
    or_,
    true,
    union_all,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from models.tables.accounts import Account
from models.tables.base import UtcDateTime
from models.tables.people import Absence, Person, RoleGrant, Unit
from rules.access import NEEDED_STATE, Actor, Grant, Permission, giving, right_named
from rules.accounts import AccountState
from rules.clock import now as present
from rules.refusals import not_found

_NOW = bindparam("now", type_=UtcDateTime(), callable_=present)
"""The moment that a query asks about: the parameter `now`, or the present if it is not given."""

_DEPUTIES_IN_A_ROW = 5


def is_valid_now() -> ColumnElement[bool]:
    """The condition that a grant is valid at the moment bound as `now`."""
    until = col(RoleGrant.valid_until)
    return (col(RoleGrant.valid_from) <= _NOW) & or_(until.is_(None), until > _NOW)


def works_here() -> ColumnElement[bool]:
    """The condition that a person has not left by the moment bound as `now`."""
    left = col(Person.left_at)
    return or_(left.is_(None), left > _NOW)


def works(person: Person, now: datetime) -> bool:
    """Whether a person has not left by `now`, as `works_here` says it in a query."""
    return person.left_at is None or person.left_at > now


def can_sign_in() -> ColumnElement[bool]:
    """The condition that a person's account is not locked at the moment bound as `now`."""
    locked = select(Account.person_id).where(
        col(Account.person_id) == col(Person.id), col(Account.locked_at) <= _NOW
    )
    return ~locked.exists()


def is_known_enough(permission: Permission) -> ColumnElement[bool]:
    """The condition that the state of a person's account does not keep the permission closed."""
    needed = NEEDED_STATE.get(permission, AccountState.REGISTERED)
    lower = [state.value for state in AccountState if not state.reaches(needed)]
    if not lower:
        return true()
    closed = select(Account.person_id).where(
        col(Account.person_id) == col(Person.id), col(Account.state).in_(lower)
    )
    return ~closed.exists()


def held_grants(person_id: ColumnElement[Any] | ScalarSelect[Any]) -> ScalarSelect[Any]:
    """The valid grants of a person as JSON `{right: [unit, …]}`, units below included.

    Select it beside anything else that a query reads. Needs the parameter `now`.
    """
    held = (
        select(RoleGrant.role, RoleGrant.unit_id)
        .where(col(RoleGrant.person_id) == person_id, is_valid_now())
        .cte("held", recursive=True)
    )
    held = held.union(
        select(held.c.role, col(Unit.id)).join(held, col(Unit.parent_id) == held.c.unit_id)
    )
    by_role = (
        select(held.c.role, func.array_agg(held.c.unit_id).label("units"))
        .group_by(held.c.role)
        .subquery("by_role")
    )
    return select(func.json_object_agg(by_role.c.role, by_role.c.units)).scalar_subquery()


def grants_of(held: Mapping[str, Sequence[str]] | None) -> tuple[Grant, ...]:
    """The grants out of what `held_grants` selected."""
    return tuple(
        Grant(right_named(name), frozenset(map(UUID, units)))
        for name, units in sorted((held or {}).items())
    )


_ACTOR = (
    select(
        col(Person.name),
        col(Person.unit_id),
        col(Account.state),
        held_grants(bindparam("person_id")).label("grants"),
    )
    .outerjoin(Account, col(Account.person_id) == col(Person.id))
    .where(col(Person.id) == bindparam("person_id"), works_here())
)


async def actor_for(session: AsyncSession, person_id: UUID, now: datetime) -> Actor:
    """The person with the rights held at `now`.

    Without an account there is no state that could keep a right closed. Raises Refusal 404 for one
    who does not work here.
    """
    row = (await session.exec(_ACTOR, params={"person_id": person_id, "now": now})).one_or_none()
    if row is None:
        raise not_found()
    name, unit_id, state, grants = row
    reached = AccountState(state) if state else AccountState.CONFIRMED
    return Actor(person_id, name, unit_id, grants_of(grants), state=reached)


@lru_cache
def _lineage(*, of_unit: bool) -> CTE:
    """Each unit with itself and all units above it: for the unit bound as `unit_id`, or for all."""
    unit, parent = aliased(Unit), aliased(Unit)
    lineage = (
        select(
            col(unit.id).label("unit_id"),
            col(unit.id).label("above_id"),
            col(unit.time_zone).label("time_zone"),
            literal(0).label("height"),
        )
        .where(col(unit.id) == bindparam("unit_id") if of_unit else true())
        .cte("lineage", recursive=True)
    )
    child = aliased(Unit)
    return lineage.union(
        select(lineage.c.unit_id, col(parent.id), lineage.c.time_zone, lineage.c.height + 1)
        .join(child, col(child.id) == lineage.c.above_id)
        .join(parent, col(parent.id) == col(child.parent_id))
    )


def height(permission: Permission, person_id: ColumnElement[Any]) -> ScalarSelect[Any]:
    """How far above the unit bound as `unit_id` a person's nearest grant of the permission is."""
    lineage = _lineage(of_unit=True)
    return (
        select(func.min(lineage.c.height))
        .select_from(RoleGrant)
        .join(lineage, col(RoleGrant.unit_id) == lineage.c.above_id)
        .where(
            col(RoleGrant.person_id) == person_id,
            _gives(permission),
            is_valid_now(),
        )
        .scalar_subquery()
    )


def _gives(permission: Permission) -> ColumnElement[bool]:
    """The condition that a grant gives the permission, by a role or by itself."""
    return col(RoleGrant.role).in_(sorted(giving(permission)))


@lru_cache
def holding(permission: Permission, *, of_unit: bool = True) -> Subquery:
    """Who holds the permission in which unit, as `person_id` and `unit_id`.

    A grant counts in its unit and in the units below. People who have left or are locked are left
    out. Needs the parameter `now`, and `unit_id` for one unit.
    """
    lineage = _lineage(of_unit=of_unit)
    return (
        select(col(RoleGrant.person_id), lineage.c.unit_id, lineage.c.time_zone)
        .distinct()
        .join(lineage, col(RoleGrant.unit_id) == lineage.c.above_id)
        .join(Person, col(Person.id) == col(RoleGrant.person_id))
        .where(
            _gives(permission),
            is_valid_now(),
            works_here(),
            can_sign_in(),
            is_known_enough(permission),
        )
        .subquery("holding")
    )


@lru_cache
def holding_for_good(permission: Permission) -> Subquery:
    """Who holds the permission in which unit with no end in sight, and has an account to use it.

    Left out besides those of `holding`: people whose departure is set, and grants with an end.
    Needs the parameter `now`.
    """
    lineage = _lineage(of_unit=False)
    return (
        select(col(RoleGrant.person_id), lineage.c.unit_id)
        .distinct()
        .join(lineage, col(RoleGrant.unit_id) == lineage.c.above_id)
        .join(Person, col(Person.id) == col(RoleGrant.person_id))
        .join(Account, col(Account.person_id) == col(Person.id))
        .where(
            _gives(permission),
            is_valid_now(),
            col(RoleGrant.valid_until).is_(None),
            col(Person.left_at).is_(None),
            col(Account.locked_at).is_(None),
        )
        .subquery("for_good")
    )


async def units_below(session: AsyncSession, unit_id: UUID) -> frozenset[UUID]:
    """The unit with all units below it; empty for a unit that is not there."""
    below = select(col(Unit.id)).where(Unit.id == unit_id).cte("below", recursive=True)
    below = below.union(select(col(Unit.id)).join(below, col(Unit.parent_id) == below.c.id))
    return frozenset((await session.exec(select(below.c.id))).all())


@lru_cache
def able(permission: Permission = Permission.REVIEW, *, of_unit: bool = True) -> Subquery:
    """Who may act on cases now: those of `holding` who are not absent by the unit's calendar (A11).

    Choosing a reviewer, reminding, counting and reassigning all use this definition.
    """
    held = holding(permission, of_unit=of_unit)
    today = sql_cast(func.timezone(held.c.time_zone, _NOW), Date)
    away = select(Absence.id).where(
        col(Absence.person_id) == held.c.person_id,
        col(Absence.first_day) <= today,
        col(Absence.last_day) >= today,
    )
    return select(held.c.person_id, held.c.unit_id).where(~away.exists()).subquery("able")


@lru_cache
def able_anywhere(permissions: tuple[Permission, ...]) -> CTE:
    """`able` for each of these permissions and all units, evaluated once in a query."""
    found = [(one, able(one, of_unit=False)) for one in permissions]
    parts = [
        select(held.c.person_id, held.c.unit_id, literal(one.value).label("permission"))
        for one, held in found
    ]
    return (union_all(*parts) if len(parts) > 1 else parts[0]).cte("able_anywhere")


@lru_cache
def _people(found: Subquery) -> SelectOfScalar[UUID]:
    return select(found.c.person_id).order_by(found.c.person_id)


async def people_with(
    session: AsyncSession, permission: Permission, unit_id: UUID, now: datetime
) -> list[UUID]:
    """Everybody who holds the permission in the unit, by a grant there or in a unit above it."""
    query = _people(holding(permission))
    found = await session.exec(query, params={"unit_id": unit_id, "now": now})
    return list(found)


async def nearest_heads(
    session: AsyncSession, unit_id: UUID, but: UUID, now: datetime
) -> list[UUID]:
    """The heads of a unit, or of the nearest one above that has one; never the person `but`."""
    heads = holding(Permission.CONFIRM_ACCESS)
    found = await session.exec(
        select(heads.c.person_id, height(Permission.CONFIRM_ACCESS, heads.c.person_id)).where(
            heads.c.person_id != but
        ),
        params={"unit_id": unit_id, "now": now},
    )
    above = found.all()
    nearest = min((one for _, one in above), default=None)
    return [person for person, one in above if one == nearest]


async def zone_of(session: AsyncSession, unit_id: UUID) -> ZoneInfo:
    """The time zone of a unit."""
    return ZoneInfo((await session.get_one(Unit, unit_id)).time_zone)


async def day_in(session: AsyncSession, unit_id: UUID, now: datetime) -> date:
    """The present day in the zone of a unit."""
    return now.astimezone(await zone_of(session, unit_id)).date()


async def present_reviewers(
    session: AsyncSession,
    unit_id: UUID,
    now: datetime,
    permission: Permission = Permission.REVIEW,
) -> list[UUID]:
    """Those of `people_with` who are not absent today, by the calendar of the unit (A11)."""
    query = _people(able(permission))
    found = await session.exec(query, params={"unit_id": unit_id, "now": now})
    return list(found)


async def deputy_of(session: AsyncSession, person_id: UUID, now: datetime) -> UUID | None:
    """Who stands in for an absent person today; None if the person is here, or nobody stands in.

    If the deputy is absent too, the deputy's own deputy is taken, and so on.
    """
    person = await session.get(Person, person_id)
    if person is None:
        return None
    today = await day_in(session, person.unit_id, now)
    seen = {person_id}
    present: UUID | None = person_id
    while present is not None and len(seen) <= _DEPUTIES_IN_A_ROW:
        absence = (
            await session.exec(
                select(Absence)
                .where(
                    col(Absence.person_id) == present,
                    col(Absence.first_day) <= today,
                    col(Absence.last_day) >= today,
                )
                .order_by(col(Absence.deputy_id).is_(None), col(Absence.last_day).desc())
                .limit(1)
            )
        ).one_or_none()
        if absence is None:
            return present if present != person_id else None
        present = absence.deputy_id if absence.deputy_id not in seen else None
        if present is not None:
            seen.add(present)
    return None
