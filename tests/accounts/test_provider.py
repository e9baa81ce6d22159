"""Signing in through an external provider, over a real one (I11)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import RSAKey
from sqlalchemy import update
from sqlmodel import col, select

from clients.identity_provider import OidcProvider
from crypto.id_tokens.checking import RSA, IdTokenError, UnknownKeyError, claims_of
from crypto.id_tokens.issuing import SigningKey, unsigned
from models.tables.accounts import LoginAttempt, ProviderAttempt
from rules.accounts import Limit
from rules.clock import now
from rules.refusals import Refusal
from rules.sign_in.identity_provider import subject_of
from services.accounts import provider_sign_in
from simulators.oidc import TokenFault, create_app
from tests.shared.accounts import House, Someone, fresh_code, own_address
from tests.shared.served import at_port, free_port


@dataclass
class World:
    """The house, and a provider that it trusts."""

    house: House
    simulated: FastAPI
    url: str

    async def says_who(self, address: str, subject: str) -> str:
        """Say at the provider who one is; the address to which it sends the browser back."""
        asked = dict(parse_qsl(urlsplit(address).query))
        async with httpx.AsyncClient(trust_env=False) as browser:
            answer = await browser.post(f"{self.url}/authorize", data={**asked, "subject": subject})
        assert answer.status_code == 303, answer.text
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    async def gone(self, client: httpx.AsyncClient) -> str:
        """The provider's address, after the link on the page of signing in."""
        answer = await client.get("/sign-in/provider", params={"next": "/profile"})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def linked(self, subject: str) -> Someone:
        """Somebody whose account is linked with a subject."""
        someone = await self.house.someone()
        client = await self.house.signed_in(someone, checked=True)
        page = await client.post("/profile/provider/link")
        assert page.status_code == 200, page.text
        address = page.text.partition('class="button" href="')[2].partition('"')[0]
        done = await client.get(await self.says_who(address.replace("&amp;", "&"), subject))
        assert done.headers["location"] == "/profile/provider?done=provider_linked", done.text
        return someone

    def spoil(self, fault: TokenFault) -> None:
        """Let the provider sign what is wrong."""
        self.simulated.state.provider.fault = fault


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[tuple[FastAPI, str]]:
    """A provider behind a real server."""
    app = create_app("medcab", "simulated")
    async with at_port(app, free_port()) as url:
        yield app, url


@pytest.fixture
async def world(house: House, provider: tuple[FastAPI, str]) -> AsyncIterator[World]:
    """The house of these tests trusts the provider."""
    app, url = provider
    app.state.provider.fault = TokenFault.NONE
    house.container.provider = OidcProvider("ЕСИА", url, "medcab", "simulated")
    yield World(house, app, url)
    await house.container.provider.close()


async def test_the_provider_takes_the_place_of_the_password_only(world: World) -> None:
    """From the link on the page to half a session: the second factor is still asked for (I5)."""
    someone = await world.linked("subject of Anna")
    async with world.house.client() as client:
        assert "Войти через ЕСИА" in (await client.get("/sign-in")).text
        address = await world.gone(client)
        asked = parse_qs(urlsplit(address).query)
        assert asked["code_challenge_method"] == ["S256"]
        done = await client.get(await world.says_who(address, "subject of Anna"))
        assert done.headers["location"] == "/sign-in/code?next=/profile"
        assert (await client.get("/api/v1/session")).json()["stage"] == "code"
        page = await client.get("/sign-in/code")
        token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        form = {"code": await fresh_code(someone.secret), "csrf_token": token}
        assert (await client.post("/sign-in/code", data=form)).status_code == 303
        assert (await client.get("/api/v1/session")).json()["person_id"] == str(someone.person_id)
    async with world.house.container.database.work() as session:
        stored = await (await session.connection()).exec_driver_sql("select * from provider_link")
        assert "Anna" not in f"{stored.all()}"


