"""Every route, for every role, about one's own things, a colleague's and a stranger's.

A route that is not in the table fails, as does a line of the table without its route. The lines
stand in `access_rows` and `page_rows`; a new route needs one there.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from enum import StrEnum
from html import unescape
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pikepdf
import pytest
from pypdfium2 import PdfDocument  # type: ignore[import-untyped]
from sqlmodel import SQLModel, select

from api.container import Container
from api.http.openapi import routes
from models.tables.accounts import Account
from models.tables.cases import IssuedAct
from models.tables.people import Person
from ops.local.home import CHECKOUT
from ops.local.system import settings_from
from rules.access import ROLE_PERMISSIONS, Permission, Role
from rules.accounts import AccountState, Stage
from rules.clock import now
from rules.notices.events import EVENTS
from rules.notices.kinds import NoticeKind, RecipientRole
from server import create_app
from services.applications.enrolment_certificate import SealFacts, build_act, code_hash
from services.dossier import receipt_paper
from services.notices.wording import Addresses, digest, letter, push_message, short_message
from services.papers.typesetting import PAPERS
from services.seal import FileSeal, ensure_test_seal
from settings import Settings
from tests.api.access import EVERYBODY, Roles, Row, Things
from tests.api.access_rows import (
    ACCOUNT_ROWS,
    ARCHIVE_ROWS,
    CASE_ROWS,
    DOCUMENT_ROWS,
    OTHER_ROWS,
)
from tests.api.audit_rows import AUDIT_PAGES, AUDIT_ROWS
from tests.api.catalogue_admin_rows import ADMINISTRATION_PAGES, ADMINISTRATION_ROWS
from tests.api.credential_rows import CREDENTIAL_PAGES, CREDENTIAL_ROWS
from tests.api.meeting_rows import MEETING_PAGES, MEETING_ROWS
from tests.api.page_rows import (
    ACCOUNT_PAGES,
    ARCHIVE_PAGES,
    CASE_PAGES,
    DESK_PAGES,
    DOCUMENT_PAGES,
    OTHER_PAGES,
)
from tests.api.people_rows import PEOPLE_PAGES, PEOPLE_ROWS
from tests.api.request_rows import REQUEST_PAGES, REQUEST_ROWS
from tests.api.rights_rows import RIGHTS_PAGES, RIGHTS_ROWS
from tests.api.verification_rows import VERIFICATION_PAGES, VERIFICATION_ROWS
from tests.api.world import IN_UNIT, Whose, World
from tests.papers.samples import CODE, act_facts, receipt_facts
from tests.shared.accounts import account_with_password
from tests.shared.administration import SHIPPED
from tests.shared.servers import KEYS, NOWHERE, Servers

TABLE: dict[str, Row] = {
    **ACCOUNT_ROWS,
    **CASE_ROWS,
    **REQUEST_ROWS,
    **REQUEST_PAGES,
    **DOCUMENT_ROWS,
    **CREDENTIAL_ROWS,
    **CREDENTIAL_PAGES,
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
}

BASE = "http://127.0.0.1:8000"
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


def table_settings(database: dict[str, str], home: str) -> Settings:
    """An installation whose other servers are all down: rights must not depend on them."""
    return settings_from(
        {
            **database,
            "MEDCAB_OIDC_ISSUER": "http://127.0.0.1:9",
            "MEDCAB_REGISTRATION": "1",
            "MEDCAB_KEYS": KEYS,
            "MEDCAB_HOME": home,
            "MEDCAB_DEMO": "1",
            "MEDCAB_COOKIE_SECURE": "0",
            "MEDCAB_PUBLIC_URL": BASE,
            "MEDCAB_TEMPORAL_UI_URL": f"http://{NOWHERE}",
            "TEMPORAL_ADDRESS": NOWHERE,
            "S3_ENDPOINT": f"http://{NOWHERE}",
            "S3_SECRET_KEY": "nobody listens",
        }
    )


@pytest.fixture(scope="module")
async def world(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The hospital of this table."""
    name = f"medcab_access_{uuid4().hex}"
    home = str(tmp_path_factory.mktemp("home"))
    app = create_app(table_settings(servers.new_database(name), home))
    async with app.router.lifespan_context(app):
        yield await World.populate(app, BASE)
    servers.drop_database(name)


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
    there. Of those that must be let in, each is asked that has no more rights than another, and
    then somebody who holds all roles: rights are only ever asked for by name, so no right may
    close what a lesser role opens.
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
                for roles, let_in in asked_for(allowed, once=route in SPENDS_THE_THING):
                    holder = await world.holder(*roles)
                    spends = route in SPENDS_ITSELF | LOCKS
                    client = await world.sign_in(holder.actor) if spends else holder.client
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
    own = holder.actor.person_id
    before, asked = await rows(world, own), 0
    for route, row in TABLE.items():
        if route.startswith("GET ") or route in SPENDS_ITSELF:
            continue
        for whose in Whose:
            answer = await ask(client, route, row, world.things(holder, whose))
            assert answer.status_code != 500, route
            asked += 1
    assert asked > 300
    assert await rows(world, own) == before


