"""What OpenAPI promises, asked of the running application by schemathesis, role by role.

Each request is made by a clinician, by a role that is let in, by nobody, and by other roles in
turn. Short by default, always with the same requests; `MEDCAB_CONTRACT=200` asks each operation for
two hundred, new ones at every run, by every role.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as how
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rules.access import Role
from server import create_app
from settings import Settings
from tests.api.test_access_table import NAMES, TABLE, least
from tests.api.world import World, table_settings
from tests.shared.served import Served, served
from tests.shared.servers import Servers
from tests.shared.waiting import PATIENCE

LONGER = int(os.environ.get("MEDCAB_CONTRACT", "0"))
EXAMPLES = LONGER or 2
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    ignored_auth,
]
ASKED_AGAIN = Role.DOCTOR
"""Whose requests are asked again without a session, which is the last of the checks."""
OTHERS = [role for role in Role if role is not ASKED_AGAIN]
TAKING_TURNS = 2
"""How many of the others ask for an operation beside who is let in; with LONGER, all of them do."""
load_all_checks()
HOW = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
LABELS = [route for route in TABLE if " /api/v1/" in route]


@cache
def operations() -> dict[str, Any]:
    """What is described, by method and path."""
    described = create_app(table_settings({}, ".")).openapi()
    schema = schemathesis.openapi.from_dict(described, config=HOW)
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    return {one.label: one for one in found if "/api/v1" in one.path}


@dataclass
class Town:
    """The hospital's application at an address."""

    standing: Served
    world: World

    def carried(self, role: Role | None) -> dict[str, Any]:
        """The cookies and the form token of somebody who has just signed in."""
        if role is None:
            return {"headers": {}, "cookies": {}}
        holder = self.standing.run(self.world.holder(role))
        client = self.standing.run(self.world.sign_in(holder.actor))
        return {
            "headers": {"X-CSRF-Token": client.headers["X-CSRF-Token"]},
            "cookies": dict(client.cookies),
        }

    def known(self, path: str) -> dict[str, str]:
        """For the names in a path: things that exist, the clinician's own."""
        things = {**NAMES, **self.standing.run(self.world.holder(Role.DOCTOR)).things}
        things["absence_id"] = things["hr_absence_id"]
        return {name: things[name] for name in re.findall(r"{(\w+)}", path) if name in things}


@pytest.fixture(scope="module")
def town(settings: Settings, servers: Servers) -> Iterator[Town]:
    """One of everybody, at a real server."""
    with served(settings, servers) as standing:
        world = standing.run(World.populate(standing.app, "http://127.0.0.1:8000"))
        yield Town(standing, world)


def cases(operation: Any, known: dict[str, str]) -> st.SearchStrategy[Case[Any]]:
    """Requests as described, and against the description; half of them about what exists."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    strategies = [operation.as_strategy(mode) for mode in modes if mode in possible(operation)]
    if known:
        strategies.append(operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known))
    return st.one_of(strategies)


def possible(operation: Any) -> set[GenerationMode]:
    """Nothing can be wrong about an operation that takes nothing."""
    takes = bool(operation.body) or any(operation.iter_parameters())
    return {GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if takes else [])}


def asking(label: str) -> list[Role | None]:
    """Who asks for an operation; over all operations every role does, many times."""
    if LONGER:
        return [ASKED_AGAIN, *OTHERS, None]
    at = TAKING_TURNS * LABELS.index(label)
    turns = [OTHERS[(at + n) % len(OTHERS)] for n in range(TAKING_TURNS)]
    return list(dict.fromkeys([ASKED_AGAIN, *least(TABLE[label].own)[:1], *turns, None]))


def test_every_role_asks_for_many_operations() -> None:
    """Whichever way the turns fall, no role is left out, and who is let in always asks."""
    assert operations().keys() == set(LABELS)
    asked = Counter(role for label in LABELS for role in asking(label))
    assert set(asked) == {*Role, None}
    assert min(asked.values()) >= 2 * TAKING_TURNS * len(LABELS) // (3 * len(OTHERS))


@pytest.mark.asvs("15.3.1")
@pytest.mark.parametrize("label", LABELS)
def test_the_application_keeps_what_it_promises(town: Town, label: str) -> None:
    """No server error, no status, type or shape that OpenAPI does not name, for any role."""
    operation = operations()[label]
    carried = {role: town.carried(role) for role in asking(label)}

    @given(case=cases(operation, town.known(operation.path)))
    @how(
        max_examples=EXAMPLES,
        derandomize=not LONGER,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Case[Any]) -> None:
        for role, cookies in carried.items():
            answer = case.call(base_url=town.standing.url, timeout=PATIENCE, **cookies)
            checks = CHECKS if role is ASKED_AGAIN else CHECKS[:-1]
            case.validate_response(answer, checks=checks)
            if role is None and operation.definition.raw["security"]:
                assert answer.status_code in (400, 401, 405, 404, 413, 415, 422), answer.status_code

    ask()
