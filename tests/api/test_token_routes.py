"""What a token opens: every route, with a right alone, and with all rights but those named."""

import json
import re
from collections.abc import AsyncIterator, Collection, Mapping

import httpx
import pytest

from api.http.openapi import routes
from api.http.token_routes import TOKEN_ROUTES
from rules.access import Permission, Role
from tests.api.access import Row
from tests.api.test_access_table import BY_SCRIPT, TABLE, ask
from tests.api.world import Whose, World
from tests.shared.desk import Desk

P = Permission
APPLIES, REVIEWS, NOTICES = {P.APPLY}, {P.REVIEW}, {P.KEEP_NOTICES}
SEES = {P.APPLY, P.REVIEW, P.VIEW_UNIT_CASES}
TALKS = {P.APPLY, P.REVIEW}

EXPECTED: Mapping[str, set[Permission]] = {
    "GET /api/v1/session": set(P),
    "GET /api/v1/programmes": set(P),
    "GET /api/v1/documents": {P.KEEP_DOCUMENTS},
    "GET /api/v1/documents/versions/{version_id}/file": SEES
    | {P.KEEP_DOCUMENTS, P.VIEW_CREDENTIALS},
    "GET /api/v1/credentials": {P.KEEP_DOCUMENTS},
    "GET /api/v1/credentials/{credential_id}": {P.KEEP_DOCUMENTS, P.VIEW_CREDENTIALS},
    "POST /api/v1/credential-drafts/{draft_id}/finish": {P.KEEP_DOCUMENTS},
    "POST /api/v1/registers/accept": {P.KEEP_DOCUMENTS},
    "GET /api/v1/registers/disputes": {P.CONFIRM_CREDENTIALS},
    "GET /api/v1/notices": NOTICES,
    "GET /api/v1/notices/unread": NOTICES,
    "GET /api/v1/notices/settings": NOTICES,
    "GET /api/v1/notices/{notice_id}/attempts": NOTICES,
    "POST /api/v1/notices/read": NOTICES,
    "GET /api/v1/applications": APPLIES,
    "GET /api/v1/applications/{case_id}": SEES,
    "POST /api/v1/applications/{case_id}/submit": APPLIES,
    "POST /api/v1/applications/{case_id}/decision": REVIEWS,
    "GET /api/v1/requests/{case_id}": TALKS,
    "GET /api/v1/cases/{case_id}/messages": SEES,
    "POST /api/v1/cases/{case_id}/messages": TALKS,
    "GET /api/v1/archive": SEES,
    "POST /api/v1/archive/views": SEES,
    "POST /api/v1/archive/exports": SEES,
    "POST /api/v1/archive/retention/{case_id}/hold": {P.KEEP_ARCHIVE},
    "GET /api/v1/verifications/{case_id}": {P.CONFIRM_ACCOUNT, P.MEET_PEOPLE},
    "POST /api/v1/verifications/{case_id}/submit": {P.CONFIRM_ACCOUNT},
    "GET /api/v1/accreditations/{case_id}/portfolio": SEES,
    "POST /api/v1/accreditations/{case_id}/submit": APPLIES,
    "POST /api/v1/meetings/schedule": {P.MEET_PEOPLE},
    "GET /api/v1/operation": {P.WATCH_OPERATION},
    "POST /api/v1/operation/remedies": {P.OPERATE},
    "GET /api/v1/administration/{subject}": {P.MANAGE_CATALOGUE},
    "POST /api/v1/administration/staff/apply": {P.MANAGE_PEOPLE},
    "GET /api/v1/patients/{patient_id}/record": {P.TREAT},
    "GET /api/v1/patients/{patient_id}/identity": {P.REGISTER_PATIENTS},
    "POST /codec/decode": {P.DECODE_PAYLOADS},
    "GET /fhir/r4/Practitioner/{person_id}": {P.VIEW_CREDENTIALS},
    "POST /fhir/r4/Practitioner/_search": {P.VIEW_CREDENTIALS},
}
"""What the table must say, written down a second time where a mistake would be dear."""


@pytest.fixture(scope="module")
async def programs(
    world: World,
) -> AsyncIterator[Mapping[frozenset[Permission], httpx.AsyncClient]]:
    """Programs of one person who may everything: a token for each right, and for all others."""
    person = (await world.holder(*Role)).actor
    desk = Desk(world.app, world.office)
    scopes: Collection[frozenset[Permission]] = {
        frozenset(P),
        *(frozenset({right}) for right in P),
        *(frozenset(P) - row for row in TOKEN_ROUTES.values()),
    } - {frozenset()}
    made: dict[frozenset[Permission], httpx.AsyncClient] = {}
    for scope in scopes:
        client = await desk.program(person, scope)
        client.base_url = world.base_url
        client.headers["Sec-Fetch-Mode"] = BY_SCRIPT
        made[scope] = client
    yield made
    for client in made.values():
        await client.aclose()


def test_every_route_of_the_api_is_judged(world: World) -> None:
    """A new route that a signed-in person opens has a row, or is closed to tokens by intent."""
    of_people = {"session", "signing_in", "public", "authority"}
    open_to = {
        f"{method} {path}": {one.to for one in rules} for method, path, rules in routes(world.app)
    }
    wanted = {
        route
        for route, to in open_to.items()
        if route.split()[1].startswith(("/api/v1/", "/fhir/")) and not to <= of_people
    }
    assert wanted | {"POST /codec/decode"} == set(TOKEN_ROUTES)
    assert {route: TOKEN_ROUTES[route] for route in EXPECTED} == EXPECTED
    apart = ("/api/v1/rights", "/api/v1/meetings/{meeting_id}")
    assert not [route for route in TOKEN_ROUTES if route.split()[1].startswith(apart)]


async def test_a_token_opens_what_its_rights_name_and_nothing_else(
    world: World, programs: Mapping[frozenset[Permission], httpx.AsyncClient]
) -> None:
    """Reads too: all rights but those named do not open, and are told these; one of them does.

    Which one is another for each route: the gate asks for any of those that it tells.
    """
    things = world.things(await world.holder(*Role), Whose.OWN)
    wrong: list[str] = []
    for number, (route, row) in enumerate(_asked().items()):
        opened_by = TOKEN_ROUTES.get(route, frozenset())
        if others := frozenset(P) - opened_by:
            answer = await ask(programs[others], route, row, things)
            if answer.status_code != 403 or needed(answer) != sorted(opened_by):
                wrong.append(f"{route} without {sorted(opened_by)}: {answer.text}")
        if opened_by:
            right = sorted(opened_by)[number % len(opened_by)]
            answer = await ask(programs[frozenset({right})], route, row, things)
            if answer.status_code == 403 and "needs_one_of" in answer.text:
                wrong.append(f"{route} with {right}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def needed(answer: httpx.Response) -> list[str]:
    """The rights that a refusal names, of which a token needs one."""
    found = re.search(r'"needs_one_of": ?(\[.*?\])', answer.text.replace("\\", ""))
    return json.loads(found[1]) if found else []


def _asked() -> Mapping[str, Row]:
    """Routes that ask who it is, the pages too: nothing there is for tokens."""
    apart = ("public", "session", "signing_in", "authority")
    return {route: row for route, row in TABLE.items() if row.to not in apart}
