"""Practitioners of FHIR R4: what other systems read, in the shapes of the standard (Q6, Q9, I9)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlmodel import select

from api.fhir.resources import CONFIRMED, ROOT, SNILS, SOURCE
from crypto.key_ring import key_ring
from models.messages import WAKE_UP
from models.tables.journal import RecordView
from models.tables.people import Person
from rules.access import Actor, Permission, Role
from rules.clock import now
from rules.credentials.versions import OWN
from rules.ids import new_id
from rules.journal.tags import ViewCode
from services.credentials.acts import Credentials
from tests.credentials.conftest import ACCREDITATION, DIPLOMA, Keeping
from tests.shared.desk import Desk, told

NUMBER, OTHER, UNKNOWN = "123-456-789 64", "112-233-445 95", "087-654-303 00"
FHIR = "application/fhir+json"
REQUIRED = {
    "Practitioner": set[str](),
    "Bundle": {"type"},
    "OperationOutcome": {"issue"},
    "CapabilityStatement": {"status", "date", "kind", "fhirVersion", "format"},
    "qualification": {"code"},
    "extension": {"url"},
    "issue": {"severity", "code"},
    "implementation": {"description"},
    "rest": {"mode"},
    "resource": {"type"},
    "interaction": {"code"},
    "searchParam": {"name", "type"},
    "link": {"relation", "url"},
}
"""Elements that the standard demands (1..1 or 1..*), by the resource or by where they stand."""
FORMS = {
    "id": r"[A-Za-z0-9\-.]{1,64}",
    "start": r"\d{4}-\d\d-\d\d",
    "end": r"\d{4}-\d\d-\d\d",
    "date": r"\d{4}-\d\d-\d\d",
    "valueDateTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)",
    "valueCode": r"\S+(\s\S+)*",
    "system": r"(urn|https?):\S+",
    "url": r"(urn|https?):\S+",
    "fullUrl": r"https?://\S+",
    "severity": r"fatal|error|warning|information",
    "fhirVersion": r"4\.0\.1",
}
LISTS = {
    "coding", "entry", "extension", "format", "identifier", "interaction", "issue", "link", "name",
    "qualification", "rest", "searchParam",
}  # fmt: skip
ISSUES = {
    "invalid", "login", "forbidden", "not-found", "not-supported", "conflict", "too-long",
    "throttled", "transient", "timeout", "exception",
}  # fmt: skip


def faults(value: Any, where: str = "") -> Iterator[str]:
    """What the standard does not allow in a resource, element by element."""
    name = where.rpartition(".")[2]
    if value in (None, "", [], {}) or (isinstance(value, str) and value != value.strip()):
        yield f"{where} is empty or has blanks around it"
    elif isinstance(value, dict):
        kind = str(value.get("resourceType") or name)
        yield from (f"{where} lacks {one}" for one in REQUIRED.get(kind, set()) - set(value))
        if name == "period" and value.get("start", "") > value.get("end", "9"):
            yield f"{where} ends before it starts"
        for key, one in value.items():
            repeats = key in LISTS and not (key == "name" and kind != "Practitioner")
            if isinstance(one, list) is not (repeats or (key == "resource" and kind == "rest")):
                yield f"{where}.{key} is a list, or is none"
            for each in one if isinstance(one, list) and one else [one]:
                yield from faults(each, f"{where}.{key}")
        if name == "issue" and value.get("code") not in ISSUES:
            yield f"{where}.code is no type of issue"
    elif name in FORMS and not re.fullmatch(FORMS[name], str(value)):
        yield f"{where} has not the form that it has to have"


def resource(answer: httpx.Response, kind: str, status: int = 200) -> Any:
    """The resource of an answer, which has to be as the standard says."""
    found = told(answer, status)
    assert (found["resourceType"], answer.headers["content-type"]) == (kind, FHIR)
    assert answer.headers["cache-control"] == "no-store"
    assert list(faults(found)) == []
    return found


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"resourceType": "Practitioner", "name": []}, "empty"),
        ({"resourceType": "Practitioner", "qualification": [{"id": "a"}]}, "lacks code"),
        ({"resourceType": "Practitioner", "name": {"text": "x"}}, "list"),
        ({"resourceType": "OperationOutcome", "issue": [{"severity": "bad"}]}, "form"),
        ({"period": {"start": "2026-02-01", "end": "2026-01-01"}}, "before"),
    ],
)
def test_a_wrong_shape_is_seen(wrong: dict[str, Any], fault: str) -> None:
    """The rules above find what they are for."""
    assert any(fault in one for one in faults(wrong))


@pytest.fixture(scope="module")
async def filled(desk: Desk) -> tuple[Keeping, Actor]:
    """A clinician's file, and the head of the clinician's unit."""

    async def wake(row_id: UUID, *, signal: str = WAKE_UP, anew: bool = False) -> bool:
        del row_id, signal, anew
        return True

    office = desk.office
    keeping = Keeping(office, Credentials(desk.container.database, wake), [])
    head = await office.person("Волков Олег Ильич", Role.UNIT_HEAD, office.ward)
    stranger = await office.person("Чужая Вера", Role.DOCTOR, office.hr)
    async with desk.container.database.work() as session:
        for person_id, number in (
            (office.clinician.person_id, NUMBER),
            (stranger.person_id, OTHER),
        ):
            person = await session.get(Person, person_id)
            assert person is not None
            person.snils, person.snils_blind = number, key_ring().blind(number)
            session.add(person)
    return keeping, head


async def program(desk: Desk, actor: Actor, *rights: Permission) -> httpx.AsyncClient:
    """Another system, which calls with a token of the actor's."""
    client = await desk.program(actor, rights or (Permission.VIEW_CREDENTIALS,))
    client.base_url = f"{desk.container.settings.public_url}{ROOT}"
    return client


