"""Bounces of mail: called back or piped in, told in the cabinet, and taken over (N2, N3)."""

import asyncio
import base64
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import col, select

from clients.database import Database
from clients.delivery.mail import Mailer
from clients.delivery.mail_reports import CALLBACK_PATH, read_report
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import Person
from ops.upkeep.bounce import run
from rules.clock import now
from rules.notices.delivery import DeliveryReport
from rules.notices.kinds import Channel, NoticeState
from services.notices import outbox
from services.notices.channels import MailWay
from services.notices.wording import Addresses
from settings import Settings
from simulators.mail_bounces import report
from tests.notices.conftest import Post, Staff
from tests.notices.delivery_reports.conftest import call_back, send
from tests.notices.journal import lines, rows
from tests.notices.test_inbox import actor
from tests.shared.waiting import until


@pytest.fixture
def tell(database: Database, mailer: Mailer, addresses: Addresses) -> Any:
    """A mail that the server has taken."""

    async def sent(person: Person, kind: Any = "application_in_review") -> Notice:
        await send(database, person, MailWay(mailer, addresses), kind)
        return (await rows(database, person, Channel.MAIL))[0]

    return sent


def word(notice: Notice, state: str = "bounced", reason: str = "5.1.1", **more: Any) -> str:
    """A receipt as a provider writes it."""
    message_id = f"<{notice.message_name}@medcab.invalid>"
    told = {"message_id": message_id, "state": state, "reason": reason, "at": now().isoformat()}
    return json.dumps(told | more)


def returned(notice: Notice, status: str = "5.1.1", to: str = "anna@hospital.example") -> bytes:
    """The report of a mail server about a notice."""
    headers = f"Message-ID: <{notice.message_name}@medcab.invalid>\nSubject: x\n\n"
    return report(to, "no-reply@medcab.invalid", headers, status)


async def call(api: str, settings: Settings, body: str, **changes: Any) -> int:
    """A receipt called back, or one with something changed; the status of the answer."""
    secret = changes.pop("secret", settings.mail_callback_secret.get_secret_value())
    return await call_back(f"{api}{CALLBACK_PATH}", secret, body, **changes)


async def test_a_bounce_fails_the_mail_and_another_channel_takes_over(
    api: str, database: Database, staff: Staff, tell: Any, settings: Settings
) -> None:
    """The cabinet says so once, and SMS tells what the mail could not."""
    anna = await staff.person(phone="+79160000070", mail=True)
    mail = await tell(anna, "new_device")
    assert (mail.state, mail.receipt) == (NoticeState.TOLD, None)
    for state in ("bounced", "bounced", "delivered"):
        assert await call(api, settings, word(mail, state)) == 204
    [mail, *_] = await rows(database, anna, Channel.MAIL)
    assert (mail.state, mail.failure_reason, mail.receipt) == (
        "failed",
        "5.1.1",
        DeliveryReport.BOUNCED,
    )
    told = [one.kind for one in await rows(database, anna, Channel.CABINET)]
    assert told == ["new_device", "delivery_failed"]
    assert [one.kind for one in await rows(database, anna, Channel.SMS)] == ["new_device"]
    assert (await lines(database, mail))[1:] == [("bounced", "5.1.1")]


async def test_a_delay_is_only_noted_and_once(
    api: str, database: Database, staff: Staff, tell: Any, settings: Settings
) -> None:
    """4.x.x may still arrive: the mail stays sent, until it is said to be delivered."""
    anna = await staff.person()
    mail = await tell(anna)
    for _ in range(3):
        assert await call(api, settings, word(mail, reason="4.2.2")) == 204
    assert await call(api, settings, word(mail, "unknown", "")) == 204
    [mail] = await rows(database, anna, Channel.MAIL)
    assert (mail.state, mail.receipt) == (NoticeState.TOLD, None)
    assert (await lines(database, mail))[1:] == [("delayed", "4.2.2")]
    assert await call(api, settings, word(mail, "delivered", "2.0.0")) == 204
    for late in (word(mail), word(mail, reason="4.2.2")):
        assert await call(api, settings, late) == 204
    [mail] = await rows(database, anna, Channel.MAIL)
    assert (mail.state, mail.receipt) == (NoticeState.TOLD, DeliveryReport.DELIVERED)
    assert [outcome for outcome, _ in await lines(database, mail)] == [
        "told",
        "delayed",
        "delivered",
    ]


async def test_forged_callbacks_are_refused_and_seen(
    api: str, database: Database, staff: Staff, tell: Any, settings: Settings
) -> None:
    """Another secret, an old time, another channel's message, rubbish: nothing changes."""
    anna = await staff.person()
    mail = await tell(anna)
    body = word(mail)
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    refused = [
        await call(api, settings, body, secret=other),
        await call(api, settings, body, secret=settings.sms_secret.get_secret_value()),
        await call(api, settings, body, at=datetime.now(UTC) - timedelta(minutes=6)),
        await call(api, settings, body, **{"webhook-signature": "v1,AAAA"}),
    ]
    assert refused == [403] * 4
    [cabinet] = await rows(database, anna, Channel.CABINET)
    for name in (cabinet.message_name, "notice-none", f"{mail.message_name}-x"):
        assert await call(api, settings, word(mail, message_id=f"<{name}@medcab.invalid>")) == 404
    for rubbish in ('{"message_id": 1}', word(mail, reason="550 <anna@hospital.example>")):
        assert await call(api, settings, rubbish) == 422
    assert await call(api, settings, body, **{"content-type": "message/rfc822"}) == 422
    [mail] = await rows(database, anna, Channel.MAIL)
    assert (mail.state, mail.receipt) == (NoticeState.TOLD, None)
    async with database.work() as session:
        found = await session.exec(
            select(JournalEntry).order_by(col(JournalEntry.at).desc()).limit(40)
        )
        seen = {one.facts["why"] for one in found if one.by_system == "mail"}
    assert seen == {"signature", "unknown_message", "unreadable"}


