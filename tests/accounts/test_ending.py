"""What ends sessions and access tokens: a new password, signing in again, and never a link."""

import re
from typing import Any

import httpx
import pytest

from api.http.openapi import routes
from tests.accounts.test_sessions import lives
from tests.shared.accounts import PASSWORD, House, Someone, fresh_code

NEW = "совсем другие пять слов подряд"


async def token_of(client: httpx.AsyncClient) -> dict[str, str]:
    """The header of a program with a token made in this browser."""
    made = await client.post("/api/v1/tokens", json={"name": "отчёт", "scope": ["apply"]})
    assert made.status_code == 201, made.text
    return {"Authorization": f"Bearer {made.json()['token']}"}


async def opens(house: House, header: dict[str, str]) -> bool:
    """Whether a program gets in."""
    async with house.client() as program:
        return (await program.get("/api/v1/session", headers=header)).status_code == 200


@pytest.mark.parametrize("how", ["password", "second factor"])
async def test_what_the_old_one_opened_ends_with_it(house: House, how: str) -> None:
    """A new password or app ends other sessions and tokens, of this person and of nobody else."""
    someone, other = await house.someone(), await house.someone()
    here, there, strangers = [
        await house.signed_in(whose, checked=True) for whose in (someone, someone, other)
    ]
    mine, theirs = await token_of(there), await token_of(strangers)
    assert await opens(house, mine)
    if how == "password":
        done = await here.post(
            "/api/v1/password", json={"old_password": PASSWORD, "new_password": NEW}
        )
    else:
        shown = (await here.post("/api/v1/second-factor")).json()
        renewed = Someone(someone.person_id, someone.unit_id, someone.email, shown["secret"])
        done = await here.post(
            "/api/v1/second-factor/confirm", json={"code": await fresh_code(renewed.secret)}
        )
    assert done.status_code == 200, done.text
    assert await lives(here)
    assert not await lives(there)
    assert not await opens(house, mine)
    here.headers["X-CSRF-Token"] = done.json()["csrf_token"]
    assert (await here.get("/api/v1/tokens")).json() == []
    assert await lives(strangers)
    assert await opens(house, theirs)


async def test_signing_in_again_ends_the_session_before_on_this_device(house: House) -> None:
    """A cookie that the browser has lost opens nothing; other devices of the person stay."""
    someone = await house.someone()
    here, there = await house.signed_in(someone), await house.signed_in(someone)
    lost = here.cookies["medcab"]
    again = await here.post("/api/v1/sign-in", json={"email": someone.email, "password": PASSWORD})
    assert again.status_code == 200, again.text
    here.headers["X-CSRF-Token"] = again.json()["csrf_token"]
    done = await here.post("/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)})
    assert done.json()["stage"] == "open", done.text
    assert await lives(here)
    assert await lives(there)
    assert len((await here.get("/api/v1/sessions")).json()) == 2
    here.cookies.set("medcab", lost, domain="127.0.0.1")
    assert not await lives(here)


async def test_a_link_ends_no_session(house: House) -> None:
    """Whatever address somebody is led to, also one that says the session is over."""
    client = await house.signed_in(await house.someone())
    addresses = [
        path
        for method, path, _ in routes(house.app)
        if method == "GET" and not re.search(r"{|^/temporal|^/health", path)
    ]
    assert "/sign-in" in addresses
    session = client.cookies["medcab"]
    for address in addresses:
        answer = await client.get(address, params={"expired": "1"})
        dropped: list[Any] = [
            cookie
            for cookie in answer.headers.get_list("set-cookie")
            if cookie.startswith("medcab=")
        ]
        assert not dropped, address
        assert "clear-site-data" not in answer.headers, address
    client.cookies.set("medcab", session, domain="127.0.0.1")
    assert await lives(client)
    led = await client.get("/sign-in", params={"expired": "1", "next": "/notices"})
    assert (led.status_code, led.headers["location"]) == (303, "/notices")
