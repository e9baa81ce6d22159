"""Every route, for every role, about one's own things, a colleague's and a stranger's.

A route that is not in the table fails, as does a line of the table without its route. The lines
stand in `access_rows` and `page_rows`; a new route needs one there.
"""

import re
from collections.abc import Collection
from uuid import UUID

import httpx
import pytest
from sqlmodel import SQLModel

from api.container import Container
from api.http.openapi import routes
from ops.local.home import CHECKOUT
from rules.access import ROLE_PERMISSIONS, Permission, Right, Role
from server import create_app
from tests.api.absence_rows import ABSENCE_PAGES, ABSENCE_ROWS
from tests.api.access import EVERYBODY, Roles, Row, Things
from tests.api.access_rows import (
    ACCOUNT_ROWS,
    ARCHIVE_ROWS,
    CASE_ROWS,
    DOCUMENT_ROWS,
    OTHER_ROWS,
)
from tests.api.accreditation_rows import ACCREDITATION_PAGES, ACCREDITATION_ROWS
from tests.api.audit_rows import AUDIT_PAGES, AUDIT_ROWS
from tests.api.catalogue_admin_rows import ADMINISTRATION_PAGES, ADMINISTRATION_ROWS
from tests.api.credential_rows import CREDENTIAL_PAGES, CREDENTIAL_ROWS
from tests.api.handover_rows import HANDOVER_PAGES, HANDOVER_ROWS
from tests.api.meeting_rows import MEETING_PAGES, MEETING_ROWS
from tests.api.page_rows import (
    ACCOUNT_PAGES,
    ARCHIVE_PAGES,
    CASE_PAGES,
    DESK_PAGES,
    DOCUMENT_PAGES,
    OTHER_PAGES,
)
from tests.api.patient_rows import PATIENT_PAGES, PATIENT_ROWS
from tests.api.people_rows import PEOPLE_PAGES, PEOPLE_ROWS
from tests.api.record_rows import RECORD_PAGES, RECORD_ROWS
from tests.api.register_rows import REGISTER_PAGES, REGISTER_ROWS
from tests.api.relations import (
    BY_ROLE,
    NAMED_BY_BOOKING,
    OPENS,
    OTHERS,
    PREFIXES,
    Related,
    Relation,
    give_invitation,
    give_related,
)
from tests.api.request_rows import REQUEST_PAGES, REQUEST_ROWS
from tests.api.rights_rows import RIGHTS_PAGES, RIGHTS_ROWS
from tests.api.schedule_rows import SCHEDULE_PAGES, SCHEDULE_ROWS
from tests.api.subscriber_rows import SUBSCRIBER_PAGES, SUBSCRIBER_ROWS
from tests.api.verification_rows import VERIFICATION_PAGES, VERIFICATION_ROWS
from tests.api.world import IN_UNIT, Whose, World, table_settings
from tests.results.rows import RESULT_PAGES, RESULT_ROWS
from tests.shared.administration import SHIPPED

TABLE: dict[str, Row] = {
    **ACCOUNT_ROWS,
    **CASE_ROWS,
    **REQUEST_ROWS,
    **REQUEST_PAGES,
    **DOCUMENT_ROWS,
    **CREDENTIAL_ROWS,
    **CREDENTIAL_PAGES,
    **REGISTER_ROWS,
    **REGISTER_PAGES,
    **RECORD_ROWS,
    **RECORD_PAGES,
    **ARCHIVE_ROWS,
    **OTHER_ROWS,
    **ADMINISTRATION_ROWS,
    **ADMINISTRATION_PAGES,
    **ACCOUNT_PAGES,
    **CASE_PAGES,
    **DOCUMENT_PAGES,
    **DESK_PAGES,
    **ARCHIVE_PAGES,
    **OTHER_PAGES,
    **ACCREDITATION_ROWS,
    **ACCREDITATION_PAGES,
    **VERIFICATION_ROWS,
    **VERIFICATION_PAGES,
    **MEETING_ROWS,
    **MEETING_PAGES,
    **PEOPLE_ROWS,
    **PEOPLE_PAGES,
    **AUDIT_ROWS,
    **AUDIT_PAGES,
    **RIGHTS_ROWS,
    **RIGHTS_PAGES,
    **HANDOVER_ROWS,
    **HANDOVER_PAGES,
    **SUBSCRIBER_ROWS,
    **SUBSCRIBER_PAGES,
    **RESULT_ROWS,
    **RESULT_PAGES,
    **PATIENT_ROWS,
    **PATIENT_PAGES,
    **SCHEDULE_ROWS,
    **SCHEDULE_PAGES,
    **ABSENCE_ROWS,
    **ABSENCE_PAGES,
}

