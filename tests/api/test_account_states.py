"""Every route for those not signed in; and, for those not wholly or no more signed in and for the
program of a token, routes of every openness there is.

What keeps these out stands before every right, in the one dependency that all gates have in common;
that each route has a gate is what nobody in particular shows, route by route.
"""

import re
from collections.abc import Collection
from enum import StrEnum
from typing import Any, get_args

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from api.http.auth import SignedIn, SigningIn
from models.tables.accounts import Account
from models.tables.people import Person
from rules.access import ROLE_PERMISSIONS, Permission, Role
from rules.accounts import AccountState, Stage
from rules.clock import now
from tests.api.access import Row
from tests.api.test_access_table import BY_SCRIPT, REFUSED, TABLE, ask, asks_who
from tests.api.world import Whose, World
from tests.shared.accounts import account_with_password


async def test_nobody_in_particular_sees_only_what_is_public(world: World) -> None:
    """Without a session: public routes answer, all others ask to sign in."""
    things = world.things(await world.holder(Role.DOCTOR), Whose.OWN)
    async with world.anonymous() as first:
        page = await first.get("/sign-in")
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found
        cookies = dict(first.cookies)
    wrong = []
    for route, row in TABLE.items():
        async with world.anonymous() as client:
            client.cookies.update(cookies)
            if not route.startswith("GET "):
                client.headers["X-CSRF-Token"] = found.group(1)
            answer = await ask(client, route, row, things)
        if asks_who(answer) is (row.to == "public"):
            wrong.append(f"{route}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def at_every_gate(world: World) -> dict[str, Row]:
    """One that reads and one that changes something, of the API and of the pages, for each gate.

    A gate is what a route declares; all but the public ones ask who it is in one way.
    """
    found: dict[tuple[str, bool, bool], str] = {}
    for route in iter_route_contexts(world.app.routes):
        dependant: Dependant | None = getattr(route, "dependant", None)
        for method in route.methods or () if dependant is not None else ():
            name = f"{method} {route.path}"
            to = TABLE[name].to
            if to not in OPEN_OTHERWISE:
                kept_by = SigningIn if to == "signing_in" else SignedIn
                assert get_args(kept_by)[1].dependency in calls(dependant), name
            found.setdefault((to, method == "GET", "/api/" in name), name)
    return {name: TABLE[name] for name in found.values()}


def calls(dependant: Dependant | None) -> set[Any]:
    """All that is called before a route."""
    if dependant is None:
        return set()
    found = {dependant.call} if dependant.call else set()
    return found.union(*map(calls, dependant.dependencies))


OPEN_OTHERWISE = ("public", "authority")
"""To everybody, and to authorities, which have keys of their own."""


class State(StrEnum):
    """What has become of an account, by which it is kept out whatever its rights are."""

    HALF_SIGNED_IN = "the password was entered, and no code yet"
    NOT_SET_UP = "there is no second factor yet"
    EXPIRED_PASSWORD = "the password is older than 90 days"
    LOCKED = "locked while signed in"
    DISMISSED = "left while signed in"


STAGES = {
    State.HALF_SIGNED_IN: Stage.CODE,
    State.NOT_SET_UP: Stage.SETUP,
    State.EXPIRED_PASSWORD: Stage.PASSWORD,
}


@pytest.mark.asvs("6.3.4")
@pytest.mark.asvs("7.2.1")
@pytest.mark.parametrize("state", State)
async def test_the_state_of_an_account_goes_before_every_right(world: World, state: State) -> None:
    """Somebody who holds all roles, asked at every gate: only what leads in is left (I4, I8)."""
    home = world.office.institution
    actor = await world.office.person(f"Всё и {state.name}", Role.DOCTOR, home)
    async with world.office.database.work() as session:
        session.add_all(world.grants(actor.person_id, Role))
        made = account_with_password(await session.get_one(Person, actor.person_id), now())
        session.add(made)
        await session.flush()
    client = await world.sign_in(actor, STAGES.get(state, Stage.OPEN))
    if state not in STAGES:
        assert (await client.get("/api/v1/session")).status_code == 200
        async with world.office.database.work() as session:
            account = await session.get_one(Account, actor.person_id)
            person = await session.get_one(Person, actor.person_id)
            account.locked_at = now() if state is State.LOCKED else None
            person.left_at = now() if state is State.DISMISSED else None
            session.add_all([account, person])
    things = world.things(await world.holder(Role.DOCTOR), Whose.OWN)
    wrong = []
    for route, row in at_every_gate(world).items():
        leads_in = row.to == "public" or (row.to == "signing_in" and state in STAGES)
        if not leads_in:
            answer = await ask(client, route, row, things)
            if not asks_who(answer):
                wrong.append(f"{route}: {answer.status_code} {answer.headers.get('location')}")
    assert not wrong, "\n".join(wrong)
    still = await client.get("/api/v1/session", headers={"Accept": "application/json"})
    assert (still.status_code, "sign_in_unfinished" in still.text) == (401, state in STAGES)


async def test_an_account_that_is_only_registered_opens_what_needs_no_more(world: World) -> None:
    """Cases come with the next state; documents and qualification do not wait (I1)."""
    actor = await world.office.person("Новый врач", Role.DOCTOR, world.office.ward)
    things = await world.given(actor, actor)
    client = await world.sign_in(actor)
    applies = {role for role in Role if Permission.APPLY in ROLE_PERMISSIONS[role]}
    client.headers["Sec-Fetch-Mode"] = BY_SCRIPT

    async def refused(state: AccountState, about: Collection[str]) -> set[str]:
        async with world.office.database.work() as session:
            account = await session.get_one(Account, actor.person_id)
            account.state = state.value
            session.add(account)
        asked = {route: await ask(client, route, TABLE[route], things) for route in about}
        return {route for route, answer in asked.items() if answer.status_code in REFUSED}

    about = [route for route, row in TABLE.items() if row.own == applies]
    closed = await refused(AccountState.REGISTERED, about)
    open_to_all = set(about) - closed
    kept = ("/documents", "/credentials", "/credential-drafts", "/registers")
    assert {route for route in open_to_all if not any(one in route for one in kept)} == set()
    assert await refused(AccountState.ACTIVE, [one for one in about if one in closed]) == set()


async def test_a_token_opens_no_route_that_is_for_browsers(world: World) -> None:
    """Whatever its owner may: sessions, tokens, passwords and pages refuse access tokens."""
    holder = await world.holder(Role.HR_HEAD)
    client = await world.sign_in(holder.actor)
    made = await client.post("/api/v1/tokens", json={"name": "x", "scope": ["apply", "review"]})
    async with world.anonymous() as program:
        program.headers["Authorization"] = f"Bearer {made.json()['token']}"
        known = (await program.get("/api/v1/session")).json()
        assert known["person_id"] == str(holder.actor.person_id)
        for route, row in at_every_gate(world).items():
            if row.to in ("session", "signing_in"):
                answer = await ask(program, route, row, holder.things)
                assert answer.status_code == 403, route
