"""What an account may do by how far its owner is known."""

from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col

from models.tables.accounts import Account
from models.tables.people import Person
from rules.access import NEEDED_STATE, WITHOUT_ROLE, Actor, Grant, Permission, Role
from rules.accounts import AccountState
from rules.clock import now
from rules.refusals import Refusal
from services.access import actor_for, people_with
from tests.accounts.test_access import person
from tests.shared.accounts import House, account_with_password

UNIT = uuid4()


def doctor(state: AccountState) -> Actor:
    """A doctor whose account is in this state."""
    grant = Grant(Role.DOCTOR, frozenset({UNIT}))
    return Actor(uuid4(), "Анна", UNIT, (grant,), state=state)


@pytest.mark.parametrize("state", AccountState)
def test_a_permission_opens_with_the_state_that_the_table_names(state: AccountState) -> None:
    """Registered people keep documents, active ones apply; the unit and the token count as ever."""
    actor = doctor(state)
    for permission in Permission:
        granted = doctor(AccountState.CONFIRMED).may(permission)
        needed = NEEDED_STATE.get(permission, AccountState.REGISTERED)
        assert actor.may(permission) is (granted and state.reaches(needed)), permission
        held = actor.may(permission) and permission not in WITHOUT_ROLE
        assert actor.units_with(permission) == ({UNIT} if held else set()), permission
    assert actor.may(Permission.CONFIRM_ACCOUNT), "whatever the state: it is how one leaves it"
    assert actor.may(Permission.KEEP_DOCUMENTS)
    assert actor.may(Permission.APPLY) is (state is not AccountState.REGISTERED)


def test_who_is_not_known_enough_is_told_so() -> None:
    """What only the state closes says which state opens it; what no role gives says nothing."""
    with pytest.raises(Refusal) as closed:
        doctor(AccountState.REGISTERED).demand(Permission.APPLY, UNIT)
    assert (closed.value.code, closed.value.status) == ("account_state", 403)
    assert closed.value.facts == {"needed": "active"}
    for permission, unit in ((Permission.REVIEW, None), (Permission.APPLY, uuid4())):
        with pytest.raises(Refusal, match="forbidden"):
            doctor(AccountState.ACTIVE).demand(permission, unit)
    doctor(AccountState.ACTIVE).demand(Permission.APPLY, UNIT)


async def test_the_state_is_read_with_the_person(house: House) -> None:
    """By everything that asks who may: for one person, and for all of a unit."""
    who = await person(house, house.ward, (Role.DOCTOR, house.ward))
    for state in (None, *AccountState):
        async with house.container.database.work() as session:
            if state is AccountState.REGISTERED:
                session.add(account_with_password(await session.get_one(Person, who), now()))
                await session.flush()
            if state is not None:
                await session.exec(
                    update(Account).where(col(Account.person_id) == who).values(state=state)
                )
            opened = state is not AccountState.REGISTERED
            assert (await actor_for(session, who, now())).may(Permission.APPLY) is opened
            found = await people_with(session, Permission.APPLY, house.ward, now())
            assert (who in found) is opened
