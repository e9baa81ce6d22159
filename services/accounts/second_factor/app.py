"""Codes of an authenticator app (TOTP, RFC 6238): checking them, and setting an app up."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import pyotp
import segno
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.accounts import Account, AccountSession
from models.tables.people import Person
from rules.accounts import (
    SignInLimits,
    Stage,
    code_digits,
    session_ended,
    wrong_code,
)
from rules.refusals import Refusal
from rules.second_factor import Method
from services.accounts.account_row import locked_account
from services.accounts.second_factor.enrolling import Enrolled, demand_right, enrol
from services.accounts.second_factor.methods import Attempt, Offer, Site, Use
from services.accounts.sessions import Current, Visitor


class App:
    """An authenticator app. A code fits its own half minute only, and works once."""

    method = Method.APP

    async def offer(self, session: AsyncSession, person_id: UUID) -> Offer | None:
        """Offered once the first code of an app was entered."""
        found = await session.exec(
            select(Account.person_id).where(
                Account.person_id == person_id, col(Account.totp_confirmed_at).is_not(None)
            )
        )
        return Offer(self.method) if found.first() is not None else None

    async def begin(self, database: Database, attempt: Attempt, site: Site) -> str:
        """Nothing to do: the app shows codes at all times."""
        return ""

    async def recognise(self, database: Database, attempt: Attempt, answer: str) -> Use | None:
        """Compare the code with that of the present half minute."""
        async with database.work() as session:
            account = await session.get(Account, attempt.person_id)
            secret = account.totp_secret if account is not None else None
        used = half_minute(secret, answer, attempt.now)
        return None if used is None else partial(self._use, attempt.person_id, used)

    async def _use(self, person_id: UUID, used: int, session: AsyncSession) -> bool:
        later = await session.exec(
            update(Account)
            .where(
                col(Account.person_id) == person_id,
                col(Account.totp_last_step) < used,
                col(Account.totp_secret).is_not(None),
            )
            .values(totp_last_step=used)
            .returning(col(Account.person_id))
            .execution_options(synchronize_session=False)
        )
        return later.first() is not None

    async def remove(self, session: AsyncSession, person_id: UUID, which: UUID | None) -> bool:
        """Forget the seed."""
        account = await session.get_one(Account, person_id)
        was = account.totp_confirmed_at is not None
        account.totp_secret = account.totp_confirmed_at = None
        return was

    def refusal(self) -> Refusal:
        """The code is of another half minute, or was used."""
        return wrong_code()


def half_minute(secret: str | None, code: str, now: datetime) -> int | None:
    """The number of the present half minute, if the code is its code; else None."""
    digits = code_digits(code)
    if digits is not None and secret is not None:
        with suppress(OTPVerificationError):
            return pyotp.TOTP(secret).verify_and_get_timecode(digits, for_time=now)
    return None


@dataclass(frozen=True)
class _NewApp:
    """An app whose seed was shown and is to be confirmed by its first code."""

    secret: str
    current: Current
    method = Method.APP
    replaces = True

    async def recognise(self, database: Database, attempt: Attempt, answer: str) -> Use | None:
        """Compare the code with that of the new seed."""
        used = half_minute(self.secret, answer, attempt.now)
        return None if used is None else partial(self._use, used, attempt.now)

    async def _use(self, used: int, now: datetime, session: AsyncSession) -> bool:
        """Make the seed the person's, unless the session may not or the code was used with it."""
        account = await locked_account(session, self.current.person_id)
        first = account.totp_confirmed_at is None
        if not first and (self.current.stage == Stage.SETUP or account.totp_last_step >= used):
            return False
        account.totp_secret = self.secret
        account.totp_confirmed_at = now
        account.totp_last_step = used
        return True

    def refusal(self) -> Refusal:
        """The code is of another half minute, or was used."""
        return wrong_code()


@dataclass(frozen=True)
class AppSetup:
    """What an authenticator app needs. It is shown until a code of the app is entered."""

    secret: str
    uri: str
    qr_svg: str


def provisioning_uri(secret: str, email: str, institution: str) -> str:
    """The `otpauth://` URI of a seed; apps list it under the institution's name.

    A colon separates the two names in the URI, so it is removed from them.
    """
    issuer = " ".join(institution.replace(":", " ").split())
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


async def show_setup(
    session: AsyncSession, current: Current, now: datetime, institution: str
) -> AppSetup:
    """The seed for an authenticator app: at the first sign-in, or to change the app.

    It stays the same in this session until it is confirmed. Raises Refusal 403
    `second_factor_needed` if an app is to be set up by somebody who has not entered a factor for
    it within five minutes.
    """
    row = await session.get(AccountSession, current.session_id, with_for_update=True)
    person = await session.get(Person, current.person_id)
    if row is None or person is None or row.ended_at is not None:
        raise session_ended()
    demand_right(current, now)
    secret = row.pending_secret or pyotp.random_base32()
    row.pending_secret = secret
    uri = provisioning_uri(secret, person.email, institution)
    svg = segno.make(uri, error="m").svg_inline(scale=5, border=2, dark="#10203A", light="#FFFFFF")
    return AppSetup(secret, uri, svg)


async def confirm_setup(
    database: Database,
    current: Current,
    code: str,
    visitor: Visitor,
    now: datetime,
    limits: SignInLimits,
) -> Enrolled:
    """Enter the first code of the new seed: it becomes a factor, and the session goes on.

    All other sessions and the access tokens of the person end, and a new set of recovery codes
    replaces the one before. Raises Refusal 401, 403, 409 if no seed was shown, 422, 429.
    """
    session_id = demand_right(current, now)
    async with database.work() as session:
        row = await session.get(AccountSession, session_id)
        secret = row.pending_secret if row is not None else None
    if secret is None:
        raise Refusal("no_setup", "Сначала откройте настройку приложения с кодами.", 409)
    return await enrol(database, current, _NewApp(secret, current), code, visitor, now, limits)
