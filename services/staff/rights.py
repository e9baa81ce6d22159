"""The rights of a person at a moment: which grants held, which were over, which had not begun."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.people import Person
from rules.access import Actor, Permission
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from services.journal import entries as journal
from services.staff.card import GrantSeen, grants


class GrantThen(StrEnum):
    """Where a grant stood at a moment."""

    HELD = "held"
    OVER = "over"
    AHEAD = "ahead"


@dataclass(frozen=True)
class RightsThen:
    """A person's grants, each with where it stood at the moment."""

    person_id: UUID
    name: str
    at: datetime
    grants: Sequence[tuple[GrantSeen, GrantThen]]


async def rights_at(
    session: AsyncSession, actor: Actor, person_id: UUID, at: datetime, now: datetime
) -> RightsThen:
    """The rights of a person as they were at `at`, or are now if that is ahead.

    One's own, those of people whom one may see, and those of people in units that one audits; that
    another's were looked at is recorded. Raises `not_found` otherwise.
    """
    person = await session.get(Person, person_id)
    own = person_id == actor.person_id
    if person is None or not (
        own
        or actor.may(Permission.VIEW_PEOPLE, person.unit_id)
        or actor.may(Permission.AUDIT_CASES, person.unit_id)
    ):
        raise not_found()
    if not own:
        await journal.record_view(session, actor, person_id, ViewCode.PERSON_RIGHTS)
    at = min(at, now)
    given = [(one, _stood(one, at)) for one in await grants(session, person_id)]
    return RightsThen(person_id, person.name, at, given)


def _stood(grant: GrantSeen, at: datetime) -> GrantThen:
    if grant.valid_from > at:
        return GrantThen.AHEAD
    if grant.valid_until is not None and grant.valid_until <= at:
        return GrantThen.OVER
    return GrantThen.HELD