async def test_an_answer_counts_once_and_on_its_own_device(world: World) -> None:
    """A replayed state, or one of another browser, opens nothing; nor do ten at once open two."""
    await world.linked("subject of Boris")
    async with world.house.client() as client, world.house.client() as thief:
        await thief.get("/sign-in")
        back = await world.says_who(await world.gone(client), "subject of Boris")
        assert (await thief.get(back)).status_code == 409
        answers = await asyncio.gather(*(client.get(back) for _ in range(10)))
        assert sorted(one.status_code for one in answers) == [303] + [409] * 9
        assert (await client.get(back)).status_code == 409
        late = await world.says_who(await world.gone(client), "subject of Boris")
        async with world.house.container.database.work() as session:
            await session.exec(update(ProviderAttempt).values(ends_at=now()))
        assert (await client.get(late)).status_code == 409
        none = await client.get("/sign-in/provider/return?state=none&code=none")
        assert (none.status_code, "Начните заново" in none.text) == (409, True)


@pytest.mark.parametrize("fault", [one for one in TokenFault if one is not TokenFault.NONE])
async def test_a_statement_that_does_not_fit_opens_nothing(world: World, fault: TokenFault) -> None:
    """Unsigned, by another key, of another issuer, for somebody else, replayed, or too old."""
    await world.linked(f"subject {fault}")
    world.spoil(fault)
    async with world.house.client() as client:
        back = await world.says_who(await world.gone(client), f"subject {fault}")
        refused = await client.get(back)
        assert (refused.status_code, "нельзя доверять" in refused.text) == (409, True)
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_ward_of_one_address_signs_in_as_often_as_it_likes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts that led somewhere do not count; those that were only begun do."""
    await world.linked("subject of Zoya")
    monkeypatch.setattr(provider_sign_in, "BEGUN", Limit("provider", 1, timedelta(hours=1)))
    ward = own_address()
    for _ in range(2):
        async with world.house.client(ward) as client:
            back = await world.says_who(await world.gone(client), "subject of Zoya")
            assert (await client.get(back)).status_code == 303
    async with world.house.client(ward) as client:
        await world.gone(client)
        assert (await client.get("/sign-in/provider")).status_code == 429


async def test_a_link_to_the_provider_ends_no_session(world: World) -> None:
    """Where the provider answers by itself, a link of another site would sign the person out."""
    client = await world.house.signed_in(await world.linked("subject of Inna"))
    led = await client.get("/sign-in/provider", params={"next": "/profile"})
    assert (led.status_code, led.headers["location"]) == (303, "/profile")


async def test_an_answer_of_another_issuer_is_not_mixed_up(world: World) -> None:
    """Whoever claims to be another provider is refused before the code is shown to anybody."""
    await world.linked("subject of Vera")
    async with world.house.client() as client:
        back = await world.says_who(await world.gone(client), "subject of Vera")
        parts = dict(parse_qsl(urlsplit(back).query))
        mixed = {**parts, "iss": "https://other.example"}
        refused = await client.get("/sign-in/provider/return", params=mixed)
        assert refused.status_code == 409
        left = await client.get("/sign-in/provider/return", params={"state": parts["state"]})
        assert left.status_code == 409, "the attempt is used up"


async def test_keys_may_change_and_servers_be_down(world: World) -> None:
    """A new key is asked for once; without the provider people are led to their password."""
    await world.linked("subject of Gleb")
    async with httpx.AsyncClient(trust_env=False) as ops:
        await ops.put(f"{world.url}/keys")
        async with world.house.client() as client:
            back = await world.says_who(await world.gone(client), "subject of Gleb")
            assert (await client.get(back)).status_code == 303
            back = await world.says_who(await world.gone(client), "subject of Gleb")
            await ops.put(f"{world.url}/faults", json={"mode": "fail"})
            down = await client.get(back)
            await ops.put(f"{world.url}/faults", json={"mode": "ok"})
    assert (down.status_code, "Войти с паролем" in down.text) == (503, True)


async def test_linking_asks_for_a_factor_and_one_subject_has_one_account(world: World) -> None:
    """A session that was taken over links nothing, nor does anybody else's browser."""
    anna = await world.linked("subject of Dina")
    other = await world.house.someone()
    stolen = await world.house.signed_in(other)
    led = await stolen.post("/profile/provider/link")
    assert led.headers["location"].startswith("/profile/confirm")
    client = await world.house.signed_in(other, checked=True)
    page = await client.post("/profile/provider/link")
    address = page.text.partition('class="button" href="')[2].partition('"')[0]
    back = await world.says_who(address.replace("&amp;", "&"), "subject of Dina")
    refused = await client.get(back)
    assert (refused.status_code, "уже связан" in refused.text) == (409, True)
    owner = await world.house.signed_in(anna, checked=True)
    assert "Отключить" in (await owner.get("/profile/provider")).text
    gone = await owner.post("/profile/provider/remove")
    assert gone.headers["location"] == "/profile/provider?done=provider_removed"
    async with world.house.client() as browser:
        back = await world.says_who(await world.gone(browser), "subject of Dina")
        told = await browser.get(back)
    assert (told.status_code, "свяжите его в профиле" in told.text) == (409, True)
    async with world.house.container.database.work() as session:
        steps = await session.exec(
            select(LoginAttempt.step)
            .where(LoginAttempt.person_id == anna.person_id)
            .order_by(col(LoginAttempt.id))
        )
        assert steps.all() == ["provider_linked", "provider_unlinked"]


