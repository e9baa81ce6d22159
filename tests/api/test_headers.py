"""Headers that keep a browser safe stand on every answer: pages, the API, files and errors."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import Request, Response

from api.http.headers import HEADERS
from api.http.openapi import routes
from ops.local.system import settings_from
from server import create_app
from tests.api.test_access_table import NAMES
from tests.shared.servers import KEYS, NOWHERE

SITE = "https://cabinet.example"
ID = "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"
OTHER_WAYS = ("GET /no/such/page", "GET /api/v1/no-such-route", "DELETE /", "TRACE /", "BREW /")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at an installation with https, whose other servers are all down."""
    app = create_app(
        settings_from(
            {
                "DATABASE_URL": f"postgresql://nobody@{NOWHERE}/none",
                "MEDCAB_KEYS": KEYS,
                "MEDCAB_HOME": str(tmp_path),
                "MEDCAB_PUBLIC_URL": SITE,
                "MEDCAB_TEMPORAL_UI_URL": f"http://{NOWHERE}",
                "TEMPORAL_ADDRESS": NOWHERE,
                "S3_ENDPOINT": f"http://{NOWHERE}",
                "S3_SECRET_KEY": "nobody listens",
            }
        )
    )

    async def fail(_: Request) -> Response:
        raise RuntimeError("unforeseen")

    app.add_api_route("/unforeseen", fail)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=SITE) as client,
    ):
        client.headers["Accept"] = "text/html, */*"
        client.app = app  # type: ignore[attr-defined]
        yield client


@pytest.mark.asvs("3.7.1")
@pytest.mark.asvs("14.3.2")
@pytest.mark.asvs("3.4.1")
@pytest.mark.asvs("3.4.2")
@pytest.mark.asvs("3.4.3")
@pytest.mark.asvs("3.4.4")
@pytest.mark.asvs("3.4.5")
@pytest.mark.asvs("3.4.6")
@pytest.mark.asvs("4.1.1")
@pytest.mark.asvs("13.4.4")
async def test_every_answer_of_every_route_has_them(site: httpx.AsyncClient) -> None:
    """Whatever becomes of a request: a policy, no sniffing, no frame, https for two years (I10)."""
    app = site.app  # type: ignore[attr-defined]
    known = [f"{method} {path}" for method, path, _ in routes(app)]
    assert len(known) > 200
    wrong = []
    for route in [*known, *OTHER_WAYS]:
        method, _, path = route.partition(" ")
        address = re.sub(r"\{(\w+)(?::\w+)?\}", lambda one: NAMES.get(one[1], ID), path)
        answer = await site.request(method, address)
        told = answer.headers
        for name, value in HEADERS.items():
            allowed = {value}
            if name == "Content-Security-Policy":
                assert "unsafe" not in told[name]
                policy = {part.strip() for part in told[name].split(";")}
                sandboxed = {"default-src 'none'", "sandbox"} <= policy
                strict = {"object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"}
                allowed = {told[name]} if sandboxed or strict <= policy else set()
            elif name in ("Cache-Control", "Cross-Origin-Resource-Policy", "X-Frame-Options"):
                allowed.add(told.get(name, ""))
            if told.get(name, "") not in allowed or not told.get(name):
                wrong.append(f"{route}: {answer.status_code} {name}: {told.get(name)}")
        age = re.fullmatch(r"max-age=(\d+); includeSubDomains", told["strict-transport-security"])
        assert age
        assert int(age[1]) >= 365 * 24 * 3600
        assert not [name for name in told if name.startswith("access-control-allow")]
        if answer.content:
            kind = told["content-type"]
            assert "charset=utf-8" in kind or not kind.startswith("text/"), (route, kind)
        if route in OTHER_WAYS:
            assert answer.status_code in (404, 405)
    assert not wrong, "\n".join(wrong)
    unforeseen = await site.get("/unforeseen")
    assert unforeseen.status_code == 500
    assert unforeseen.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.asvs("3.3.1")
@pytest.mark.asvs("3.3.2")
@pytest.mark.asvs("3.3.3")
async def test_every_cookie_is_bound_to_this_host_and_to_https(site: httpx.AsyncClient) -> None:
    """`__Host-`, Secure, HttpOnly, one path, SameSite: no other site or host sends or sets it."""
    answer = await site.get("/sign-in")
    cookies = answer.headers.get_list("set-cookie")
    assert cookies
    for cookie in cookies:
        name, *attributes = [part.strip().lower() for part in cookie.split(";")]
        assert name.startswith("__host-")
        assert {"secure", "httponly", "path=/"} <= set(attributes)
        assert {"samesite=lax", "samesite=strict"} & set(attributes)
        assert not [one for one in attributes if one.startswith("domain")]


@pytest.mark.asvs("15.3.7")
async def test_a_value_comes_by_its_own_way_only(site: httpx.AsyncClient) -> None:
    """What belongs into the body is not taken from the address, a header or a cookie."""
    wanted = {"email": "a@example.org", "password": "x"}
    told = await site.post(
        "/api/v1/sign-in",
        params=wanted,
        json={},
        headers={**wanted, "Cookie": "email=a@example.org; password=x"},
    )
    assert told.status_code == 422
    assert {fault["field"] for fault in told.json()["errors"]} == set(wanted)


@pytest.mark.asvs("13.4.3")
async def test_no_folder_is_listed(site: httpx.AsyncClient) -> None:
    """A folder of files is no page, whichever way it is written."""
    for path in ("/static", "/static/", "/static/js/"):
        answer = await site.get(path, follow_redirects=True)
        assert answer.status_code == 404, path


@pytest.mark.asvs("16.3.2")
async def test_a_refusal_is_in_the_log(
    site: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who is kept out leaves a line with route and code, and with nothing that was sent."""
    answer = await site.get("/api/v1/session", params={"who": "Соколова"})
    assert answer.status_code == 401
    told = "".join(capsys.readouterr())
    assert "request_refused" in told
    assert "route=/session" in told
    assert "status=401" in told
    assert "Соколова" not in told