async def viewed(desk: Desk, by: Actor) -> list[tuple[str, UUID]]:
    """What was recorded of somebody's looking."""
    async with desk.container.database.work() as session:
        found = await session.exec(select(RecordView).where(RecordView.by_person == by.person_id))
        return [(one.what, one.subject) for one in found.all()]


async def test_a_practitioner_has_what_stands(desk: Desk, filled: tuple[Keeping, Actor]) -> None:
    """Current versions of what is neither replaced nor withdrawn, and the view is recorded."""
    keeping, head = filled
    person_id = desk.office.clinician.person_id
    client = await program(desk, head)
    bare = resource(await client.get(f"/Practitioner/{person_id}"), "Practitioner")
    assert bare == {
        "resourceType": "Practitioner",
        "id": str(person_id),
        "language": "ru",
        "active": True,
        "name": [{"text": "Соколова Анна Сергеевна"}],
    }
    mistake = await keeping.add("diploma", number="1")
    await keeping.acts.withdraw(desk.office.clinician, mistake, "Опечатка")
    older = await keeping.add("accreditation", number="2", issued_on="01.02.2019")
    diploma = await keeping.add("diploma")
    newer = await keeping.add()
    await keeping.acts.replace(desk.office.clinician, older, newer)
    last = (now() + timedelta(days=700)).date()
    await keeping.acts.correct(
        desk.office.clinician, newer, uuid4(), 1, {"valid_until": last.isoformat()}, "Опечатка"
    )
    found = resource(await client.get(f"/Practitioner/{person_id}"), "Practitioner")
    system = f"{desk.container.settings.public_url}/api/v1/credentials/categories"
    by_id = {one["id"]: one for one in found.pop("qualification")}
    assert found == bare
    assert set(by_id) == {str(diploma), str(newer)}
    own = [{"url": SOURCE, "valueCode": OWN}]
    assert {"version", "display"} <= set(by_id[str(newer)]["code"]["coding"][0])
    for one in by_id.values():
        (coding,) = one["code"]["coding"]
        del coding["version"], coding["display"]
    assert by_id[str(newer)] == {
        "id": str(newer),
        "extension": own,
        "identifier": [{"value": ACCREDITATION["number"]}],
        "code": {
            "coding": [{"system": system, "code": "accreditation"}],
            "text": "Аккредитация специалиста: Кардиология",
        },
        "period": {"start": "2024-11-25", "end": last.isoformat()},
        "issuer": {"display": ACCREDITATION["issuer"]},
    }
    assert by_id[str(diploma)]["period"] == {"start": "2012-06-30"}
    assert by_id[str(diploma)]["issuer"] == {"display": DIPLOMA["issuer"]}
    assert await viewed(desk, head) == [(ViewCode.CREDENTIALS, person_id)] * 2
    personnel = await desk.office.person("Ильина Вера", Role.HR_REVIEWER, desk.office.ward)
    await keeping.acts.confirm(personnel, diploma, 1)
    found = resource(await client.get(f"/Practitioner/{person_id}"), "Practitioner")
    (seen,) = (one for one in found["qualification"] if one["id"] == str(diploma))
    assert seen["extension"][1]["url"] == CONFIRMED