async def test_a_locked_account_is_not_opened_from_outside(world: World) -> None:
    """The provider knows nothing of locks: here they count."""
    someone = await world.linked("subject of Egor")
    await world.house.change_account(someone, locked_at=now(), locked_reason="administrator")
    async with world.house.client() as client:
        back = await world.says_who(await world.gone(client), "subject of Egor")
        assert (await client.get(back)).status_code == 403


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_both_algorithms_are_known_and_no_others(algorithm: str) -> None:
    """What the token proposes decides nothing: neither `none`, nor a key of another kind."""
    key, other = SigningKey(algorithm), SigningKey("ES256" if algorithm == RSA else RSA)
    token = key.signed({"sub": "x"})
    assert claims_of(token, [key.public]) == {"sub": "x"}
    head, said, signature = token.split(".")
    for wrong in (
        unsigned({"sub": "x"}),
        f"{head}.{said}.",
        f"{head}.{said}.{'A' * len(signature)}",
        f"{head}.{other.signed({'sub': 'y'}).split('.')[1]}.{signature}",
        f"{head}.{said}",
        "x.y.z",
        "A" * 20_000,
    ):
        with pytest.raises(IdTokenError):
            claims_of(wrong, [key.public])
    with pytest.raises(IdTokenError):
        claims_of(token, [{**other.public, "kid": key.kid}])
    with pytest.raises(UnknownKeyError):
        claims_of(token, [])
    with pytest.raises(UnknownKeyError):
        claims_of(token, [{**key.public, "use": "enc"}])


def test_a_short_key_is_no_key() -> None:
    """RSA of fewer than 2048 bits proves nothing (ASVS 11.2.3)."""
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024, {"kid": "weak", "use": "sig"})
    token = jws.serialize_compact({"alg": RSA, "kid": "weak"}, "{}", weak, algorithms=[RSA])
    with pytest.raises(UnknownKeyError):
        claims_of(token, [weak.as_dict(private=False)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://b"},
        {"aud": "b"},
        {"aud": ["a", "b"]},
        {"azp": "b"},
        {"nonce": "m"},
        {"nonce": None},
        {"sub": ""},
        {"sub": 5},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 10**30},
        {"iat": None},
    ],
)
def test_a_statement_has_to_be_for_us_here_and_now(wrong: dict[str, object]) -> None:
    """Each claim counts, and what is no claim is refused and not an error."""
    at = now()
    fits = {
        "iss": "https://a",
        "aud": "a",
        "nonce": "n",
        "sub": "s",
        "iat": at.timestamp(),
        "exp": (at + timedelta(minutes=5)).timestamp(),
    }
    assert subject_of(fits, "https://a", "a", "n", at) == "s"
    assert subject_of({**fits, "aud": ["a", "b"], "azp": "a"}, "https://a", "a", "n", at) == "s"
    with pytest.raises(Refusal):
        subject_of({**fits, **wrong}, "https://a", "a", "n", at)
    with pytest.raises(Refusal):
        subject_of(fits, "https://a", "a", "n", at + timedelta(minutes=5))
