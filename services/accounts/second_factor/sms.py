"""Codes by SMS, to a number that its owner has confirmed.

A code is valid for five minutes, for the one sign-in it was requested for, and once. The number is
the factor's own: a new number in the personal data changes nothing here until it is set up again.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.key_ring import key_ring
from models.tables.second_factor import SmsCode, SmsFactor
from rules.accounts import SignInLimits, code_digits
from rules.notices.kinds import Channel, NoticeKind
from rules.refusals import Refusal
from rules.second_factor import (
    SMS_LIVES,
    SMS_SENDS,
    Method,
    last_digits,
    no_phone,
    sent_too_often,
    wrong_sms_code,
)
from services import rate_limits
from services.accounts import devices
from services.accounts.second_factor.confirmed_phone import confirmed_phone
from services.accounts.second_factor.enrolling import Enrolled, demand_right, enrol
from services.accounts.second_factor.methods import Attempt, Offer, Site, Use
from services.accounts.sessions import Current, Visitor
from services.notices import outbox
from services.notices.outbox import NoticeEvent


class Sms:
    """A code by SMS to the number that the person has set up."""

    method = Method.SMS

    async def offer(self, session: AsyncSession, person_id: UUID) -> Offer | None:
        """Offered with the last digits of the number."""
        phone = await self._phone(session, person_id)
        return None if phone is None else Offer(self.method, hint=last_digits(phone))

    async def begin(self, database: Database, attempt: Attempt, site: Site) -> str:
        """Send a code, in place of any that was sent for this before."""
        async with database.work() as session:
            phone = await self._phone(session, attempt.person_id)
        if phone is None:
            raise no_phone()
        await _send(database, attempt, phone)
        return ""

    async def recognise(self, database: Database, attempt: Attempt, answer: str) -> Use | None:
        """Compare with the code that was sent for this sign-in."""
        code = await _fitting(database, attempt, answer)
        return None if code is None else partial(_use, code.id)

    async def remove(self, session: AsyncSession, person_id: UUID, which: UUID | None) -> bool:
        """Forget the number."""
        gone = await session.exec(delete(SmsFactor).where(col(SmsFactor.person_id) == person_id))
        return bool(gone.rowcount)

    def refusal(self) -> Refusal:
        """The code is not the last one sent, or is over."""
        return wrong_sms_code()

    async def _phone(self, session: AsyncSession, person_id: UUID) -> str | None:
        row = await session.get(SmsFactor, person_id)
        return row.phone if row is not None else None


@dataclass(frozen=True)
class _NewNumber:
    """The person's confirmed number, to be set up by the first code that is sent to it."""

    phone: str
    method = Method.SMS
    replaces = False

    async def recognise(self, database: Database, attempt: Attempt, answer: str) -> Use | None:
        """Compare with the code that was sent to this very number."""
        code = await _fitting(database, attempt, answer)
        if code is None or code.phone != self.phone:
            return None
        return partial(self._use, code.id, attempt)

    async def _use(self, code_id: UUID, attempt: Attempt, session: AsyncSession) -> bool:
        if not await _use(code_id, session):
            return False
        await session.merge(
            SmsFactor(person_id=attempt.person_id, phone=self.phone, created_at=attempt.now)
        )
        await session.flush()
        return True

    def refusal(self) -> Refusal:
        """The code is not the last one sent, or is over."""
        return wrong_sms_code()


async def _new_number(database: Database, person_id: UUID) -> _NewNumber:
    async with database.work() as session:
        phone = await confirmed_phone(session, person_id)
    if phone is None:
        raise no_phone()
    return _NewNumber(phone)


async def begin_setup(
    database: Database, current: Current, visitor: Visitor, now: datetime
) -> None:
    """Send a code to the person's confirmed number, to set it up.

    Raises Refusal 403 `second_factor_needed`, 409 if no number is confirmed, 429.
    """
    attempt = Attempt(current.person_id, demand_right(current, now), visitor, now)
    await _send(database, attempt, (await _new_number(database, current.person_id)).phone)


async def confirm_setup(
    database: Database,
    current: Current,
    code: str,
    visitor: Visitor,
    now: datetime,
    limits: SignInLimits,
) -> Enrolled:
    """Enter the code that was sent to the number: it becomes a factor. Raises as `enrol` does."""
    new = await _new_number(database, current.person_id)
    return await enrol(database, current, new, code, visitor, now, limits)


async def _send(database: Database, attempt: Attempt, phone: str) -> None:
    """Send a code. Raises Refusal 429; devices that the person has used have their own count."""
    async with database.work() as session:
        known = await devices.knows_device(session, attempt.person_id, attempt.visitor)
        whom = f"{attempt.person_id}:{attempt.visitor.device_hash}" if known else None
        allowance = (SMS_SENDS, whom or str(attempt.person_id))
        wait = await rate_limits.take(session, [allowance], attempt.now)
        if not wait:
            await _write(session, attempt, phone)
    if wait:
        raise sent_too_often(wait)


async def _write(session: AsyncSession, attempt: Attempt, phone: str) -> None:
    await session.exec(delete(SmsCode).where(col(SmsCode.about) == attempt.about))
    code = f"{secrets.randbelow(10**6):06}"
    row = SmsCode(
        person_id=attempt.person_id,
        about=attempt.about,
        phone=phone,
        code_hash="",
        ends_at=attempt.now + SMS_LIVES,
    )
    row.code_hash = key_ring().blind(_text(row.id, code))
    session.add(row)
    sent = NoticeEvent(
        attempt.person_id,
        NoticeKind.SIGN_IN_CODE,
        f"{row.id}:code",
        contents={"to": phone, "code": code},
        channels=(Channel.CABINET, Channel.SMS),
    )
    await outbox.enqueue_all(session, [sent], attempt.now)


async def _fitting(database: Database, attempt: Attempt, answer: str) -> SmsCode | None:
    """The code that was sent for this, if it is the one that was typed and is not over."""
    async with database.work() as session:
        found = await session.exec(
            select(SmsCode).where(
                SmsCode.person_id == attempt.person_id,
                SmsCode.about == attempt.about,
                SmsCode.ends_at > attempt.now,
            )
        )
        row = found.one_or_none()
    if row is None:
        return None
    typed = _text(row.id, code_digits(answer) or "")
    return row if key_ring().is_blind(row.code_hash, typed) else None


async def _use(code_id: UUID, session: AsyncSession) -> bool:
    gone = await session.exec(
        delete(SmsCode).where(col(SmsCode.id) == code_id).returning(col(SmsCode.id))
    )
    return gone.first() is not None


def _text(code_id: UUID, code: str) -> str:
    return f"sms:{code_id}:{code}"
