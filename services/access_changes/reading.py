"""What pages and programs read of rights: what may be asked for, and the whole matrix (I6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.people import Person, RoleGrant, Unit
from rules.access import Actor, Permission, Right, Role, permissions_of, right_named
from rules.refusals import not_found
from rules.texts.cleaning import in_order
from services import access


@dataclass(frozen=True)
class UnitSeen:
    """A unit, and whether rights may be had there before anybody has decided."""

    id: UUID
    name: str
    urgent: bool


@dataclass(frozen=True)
class GrantHeld:
    """A grant that stands and may be taken."""

    id: UUID
    right: Right
    unit: str


@dataclass(frozen=True)
class AskForm:
    """Whose rights may be changed, where, and what they hold."""

    subject_id: UUID
    name: str
    own: bool
    units: Sequence[UnitSeen]
    held: Sequence[GrantHeld]


async def ask_form(session: AsyncSession, actor: Actor, subject_id: UUID, now: datetime) -> AskForm:
    """What the form needs. Raises Refusal 403, 404 for somebody whose rights one may not ask for.

    The service checks it all again when the form is sent.
    """
    actor.demand(Permission.ASK_ACCESS)
    subject = await session.get(Person, subject_id)
    own = subject_id == actor.person_id
    if subject is None or not (own or actor.may(Permission.MANAGE_PEOPLE, subject.unit_id)):
        raise not_found()
    held = await session.exec(
        select(RoleGrant, Unit.name)
        .join(Unit, col(Unit.id) == col(RoleGrant.unit_id))
        .where(
            RoleGrant.person_id == subject_id,
            col(RoleGrant.valid_until).is_(None) | (col(RoleGrant.valid_until) > now),
        )
        .order_by(col(RoleGrant.valid_from))
    )
    grants = [GrantHeld(grant.id, right_named(grant.role), unit) for grant, unit in held.all()]
    units = (await session.exec(select(Unit))).all()
    seen = [UnitSeen(one.id, one.name, one.urgent_access) for one in units]
    return AskForm(
        subject_id, subject.name, own, sorted(seen, key=lambda one: in_order(one.name)), grants
    )


@dataclass(frozen=True)
class UnitHolders:
    """A unit of the visitor with how many people hold what in it, not those above it."""

    unit: UnitSeen
    holders: Mapping[Right, int]
    may_set_urgent: bool


@dataclass(frozen=True)
class Matrix:
    """Which role has which permissions, and where how many people hold roles and permissions."""

    permissions: Mapping[Permission, frozenset[Role]]
    units: Sequence[UnitHolders]


async def matrix(session: AsyncSession, actor: Actor, now: datetime) -> Matrix:
    """The whole of it, for administrators, security and auditors. Raises Refusal 403."""
    actor.demand(Permission.VIEW_RIGHTS)
    mine = actor.units_with(Permission.VIEW_RIGHTS)
    counted = await session.exec(
        select(RoleGrant.unit_id, RoleGrant.role, func.count(RoleGrant.person_id.distinct()))  # type: ignore[attr-defined]
        .join(Person, col(Person.id) == col(RoleGrant.person_id))
        .where(col(RoleGrant.unit_id).in_(mine), access.is_valid_now(), access.works_here())
        .group_by(col(RoleGrant.unit_id), col(RoleGrant.role)),
        params={"now": now},
    )
    holders: dict[UUID, dict[Right, int]] = {}
    for unit_id, name, count in counted.all():
        holders.setdefault(unit_id, {})[right_named(name)] = count
    units = (await session.exec(select(Unit).where(col(Unit.id).in_(mine)))).all()
    rows = [
        UnitHolders(
            UnitSeen(one.id, one.name, one.urgent_access),
            holders.get(one.id, {}),
            actor.may(Permission.APPROVE_ACCESS, one.id),
        )
        for one in sorted(units, key=lambda one: in_order(one.name))
    ]
    return Matrix(
        {
            one: frozenset(role for role in Role if one in permissions_of(role))
            for one in Permission
        },
        rows,
    )