REFUSED = frozenset({401, 403, 404})
SPENDS_ITSELF = frozenset(
    {
        "DELETE /api/v1/session",
        "DELETE /api/v1/sessions",
        "POST /api/v1/second-factor/recovery-codes",
        "DELETE /api/v1/second-factor/passkeys/{passkey_id}",
        "DELETE /api/v1/second-factor/{method}",
        "POST /profile/second-factor/passkeys/{passkey_id}/remove",
        "POST /profile/second-factor/{method}/remove",
        "POST /profile/second-factor/recovery-codes",
        "POST /profile/sessions/end-others",
        "POST /sign-out",
    }
)
"""Asked last, because nothing of that person's is left afterwards."""
LOCKS = frozenset(
    {
        "POST /profile/lock",
        "POST /api/v1/account/lock",
        "POST /risks/{event_id}/lock",
        "POST /api/v1/risk-events/{event_id}/lock",
    }
)
"""After each of them all accounts are opened again, for the routes that follow."""
SPENDS_THE_THING = frozenset(
    {"DELETE /api/v1/desk/absences/{absence_id}", "POST /desk/team/absences/{absence_id}/end"}
)
"""Of a colleague's there is one: whoever is let in leaves nothing for the next."""
TWO_RIGHTS = frozenset({"POST /schedule/absences/appointments/{displaced_id}/told"})
"""Opened by two rights together, which different roles have: each is asked alone."""
BY_SCRIPT = "cors"
"""The mode of a request of which the status alone is read: a refusal is told without a page."""
BY_CHANCE = frozenset({Permission.VIEW_RIGHTS, Permission.OVERSEE_COURSE})
"""Roles that have these in common are let in by other rights, each by its own."""
ROOMS = ("rules", "models", "clients", "services", "activities", "workflows", "api", "cabinet")
NAMES = {
    "key": "qualification",
    "method": "app",
    "kind": "diploma",
    "name": "applicant",
    "number": "1",
    "type_version": str(SHIPPED),
    "page": "1",
    "position": "1",
    "step": "0",
    "act": "hold",
    "code": "AAAA-AAAA",
    "path": "namespaces",
    "query_path": "api/v1/namespaces/default/workflows/none/query/state",
    "room_name": "types",
    "subject": "type",
    "version": "none",
    "group": "cases",
    "channel": "sms",
    "secret": "none",
    "change": "end_sessions",
}


async def ask(client: httpx.AsyncClient, route: str, row: Row, things: Things) -> httpx.Response:
    """Send the request of a line of the table, about these things."""
    method, _, path = route.partition(" ")
    named = {**NAMES, **things}
    known = {**named, **{name: named[other] for name, other in row.using.items()}}
    address = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: known[found.group(1)], path)
    return await client.request(method, address, **row.send(known))


def test_every_route_is_in_the_table() -> None:
    """A new route without a line here fails, and so does a line whose route is gone."""
    app = create_app(table_settings({}, "."))
    declared = {f"{method} {path}": openness for method, path, openness in routes(app)}
    assert set(declared) == set(TABLE)
    for route, openness in declared.items():
        said = {each.permission.value if each.permission else each.to for each in openness}
        assert said == {TABLE[route].to}, route


@pytest.mark.asvs("8.2.1")
@pytest.mark.asvs("8.2.2")
@pytest.mark.asvs("8.3.1")
async def test_each_role_gets_through_where_the_table_says(world: World) -> None:
    """By role and by whose the thing is: let through, or told 403 or 404 (I6, Q9).

    All roles that must be kept out are held by one person, who is asked first, while the thing is
    there. Of those that must be let in somebody is asked who has the least rights (see `lesser`),
    and then somebody who holds all roles: rights are only ever asked for by name, so no right may
    close what a lesser one opens.
    """
    wrong = []
    for route in sorted(TABLE, key=lambda route: (route in SPENDS_ITSELF | LOCKS, route)):
        row = TABLE[route]
        for whose, allowed in (
            (Whose.OWN, row.own),
            (Whose.COLLEAGUE, row.colleague),
            (Whose.STRANGER, row.stranger),
        ):
            if allowed is not None:
                once, apart = route in SPENDS_THE_THING, route in TWO_RIGHTS
                for roles, let_in in asked_for(allowed, once=once, apart=apart):
                    holder = await world.holder(*roles, within=narrowest(allowed))
                    spends = route in SPENDS_ITSELF | LOCKS
                    client = await world.sign_in(holder.actor) if spends else holder.client
                    client.headers["Sec-Fetch-Mode"] = "navigate" if let_in else BY_SCRIPT
                    answer = await ask(client, route, row, world.things(holder, whose))
                    if route in LOCKS:
                        await world.unlock()
                    is_wrong_password = answer.status_code == 401 and not asks_who(answer)
                    status = 422 if is_wrong_password else answer.status_code
                    if (status not in refusals(row)) is not let_in or status == 500:
                        held = "all roles" if roles == EVERYBODY else ", ".join(sorted(roles))
                        done = "kept out" if let_in else "let in"
                        wrong.append(f"{route}, {whose}: {done} {held}: {status:d}")
    assert not wrong, "\n".join(wrong)


