"""Passwords: which are taken, how they are kept, how they change."""

import pytest
from sqlmodel import select

from crypto import passwords
from models.tables.accounts import Account
from models.tables.notices import Notice
from rules.accounts import check_password
from rules.refusals import Refusal
from services.accounts.common_passwords import common_passwords
from tests.shared.accounts import FULL_STRENGTH, PASSWORD, House

ABOUT = ("Соколова Анна Сергеевна", "sokolova@gkb7.example", "Городская клиническая больница № 7")
NEW = "совсем другие пять слов подряд"


@pytest.fixture(autouse=True)
def full_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests."""
    monkeypatch.setattr(passwords, "_HASHER", FULL_STRENGTH)


@pytest.mark.asvs("6.2.1")
@pytest.mark.asvs("6.2.4")
@pytest.mark.asvs("6.2.11")
@pytest.mark.asvs("6.2.12")
@pytest.mark.parametrize(
    "password",
    [
        "",
        "корова21век",
        "a" * 257,
        "qwertyqwerty",
        "Q1W2E3R4T5Y6",
        "gfhjkmgfhjkm",
        "123456789qwe",
        "аааааааааааааааа",
        "121212121212121212",
        "Medcab2026!!",
        "соколова1986",
        "СоколоваАнна86",
        "больница№7больница",
        "sokolova-gkb7",
    ],
)
def test_weak_passwords_are_refused_in_words(password: str) -> None:
    """Short, endless, leaked, monotonous, or made of the person's and the house's own words."""
    with pytest.raises(Refusal) as refusal:
        check_password(password, common_passwords(), ABOUT)
    assert refusal.value.status == 422
    assert [fault.path for fault in refusal.value.fields] == ["new_password"]


@pytest.mark.asvs("6.2.5")
@pytest.mark.asvs("6.2.9")
@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "лошадь скрепка батарея",
        "вереск-туман-лодка",
        "😀 лес 🚲 река 🌲 дом",
        "соколова любит кататься на велосипеде",
        "x9!kQ2#vL7@z",
        "а б в г д е ж з и к л м н о п р " * 2,
        "z" * 100 + " слова в середине " + "y" * 100,
    ],
)
def test_any_composition_will_do(password: str) -> None:
    """No demands on kinds of characters, and more than 64 of them are welcome."""
    check_password(password, common_passwords(), ABOUT)


@pytest.mark.asvs("6.2.4")
def test_the_list_is_long_enough() -> None:
    """More than the 3000 most common passwords of twelve characters and more."""
    known = common_passwords()
    assert len(known) > 13_000
    assert all(12 <= len(word) <= 64 and word == word.casefold() for word in known)


@pytest.mark.asvs("11.4.2")
async def test_hashes_are_argon2id_of_full_strength(house: House) -> None:
    """19 MiB, two passes, a salt of their own each (libraries.md)."""
    first, second = await passwords.hashed(PASSWORD), await passwords.hashed(PASSWORD)
    assert first != second
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.matches(first, PASSWORD)
    assert not passwords.is_outdated(first)
    weaker = first.replace("m=19456", "m=8192")
    assert passwords.is_outdated(weaker)


@pytest.mark.asvs("6.2.8")
@pytest.mark.parametrize(
    "other", [PASSWORD.upper(), f" {PASSWORD}", f"{PASSWORD} ", PASSWORD[:-1], PASSWORD + "x", ""]
)
async def test_a_password_fits_exactly_as_typed(other: str) -> None:
    """Nothing is trimmed, cut or folded."""
    assert not await passwords.matches(await passwords.hashed(PASSWORD), other)


@pytest.mark.asvs("6.2.2")
@pytest.mark.asvs("6.2.3")
@pytest.mark.asvs("6.3.7")
@pytest.mark.asvs("7.4.3")
async def test_changing_the_password_ends_the_other_sessions(house: House) -> None:
    """It needs the old one, ends all other sessions, renews this one, and is announced."""
    someone = await house.someone()
    here, there = await house.signed_in(someone), await house.signed_in(someone)
    old = here.cookies["medcab"]
    wrong = await here.post(
        "/api/v1/password", json={"old_password": "не тот", "new_password": NEW}
    )
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "old_password")
    weak = await here.post(
        "/api/v1/password", json={"old_password": PASSWORD, "new_password": "qwertyqwerty"}
    )
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (422, "new_password")
    same = await here.post(
        "/api/v1/password", json={"old_password": PASSWORD, "new_password": PASSWORD}
    )
    assert same.json()["code"] == "same_password"

    done = await here.post("/api/v1/password", json={"old_password": PASSWORD, "new_password": NEW})
    assert (done.status_code, done.json()["stage"]) == (200, "open"), done.text
    assert here.cookies["medcab"] != old
    assert (await here.get("/api/v1/session")).status_code == 200
    assert (await there.get("/api/v1/session")).status_code == 401
    async with house.container.database.work() as session:
        account = await session.get_one(Account, someone.person_id)
        assert await passwords.matches(account.password_hash, NEW)
        told = await session.exec(select(Notice.kind).where(Notice.person_id == someone.person_id))
        assert set(told) == {"security"}


async def test_guessing_the_old_password_is_counted(house: House) -> None:
    """Somebody at an open session cannot try passwords without end."""
    client = await house.signed_in(await house.someone())
    codes = [
        (
            await client.post(
                "/api/v1/password", json={"old_password": f"догадка {n}", "new_password": NEW}
            )
        ).status_code
        for n in range(11)
    ]
    assert codes == [422] * 10 + [429]


async def test_a_weaker_hash_is_renewed_at_sign_in(house: House) -> None:
    """Whoever signs in with an old hash has a new one afterwards, under the same password."""
    from argon2 import PasswordHasher

    someone = await house.someone()
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    await house.change_account(someone, password_hash=weak)
    async with house.client() as client:
        answer = await client.post(
            "/api/v1/sign-in", json={"email": someone.email, "password": PASSWORD}
        )
    assert answer.status_code == 200
    async with house.container.database.work() as session:
        account = await session.get_one(Account, someone.person_id)
        assert account.password_hash is not None
        assert not passwords.is_outdated(account.password_hash)
        assert await passwords.matches(account.password_hash, PASSWORD)
