"""Notices by SMS: handed over once, receipts believed, failures told and taken over (N2, N3)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from clients.database import Database
from clients.delivery.mail import Mailer
from clients.delivery.sms import SmsGateway
from models.tables.people import Person
from rules.clock import now
from rules.notices.delivery import DeliveryReport
from rules.notices.kinds import Channel, NoticeState
from services.notices import outbox
from services.notices.channels import MailWay, SmsWay
from services.notices.delivery_reports import Said, ask_gateway, receive
from services.notices.sender import Round, Stop, drain
from services.notices.wording import Addresses
from tests.notices.conftest import NUMBER, Phones, Staff
from tests.notices.journal import lines, rows
from tests.shared.waiting import PATIENCE, until


@pytest.fixture
async def gateway(phones: Phones) -> AsyncIterator[SmsGateway]:
    """The line to the simulated gateway."""
    async with SmsGateway(phones.address, phones.token, "", timeout=PATIENCE) as made:
        yield made


@pytest.fixture
def way(gateway: SmsGateway, addresses: Addresses) -> SmsWay:
    """SMS as the sender uses it."""
    return SmsWay(gateway, addresses)


@pytest.fixture
async def anna(staff: Staff) -> Person:
    """Somebody who wants SMS and no mail."""
    return await staff.person(phone="+79161234567", sms=True)


async def shift(own_database: Database, column: str = "next_try_at") -> None:
    """Let all pauses be over."""
    async with own_database.work() as session:
        await (await session.connection()).execute(
            text(f"update notice set {column} = now() where {column} is not null")  # noqa: S608
        )


async def test_one_message_with_the_title_and_a_link(
    own_database: Database, anna: Person, tell: Any, way: SmsWay, phones: Phones
) -> None:
    """An SMS says what happened and where to read more, and goes out once."""
    await tell(anna)
    assert (await drain(own_database, way)).told == 1
    assert (await drain(own_database, way)).tried == 0
    [sent] = phones.to(anna)
    assert sent["text"].startswith(f"Заявка {NUMBER} передана в отдел кадров. https://cabinet")
    assert "Иванова" not in sent["text"]
    [row] = await rows(own_database, anna, Channel.SMS)
    assert sent["id"] == row.message_name


async def test_sms_is_off_by_default(own_database: Database, staff: Staff, tell: Any) -> None:
    """Whoever has chosen nothing gets none, and whoever has no number gets none either (N2)."""
    plain = await staff.person(phone="+79161234567")
    numberless = await staff.person(sms=True)
    for person in (plain, numberless):
        await tell(person)
        assert await rows(own_database, person, Channel.SMS) == []


async def test_a_delivered_message_says_so_once_asked(
    own_database: Database,
    anna: Person,
    tell: Any,
    way: SmsWay,
    gateway: SmsGateway,
    phones: Phones,
) -> None:
    """A callback that was lost is made good by asking, half a minute later."""
    phones.behave(receipts="lost")
    await tell(anna)
    await drain(own_database, way)
    assert await ask_gateway(own_database, gateway) == 0
    await shift(own_database, "ask_at")
    assert await ask_gateway(own_database, gateway) == 1
    [row] = await rows(own_database, anna, Channel.SMS)
    assert (row.state, row.receipt, row.ask_at) == ("told", DeliveryReport.DELIVERED, None)
    assert [outcome for outcome, _ in await lines(own_database, row)] == ["told", "delivered"]


async def test_a_gateway_that_never_knows_is_asked_some_days_only(
    own_database: Database,
    anna: Person,
    tell: Any,
    way: SmsWay,
    gateway: SmsGateway,
    phones: Phones,
) -> None:
    """Without a word for days the message counts as told, and says that nobody knows."""
    phones.behave(result="accepted", receipts="lost")
    await tell(anna)
    await drain(own_database, way)
    for _ in range(20):
        await shift(own_database, "ask_at")
        await ask_gateway(own_database, gateway)
    [row] = await rows(own_database, anna, Channel.SMS)
    assert (row.state, row.receipt, row.ask_at) == ("told", DeliveryReport.SILENT, None)
    assert row.asks < 10


@pytest.mark.parametrize("refuse", ["unknown_number", "blocked"])
async def test_a_refused_number_is_told_in_the_cabinet(
    own_database: Database, anna: Person, tell: Any, way: SmsWay, phones: Phones, refuse: str
) -> None:
    """What the gateway will never take fails at once, with its reason."""
    phones.behave(refuse=refuse)
    await tell(anna)
    await drain(own_database, way)
    [row] = await rows(own_database, anna, Channel.SMS)
    assert (row.state, row.failure_reason) == (NoticeState.FAILED, refuse)
    told = [one.kind for one in await rows(own_database, anna, Channel.CABINET)]
    assert told == ["application_in_review", "delivery_failed"]


@pytest.mark.parametrize(
    "receipt", [DeliveryReport.BOUNCED, DeliveryReport.UNKNOWN_NUMBER, DeliveryReport.EXPIRED]
)
async def test_a_bounce_after_the_fact_fails_the_message(
    own_database: Database, anna: Person, tell: Any, way: SmsWay, receipt: DeliveryReport
) -> None:
    """A receipt may come late, twice and out of order: the message fails once, for one reason."""
    await tell(anna)
    await drain(own_database, way)
    [row] = await rows(own_database, anna, Channel.SMS)
    for word in (receipt, DeliveryReport.ACCEPTED, receipt, DeliveryReport.DELIVERED):
        async with own_database.work() as session:
            said = Said(row.message_name, word, now())
            assert await receive(session, Channel.SMS, said)
    [row] = await rows(own_database, anna, Channel.SMS)
    assert (row.state, row.failure_reason) == (NoticeState.FAILED, receipt.value)
    assert len(await rows(own_database, anna, Channel.CABINET)) == 2
    assert [outcome for outcome, _ in await lines(own_database, row)] == ["told", "bounced"]


async def test_receipts_about_nothing_of_ours_change_nothing(
    own_database: Database, staff: Staff, tell: Any
) -> None:
    """Unknown names, other channels and earlier sendings are not believed."""
    boris = await staff.person()
    await tell(boris)
    [mail] = await rows(own_database, boris, Channel.MAIL)
    async with own_database.work() as session:
        for name in (mail.message_name, "notice-1", "x" * 300, f"{mail.message_name}-2"):
            assert not await receive(
                session, Channel.SMS, Said(name, DeliveryReport.BOUNCED, now())
            )


async def test_a_failed_message_is_taken_over_by_mail(
    own_database: Database, staff: Staff, tell: Any, way: SmsWay, phones: Phones
) -> None:
    """Another channel that the person allows tells what this one could not; once."""
    anna = await staff.person(phone="+79160000001", sms=True, mail=True)
    async with own_database.work() as session:
        await session.exec(
            text("delete from notice_setting where channel = 'mail'")  # type: ignore[call-overload]
        )
    await tell(anna)
    # As if mail had been off when the event happened.
    async with own_database.work() as session:
        await session.exec(
            text("delete from notice where channel = 'mail'")  # type: ignore[call-overload]
        )
    phones.behave(refuse="unknown_number")
    await drain(own_database, way)
    [mail] = await rows(own_database, anna, Channel.MAIL)
    [sms] = await rows(own_database, anna, Channel.SMS)
    assert (sms.state, mail.state) == (NoticeState.FAILED, NoticeState.WAITING)
    assert mail.event_key == sms.event_key


async def test_mail_that_fails_is_taken_over_by_sms(
    own_database: Database, staff: Staff, tell: Any, mailer: Mailer, addresses: Addresses, post: Any
) -> None:
    """For a security notice any address the person has will do, chosen or not."""
    anna = await staff.person("gone@hospital.example", phone="+79160000002", mail=True)
    post.fault("refuse", recipient="gone@")
    await tell(anna, "new_device")
    await tell(anna, "application_in_review")
    await drain(own_database, MailWay(mailer, addresses))
    assert [one.kind for one in await rows(own_database, anna, Channel.SMS)] == ["new_device"]


async def test_a_gateway_that_is_down_costs_no_tries(
    own_database: Database,
    anna: Person,
    tell: Any,
    way: SmsWay,
    addresses: Addresses,
    phones: Phones,
) -> None:
    """Silence, errors and garbage delay messages and lose none."""
    await tell(anna)
    async with SmsGateway(phones.address, phones.token, "", timeout=1.0) as hasty:
        for mode in ("fail", "silent", "garbage", "cut"):
            phones.fault(mode)
            done = await drain(own_database, SmsWay(hasty, addresses))
            assert (done.ended, done.told) == (Stop.DOWN, 0), mode
    phones.fault("ok")
    assert (await drain(own_database, way)).told == 1
    [row] = await rows(own_database, anna, Channel.SMS)
    assert (row.state, row.tries) == ("told", 0)
    assert len(phones.to(anna)) == 1


async def test_a_lost_answer_sends_nothing_twice(
    own_database: Database, anna: Person, tell: Any, way: SmsWay, phones: Phones
) -> None:
    """The gateway took it and nobody heard: the same key again finds it there."""
    phones.behave(reply="lost")
    await tell(anna)
    assert (await drain(own_database, way)).ended is Stop.DOWN
    phones.behave()
    assert (await drain(own_database, way)).told == 1
    [sent] = phones.to(anna)
    assert sent["asked"] == 2


async def test_too_many_messages_wait_their_turn(
    own_database: Database, anna: Person, tell: Any, way: SmsWay, phones: Phones
) -> None:
    """429 waits with growing pauses."""
    phones.behave(refuse="later")
    await tell(anna)
    await drain(own_database, way)
    [row] = await rows(own_database, anna, Channel.SMS)
    assert (row.state, row.tries) == (NoticeState.WAITING, 1)
    assert timedelta(0) < row.next_try_at - now() < timedelta(seconds=5)


async def test_a_day_of_outage_gives_the_message_up(
    own_database: Database, anna: Person, tell: Any, way: SmsWay, phones: Phones
) -> None:
    """What comes a day late helps nobody: the person reads it in the cabinet."""
    await tell(anna)
    phones.fault("fail")
    async with own_database.work() as session:
        await session.exec(
            text("update notice set due_at = now() - interval '25 hours'")  # type: ignore[call-overload]
        )
    await drain(own_database, way)
    [row] = await rows(own_database, anna, Channel.SMS)
    assert (row.state, row.failure_reason) == (NoticeState.FAILED, "HTTP 503")


async def test_resending_is_a_new_message_to_the_gateway(
    own_database: Database, anna: Person, tell: Any, way: SmsWay, phones: Phones
) -> None:
    """The first one stays refused under its own key; a receipt of it says nothing of the second."""
    from tests.notices.test_inbox import actor

    await tell(anna)
    await drain(own_database, way)
    [row] = await rows(own_database, anna, Channel.SMS)
    async with own_database.work() as session:
        await receive(session, Channel.SMS, Said(row.message_name, DeliveryReport.BOUNCED, now()))
    async with own_database.work() as session:
        await outbox.resend(session, actor(anna), row.id, now())
    await drain(own_database, way)
    async with own_database.work() as session:
        await receive(session, Channel.SMS, Said(row.message_name, DeliveryReport.EXPIRED, now()))
    [row] = await rows(own_database, anna, Channel.SMS)
    assert row.state == NoticeState.TOLD
    assert [one["id"] for one in phones.to(anna)] == [f"notice-{row.id}", f"notice-{row.id}-2"]


async def test_several_senders_and_writers_make_one_message(
    own_database: Database, anna: Person, tell: Any, way: SmsWay, phones: Phones
) -> None:
    """One row per event, person and channel, and one message, whoever races."""

    async def round_() -> Round:
        return await drain(own_database, way)

    await asyncio.gather(*(tell(anna) for _ in range(8)))
    for channel in (Channel.CABINET, Channel.SMS):
        assert len(await rows(own_database, anna, channel)) == 1
    await asyncio.gather(round_(), round_(), round_())
    await until(lambda: _one_sent(phones, anna))


async def _one_sent(phones: Phones, person: Person) -> bool:
    return [one["asked"] for one in phones.to(person)] == [1]