async def test_a_bounce_of_an_earlier_sending_says_nothing_of_the_next(
    api: str, database: Database, staff: Staff, tell: Any, settings: Settings
) -> None:
    """After a resending the first sending's report, come late, changes nothing."""
    anna = await staff.person()
    first = await tell(anna)
    assert await call(api, settings, word(first)) == 204
    async with database.work() as session:
        await outbox.resend(session, actor(anna), first.id, now())
    assert await call(api, settings, word(first, reason="5.2.2")) == 204
    [mail] = await rows(database, anna, Channel.MAIL)
    assert (mail.state, mail.sendings) == (NoticeState.WAITING, 2)


async def test_a_digest_that_bounces_fails_for_all_that_it_told(
    api: str, database: Database, staff: Staff, tell: Any, settings: Settings
) -> None:
    """Notices that were told in another's mail share its fate; the sent again one does not."""
    anna = await staff.person()
    first = await tell(anna, "application_in_review")
    await tell(anna, "application_approved")
    async with database.work() as session:
        second = await session.get_one(Notice, (await rows(database, anna, Channel.MAIL))[1].id)
        second.told_with = first.id
        session.add(second)
    assert await call(api, settings, word(first)) == 204
    assert [one.state for one in await rows(database, anna, Channel.MAIL)] == ["failed", "failed"]


async def test_the_sink_returns_a_report_that_is_understood(
    api: str, database: Database, staff: Staff, tell: Any, post: Post, capfd: Any
) -> None:
    """A mail server that takes and then bounces: the report comes by callback, with no address."""
    anna = await staff.person("gone-anna@hospital.example")
    post.fault("bounce", recipient="gone-anna@", status="5.2.2", callback=f"{api}{CALLBACK_PATH}")
    await tell(anna)

    async def failed() -> bool:
        return (await rows(database, anna, Channel.MAIL))[0].failure_reason == "5.2.2"

    await until(failed)
    assert len(post.to(anna)) == 1
    assert "gone-anna" not in "".join(capfd.readouterr())


async def test_a_report_is_piped_in(
    database: Database, staff: Staff, tell: Any, settings: Settings, capfd: Any
) -> None:
    """`medcab bounce` does without HTTP what the callback does, and is silent about addresses."""
    anna = await staff.person()
    mail = await tell(anna)
    piped = io.BytesIO(returned(mail, to=anna.email))
    for _ in range(2):
        assert await asyncio.to_thread(run, settings, piped) == 0
        piped.seek(0)
    [mail] = await rows(database, anna, Channel.MAIL)
    assert (mail.state, mail.failure_reason) == (NoticeState.FAILED, "5.1.1")
    assert anna.email not in "".join(capfd.readouterr())


async def test_a_pipe_never_makes_the_mail_server_answer(
    staff: Staff, tell: Any, settings: Settings, unused_tcp_port: int
) -> None:
    """Rubbish and foreign reports end with 0; a database that is down with "again later"."""
    mail = await tell(await staff.person())
    foreign = returned(mail).replace(b"Message-ID: <notice-", b"Message-ID: <other-")
    for content in (b"", b"\xff\x00rubbish", b"Subject: I am away\n\nBack on Monday", foreign):
        assert await asyncio.to_thread(run, settings, io.BytesIO(content)) == 0
    nowhere = SecretStr(f"postgresql://medcab@127.0.0.1:{unused_tcp_port}/medcab")
    down = settings.model_copy(update={"database_url": nowhere})
    assert await asyncio.to_thread(run, down, io.BytesIO(returned(mail))) == 75


POSTFIX = Path(__file__).with_name("postfix_bounce.eml")


@pytest.mark.parametrize(
    ("old", "new", "state", "reason"),
    [
        ("", "", "bounced", "5.1.1"),
        ("Status: 5.1.1", "Status: 4.4.7", "bounced", "4.4.7"),
        ("Action: failed", "Action: delayed", "delayed", "5.1.1"),
        ("Action: failed", "Action: Relayed", "unknown", "5.1.1"),
        ("Status: 5.1.1", "Status: nonsense", "bounced", ""),
        ("message/rfc822", "text/rfc822-headers", "bounced", "5.1.1"),
    ],
)
def test_reports_are_read_as_servers_write_them(
    old: str, new: str, state: str, reason: str
) -> None:
    """The layout of Postfix: words, status groups and the returned letter or its headers."""
    content = POSTFIX.read_text().replace(old, new) if old else POSTFIX.read_text()
    became = read_report(content.encode(), now())
    assert became is not None
    assert (became.state, became.reason) == (state, reason)
    assert became.name == "notice-0199aaaa-0000-7000-8000-000000000001"


def test_hostile_reports_are_none() -> None:
    """Parts within parts without end, and reports without a status or a letter."""
    deep = b"".join(
        b"Content-Type: multipart/report; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5000)
    )
    assert read_report(deep, now()) is None
    whole = POSTFIX.read_bytes()
    assert read_report(whole.replace(b"message/delivery-status", b"text/plain"), now()) is None
    assert read_report(whole.replace(b"Message-ID: <notice", b"X-Other: <notice"), now()) is None
    assert read_report(whole.replace(b"multipart/report", b"multipart/mixed"), now()) is None
