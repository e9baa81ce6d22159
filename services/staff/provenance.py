"""How the grants of people came about, whether they stand, and who may end them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from models.tables.people import Person, RoleGrant
from rules.access import Actor, Permission
from rules.refusals import not_found

MAY_END = (Permission.APPROVE_ACCESS, Permission.CONFIRM_ACCESS)
"""With one of these a right is ended at once: by information security, or the head of the unit."""


def is_open(grant: RoleGrant, now: datetime) -> bool:
    """Whether the grant holds now or will hold."""
    return grant.valid_until is None or grant.valid_until > now


def may_end(actor: Actor, grant: RoleGrant, now: datetime) -> bool:
    """Whether the person may end the grant at once: never their own."""
    others = grant.person_id != actor.person_id and is_open(grant, now)
    return others and any(actor.may(permission, grant.unit_id) for permission in MAY_END)


async def to_end(
    session: AsyncSession, actor: Actor, person_id: UUID, grant_id: UUID, now: datetime
) -> str:
    """The name of the person whose grant may be ended. Raises Refusal 404 for others."""
    grant = await session.get(RoleGrant, grant_id)
    if grant is None or grant.person_id != person_id or not may_end(actor, grant, now):
        raise not_found()
    return (await session.get_one(Person, person_id)).name


@dataclass(frozen=True)
class Provenance:
    """How a grant came about and ended: names, and the number of the change that made it."""

    asked_by: str | None
    confirmed_by: str | None
    approved_by: str | None
    number: str | None
    urgent: bool
    ended_by: str | None


async def provenance_of(
    session: AsyncSession, grants: Sequence[RoleGrant]
) -> Mapping[UUID, Provenance]:
    """How each of these grants came about; none for those of bootstrap or demonstration."""
    ids = {
        one
        for grant in grants
        for one in (grant.asked_by, grant.confirmed_by, grant.approved_by, grant.ended_by)
        if one
    }
    people = await session.exec(select(Person.id, Person.name).where(col(Person.id).in_(ids)))
    names: dict[UUID | None, str] = dict(people.all())
    cases = {grant.case_id for grant in grants if grant.case_id}
    found = await session.exec(select(Case.id, Case.number).where(col(Case.id).in_(cases)))
    numbers: dict[UUID | None, str | None] = dict(found.all())
    return {
        grant.id: Provenance(
            names.get(grant.asked_by),
            names.get(grant.confirmed_by),
            names.get(grant.approved_by),
            numbers.get(grant.case_id),
            grant.urgent,
            names.get(grant.ended_by),
        )
        for grant in grants
    }
