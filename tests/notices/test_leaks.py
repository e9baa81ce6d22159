"""Nothing about a person or health in a mail, an SMS or a push message (A9, N3)."""

import json
from typing import Any
from uuid import uuid4

from clients.database import Database
from clients.delivery.mail import Mailer
from clients.delivery.push import PushSender
from clients.delivery.sms import SmsGateway
from rules.clock import now
from rules.notices.events import EVENTS
from rules.notices.kinds import Channel, NoticeKind
from services.notices import outbox, push_subscriptions
from services.notices.channels import MailWay, PushWay, SmsWay
from services.notices.outbox import NoticeEvent
from services.notices.sender import drain
from services.notices.wording import Addresses
from settings import Settings
from tests.notices.conftest import Browsers, Phones, Post, Staff
from tests.notices.test_inbox import actor
from tests.notices.test_push import CONTACT

PLANTED = ("Иванова", "Анна Сергеевна", "112-233-445", "11223344595", "врач-терапевт", "7900000")


async def test_no_message_holds_what_was_planted(
    own_database: Database,
    staff: Staff,
    settings: Settings,
    mailer: Mailer,
    addresses: Addresses,
    post: Post,
    phones: Phones,
    browsers: Browsers,
) -> None:
    """Every kind of event by every channel, with a name, a SNILS and a post to leak."""
    anna = await staff.person(f"{uuid4().hex}@h.example", phone="+79000000077", sms=True, mail=True)
    browser = browsers.fresh()
    key = settings.vapid_key.get_secret_value()
    async with PushSender(key, CONTACT, settings.push_hosts, browsers.address) as sender:
        async with own_database.work() as session:
            await push_subscriptions.subscribe(
                session, sender, actor(anna), browser, "Chrome, Android", now()
            )
            kinds = [kind for kind in NoticeKind if len(EVENTS[kind].channels) > 1]
            told = [
                NoticeEvent(
                    anna.id,
                    kind,
                    f"{anna.id}:{kind}",
                    facts={"number": "ПК-2026-000123-0", "unit": "Кардиология"},
                )
                for kind in kinds
            ]
            await outbox.enqueue_all(session, told, now())
        async with own_database.work() as session:
            connection = await session.connection()
            await connection.exec_driver_sql("update notice set next_try_at = now()")
        async with SmsGateway(phones.address, phones.token, "") as gateway:
            for way in (MailWay(mailer, addresses), SmsWay(gateway, addresses), PushWay(sender)):
                assert (await drain(own_database, way)).told > 0
    mails = [f"{mail['subject']}{mail['text']}{mail['html']}" for mail in post.to(anna)]
    texts = [sent["text"] for sent in phones.to(anna)]
    pushes: list[Any] = [json.loads(read["text"]) for read in browsers.read(browser)]
    assert len(mails) == sum(Channel.MAIL in EVENTS[kind].channels for kind in kinds)
    assert len(pushes) == sum(Channel.PUSH in EVENTS[kind].channels for kind in kinds)
    assert texts
    assert all(set(read) == {"title", "path", "language", "tag"} for read in pushes)
    for message in (*mails, *texts, *map(str, pushes)):
        for word in PLANTED:
            assert word not in message
