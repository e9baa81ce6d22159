"""Rights by unit and time, and who is there to use them."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from models.tables.people import Absence, Person, RoleGrant, Unit
from rules.access import Permission, Role
from rules.clock import now
from rules.refusals import Refusal
from services.access import actor_for, deputy_of, people_with, present_reviewers
from tests.shared.accounts import House


async def unit(house: House, code: str, parent: UUID) -> UUID:
    """A new unit below another."""
    async with house.container.database.work() as session:
        made = Unit(code=code, name=code, parent_id=parent)
        session.add(made)
        await session.flush()
        return made.id


async def person(
    house: House,
    at: UUID,
    *grants: tuple[Role, UUID],
    since: timedelta = timedelta(days=-1),
    until: timedelta | None = None,
    left: datetime | None = None,
) -> UUID:
    """Somebody with these roles, held from `since` until `until`, counted from now."""
    async with house.container.database.work() as session:
        made = Person(
            unit_id=at, position="врач", name="Кто-то", email="x", created_at=now(), left_at=left
        )
        session.add(made)
        await session.flush()
        for role, where in grants:
            session.add(
                RoleGrant(
                    person_id=made.id,
                    role=role,
                    unit_id=where,
                    valid_from=now() + since,
                    valid_until=now() + until if until else None,
                )
            )
        return made.id


async def away(house: House, who: UUID, deputy: UUID | None = None, days: int = 0) -> None:
    """Be away today and `days` more."""
    async with house.container.database.work() as session:
        today = now().date()
        session.add(
            Absence(
                person_id=who,
                first_day=today - timedelta(days=1),
                last_day=today + timedelta(days=1 + days),
                deputy_id=deputy,
            )
        )


async def test_a_role_holds_in_its_unit_and_below(house: House) -> None:
    """A head of a department heads its wards, not its neighbours or the institution (I6)."""
    department = await unit(house, "surgery", house.institution)
    ward = await unit(house, "surgery-1", department)
    room = await unit(house, "surgery-1-a", ward)
    head = await person(house, department, (Role.UNIT_HEAD, department))
    async with house.container.database.work() as session:
        actor = await actor_for(session, head, now())
    right = Permission.VIEW_UNIT_CASES
    assert [actor.may(right, at) for at in (department, ward, room)] == [True] * 3
    assert not actor.may(right, house.institution)
    assert not actor.may(right, house.ward)
    assert actor.units_with(right) == {department, ward, room}


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [(-10, None, True), (-10, 10, True), (10, None, False), (-10, -5, False)],
)
async def test_a_role_holds_for_its_time(
    house: House, since: int, until: int | None, holds: bool
) -> None:
    """Not before its first moment, not after its last."""
    who = await person(
        house,
        house.ward,
        (Role.DOCTOR, house.ward),
        since=timedelta(minutes=since),
        until=None if until is None else timedelta(minutes=until),
    )
    async with house.container.database.work() as session:
        assert (await actor_for(session, who, now())).may(Permission.APPLY) is holds
        found = await people_with(session, Permission.APPLY, house.ward, now())
    assert (who in found) is holds


async def test_who_has_left_is_nobody(house: House) -> None:
    """After the last day there are no rights and no actor (I8)."""
    who = await person(
        house, house.ward, (Role.HR_REVIEWER, house.ward), left=now() - timedelta(seconds=1)
    )
    async with house.container.database.work() as session:
        with pytest.raises(Refusal, match="not_found"):
            await actor_for(session, who, now())
        assert who not in await people_with(session, Permission.REVIEW, house.ward, now())


async def test_people_of_units_above_count_and_below_do_not(house: House) -> None:
    """Whoever reviews in the whole institution reviews in a ward too, not the other way round."""
    place = await unit(house, "above-and-below", house.institution)
    below = await unit(house, "below", place)
    above = await person(house, house.institution, (Role.HR_HEAD, house.institution))
    inside = await person(house, place, (Role.HR_REVIEWER, place))
    deeper = await person(house, below, (Role.HR_REVIEWER, below))
    async with house.container.database.work() as session:
        found = await people_with(session, Permission.REVIEW, place, now())
    assert above in found
    assert inside in found
    assert deeper not in found


async def test_reviewers_on_holiday_are_not_present(house: House) -> None:
    """Work goes to those who are there (A11)."""
    desk = await unit(house, "desk", house.institution)
    here = await person(house, desk, (Role.HR_REVIEWER, desk))
    gone = await person(house, desk, (Role.HR_REVIEWER, desk))
    await away(house, gone)
    async with house.container.database.work() as session:
        present = await present_reviewers(session, desk, now())
        later = await present_reviewers(session, desk, now() + timedelta(days=3))
    assert here in present
    assert gone not in present
    assert gone in later


async def test_a_deputy_is_followed_until_somebody_is_there(house: House) -> None:
    """The deputy of a deputy stands in; a circle of absent people ends with nobody (A11)."""
    first, second, third = [await person(house, house.ward) for _ in range(3)]
    async with house.container.database.work() as session:
        assert await deputy_of(session, first, now()) is None
    await away(house, first, second)
    async with house.container.database.work() as session:
        assert await deputy_of(session, first, now()) == second
    await away(house, second, third)
    async with house.container.database.work() as session:
        assert await deputy_of(session, first, now()) == third
    await away(house, third, first)
    async with house.container.database.work() as session:
        assert await deputy_of(session, first, now()) is None
