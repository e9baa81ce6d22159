"""What providers report about a message that they accepted: by callback, or when asked (N3).

A report that says nothing new changes nothing, so it may come twice, late and in any order. A
message that bounced is given up like one that was refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.delivery.mail_reports import MailDelivery
from clients.delivery.sms import SmsDown, SmsGateway
from models.tables.notices import Notice, NoticeAttempt, notice_named
from rules.clock import now as present
from rules.notices.delivery import (
    FAILED_REPORTS,
    DeliveryOutcome,
    DeliveryReport,
    asked_again_after,
)
from rules.notices.kinds import Channel, NoticeState
from services.notices.sender import fail, note

ASKED_AT_ONCE = 50

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Said:
    """What a provider says of the message with this name."""

    name: str
    receipt: DeliveryReport
    at: datetime
    reason: str = ""


async def receive(session: AsyncSession, channel: Channel, said: Said) -> bool:
    """Store a delivery report. False if it is about no message of ours, or one not sent yet."""
    named = notice_named(said.name)
    if named is None:
        return False
    notice_id, sending = named
    found = await session.exec(select(Notice).where(Notice.id == notice_id).with_for_update())
    notice = found.one_or_none()
    if notice is None or notice.channel != channel.value:
        return False
    # A report about an earlier sending says nothing about this one.
    if sending == notice.sendings:
        now = present()
        for one in [notice, *await _told_with(session, notice)]:
            await _believe(session, one, said, now)
    return True


async def _told_with(session: AsyncSession, first: Notice) -> Sequence[Notice]:
    """The other notices of a digest, which have the same outcome."""
    if first.channel != Channel.MAIL.value:
        return []
    found = await session.exec(
        select(Notice)
        .where(
            Notice.person_id == first.person_id,
            Notice.channel == first.channel,
            Notice.told_with == first.id,
        )
        .order_by(col(Notice.id))
        .with_for_update()
    )
    return found.all()


def mail_said(became: MailDelivery) -> Said:
    """The report of a mail server."""
    receipts = {
        "delivered": DeliveryReport.DELIVERED,
        "bounced": DeliveryReport.BOUNCED,
        "delayed": DeliveryReport.DELAYED,
    }
    receipt = receipts.get(became.state, DeliveryReport.ACCEPTED)
    failed = receipt in (DeliveryReport.BOUNCED, DeliveryReport.DELAYED)
    return Said(became.name, receipt, became.at, became.reason if failed else "")


async def _believe(session: AsyncSession, notice: Notice, said: Said, now: datetime) -> None:
    final = said.receipt not in (DeliveryReport.ACCEPTED, DeliveryReport.DELAYED)
    known = notice.receipt in (DeliveryReport.DELIVERED, *FAILED_REPORTS)
    # The provider's response was lost: it has accepted the message we are about to send again.
    expected = notice.state in (NoticeState.TOLD.value, NoticeState.WAITING.value)
    if said.receipt is DeliveryReport.DELAYED and expected and not known:
        await _note_once(session, notice, DeliveryOutcome.DELAYED, said.reason, now)
    if not final or known or not expected:
        return
    notice.receipt = said.receipt.value
    # The clock of a provider may be wrong.
    notice.receipt_at = min(max(said.at, notice.created_at), now)
    notice.ask_at = None
    session.add(notice)
    if said.receipt in FAILED_REPORTS:
        reason = said.reason or said.receipt.value
        note(session, notice, DeliveryOutcome.BOUNCED, reason, now)
        await fail(session, notice, reason, now)
        return
    note(session, notice, DeliveryOutcome.DELIVERED, said.reason, now)
    notice.state = NoticeState.TOLD.value
    notice.told_at = notice.told_at or now


async def _note_once(
    session: AsyncSession, notice: Notice, outcome: DeliveryOutcome, reason: str, now: datetime
) -> None:
    """Add a line to the journal of a message, unless it is the last one already."""
    found = await session.exec(
        select(NoticeAttempt)
        .where(NoticeAttempt.notice_id == notice.id)
        .order_by(col(NoticeAttempt.id).desc())
        .limit(1)
    )
    last = found.one_or_none()
    if last is None or (last.outcome, last.reason) != (outcome.value, reason):
        note(session, notice, outcome, reason, now)


async def ask_gateway(database: Database, gateway: SmsGateway) -> int:
    """Ask about the messages whose delivery reports are late. Returns how many were asked about.

    A gateway that does not answer is asked again in the next round.
    """
    asked = 0
    while asked < ASKED_AT_ONCE:
        async with database.work() as session:
            notice = await _next_to_ask(session)
            if notice is None:
                return asked
            try:
                became = await gateway.ask(notice.message_name)
            except SmsDown as error:
                log.info("gateway_not_asked", error=str(error))
                return asked
            asked += 1
            now = present()
            if became is not None and became.state != "accepted":
                said = Said(notice.message_name, DeliveryReport(became.state), became.at)
                await _believe(session, notice, said, now)
                continue
            notice.asks += 1
            pause = asked_again_after(notice.asks)
            notice.ask_at = now + pause if pause else None
            if pause is None:
                notice.receipt, notice.receipt_at = DeliveryReport.SILENT.value, now
            session.add(notice)
    return asked


async def ask_at(database: Database) -> datetime | None:
    """When the gateway is to be asked next, perhaps in the past; None while no report is late."""
    async with database.line() as line:
        found = await line.execute(
            "select min(ask_at) from notice where channel = %s and ask_at is not null",
            [Channel.SMS.value],
        )
        row = await found.fetchone()
    return row[0] if row else None


async def _next_to_ask(session: AsyncSession) -> Notice | None:
    found = await session.exec(
        select(Notice)
        .where(Notice.channel == Channel.SMS.value, Notice.ask_at <= present())  # type: ignore[operator]
        .order_by(col(Notice.ask_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return found.first()