async def test_what_lies_between_two_decides_what_is_reached(world: World) -> None:
    """Route by relation, of who treats, of all others, and of a patient who was invited (W2).

    Whoever is not let in does not read the patient's name, in lists neither.
    """
    clinic = {
        route for route in TABLE if route.split()[1].removeprefix("/api/v1").startswith(PREFIXES)
    }
    assert clinic == {*OPENS, *BY_ROLE}
    assert not OPENS.keys() & BY_ROLE
    stranger = world.others[Whose.STRANGER]
    treats, others = [await world.holder(*roles) for roles in ((Role.DOCTOR,), tuple(OTHERS))]
    async with world.office.database.work() as session:
        known = {
            relation: await give_related(session, treats.actor, {relation}, stranger)
            for relation in Relation
        }
        theirs = await give_related(session, others.actor, set(Relation), stranger)
        invited = UUID(theirs.things["patient_id"])
        token = await give_invitation(session, treats.actor, invited)
    patient = world.anonymous()
    patient.cookies.set("medcab-patient", token)
    assert "Анна Ильинична" in (await patient.get("/patient")).text
    wrong: list[str] = []

    async def reach(
        who: str,
        client: httpx.AsyncClient,
        route: str,
        related: Related,
        let_in: bool,
        base: Things,
    ) -> None:
        client.headers["Sec-Fetch-Mode"] = BY_SCRIPT
        row = TABLE[route]
        answer = await ask(client, route, row, {**base, **related.things})
        got = answer.status_code not in refusals(row) and not asks_who(answer)
        if got is not let_in or answer.status_code == 500:
            wrong.append(f"{route}, {who}: {answer.status_code}")
        if related.name in answer.text and not (let_in and route in {*OPENS, *NAMED_BY_BOOKING}):
            wrong.append(f"{route}, {who}: reads the name")

    def order(route: str) -> tuple[bool, str]:
        """Looks come first, and last what opens a record."""
        return route.endswith(("/open", "/open-at-once")), route

    for route in sorted(clinic, key=order):
        row = TABLE[route]
        if row.to != "public":
            await reach("invited", patient, route, theirs, False, others.things)
        if route in BY_ROLE:
            allowed = row.own if row.stranger is None else row.stranger
            await reach(
                "none", treats.client, route, known[Relation.NONE], Role.DOCTOR in allowed, stranger
            )
            continue
        for relation, related in known.items():
            base = treats.things if relation is Relation.OWN else stranger
            await reach(relation, treats.client, route, related, relation in OPENS[route], base)
        let_in = bool(row.own & OTHERS)
        await reach("others", others.client, route, theirs, let_in, others.things)
    assert not wrong, "\n".join(wrong)


OWN_ACCOUNT = frozenset(
    {
        "access_token",
        "account",
        "account_session",
        "contact_change",
        "course_pass",
        "device_token",
        "export",
        "journal_entry",
        "journal_pending",
        "known_device",
        "login_attempt",
        "meeting",
        "notice",
        "notice_attempt",
        "notice_preferences",
        "notice_setting",
        "passkey",
        "passkey_challenge",
        "push_subscription",
        "rate_limit",
        "record_view",
        "recovery_code",
        "risk_event",
        "saved_view",
        "sms_code",
        "sms_factor",
    }
)
"""Tables of one's own account, settings and lists, and of what is recorded."""


