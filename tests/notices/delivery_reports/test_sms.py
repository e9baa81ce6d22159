"""Receipts that the SMS gateway calls back: signed, replay-safe, tampered ones refused (N3)."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from clients.database import Database
from clients.delivery.sms import SmsGateway
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import Person
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.notices.delivery import DeliveryReport
from rules.notices.kinds import Channel
from services.notices.channels import SmsWay
from services.notices.wording import Addresses
from settings import Settings
from tests.notices.conftest import Phones, Staff
from tests.notices.delivery_reports.conftest import call_back, send
from tests.notices.journal import rows
from tests.shared.waiting import until

PATH = "/api/v1/callbacks/sms"


async def sent(
    database: Database, person: Person, phones: Phones, receipts: str, addresses: Addresses
) -> Notice:
    """A message that the gateway has taken."""
    async with SmsGateway(phones.address, phones.token, receipts) as gateway:
        await send(database, person, SmsWay(gateway, addresses), "application_in_review")
    return await row(database, person)


async def row(database: Database, person: Person) -> Notice:
    """The person's SMS as it stands."""
    [found] = await rows(database, person, Channel.SMS)
    return found


async def call(api: str, settings: Settings, body: str, **changes: Any) -> int:
    """A receipt called back, or one with something changed; the status of the answer."""
    secret = changes.pop("secret", settings.sms_secret.get_secret_value())
    return await call_back(f"{api}{PATH}", secret, body, **changes)


@pytest.mark.parametrize("receipts", ["sent", "twice"])
async def test_a_receipt_is_called_back_within_a_moment(
    api: str, database: Database, staff: Staff, phones: Phones, addresses: Addresses, receipts: str
) -> None:
    """Once or twice, the message is delivered once."""
    phones.behave(receipts=receipts, after=0.3)
    anna = await staff.person(phone="+79160000050", sms=True)
    await sent(database, anna, phones, f"{api}{PATH}", addresses)

    async def delivered() -> bool:
        return (await row(database, anna)).receipt == DeliveryReport.DELIVERED

    await until(delivered)


async def test_a_bounce_that_is_called_back_is_told(
    api: str, database: Database, staff: Staff, phones: Phones, addresses: Addresses
) -> None:
    """The person finds in the cabinet that the number is unknown."""
    phones.behave(result="unknown_number", after=0.3)
    anna = await staff.person(phone="+79160000051", sms=True)
    await sent(database, anna, phones, f"{api}{PATH}", addresses)

    async def failed() -> bool:
        return (await row(database, anna)).failure_reason == DeliveryReport.UNKNOWN_NUMBER

    await until(failed)


async def test_tampered_callbacks_are_refused_and_seen(
    api: str,
    database: Database,
    staff: Staff,
    phones: Phones,
    addresses: Addresses,
    settings: Settings,
) -> None:
    """Another secret, an old one, another id: refused, journaled, and nothing changed."""
    phones.behave(result="accepted", receipts="lost")
    anna = await staff.person(phone="+79160000052", sms=True)
    notice = await sent(database, anna, phones, "", addresses)
    told = {"id": notice.message_name, "state": "bounced", "at": now().isoformat()}
    body = json.dumps(told)
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    old = datetime.now(UTC) - timedelta(minutes=6)
    refused = [
        await call(api, settings, body, secret=other),
        await call(api, settings, body, at=old),
        await call(api, settings, body, **{"webhook-signature": "v1,AAAA"}),
        await call(api, settings, body, **{"webhook-id": "receipt-2"}),
        await call(api, settings, body, **{"webhook-signature": "nonsense"}),
    ]
    assert refused == [403] * 5
    assert (await row(database, anna)).receipt is None
    assert await call(api, settings, '{"id": 1}') == 422
    assert await call(api, settings, json.dumps({**told, "id": "notice-none"})) == 404
    async with database.work() as session:
        found = await session.exec(
            select(JournalEntry).where(
                JournalEntry.by_system == "sms",
                JournalEntry.kind == JournalKind.CALLBACK_REFUSED,
            )
        )
        assert {"signature", "unreadable"} & {one.facts["why"] for one in found}
    assert await call(api, settings, body) == 204
    assert await call(api, settings, body) == 204
    assert (await row(database, anna)).receipt == DeliveryReport.BOUNCED


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_receipt_from_the_ends_of_the_calendar_breaks_nothing(
    api: str,
    database: Database,
    staff: Staff,
    phones: Phones,
    addresses: Addresses,
    settings: Settings,
    at: str,
) -> None:
    """A gateway whose clock is wrong is believed in what it says, not in when."""
    phones.behave(result="accepted", receipts="lost")
    anna = await staff.person(phone="+79160000053", sms=True)
    notice = await sent(database, anna, phones, "", addresses)
    told = {"id": notice.message_name, "state": "delivered", "at": at}
    assert await call(api, settings, json.dumps(told)) == 204
    kept = await row(database, anna)
    assert kept.receipt_at is not None
    assert kept.created_at <= kept.receipt_at <= now()