async def test_a_search_by_snils_finds_whom_one_may_see(
    desk: Desk, filled: tuple[Keeping, Actor]
) -> None:
    """Others are not there, but that they were asked for is recorded (I9)."""
    head = await desk.office.person("Орлов Пётр", Role.UNIT_HEAD, desk.office.ward)
    client = await program(desk, head)

    async def search(identifier: str) -> Any:
        answer = await client.post("/Practitioner/_search", data={"identifier": identifier})
        return resource(answer, "Bundle")

    plain = NUMBER.replace("-", "").replace(" ", "")
    for asked in (f"{SNILS}|{plain}", NUMBER):
        found = await search(asked)
        assert (found["type"], found["total"]) == ("searchset", 1)
        assert found["entry"][0]["resource"]["id"] == str(desk.office.clinician.person_id)
        assert plain not in str(found)
        assert NUMBER not in str(found)
    # `|value` asks for an identifier that has no system.
    for asked in (f"urn:oid:1.2.3|{plain}", f"|{plain}", f"{SNILS}|{OTHER}", UNKNOWN, "x", SNILS):
        found = await search(asked)
        assert (found["total"], "entry" in found) == (0, False), asked
    seen = [what for what, _ in await viewed(desk, head)]
    assert seen == [ViewCode.CREDENTIALS] * 2 + [ViewCode.REFUSED_PERSON]


async def test_errors_are_outcomes_and_the_rest_is_said_openly(
    desk: Desk, filled: tuple[Keeping, Actor]
) -> None:
    """Every error below the root is an OperationOutcome, in the reader's language."""
    _, head = filled
    client = await program(desk, head)
    without = await program(desk, desk.office.reviewer, Permission.REVIEW)
    unknown, mine = f"/Practitioner/{new_id()}", f"/Practitioner/{desk.office.clinician.person_id}"
    async with desk.anonymous() as nobody:
        nobody.base_url = client.base_url
        answers = (
            (await nobody.get(mine), 401, "login"),
            (await nobody.post("/Practitioner/_search", data={"identifier": NUMBER}), 401, "login"),
            (await without.get(mine), 403, "forbidden"),
            (await client.get(unknown), 404, "not-found"),
            (await client.get("/Patient/1"), 404, "not-found"),
            (await client.get("/Practitioner/_search"), 422, "invalid"),
            (await client.delete(mine), 405, "not-supported"),
            (await client.post("/Practitioner/_search", data={}), 422, "invalid"),
            (
                await client.post("/Practitioner/_search", data={"identifier": "1" * 20_000}),
                413,
                "too-long",
            ),
        )
        for answer, status, code in answers:
            (issue,) = resource(answer, "OperationOutcome", status)["issue"]
            assert (issue["severity"], issue["code"]) == ("error", code)
        stated = resource(await nobody.get("/metadata"), "CapabilityStatement")
    english = await client.get(unknown, headers={"Accept-Language": "en"})
    russian = await client.get(unknown, headers={"Accept-Language": "ru"})
    assert russian.json()["issue"][0]["details"]["text"].startswith("Такой страницы нет")
    assert english.json()["issue"][0]["details"]["text"].isascii()
    (offered,) = stated["rest"][0]["resource"]
    assert offered["type"] == "Practitioner"
    assert {one["code"] for one in offered["interaction"]} == {"read", "search-type"}
    assert stated["implementation"]["url"] == str(client.base_url).rstrip("/")
