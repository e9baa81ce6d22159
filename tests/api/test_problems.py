"""Errors as clients read them, and the documentation that describes them."""

import hashlib
import json
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from fastapi import Request
from psycopg.errors import LockNotAvailable
from sqlalchemy.exc import OperationalError
from starlette.types import Message, Receive, Scope, Send

from api.http.problems import MEDIA_TYPE, LastResort
from cabinet.frame.visits import came_from
from crypto.key_ring import UndecryptableError
from ops.local.home import CHECKOUT
from rules.refusals import FieldError, Refusal
from server import create_app
from settings import Settings
from tests.shared.accounts import House

STATIC = CHECKOUT / "api" / "http" / "static"


@pytest.mark.asvs("13.4.2")
@pytest.mark.asvs("16.3.4")
@pytest.mark.asvs("16.5.1")
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refusal("stale", "Заявка изменилась.", 409, step=3), 409, "stale"),
        (OperationalError("select", {}, Exception("secret of the server")), 503, "unavailable"),
        (ConnectionResetError("secret of the server"), 503, "unavailable"),
        (RuntimeError("secret of the server"), 500, "unexpected"),
        (UndecryptableError("person.name of the row 7"), 500, "unreadable"),
    ],
)
async def test_errors_are_problems_without_insides(
    house: House,
    error: Exception,
    status: int,
    code: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """RFC 9457, a stable code, and not a word of what the server knows (ASVS 16.5.1)."""

    async def fail(_: Request) -> None:
        raise error

    house.app.add_api_route(f"/api/v1/fail/{code}", fail)
    async with house.client() as client:
        answer = await client.get(f"/api/v1/fail/{code}")
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    assert (told["status"], told["code"]) == (status, code)
    assert told["type"] == f"urn:medcab:problem:{code}"
    assert "secret" not in answer.text
    assert "person.name" not in answer.text
    logged = "".join(capsys.readouterr())
    assert "secret" not in logged
    assert ("person.name of the row 7" in logged) == (code == "unreadable")
    assert answer.headers["cache-control"] == "no-store"
    if status == 503:
        assert int(answer.headers["retry-after"]) > 0
    if code == "stale":
        assert told["step"] == 3


async def test_who_waited_for_others_in_vain_is_refused_and_a_program_may_try_again(
    house: House,
) -> None:
    """A person is told that others change the same; who calls back, that the service is away."""

    async def waits(request: Request, known: bool) -> None:
        if known:
            request.state.current = SimpleNamespace(person_id=uuid4(), language="ru", actor=None)
        raise OperationalError("select", {}, LockNotAvailable())

    house.app.add_api_route("/api/v1/waits", waits)
    async with house.client() as client:
        person, program = [
            await client.get("/api/v1/waits", params={"known": known}) for known in (True, False)
        ]
    assert (person.status_code, person.json()["code"]) == (409, "busy")
    assert (program.status_code, program.json()["code"]) == (503, "unavailable")
    assert all(int(one.headers["retry-after"]) > 0 for one in (person, program))


@pytest.mark.asvs("15.3.3")
async def test_fields_are_named(house: House) -> None:
    """What is missing is said field by field, without repeating what was sent."""
    async with house.client() as client:
        answer = await client.post("/api/v1/sign-in", json={"email": "a@b.example", "extra": "x"})
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "invalid_request")
    assert {fault["field"] for fault in told["errors"]} == {"password", "extra"}
    assert "a@b.example" not in answer.text


async def test_problems_speak_the_language_of_the_client(house: House) -> None:
    """Russian first, English where it is asked for."""
    async with house.client() as client:
        russian = await client.get("/api/v1/session")
        english = await client.get("/api/v1/session", headers={"Accept-Language": "en-GB"})
    assert russian.json()["title"] == "Войдите, чтобы продолжить."
    assert english.json()["title"] != russian.json()["title"]
    assert english.json()["code"] == russian.json()["code"]


async def test_unknown_paths_and_methods_are_problems_too(house: House) -> None:
    """404 and 405 of the framework look like all others."""
    async with house.client() as client:
        missing = await client.get("/api/v1/nothing")
        wrong = await client.put("/api/v1/session")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert "DELETE" in wrong.headers["allow"] or "GET" in wrong.headers["allow"]


