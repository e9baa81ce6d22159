"""Notices are told by e-mail: none lost, none doubled without need, each try written down (A9)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from clients.database import Database
from clients.delivery.mail import Mailer
from models.tables.notices import Notice, NoticeAttempt
from models.tables.people import Person
from rules.clock import now
from rules.notices.kinds import Channel, NoticeState
from services.notices import outbox
from services.notices.channels import MailWay
from services.notices.sender import Round, Stop, drain, send_next, waiting
from services.notices.wording import Addresses
from tests.notices.conftest import NUMBER, Post, Staff
from tests.shared.statements import statements


@pytest.fixture(name="drain")
def one_round(own_database: Database, mailer: Mailer, addresses: Addresses) -> Any:
    """One round of sending."""

    async def once() -> Round:
        return await drain(own_database, MailWay(mailer, addresses))

    return once


@pytest.fixture
def stored(own_database: Database) -> Any:
    """The mails of a person as they stand in the database."""

    async def read(person: Person, channel: Channel = Channel.MAIL) -> Any:
        async with own_database.work() as session:
            found = await session.exec(
                select(Notice).where(Notice.person_id == person.id, Notice.channel == channel.value)
            )
            return list(found)

    return read


@pytest.fixture
def tries(own_database: Database) -> Any:
    """Outcomes of the tries of a notice, oldest first."""

    async def read(notice: Notice) -> Any:
        async with own_database.work() as session:
            found = await session.exec(
                select(NoticeAttempt)
                .where(NoticeAttempt.notice_id == notice.id)
                .order_by(col(NoticeAttempt.id))
            )
            return [one.outcome for one in found]

    return read


@pytest.fixture
def make_due(own_database: Database) -> Any:
    """Move the clock columns, as if the pause were over."""

    async def move() -> None:
        async with own_database.work() as session:
            await (await session.connection()).execute(
                text("update notice set next_try_at = now() where state = 'waiting'")
            )

    return move


async def test_mail_says_what_happened_what_next_and_links_to_the_case(
    staff: Staff, tell: Any, drain: Any, post: Post
) -> None:
    """Subject with the number only, both bodies, the link, and nothing about the person."""
    anna = await staff.person()
    await tell(anna)
    assert (await drain()).told == 1
    [mail] = post.to(anna)
    assert mail["subject"] == "Заявка ПК-2026-000123-0 передана в отдел кадров"
    assert mail["language"] == "ru"
    for body in (mail["text"], mail["html"]):
        assert "Что дальше" in body
        assert "https://cabinet.example/cases/" in body
        assert "Иванова" not in body
    assert "Иванова" not in mail["raw"]
    assert "Auto-Submitted: auto-generated" in mail["raw"]


async def test_a_mail_costs_few_statements(
    staff: Staff, tell: Any, drain: Any, own_database: Database
) -> None:
    """The notice, its address, what came of it, and when the next is due: each is a round trip."""
    await tell(await staff.person())
    with statements(own_database) as sent:
        assert (await drain()).told == 1
    assert len(sent) == 4, sent


async def test_mail_is_in_the_language_of_the_person(
    staff: Staff, tell: Any, drain: Any, post: Post
) -> None:
    """A person who reads English gets English."""
    john = await staff.person(language="en")
    await tell(john)
    await drain()
    [mail] = post.to(john)
    assert mail["subject"] == "Application ПК-2026-000123-0 has been passed to HR"
    assert "What next" in mail["text"]
    assert mail["language"] == "en"


async def test_message_id_is_made_of_the_notice_id(
    staff: Staff, tell: Any, drain: Any, post: Post, stored: Any
) -> None:
    """So a checker can compare rows and the mail server one by one."""
    anna = await staff.person()
    await tell(anna)
    await drain()
    [row] = await stored(anna)
    assert row.state == NoticeState.TOLD
    assert [mail["message_id"] for mail in post.to(anna)] == [f"<notice-{row.id}@medcab.invalid>"]


async def test_same_event_is_told_once(staff: Staff, tell: Any, drain: Any, post: Post) -> None:
    """An activity that is tried again writes no second notice."""
    anna = await staff.person()
    await tell(anna)
    await tell(anna)
    await drain()
    await drain()
    assert len(post.to(anna)) == 1


async def test_server_down_delays_mail_and_costs_no_tries(
    staff: Staff, tell: Any, drain: Any, post: Post, stored: Any, tries: Any, own_database: Database
) -> None:
    """A mail server that is down delays mail, never loses it; the outage is in the journal."""
    anna = await staff.person()
    await tell(anna)
    post.fault("down")
    for _ in range(3):
        done = await drain()
        assert (done.ended, done.told) == (Stop.DOWN, 0)
    assert await waiting(own_database, Channel.MAIL) == 1
    post.fault()
    assert (await drain()).told == 1
    [row] = await stored(anna)
    assert (row.state, row.tries) == (NoticeState.TOLD, 0)
    assert await tries(row) == ["down", "told"]


async def test_refusal_for_now_is_tried_again_later(
    staff: Staff, tell: Any, drain: Any, post: Post, stored: Any, tries: Any, make_due: Any
) -> None:
    """A 4xx answer waits with growing pauses, other messages go on."""
    anna, boris = await staff.person("busy@hospital.example"), await staff.person()
    post.fault("refuse_for_now", recipient="busy@")
    await tell(anna)
    await tell(boris)
    done = await drain()
    assert (done.ended, done.told, done.tried) == (Stop.NOTHING_DUE, 1, 2)
    [row] = await stored(anna)
    assert row.state == NoticeState.WAITING
    assert timedelta(0) < row.next_try_at - now() < timedelta(seconds=5)
    post.fault()
    await make_due()
    await drain()
    [row] = await stored(anna)
    assert await tries(row) == ["later", "told"]


async def test_refusal_for_good_is_told_in_the_cabinet(
    staff: Staff, tell: Any, drain: Any, post: Post, stored: Any, tries: Any
) -> None:
    """A 5xx answer fails with its reason, without the address, and the person learns of it."""
    anna = await staff.person("gone@hospital.example")
    post.fault("refuse", recipient="gone@")
    await tell(anna)
    await drain()
    [row] = await stored(anna)
    assert row.state == NoticeState.FAILED
    assert row.failure_reason == "550 5.1.1 no such mailbox"
    assert await tries(row) == ["refused"]
    told = [notice.kind for notice in await stored(anna, Channel.CABINET)]
    assert told == ["application_in_review", "delivery_failed"]


async def test_refusals_for_now_end_some_day(
    staff: Staff, tell: Any, drain: Any, post: Post, stored: Any, make_due: Any
) -> None:
    """After the last pause the message is given up, not tried for ever."""
    anna = await staff.person("busy@hospital.example")
    post.fault("refuse_for_now")
    await tell(anna)
    for _ in range(40):
        await make_due()
        if (await drain()).tried == 0:
            break
    [row] = await stored(anna)
    assert row.state == NoticeState.FAILED
    assert row.tries == 17


async def test_connection_cut_after_data_sends_again_under_the_same_id(
    staff: Staff, tell: Any, drain: Any, post: Post, stored: Any
) -> None:
    """Nobody knows whether the server took it: a second copy, recognisable as one."""
    anna = await staff.person()
    await tell(anna)
    post.fault("cut")
    assert (await drain()).ended is Stop.DOWN
    post.fault()
    assert (await drain()).told == 1
    ids = [mail["message_id"] for mail in post.to(anna)]
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_two_senders_send_each_message_once(
    staff: Staff, tell: Any, drain: Any, post: Post, own_database: Database
) -> None:
    """Rows are locked while they are sent, so senders share the work."""
    people = [await staff.person() for _ in range(12)]
    for person in people:
        await tell(person)
    rounds = await asyncio.gather(drain(), drain(), drain())
    assert sum(done.told for done in rounds) == 12
    assert [len(post.to(person)) for person in people] == [1] * 12
    assert await waiting(own_database, Channel.MAIL) == 0


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b\r\nBcc: c@d.example",
        "a@b.example, c@d.example",
        "Name <a@b.example>",
        "@b.example",
        "a@" + "x" * 70 + "." + "y" * 3000,
    ],
)
async def test_bad_address_holds_up_nobody(
    staff: Staff,
    tell: Any,
    drain: Any,
    post: Post,
    stored: Any,
    address: str,
    own_database: Database,
) -> None:
    """An address that is none fails alone; nobody can add a recipient or a header with it."""
    odd = await staff.person()
    async with own_database.work() as session:
        odd.email = address
        session.add(odd)
    anna = await staff.person()
    await tell(odd)
    await tell(anna)
    await drain()
    [row] = await stored(odd)
    assert row.state == NoticeState.FAILED
    assert len(post.to(anna)) == 1
    assert not post.http.get("/messages", params={"to": "c@d.example"}).json()


async def test_unreadable_address_holds_up_nobody(
    staff: Staff, tell: Any, drain: Any, post: Post, stored: Any, own_database: Database
) -> None:
    """A column that no key opens delays its own message only."""
    odd, anna = await staff.person(), await staff.person()
    async with own_database.work() as session:
        await (await session.connection()).execute(
            text("update person set email = '\\x00' where id = :id").bindparams(id=odd.id)
        )
    await tell(odd)
    await tell(anna)
    await drain()
    [row] = await stored(odd)
    assert (row.state, row.tries) == (NoticeState.WAITING, 1)
    assert len(post.to(anna)) == 1


async def test_next_event_spares_the_mail_that_waits(
    staff: Staff, own_database: Database, drain: Any, post: Post, stored: Any
) -> None:
    """Registered and passed on within a moment: one mail says both, the cabinet shows both."""
    anna = await staff.person()
    case_id = await staff.case(anna)
    moment = now()
    async with own_database.work() as session:
        for kind in ("application_submitted", "application_in_review"):
            await outbox.enqueue(
                session,
                person_id=anna.id,
                kind=kind,
                case_id=case_id,
                event_key=f"{case_id}:{kind}",
                facts={"number": NUMBER},
                now=moment,
            )
    await drain()
    [mail] = post.to(anna)
    assert mail["subject"].endswith("передана в отдел кадров")
    assert f"https://cabinet.example/cases/{case_id}" in mail["text"]
    assert {row.state for row in await stored(anna)} == {NoticeState.SUPERSEDED, NoticeState.TOLD}
    assert len(await stored(anna, Channel.CABINET)) == 2


async def test_first_event_is_told_alone_when_nothing_follows(
    staff: Staff, tell: Any, drain: Any, post: Post
) -> None:
    """A check that waits for the register does not keep the registration secret."""
    anna = await staff.person()
    await tell(anna, "application_submitted")
    assert (await drain()).tried == 0
    other = await staff.person()
    await tell(other, "application_submitted", at=now() - timedelta(seconds=11))
    assert (await drain()).told == 1


async def test_frozen_sender_keeps_others_from_its_message_only(
    staff: Staff,
    tell: Any,
    post: Post,
    own_database: Database,
    mailer: Mailer,
    addresses: Addresses,
) -> None:
    """While one sender hangs in a slow reply, the others send what else is due."""
    slow = await staff.person("slow@hospital.example")
    await tell(slow, at=now() - timedelta(minutes=1))
    post.fault("slow", recipient="slow@", seconds=1.5)
    hanging = asyncio.create_task(send_next(own_database, MailWay(mailer, addresses)))
    await asyncio.sleep(0.5)
    anna = await staff.person()
    await tell(anna)
    await send_next(own_database, MailWay(mailer, addresses))
    assert await send_next(own_database, MailWay(mailer, addresses)) is None
    assert len(post.to(anna)) == 1
    assert not hanging.done()
    await hanging
    assert len(post.to(slow)) == 1
