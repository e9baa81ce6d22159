"""Changing an address: a code to the new one, word to the old one, nothing until then (N3)."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, select

from clients.database import Database
from clients.delivery.mail import Mailer
from clients.delivery.sms import SmsGateway
from models.tables.accounts import Account
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import Person
from rules.clock import now
from rules.notices.kinds import Channel
from rules.refusals import Refusal
from services.accounts import contacts
from services.accounts.sign_in import create_account, login_of
from services.notices.channels import MailWay, SmsWay
from services.notices.sender import drain
from services.notices.wording import Addresses
from tests.notices.conftest import Phones, Post, Staff
from tests.notices.test_inbox import actor

PASSWORD = "четыре слова подряд, не секрет"


@pytest.fixture
async def anna(staff: Staff, own_database: Database) -> Person:
    """Someone with an account and a telephone."""
    made = await staff.person(phone="+79161234567")
    async with own_database.work() as session:
        await create_account(session, made, PASSWORD, now(), given=False)
    return made


@pytest.fixture
def send(own_database: Database, mailer: Mailer, addresses: Addresses, phones: Phones) -> Any:
    """Send what is due by mail and SMS."""

    async def once() -> None:
        await drain(own_database, MailWay(mailer, addresses))
        async with SmsGateway(phones.address, phones.token, "") as gateway:
            await drain(own_database, SmsWay(gateway, addresses))

    return once


async def person_now(own_database: Database, person: Person) -> Person:
    """The row as it stands."""
    async with own_database.work() as session:
        return await session.get_one(Person, person.id)


def mails_to(post: Post, address: str) -> list[dict[str, Any]]:
    """Whole messages to an address, oldest first."""
    found = post.http.get("/messages", params={"to": address}).json()
    return [post.http.get(f"/messages/{one['id']}").json() for one in reversed(found)]


def code_in(text: str) -> str:
    """The six digits of a message."""
    return str(re.findall(r"\b\d{6}\b", text)[-1])


async def test_a_new_mail_address_holds_once_its_code_came_back(
    own_database: Database, anna: Person, send: Any, post: Post
) -> None:
    """The code goes to the new address only; then sign-in and mail use it, and the old is told."""
    new, old = f"{uuid4()}@new.example", anna.email
    change = await contacts.ask(own_database, actor(anna), Channel.MAIL, new, now())
    await send()
    [letter] = mails_to(post, new)
    assert mails_to(post, old) == []
    assert (await person_now(own_database, anna)).email == old
    await contacts.confirm(own_database, actor(anna), change, code_in(letter["text"]), now())
    assert (await person_now(own_database, anna)).email == new
    async with own_database.work() as session:
        account = await session.get_one(Account, anna.id)
        assert account.login == login_of(new)
        entries = await session.exec(select(JournalEntry).where(JournalEntry.chain == anna.id))
        assert "account.contact_changed" in {entry.kind for entry in entries}
    await send()
    assert [mail["subject"] for mail in mails_to(post, old)] == ["Изменены контактные данные"]
    assert new not in mails_to(post, old)[0]["raw"]
    assert mails_to(post, new)[-1]["subject"] == "Изменены контактные данные"


async def test_a_new_number_holds_once_its_code_came_back(
    own_database: Database, anna: Person, send: Any, phones: Phones
) -> None:
    """However it was typed; the old number hears of it."""
    change = await contacts.ask(own_database, actor(anna), Channel.SMS, "8 (916) 765-43-21", now())
    await send()
    [sent] = phones.http.get("/messages", params={"to": "+79167654321"}).json()
    await contacts.confirm(own_database, actor(anna), change, code_in(sent["text"]), now())
    assert (await person_now(own_database, anna)).phone == "+79167654321"
    await send()
    assert [one["text"].split(".")[0] for one in phones.to(anna)] == ["Изменены контактные данные"]


async def test_a_code_ends(own_database: Database, anna: Person) -> None:
    """After a quarter of an hour, after five tries, and when another one is asked for."""
    me, new = actor(anna), f"{uuid4()}@new.example"
    change = await contacts.ask(own_database, me, Channel.MAIL, new, now())
    with pytest.raises(Refusal) as late:
        await contacts.confirm(own_database, me, change, "000000", now() + timedelta(minutes=15))
    assert late.value.code == "code_over"
    for _ in range(contacts.TRIES):
        with pytest.raises(Refusal) as wrong:
            await contacts.confirm(own_database, me, change, "no code", now())
        assert wrong.value.code == "wrong_code"
    with pytest.raises(Refusal) as over:
        await contacts.confirm(own_database, me, change, "000000", now())
    assert over.value.code == "code_over"
    await contacts.ask(own_database, me, Channel.MAIL, f"{uuid4()}@new.example", now())
    with pytest.raises(Refusal) as gone:
        await contacts.confirm(own_database, me, change, "000000", now())
    assert gone.value.status == 404
    assert (await person_now(own_database, anna)).email == anna.email


async def test_nobody_confirms_for_somebody_else(
    own_database: Database, anna: Person, staff: Staff
) -> None:
    """A change is found by its person only."""
    change = await contacts.ask(own_database, actor(anna), Channel.SMS, "+79160000009", now())
    with pytest.raises(Refusal) as refused:
        await contacts.confirm(own_database, actor(await staff.person()), change, "000000", now())
    assert refused.value.status == 404
    async with own_database.work() as session:
        mine = await contacts.contacts_of(session, actor(anna), now())
        assert [(one.id, one.value) for one in mine.pending] == [(change, "+79160000009")]


async def test_an_address_that_signs_somebody_in_is_refused(
    own_database: Database, anna: Person, staff: Staff, send: Any, post: Post
) -> None:
    """Two people never share a login; until the code was entered nobody learns of it."""
    boris = await staff.person()
    async with own_database.work() as session:
        await create_account(session, boris, PASSWORD, now(), given=False)
    change = await contacts.ask(own_database, actor(anna), Channel.MAIL, boris.email, now())
    await send()
    code = code_in(mails_to(post, boris.email)[0]["text"])
    with pytest.raises(Refusal) as refused:
        await contacts.confirm(own_database, actor(anna), change, code, now())
    assert refused.value.code == "contact_taken"
    assert (await person_now(own_database, anna)).email == anna.email


async def test_codes_are_not_asked_for_without_end(own_database: Database, anna: Person) -> None:
    """Nobody is flooded with codes through us."""
    for number in range(contacts.ASKED.times):
        await contacts.ask(own_database, actor(anna), Channel.SMS, f"+7916000001{number}", now())
    with pytest.raises(Refusal) as refused:
        await contacts.ask(own_database, actor(anna), Channel.SMS, "+79160000019", now())
    assert refused.value.status == 429


@pytest.mark.parametrize(
    ("channel", "value"),
    [
        (Channel.MAIL, "nobody"),
        (Channel.MAIL, "a@b\r\nBcc: c@d.example"),
        (Channel.MAIL, "a@b.example, c@d.example"),
        (Channel.MAIL, "Name <a@b.example>"),
        (Channel.MAIL, "игорь@b.example"),
        (Channel.MAIL, "a..b@b.example"),
        (Channel.MAIL, "a.@b.example"),
        (Channel.MAIL, "a@b"),
        (Channel.MAIL, ""),
        (Channel.SMS, "телефон"),
        (Channel.SMS, "+7916"),
        (Channel.PUSH, "x"),
    ],
)
async def test_what_is_no_address_is_refused(
    own_database: Database, anna: Person, channel: Channel, value: str
) -> None:
    """With words that say what to write; no code is sent."""
    with pytest.raises(Refusal) as refused:
        await contacts.ask(own_database, actor(anna), channel, value, now())
    assert refused.value.status == 422
    assert refused.value.fields[0].path == "value"


async def test_an_address_with_a_cyrillic_domain(
    own_database: Database, anna: Person, send: Any, post: Post
) -> None:
    """It is kept as people read it, and a mail server that knows only ASCII takes it."""
    name = str(uuid4())
    typed = f" {name}@\u202aбольница\u00ad.рф"
    change = await contacts.ask(own_database, actor(anna), Channel.MAIL, typed, now())
    await send()
    [sent] = mails_to(post, f"{name}@xn--80abvlke3d3b.xn--p1ai")
    await contacts.confirm(own_database, actor(anna), change, code_in(sent["text"]), now())
    assert (await person_now(own_database, anna)).email == f"{name}@больница.рф"


async def test_codes_stand_in_the_message_alone(
    own_database: Database, anna: Person, send: Any, post: Post
) -> None:
    """The cabinet, the tables and the journal show no code and no new address in the clear."""
    new = f"{uuid4()}@new.example"
    await contacts.ask(own_database, actor(anna), Channel.MAIL, new, now())
    await send()
    code = code_in(mails_to(post, new)[0]["text"])
    async with own_database.work() as session:
        found = await session.exec(
            select(Notice).where(Notice.person_id == anna.id).order_by(col(Notice.id))
        )
        cabinet = [one for one in found if one.channel == Channel.CABINET.value]
        assert [one.contents for one in cabinet] == [None]
        connection = await session.connection()
        for table in ("notice", "contact_change", "notice_attempt"):
            rows = (await connection.exec_driver_sql(f"select * from {table}")).all()  # noqa: S608
            for value in (value for row in rows for value in row if isinstance(value, str)):
                assert code != value
                assert new not in value
