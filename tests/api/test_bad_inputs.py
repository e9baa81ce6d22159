"""Bad inputs to the API of applications: each is refused in words, and nothing is changed by it."""

import base64
import json
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import pytest
from sqlmodel import select

from models.tables.journal import JournalEntry
from rules.access import Permission, Role
from rules.journal.entries import JournalKind
from tests.api.bad_rows import BAD, NOBODYS
from tests.shared.desk import Desk, cursor, key, raw


@dataclass
class Bench:
    """A desk with a draft and a case in review on it."""

    desk: Desk
    clinician: httpx.AsyncClient
    reviewer: httpx.AsyncClient
    ids: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
async def bench(desk: Desk) -> Bench:
    """One for the whole table: nothing in it changes."""
    office = desk.office
    other = await office.in_review()
    made = Bench(desk, await desk.program(office.clinician), await desk.program(office.reviewer))
    empty = await office.applications.create_draft(office.clinician, office.programme_id)
    made.ids = {
        "draft": str(await office.draft()),
        "case": str(other),
        "empty": str(empty.id),
        "paper": str(await office.document(office.clinician, "diploma")),
        "others_paper": str(await office.document(office.head, "diploma")),
        "applicant": str(office.clinician.person_id),
        "reviewer": str(office.reviewer.person_id),
    }
    return made


@pytest.mark.asvs("2.3.3")
@pytest.mark.asvs("15.3.5")
@pytest.mark.parametrize("what", BAD)
async def test_bad_input_is_refused_in_words_and_changes_nothing(bench: Bench, what: str) -> None:
    """A problem document with a code and words, no server error, no trace in the tables."""
    bad = BAD[what]
    method, _, path = bad.route.partition(" ")
    send = bad.send if isinstance(bad.send, dict) else bad.send(bench.ids)
    people = {"clinician": bench.clinician, "reviewer": bench.reviewer}
    client = people.get(bad.who) or await bench.desk.program(bench.desk.office.head)
    before = await bench.desk.traces()
    answer = await client.request(method, path.format_map(bench.ids), **send)
    assert answer.status_code == bad.status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == bad.status
    assert problem["type"] == f"urn:medcab:problem:{problem['code']}"
    assert any("а" <= letter <= "я" for letter in problem["title"].lower())
    assert len(answer.content) < 20_000
    assert await bench.desk.traces() == before


async def test_the_same_key_for_another_body_is_refused(bench: Bench) -> None:
    """An act's id names one act for ever, whoever uses it again for another."""
    desk, act_id = bench.desk, uuid4()
    case_id = await desk.office.draft()
    path = f"/applications/{case_id}"
    first = await bench.clinician.post(f"{path}/submit", json={"step": 0}, headers=key(act_id))
    assert first.status_code == 200, first.text
    for where, body in (("withdraw", {"step": 1}), ("submit", {"step": 1})):
        answer = await bench.clinician.post(f"{path}/{where}", json=body, headers=key(act_id))
        assert (answer.status_code, answer.json()["code"]) == (422, "act_id_reused")


FAR = [
    "submitted_from=1900-01-01T00:00:00%2B14:00",
    "submitted_until=2200-12-31T23:59:59-14:00",
    f"after={cursor(f'0001-01-01T00:00:00+14:00|{NOBODYS}')}",
    f"after={cursor(f'9999-12-31T23:59:59-14:00|{NOBODYS}')}",
]
FARTHEST = {
    "submitted_from": "0001-01-01T00:00:00+14:00",
    "submitted_until": "9999-12-31T23:59:59-14:00",
}


@pytest.mark.parametrize("where", FAR)
async def test_times_at_the_ends_of_the_calendar_are_times(bench: Bench, where: str) -> None:
    """The first and the last moment that people mean, in the farthest zones, break nothing."""
    for client, path in ((bench.clinician, "/applications"), (bench.reviewer, "/desk")):
        answer = await client.get(f"{path}?{where}")
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", FARTHEST)
async def test_a_year_that_nobody_means_is_refused_by_its_name(bench: Bench, name: str) -> None:
    """The first and the last moment that can be written would overflow a change of zone."""
    for client, path in ((bench.clinician, "/applications"), (bench.reviewer, "/desk")):
        answer = await client.get(path, params={name: FARTHEST[name]})
        assert answer.status_code == 422, answer.text
        assert name in answer.text