OWNED_BY = {"document": "owner_id", "document_version": "uploaded_by"}
"""Everybody keeps documents, to be verified by them: one's own are left out of these."""


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


def asked_for(allowed: Roles, *, once: bool) -> list[tuple[Roles, bool]]:
    """Whom to ask where these roles are allowed, and whether they are to be let in."""
    refused = EVERYBODY - allowed
    asked = [(refused, False)] if refused else []
    asked += [(frozenset({role}), True) for role in least(allowed)]
    return asked + ([(EVERYBODY, True)] if allowed and not once else [])


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
    own = ROLE_PERMISSIONS[lesser] - frozenset.intersection(*ROLE_PERMISSIONS.values())
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
    assert named == {"rules/access.py", "rules/staff/table.py", "rules/right_names.py"}


def refusals(row: Row) -> frozenset[int]:
    """The statuses that keep somebody out; a public route may well not find what is asked for."""
    return frozenset({401}) if row.to == "public" else REFUSED


def asks_who(answer: httpx.Response) -> bool:
    """Whether the answer is that one has to sign in."""
    if answer.status_code == 401:
        return '"wrong_credentials"' not in answer.text
    return answer.status_code in (303, 204) and "/sign-in" in str(answer.headers)


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
    """Somebody who holds all roles, asked for every route: only what leads in is left (I4, I8)."""
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
    for route, row in TABLE.items():
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
    states = (AccountState.REGISTERED, AccountState.ACTIVE)
    refused: dict[AccountState, set[str]] = {state: set() for state in states}
    about = {route: row for route, row in TABLE.items() if row.own == applies}
    for state in states:
        async with world.office.database.work() as session:
            account = await session.get_one(Account, actor.person_id)
            account.state = state.value
            session.add(account)
        for route, row in about.items():
            answer = await ask(client, route, row, things)
            if answer.status_code in REFUSED:
                refused[state].add(route)
    closed = refused[AccountState.REGISTERED]
    open_to_all = set(about) - closed
    kept = ("/documents", "/credentials")
    assert {route for route in open_to_all if not any(one in route for one in kept)} == set()
    assert closed & refused[AccountState.ACTIVE] == set()


async def test_a_token_opens_no_route_that_is_for_browsers(world: World) -> None:
    """Whatever its owner may: sessions, tokens, passwords and pages refuse access tokens."""
    holder = await world.holder(Role.HR_HEAD)
    client = await world.sign_in(holder.actor)
    made = await client.post("/api/v1/tokens", json={"name": "x", "scope": ["apply", "review"]})
    async with world.anonymous() as program:
        program.headers["Authorization"] = f"Bearer {made.json()['token']}"
        known = (await program.get("/api/v1/session")).json()
        assert known["person_id"] == str(holder.actor.person_id)
        for route, row in TABLE.items():
            if row.to in ("session", "signing_in"):
                answer = await ask(program, route, row, holder.things)
                assert answer.status_code == 403, route


