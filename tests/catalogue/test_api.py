"""The catalogue over HTTP, from a real PostgreSQL; who is asking is given by the test."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import uuid4

import httpx
import jsonschema_rs
import pytest
from fastapi import FastAPI
from sqlmodel.ext.asyncio.session import AsyncSession

from api.catalogue.programmes import router
from api.container import work
from api.http.auth import identify
from api.http.problems import answer_problems
from clients.database import Database
from rules.access import Actor, Grant, Role
from rules.accounts import Stage
from rules.clock import now
from services.accounts.sessions import Current

SURROGATE = urlsafe_b64encode(b'["\\ud800","0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"]').decode()
"""A cursor with text that cannot be encoded."""
Ask = Callable[[Role], httpx.AsyncClient]


@pytest.fixture
async def ask(filled: Database) -> AsyncIterator[Ask]:
    """Clients of an app with the routes of the catalogue, signed in with a role."""
    clients: list[httpx.AsyncClient] = []

    def signed_in(role: Role) -> httpx.AsyncClient:
        unit = uuid4()
        actor = Actor(uuid4(), "Иванова", unit, (Grant(role, frozenset({unit})),))
        later = now() + timedelta(hours=1)
        app = FastAPI()
        app.include_router(router)
        app.dependency_overrides[identify] = lambda: Current(
            actor, Stage.OPEN, "ru", "Europe/Moscow", "light", later, later
        )

        async def of_this_database() -> AsyncIterator[AsyncSession]:
            async with filled.work() as session:
                yield session

        app.dependency_overrides[work] = of_this_database
        answer_problems(app)
        transport = httpx.ASGITransport(app)
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://test"))
        return clients[-1]

    yield signed_in
    for client in clients:
        await client.aclose()


async def test_catalogue_is_paged_and_filtered(ask: Ask) -> None:
    """A client walks the pages by `after`, and narrows by type, text and specialty (A1)."""
    client = ask(Role.DOCTOR)
    whole = (await client.get("/programmes", params={"limit": 200})).json()
    assert whole["after"] is None
    walked, after = [], None
    while True:
        params = {"limit": 4} | ({"after": after} if after else {})
        page = (await client.get("/programmes", params=params)).json()
        walked += page["items"]
        if (after := page["after"]) is None:
            break
    assert walked == whole["items"]
    found = (await client.get("/programmes", params={"kind": "seminar", "text": "новости"})).json()
    assert [each["code"] for each in found["items"]] == ["COMM-002"]
    found = (await client.get("/programmes", params={"specialty": "laboratory"})).json()
    assert "LABO-072" in {each["code"] for each in found["items"]}


async def test_programme_says_what_an_application_needs(ask: Ask) -> None:
    """Documents with hints and waivers, the reviewers' checklist and the terms (A2, A3)."""
    client = ask(Role.NURSE)
    [line] = (await client.get("/programmes", params={"text": "RESU-016"})).json()["items"]
    programme = (await client.get(f"/programmes/{line['id']}")).json()
    assert programme["offered"] is True
    waived = {each["kind"]: each["waived_reason"] for each in programme["attachments"]}
    assert waived["diploma"]
    assert waived["workplace_reference"] is None
    assert programme["terms"]["review"] == 5
    assert programme["checklist"]


async def test_case_type_gives_form_and_schema(ask: Ask) -> None:
    """A program can draw the form and check its data before sending (S2)."""
    client = ask(Role.DOCTOR)
    answer = (await client.get("/case-types/qualification")).json()
    names = [f["name"] for s in answer["definition"]["sections"] for f in s["fields"]]
    assert list(answer["data_schema"]["properties"]) == names
    jsonschema_rs.meta.validate(answer["data_schema"])
    version = answer["definition"]["version"]
    same = await client.get("/case-types/qualification", params={"version": version})
    assert same.json() == answer


async def test_reasons_are_for_reviewers(ask: Ask) -> None:
    """The stock of reasons is offered to who decides, and to nobody else (A4, I6)."""
    assert (await ask(Role.DOCTOR).get("/reasons")).status_code == 403
    found = await ask(Role.HR_REVIEWER).get("/reasons", params={"outcome": "reject"})
    assert found.status_code == 200
    assert {each["outcome"] for each in found.json()} == {"reject"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/programmes/0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d", 404),
        ("/programmes/none", 422),
        ("/programmes?kind=lecture", 422),
        ("/programmes?after=!!!", 422),
        ("/programmes?after=WzEsMl0=", 422),
        (f"/programmes?after={SURROGATE}", 422),
        ("/programmes?specialty=%00", 422),
        ("/programmes?limit=0", 422),
        ("/programmes?text=%00%FF%25", 200),
        ("/case-types/holiday", 404),
        ("/case-types/%00", 422),
        ("/case-types/qualification?version=7", 404),
    ],
)
async def test_bad_questions_get_clear_answers(ask: Ask, path: str, status: int) -> None:
    """Whatever is asked, the answer is a problem in words and never a fault of ours."""
    answer = await ask(Role.DOCTOR).get(path)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["title"]