async def test_a_document_cited_twice_is_cited_once(bench: Bench) -> None:
    """Naming a document twice for the same purpose neither fails nor doubles it."""
    office = bench.desk.office
    case_id = await office.draft()
    cited = (await bench.clinician.get(f"/applications/{case_id}")).json()["draft_attachments"]
    path = f"/applications/{case_id}"
    kept = await bench.clinician.put(f"{path}/draft", json={"attachments": [*cited, *cited]})
    assert kept.json()["attachments"] == cited
    answer = await bench.clinician.post(f"{path}/submit", json={"step": 0}, headers=key())
    assert answer.status_code == 200, answer.text


async def test_a_path_with_a_slash_too_many_leads_nowhere(bench: Bench) -> None:
    """No answer leads to the host that a request names."""
    for path in ("/applications/", "/desk/"):
        answer = await bench.clinician.get(path, headers={"Host": "evil.example"})
        assert answer.status_code == 404
        assert "evil.example" not in str(answer.headers) + answer.text


@pytest.mark.asvs("14.2.2")
async def test_nothing_of_the_api_is_kept_by_caches(bench: Bench) -> None:
    """Answers with personal data, and refusals, say that they are not to be stored."""
    for path in ("/session", "/applications", f"/applications/{bench.ids['case']}", "/none"):
        answer = await bench.clinician.get(path)
        assert answer.headers["cache-control"] == "no-store", path


async def test_half_a_character_in_a_password_is_refused(bench: Bench) -> None:
    """Before anybody has signed in, bad text is a refusal too."""
    async with bench.desk.anonymous() as client:
        sent = raw({"email": "nobody@example.org", "password": "\ud800"})
        answer = await client.post("/sign-in", **sent)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_text")


async def test_an_unexpected_error_does_not_reach_the_server(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message may hold what people entered, and the server would write it to its log."""

    async def fails(*_: object) -> None:
        raise ValueError("112-233-445 95")

    monkeypatch.setattr(bench.desk.container.applications, "create_draft", fails)
    transport = httpx.ASGITransport(bench.desk.app, raise_app_exceptions=True)
    async with httpx.AsyncClient(
        transport=transport, base_url=bench.clinician.base_url, headers=bench.clinician.headers
    ) as client:
        answer = await client.post("/applications", json={"programme_id": NOBODYS})
    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
    assert "112-233" not in answer.text


@pytest.mark.parametrize("owner", [b"\x00", b"\xff", b"x" * 100_000])
async def test_a_payload_of_an_invented_workflow_is_written_down_short(
    bench: Bench, owner: bytes
) -> None:
    """What ops send to be decoded cannot break the journal, nor fill it."""
    office = bench.desk.office
    ops = await office.person("Фёдоров", Role.OPS, office.institution)
    metadata = {
        name: base64.b64encode(value).decode()
        for name, value in {"encoding": b"binary/medcab-sealed", "workflow": owner}.items()
    }
    sent = {"payloads": [{"metadata": metadata, "data": ""}]}
    program = await bench.desk.program(ops, (Permission.DECODE_PAYLOADS,))
    url = f"{bench.desk.container.settings.public_url}/codec/decode"
    assert (await program.post(url, json=sent)).status_code == 200
    async with bench.desk.container.database.work() as session:
        entries = (
            await session.exec(select(JournalEntry).where(JournalEntry.by_person == ops.person_id))
        ).all()
    written = [entry.facts for entry in entries if entry.kind == JournalKind.PAYLOAD_DECODED]
    assert len(written) == 1
    assert len(json.dumps(written)) < 500