ADDRESSES = Addresses(BASE, f"{BASE}/temporal/namespaces/default", "Больница")
OPENED_BY = {
    RecipientRole.APPLICANT: Role.DOCTOR,
    RecipientRole.REVIEWER: Role.HR_HEAD,
    RecipientRole.PARTNER: Role.HR_HEAD,
    RecipientRole.ACCOUNT: Role.HR_HEAD,
    RecipientRole.OPS: Role.OPS,
    RecipientRole.OPERATOR: Role.OPERATOR,
    RecipientRole.SECURITY: Role.SECURITY,
}


def in_messages(kind: NoticeKind, case_id: UUID) -> set[str]:
    """All addresses in the letter, the digest, the SMS and the push message of an event."""
    told: tuple[str, dict[str, str], UUID, str] = (kind, {}, case_id, "ru")
    written = [letter(*told, ADDRESSES), digest([(kind, {}, case_id)], "ru", ADDRESSES)]
    texts = [text for one in written for text in (one.text, one.html)]
    texts.append(short_message(*told, ADDRESSES))
    found = {address for text in texts for address in re.findall(r'https?://[^\s"<>]+', text)}
    return {unescape(one) for one in found} | {BASE + push_message(*told)["path"]}


def papers(home: Path) -> list[bytes]:
    """Every paper of ours that prints an address or links to one."""
    seal = FileSeal.read(ensure_test_seal(home, "Больница"))
    receipt = receipt_paper.form(receipt_facts(seal.certificate, BASE), b"{}", seal)
    return [build_act(act_facts(SealFacts.of(seal), BASE)), receipt]


def on_paper(paper: bytes) -> set[str]:
    """All addresses of a paper: links, and what is printed to be typed in."""
    text = "".join(page.get_textpage().get_text_range() for page in PdfDocument(paper))
    host = re.escape(BASE.removeprefix("http://"))
    found = {f"http://{one}" for one in re.findall(rf"{host}[^\s,;]*", text)}
    with pikepdf.open(BytesIO(paper)) as pdf:
        notes = [each for page in pdf.pages for each in page.obj.get("/Annots") or []]
        return found | {str(each.A.URI) for each in notes if "/A" in each}


async def test_every_address_given_out_opens(world: World, tmp_path: Path) -> None:
    """What a letter, a message or a paper leads to is there, for whom it was written (A5, N2)."""
    wrong = []
    things = (await world.holder(Role.DOCTOR)).things
    holders = {role: await world.holder(role) for role in set(OPENED_BY.values())}
    clients = {role: await world.sign_in(one.actor) for role, one in holders.items()}
    for kind, event in EVENTS.items():
        about = things["request_id" if kind.startswith("request_") else "case_id"]
        for address in in_messages(kind, UUID(about)):
            client = clients[OPENED_BY[event.audience]]
            answer = await client.get(address, follow_redirects=True)
            assert answer.url.path != "/sign-in", address
            # The Temporal UI stands behind the cabinet and is down here: 503 is its own refusal.
            if answer.status_code != (503 if "/temporal/" in address else 200):
                wrong.append(f"{kind}: {address} {answer.status_code}")
    assert not wrong, "\n".join(wrong)

    container: Container = world.app.state.container
    async with container.database.work() as session:
        case_id = UUID(things["approved_id"])
        acts = await session.exec(select(IssuedAct).where(IssuedAct.case_id == case_id))
        acts.one().public_code_hash = code_hash(CODE)
    printed = {
        address
        for paper in await asyncio.to_thread(papers, tmp_path)
        for address in on_paper(paper)
    }
    assert len(printed) >= 2
    async with world.anonymous() as anybody:
        for address in (*printed, f"{BASE}/verify/"):  # as older acts print it
            answer = await anybody.get(address)
            assert answer.status_code == 200, address
        half = await anybody.get(f"{BASE}/verify", params={"code": CODE[:12]})
    assert half.status_code == 422
    assert "Введите код целиком" in half.text
    assert "доверять нельзя" not in half.text


def test_every_paper_with_an_address_is_opened() -> None:
    """A template that prints or links to an address is one of those drawn here."""
    drawn = {"act.typ", "receipt.typ"}
    for template in PAPERS.glob("*.typ"):
        text = template.read_text("utf-8")
        assert (template.name in drawn) == ("link(" in text or "://" in text), template.name
