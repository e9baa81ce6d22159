"""Personal access tokens: for programs, limited in scope and time."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from models.tables.accounts import AccessToken
from rules.access import Permission, Role
from rules.clock import now
from services.accounts.recognising import recognise_token
from tests.shared.accounts import House, Someone


async def make(house: House, someone: Someone, **wish: Any) -> httpx.Response:
    """Make a token as a person at a browser does."""
    client = await house.signed_in(someone, checked=True)
    return await client.post(
        "/api/v1/tokens", json={"name": "отчёт", "scope": ["apply"], "days": 30, **wish}
    )


def bearer(answer: httpx.Response) -> dict[str, str]:
    """The header of a program that was given the new token."""
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def test_a_token_is_shown_once_and_stored_hashed(house: House) -> None:
    """The text is in the answer that made it, and nowhere else."""
    someone = await house.someone()
    made = await make(house, someone)
    assert made.status_code == 201, made.text
    text = made.json()["token"]
    assert text.startswith("mcb_")
    listed = await (await house.signed_in(someone)).get("/api/v1/tokens")
    assert text not in listed.text
    assert [(t["name"], t["hint"], t["scope"]) for t in listed.json()] == [
        ("отчёт", text[-4:], ["apply"])
    ]
    async with house.container.database.work() as session:
        row = (
            await session.exec(
                select(AccessToken).where(AccessToken.person_id == someone.person_id)
            )
        ).one()
        assert text not in row.model_dump_json()


async def test_a_session_that_was_taken_over_makes_no_token(house: House) -> None:
    """The code of signing in does not count, and one entered for it makes one token, not five."""
    someone = await house.someone()
    wish = {"name": "x", "scope": ["apply"], "days": 1}
    stolen = await house.signed_in(someone)
    refused = await stolen.post("/api/v1/tokens", json=wish)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
    client = await house.signed_in(someone, checked=True)
    answers = await asyncio.gather(*(client.post("/api/v1/tokens", json=wish) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403, 403, 403]


async def test_a_token_may_only_what_its_scope_says(house: House) -> None:
    """A reviewer's token for applying does not review."""
    someone = await house.someone(Role.HR_REVIEWER)
    text = (await make(house, someone)).json()["token"]
    current = await recognise_token(house.container.database, text, now(), house.container.activity)
    assert current.actor.may(Permission.APPLY)
    assert not current.actor.may(Permission.REVIEW)
    assert current.actor.units_with(Permission.REVIEW) == frozenset()


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"scope": ["review"]}, "scope"),
        ({"scope": ["apply", "manage_people"]}, "scope"),
        ({"scope": []}, "invalid_request"),
        ({"scope": ["everything"]}, "invalid_request"),
        ({"days": 91}, "invalid_request"),
        ({"days": 0}, "invalid_request"),
        ({"name": ""}, "invalid_request"),
    ],
)
async def test_no_token_goes_beyond_its_owner(
    house: House, wish: dict[str, Any], code: str
) -> None:
    """A scope beyond one's own rights, or a life beyond 90 days, is refused."""
    refused = await make(house, await house.someone(), **wish)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_a_token_does_not_touch_the_account(house: House) -> None:
    """Sessions, tokens, password and second factor are for the person at a browser."""
    headers = bearer(await make(house, await house.someone()))
    async with house.client() as program:
        assert (await program.get("/api/v1/session", headers=headers)).status_code == 200
        for method, path, body in (
            ("GET", "/api/v1/sessions", None),
            ("GET", "/api/v1/tokens", None),
            ("POST", "/api/v1/tokens", {"name": "x", "scope": ["apply"]}),
            ("POST", "/api/v1/second-factor", None),
            ("POST", "/api/v1/password", {"old_password": "a", "new_password": "b"}),
            ("PATCH", "/api/v1/preferences", {"theme": "dark"}),
        ):
            refused = await program.request(method, path, headers=headers, json=body)
            assert (refused.status_code, refused.json()["code"]) == (403, "session_needed"), path


async def test_a_token_ends_in_time_or_when_told(house: House) -> None:
    """After its end date and after being ended it opens nothing; its last use is known."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    first, second = await make(house, someone), await make(house, someone)
    async with house.client() as program:
        assert (await program.get("/api/v1/session", headers=bearer(first))).status_code == 200
        await house.container.activity.flush(house.container.database)
        used = (await client.get("/api/v1/tokens")).json()
        assert [token["last_used_at"] is not None for token in used] == [False, True]
        ended = await client.delete(f"/api/v1/tokens/{first.json()['id']}")
        assert ended.status_code == 204
        assert (await program.get("/api/v1/session", headers=bearer(first))).status_code == 401
        async with house.container.database.work() as session:
            await session.exec(
                update(AccessToken)
                .where(col(AccessToken.id) == second.json()["id"])
                .values(ends_at=now() - timedelta(seconds=1))
            )
        assert (await program.get("/api/v1/session", headers=bearer(second))).status_code == 401


async def test_nobody_ends_the_token_of_another(house: House) -> None:
    """The id of somebody else's token is as good as none."""
    made = await make(house, await house.someone())
    stranger = await house.signed_in(await house.someone())
    assert (await stranger.delete(f"/api/v1/tokens/{made.json()['id']}")).status_code == 404
    async with house.client() as program:
        assert (await program.get("/api/v1/session", headers=bearer(made))).status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic YTpi", "mcb_x", f"Bearer mcb_{'x' * 43}"]
)
async def test_what_is_no_token_is_refused(house: House, header: str) -> None:
    """A malformed or unknown Authorization header is 401 with the way to do it right."""
    async with house.client() as program:
        refused = await program.get("/api/v1/session", headers={"Authorization": header})
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
