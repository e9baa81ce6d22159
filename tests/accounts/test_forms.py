"""What another site makes a browser send changes nothing (CSRF)."""

from typing import Any

import pytest

from rules.accounts import from_own_page
from tests.shared.accounts import PASSWORD, House

OWN = "http://127.0.0.1:8000"
OURS: dict[str, str] = {"Sec-Fetch-Site": "same-origin", "Origin": OWN}
TOKEN = "right"


@pytest.mark.asvs("3.5.1")
@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [
        (OURS, TOKEN, 200),
        ({}, TOKEN, 200),
        ({"Origin": OWN}, TOKEN, 200),
        (OURS, None, 403),
        (OURS, "wrong", 403),
        ({}, None, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, TOKEN, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:9"}, TOKEN, 403),
        ({"Sec-Fetch-Site": "none"}, TOKEN, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": OWN}, TOKEN, 403),
        ({"Origin": "https://evil.example"}, TOKEN, 403),
        ({"Origin": "null"}, TOKEN, 403),
        ({"Origin": "http://127.0.0.1:80001"}, TOKEN, 403),
    ],
)
async def test_a_session_acts_only_from_our_pages(
    house: House, headers: dict[str, str], token: str | None, status: int
) -> None:
    """The browser's word on where it comes from, and the form token, must both be right."""
    client = await house.signed_in(await house.someone())
    right = client.headers.pop("X-CSRF-Token")
    if token is not None:
        headers = {**headers, "X-CSRF-Token": right if token == TOKEN else "A" * len(right)}
    answer = await client.post("/api/v1/session/extend", headers=headers)
    assert answer.status_code == status, answer.text
    assert (await client.get("/api/v1/session")).status_code == 200


async def test_a_form_token_belongs_to_one_session(house: House) -> None:
    """The token of one's own session does not fit that of somebody else."""
    mine, theirs = [await house.signed_in(await house.someone()) for _ in range(2)]
    theirs.headers["X-CSRF-Token"] = mine.headers["X-CSRF-Token"]
    assert (await theirs.post("/api/v1/session/extend")).json()["code"] == "form_token"


@pytest.mark.asvs("7.6.2")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OURS, 200),
        ({}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
    ],
)
async def test_no_other_site_signs_a_browser_in(
    house: House, headers: dict[str, str], status: int
) -> None:
    """A stranger's account cannot be slipped under somebody (login CSRF)."""
    someone = await house.someone()
    async with house.client() as client:
        answer = await client.post(
            "/api/v1/sign-in", json={"email": someone.email, "password": PASSWORD}, headers=headers
        )
    assert answer.status_code == status


@pytest.mark.asvs("3.5.2")
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_sign_in_reads_json_only(house: House, kind: str | None) -> None:
    """A body that another site may send without asking is not read as JSON."""
    someone = await house.someone()
    body = f'{{"email": "{someone.email}", "password": "{PASSWORD}"}}'
    headers: dict[str, Any] = {"Content-Type": kind} if kind else {}
    async with house.client() as client:
        answer = await client.post("/api/v1/sign-in", content=body.encode(), headers=headers)
    assert answer.status_code == 422


@pytest.mark.asvs("3.5.3")
async def test_reading_changes_nothing_and_needs_no_token(house: House) -> None:
    """GET is free of the check, and no GET route signs anybody out."""
    client = await house.signed_in(await house.someone())
    del client.headers["X-CSRF-Token"]
    answer = await client.get("/api/v1/sessions", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert (await client.get("/api/v1/sign-out")).status_code == 404


async def test_a_cookie_beside_a_bearer_token_is_not_looked_at(house: House) -> None:
    """Being exempt as a program cannot be borrowed to act with the session's cookie."""
    client = await house.signed_in(await house.someone())
    del client.headers["X-CSRF-Token"]
    answer = await client.post(
        "/api/v1/session/extend", headers={"Authorization": "Bearer mcb_nothing"}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_sec_fetch_site_goes_before_origin() -> None:
    """Where the browser says the relation itself, the origin is not asked."""
    assert from_own_page("same-origin", None, OWN)
    assert not from_own_page("cross-site", OWN, OWN)
    assert from_own_page(None, None, OWN)