async def test_an_auditor_changes_nothing_but_the_own_account(world: World) -> None:
    """Every route that changes something is asked, about every thing: no other row differs (I13).

    A new table is protected unless it is named above, and a new route is walked by itself.
    """
    holder = await world.holder(Role.AUDITOR)
    client = await world.sign_in(holder.actor)
    client.headers["Sec-Fetch-Mode"] = BY_SCRIPT
    own = holder.actor.person_id
    before, asked = await rows(world, own), 0
    for route, row in TABLE.items():
        if route.startswith("GET ") or route in SPENDS_ITSELF:
            continue
        for whose in Whose if row.colleague is not None else (Whose.OWN,):
            answer = await ask(client, route, row, world.things(holder, whose))
            assert answer.status_code != 500, route
            asked += 1
    assert asked > 300
    assert await rows(world, own) == before


OWNED_BY = {
    "document": "owner_id",
    "document_version": "uploaded_by",
    "register_check": "person_id",
    "reminder_leads": "person_id",
}
"""Everybody keeps documents, to be verified by them, and asks and sets up what is about oneself:
one's own are left out of these."""


async def rows(world: World, own: UUID) -> dict[str, str]:
    """A digest of every row of every table that is not of one's own account."""
    container: Container = world.app.state.container
    found = {}
    async with container.database.work() as session:
        connection = await session.connection()
        for name in sorted(set(SQLModel.metadata.tables) - OWN_ACCOUNT):
            others = f"where {OWNED_BY[name]} <> '{own}'" if name in OWNED_BY else ""
            told = await connection.exec_driver_sql(
                "select md5(coalesce(string_agg(t::text, chr(10) order by t::text), ''))"  # noqa: S608
                f' from "{name}" t {others}'
            )
            found[name] = str(told.scalar_one())
    return found


SHARED = frozenset.intersection(*ROLE_PERMISSIONS.values())
"""What every role may, held as single permissions: nobody has less."""


def asked_for(allowed: Roles, *, once: bool, apart: bool) -> list[tuple[Collection[Right], bool]]:
    """Whom to ask where these roles are allowed, and whether they are to be let in."""
    refused = EVERYBODY - allowed
    groups: list[Collection[Right]] = [{one} for one in refused] if apart else [refused]
    asked = [(group, False) for group in groups if group]
    asked += [(rights, True) for rights in lesser(allowed)]
    return asked + ([(EVERYBODY, True)] if allowed and not once else [])


def lesser(allowed: Roles) -> list[Collection[Right]]:
    """The least rights that must let somebody in.

    They are what all of these roles share, held as single permissions, unless that is less than
    what opens: where a role that is kept out has it all, each role is asked that has no more rights
    than another.
    """
    roles: list[Collection[Right]] = [{role} for role in least(allowed)]
    if len(roles) < 2:
        return roles
    shared = frozenset.intersection(*(ROLE_PERMISSIONS[role] for role in allowed)) - BY_CHANCE
    kept_out = EVERYBODY - allowed
    return roles if any(shared <= ROLE_PERMISSIONS[role] for role in kept_out) else [shared]


def narrowest(roles: Roles) -> str | None:
    """The smallest unit in which one of these roles is held."""
    units = {IN_UNIT.get(role) for role in roles}
    return next((unit for unit in ("cardiology", "hr") if unit in units), None)


def least(roles: Roles) -> list[Role]:
    """The roles that have no more rights than another of them; one of those that are equal."""
    found: list[Role] = []
    known = [role for role in Role if role in roles]
    for role in sorted(known, key=lambda role: len(ROLE_PERMISSIONS[role])):
        if not any(is_within(other, role) for other in found):
            found.append(role)
    return found


def is_within(lesser: Role, role: Role) -> bool:
    """Whether who holds `role` has every right of the lesser one, wherever it is held."""
    own = ROLE_PERMISSIONS[lesser] - SHARED
    wider = not own or IN_UNIT.get(role) in (None, IN_UNIT.get(lesser))
    return wider and own <= ROLE_PERMISSIONS[role]


def test_rights_alone_decide() -> None:
    """Outside of the words for them no role is named: roles with the same rights are the same."""
    named = {
        path.relative_to(CHECKOUT).as_posix()
        for room in ROOMS
        for path in (CHECKOUT / room).rglob("*.py")
        if re.search(r"\bRole\.[A-Z]", path.read_text("utf-8"))
    }
    assert named == {"rules/access.py", "rules/staff/right_names.py"}


def refusals(row: Row) -> frozenset[int]:
    """The statuses that keep somebody out; a public route may well not find what is asked for."""
    return frozenset({401}) if row.to == "public" else REFUSED


def asks_who(answer: httpx.Response) -> bool:
    """Whether the answer is that one has to sign in."""
    if answer.status_code == 401:
        return '"wrong_credentials"' not in answer.text
    return answer.status_code in (303, 204) and "/sign-in" in str(answer.headers)