def test_a_refusal_keeps_its_fields() -> None:
    """The path of a field comes through as the business named it."""
    refusal = Refusal("x", "y", 422, [FieldError("attachments.diploma", "Приложите.")])
    assert refusal.fields[0].path == "attachments.diploma"


def test_every_operation_says_who_may_call_it(description: dict[str, Any]) -> None:
    """Public operations name no security; all others a session or an access token."""
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert "security" in operation, (method, path)
    assert description["paths"]["/api/v1/sign-in"]["post"]["security"] == []
    assert {"token": []} in description["paths"]["/api/v1/applications"]["get"]["security"]
    assert {"token": []} not in description["paths"]["/api/v1/tokens"]["post"]["security"]


def test_refusals_are_described_as_they_are_sent(description: dict[str, Any]) -> None:
    """Every error of every operation is a problem, of its own media type."""
    for operations in description["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "4" and status not in ("503", "default"):
                    assert MEDIA_TYPE in response["content"], operation["operationId"]
    assert "HTTPValidationError" not in description["components"]["schemas"]


async def test_the_documentation_comes_from_our_own_server(house: House) -> None:
    """The page, its script and its style are here, and nothing else is asked for."""
    async with house.client() as client:
        page = await client.get("/api/docs")
        assert page.status_code == 200
        assert "http://" not in page.text
        assert "https://" not in page.text
        for name in ("swagger-ui-bundle.js", "swagger-ui.css", "docs.js"):
            assert f"/api/docs/{name}" in page.text
            assert (await client.get(f"/api/docs/{name}")).status_code == 200
        assert (await client.get("/api/docs/..%2fapp.py")).status_code == 404
        assert (await client.get("/api/v1/openapi.json")).json()["info"]["title"] == "Medcab"


def test_vendored_files_are_unchanged() -> None:
    """What came from elsewhere has the hash and the licence that were written down."""
    for package in json.loads((STATIC / "manifest.json").read_text())["packages"]:
        folder = STATIC / package["folder"]
        assert (folder / package["licence_file"]).exists()
        for file in package["files"]:
            digest = hashlib.sha256((folder / file["file"]).read_bytes()).hexdigest()
            assert digest == file["sha256"]


async def test_health_says_what_is_missing(house: House) -> None:
    """Alive always; ready with the database, degraded without the servers that may wait."""
    async with house.client() as client:
        assert (await client.get("/health/live")).json() == {"status": "alive"}
        ready = await client.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["database"] is True
    assert ready.json()["status"] == "degraded"


@pytest.mark.asvs("3.3.1")
@pytest.mark.parametrize("url", ["http://medcab.example", "http://10.0.0.1:8000"])
def test_cookies_without_https_are_for_loopback_only(url: str) -> None:
    """An installation that would send sessions in the clear does not start."""
    with pytest.raises(RuntimeError, match="MEDCAB_COOKIE_SECURE"):
        create_app(Settings(cookie_secure=False, public_url=url))


async def test_whoever_hangs_up_in_the_middle_of_a_question_is_no_error() -> None:
    """No answer is begun and nothing is logged as a fault of ours."""

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()

    async def hung_up() -> Message:
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    await LastResort(reads)(scope, hung_up, keep)
    assert sent == []


@pytest.mark.asvs("3.7.2")
@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://here/cases/1?tab=files", "/cases/1?tab=files"),
        ("http://here//evil.example/x", "/"),
        ("http://here/\\evil.example", "/"),
        ("http://evil.example/x", "/"),
        ("http://[here", "/"),
        ("//evil.example/x", "/"),
        ("", "/"),
    ],
)
def test_a_link_back_never_leaves_the_site(referer: str, back: str) -> None:
    """What a browser says of the page before leads to a path of ours, or to the first page."""
    headers = [(b"host", b"here"), (b"referer", referer.encode())]
    scope = {"type": "http", "method": "POST", "scheme": "http", "path": "/x", "headers": headers}
    assert came_from(Request({**scope, "query_string": b""})) == back


def test_a_page_under_another_host_is_no_way_back() -> None:
    """`//host/path` is an address elsewhere, also where it stands as a path of ours."""
    scope = {"type": "http", "method": "GET", "path": "//evil.example/x", "headers": []}
    request = Request({**scope, "query_string": b"", "server": ("here", 80), "scheme": "http"})
    assert came_from(request) == "/"
