"""The channels outside the cabinet: how a notice becomes a mail, an SMS or a push message.

None of them says anything about a person or health: only what happened, in the words of the
catalogue, and a link.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database, DirectRows
from clients.delivery.mail import MailDown, Mailer, MailLater, MailRefused
from clients.delivery.push import PushGone, PushLater, PushRefused, PushSender
from clients.delivery.sms import SmsDown, SmsGateway, SmsLater, SmsRefused
from models.tables.notices import Notice
from models.tables.people import Person
from rules.clock import now
from rules.notices.delivery import GIVEN_UP_AFTER, DeliveryOutcome
from rules.notices.events import EVENTS
from rules.notices.kinds import Channel, NoticeKind
from services.crash_points import CrashPoint, reach
from services.notices.delivery_reports import ask_at, ask_gateway
from services.notices.push_subscriptions import browsers_of, subscriber
from services.notices.sender import SendAttempt
from services.notices.wording import Addresses, Letter, digest, letter, push_message, short_message

LIVES = int(GIVEN_UP_AFTER[Channel.PUSH].total_seconds())
"""Seconds for which a push service keeps a message for a browser that is offline."""


_ADDRESS = {
    name: DirectRows(select(one).where(col(Person.id) == bindparam("person_id")))
    for name, one in (("email", col(Person.email)), ("phone", col(Person.phone)))
}


async def _reach(session: AsyncSession, notice: Notice, name: str) -> str:
    """The address of the message: the one in the notice, or else the person's own."""
    if notice.contents is not None and "to" in notice.contents:
        return str(notice.contents["to"])
    return await _ADDRESS[name].one(session, {"person_id": notice.person_id}) or ""


def _code(notice: Notice) -> str:
    """The code in a message to a new address; empty for all others."""
    return str(notice.contents.get("code", "")) if notice.contents is not None else ""


def _path(notice: Notice) -> str:
    """Where the link of this one message leads, if elsewhere than that of its kind."""
    return str(notice.contents.get("path", "")) if notice.contents is not None else ""


class MailWay:
    """Notices by e-mail."""

    channel = Channel.MAIL

    def __init__(self, mailer: Mailer, addresses: Addresses) -> None:
        self._mailer = mailer
        self._addresses = addresses

    async def send(self, session: AsyncSession, told: Sequence[Notice]) -> SendAttempt:
        """Send one mail about one notice, or about all of them."""
        first = told[0]
        to = await _reach(session, first, "email")
        try:
            said = self._letter(told)
            await self._mailer.send(
                self._mailer.message_id(first.message_name),
                to,
                said.subject,
                said.text,
                said.html,
                first.language,
            )
            reach(CrashPoint.MAIL_HANDED_OVER)
        except MailDown as error:
            return SendAttempt(DeliveryOutcome.DOWN, str(error))
        except MailLater as error:
            return SendAttempt(DeliveryOutcome.LATER, str(error))
        except MailRefused as error:
            return SendAttempt(DeliveryOutcome.REFUSED, str(error))
        return SendAttempt(DeliveryOutcome.TOLD)

    async def follow_up(self, database: Database) -> None:
        """Do nothing: mail servers report bounces by themselves."""

    def _letter(self, told: Sequence[Notice]) -> Letter:
        first = told[0]
        if len(told) > 1:
            items = [(one.kind, one.facts, one.case_id) for one in told]
            return digest(items, first.language, self._addresses)
        return letter(
            first.kind,
            first.facts,
            first.case_id,
            first.language,
            self._addresses,
            code=_code(first),
            path=_path(first),
        )


class SmsWay:
    """Notices by SMS; the gateway reports later what became of them."""

    channel = Channel.SMS

    def __init__(self, gateway: SmsGateway, addresses: Addresses) -> None:
        self._gateway = gateway
        self._addresses = addresses

    async def send(self, session: AsyncSession, told: Sequence[Notice]) -> SendAttempt:
        """Send one message: the title, and where to read more."""
        notice = told[0]
        to = await _reach(session, notice, "phone")
        if not to:
            return SendAttempt(DeliveryOutcome.REFUSED, "no telephone number")
        try:
            await self._gateway.send(notice.message_name, to, self._words(notice))
            reach(CrashPoint.SMS_HANDED_OVER)
        except SmsDown as error:
            return SendAttempt(DeliveryOutcome.DOWN, str(error))
        except SmsLater as error:
            return SendAttempt(DeliveryOutcome.LATER, str(error))
        except SmsRefused as error:
            return SendAttempt(DeliveryOutcome.REFUSED, error.code)
        return SendAttempt(DeliveryOutcome.TOLD, awaits_receipt=True)

    async def follow_up(self, database: Database) -> datetime | None:
        """Ask the gateway for delivery reports that are late."""
        due = await ask_at(database)
        if due is not None and due <= now():
            await ask_gateway(database, self._gateway)
            due = await ask_at(database)
        return due

    def _words(self, notice: Notice) -> str:
        return short_message(
            notice.kind,
            notice.facts,
            notice.case_id,
            notice.language,
            self._addresses,
            code=_code(notice),
        )


class PushWay:
    """Notices by web push: the title, and the path to open.

    A notice is sent once one browser's service has accepted it. Services fail independently, so one
    that is down delays its own messages and does not stop the channel.
    """

    channel = Channel.PUSH

    def __init__(self, sender: PushSender) -> None:
        self._sender = sender

    async def send(self, session: AsyncSession, told: Sequence[Notice]) -> SendAttempt:
        """Send one message to every browser of the person; browsers that are gone are deleted."""
        notice = told[0]
        browsers = await browsers_of(session, notice.addressee)
        message = push_message(notice.kind, notice.facts, notice.case_id, notice.language)
        message["tag"] = notice.id.hex
        body = json.dumps(message, ensure_ascii=False).encode()
        urgent = EVENTS[NoticeKind(notice.kind)].security
        taken, later, refused = 0, "", ""
        for browser in browsers:
            try:
                await self._sender.send(
                    subscriber(browser), body, topic=notice.id.hex, lives=LIVES, urgent=urgent
                )
                reach(CrashPoint.PUSH_HANDED_OVER)
                browser.last_ok_at = now()
                session.add(browser)
                taken += 1
            except PushLater as error:
                later = str(error)
            except PushGone:
                await session.delete(browser)
            except PushRefused as error:
                refused = str(error)
        if taken:
            return SendAttempt(DeliveryOutcome.TOLD)
        if later:
            return SendAttempt(DeliveryOutcome.LATER, later)
        return SendAttempt(DeliveryOutcome.REFUSED, refused or "no device")

    async def follow_up(self, database: Database) -> None:
        """Do nothing: push services send no delivery reports."""
