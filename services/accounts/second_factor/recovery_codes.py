"""Recovery codes: ten on paper, for the day on which nothing else is at hand.

They are shorter than 112 bits, so they are hashed like passwords (ASVS 6.5.2). A code carries its
number, so that one hash is computed for a try, and not ten.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto import passwords
from models.tables.second_factor import RecoveryCode
from rules.accounts import Outcome, Stage, Step
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal
from rules.second_factor import (
    CODES_IN_A_SET,
    FEW_CODES,
    SECRET_LENGTH,
    SPOKEN,
    Method,
    WrittenCode,
    demand_enrolment,
    read_recovery_code,
    recovery_code_of,
    wrong_recovery_code,
)
from services.accounts import login_log
from services.accounts.account_row import locked_account
from services.accounts.second_factor.methods import Attempt, Offer, Site, Use
from services.accounts.sessions import Current, OpenedSession, Visitor, rotate


class RecoveryCodes:
    """The set that a person keeps. Offered last, and only while codes are left."""

    method = Method.RECOVERY

    async def offer(self, session: AsyncSession, person_id: UUID) -> Offer | None:
        """Offered with the number of codes that are left."""
        left = await codes_left(session, person_id)
        return Offer(self.method, left) if left else None

    async def begin(self, database: Database, attempt: Attempt, site: Site) -> str:
        """Nothing to do: the codes are on paper."""
        return ""

    async def recognise(self, database: Database, attempt: Attempt, answer: str) -> Use | None:
        """Compare the code with the hash of its number; without one it takes as long."""
        typed = read_recovery_code(answer)
        known = None
        if typed is not None:
            async with database.work() as session:
                found = await session.exec(
                    select(RecoveryCode).where(
                        RecoveryCode.person_id == attempt.person_id,
                        RecoveryCode.number == typed.number,
                        col(RecoveryCode.used_at).is_(None),
                    )
                )
                known = found.one_or_none()
        secret = typed.secret if typed is not None else ""
        fits = await passwords.matches(known.code_hash if known is not None else None, secret)
        return partial(self._use, known.id, attempt) if fits and known is not None else None

    async def _use(self, code_id: UUID, attempt: Attempt, session: AsyncSession) -> bool:
        used = await session.exec(
            update(RecoveryCode)
            .where(col(RecoveryCode.id) == code_id, col(RecoveryCode.used_at).is_(None))
            .values(used_at=attempt.now)
            .returning(col(RecoveryCode.id))
            .execution_options(synchronize_session=False)
        )
        if used.first() is None:
            return False
        left = await codes_left(session, attempt.person_id)
        few = NoticeKind.RECOVERY_CODES_FEW if left <= FEW_CODES else None
        for kind in filter(None, (NoticeKind.RECOVERY_CODE_USED, few)):
            await login_log.tell(
                session, attempt.person_id, kind, attempt.now, facts={"count": left}
            )
        return True

    async def remove(self, session: AsyncSession, person_id: UUID, which: UUID | None) -> bool:
        """Delete the set."""
        gone = await session.exec(
            delete(RecoveryCode).where(col(RecoveryCode.person_id) == person_id)
        )
        return bool(gone.rowcount)

    def refusal(self) -> Refusal:
        """The code was mistyped, used, or is of an earlier set."""
        return wrong_recovery_code()


@dataclass(frozen=True)
class FreshCode:
    """A new code, and the hash by which it is stored."""

    code: WrittenCode
    code_hash: str


async def codes_left(session: AsyncSession, person_id: UUID) -> int:
    """How many codes the person has not used."""
    found = await session.exec(
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.person_id == person_id, col(RecoveryCode.used_at).is_(None))
    )
    return found.one()


async def draw() -> Sequence[FreshCode]:
    """Ten new codes. Hashing them takes some 0.3 s of threads, so it is done outside a unit."""
    codes = [
        recovery_code_of(number, secrets.token_bytes(SECRET_LENGTH))
        for number in range(1, CODES_IN_A_SET + 1)
    ]
    hashes = await asyncio.gather(*(passwords.hashed(code.secret) for code in codes))
    return [FreshCode(code, code_hash) for code, code_hash in zip(codes, hashes, strict=True)]


async def replace(
    session: AsyncSession, person_id: UUID, drawn: Sequence[FreshCode], now: datetime
) -> None:
    """Let these codes be the person's. None of an earlier set is valid any more."""
    await session.exec(delete(RecoveryCode).where(col(RecoveryCode.person_id) == person_id))
    session.add_all(
        RecoveryCode(
            person_id=person_id, number=one.code.number, code_hash=one.code_hash, created_at=now
        )
        for one in drawn
    )


async def draw_spoken() -> FreshCode:
    """A code to be told by word of mouth. Its number is that of no set."""
    code = recovery_code_of(SPOKEN, secrets.token_bytes(SECRET_LENGTH))
    return FreshCode(code, await passwords.hashed(code.secret))


async def accept_spoken(
    session: AsyncSession, person_id: UUID, code_hash: str, now: datetime
) -> None:
    """Let a code that was told by word of mouth be the person's only one."""
    await session.exec(delete(RecoveryCode).where(col(RecoveryCode.person_id) == person_id))
    session.add(
        RecoveryCode(person_id=person_id, number=SPOKEN, code_hash=code_hash, created_at=now)
    )


@dataclass(frozen=True)
class Renewed:
    """A new set, which is shown only now, and the session under its new token."""

    codes: tuple[str, ...]
    opened: OpenedSession


async def renew(database: Database, current: Current, visitor: Visitor, now: datetime) -> Renewed:
    """Make a new set on demand. Whoever holds it can sign in, so it is an enrolment (I14).

    Raises Refusal 403 `second_factor_needed` if no factor was entered for it, 401.
    """
    demand_enrolment(current.checked_at, now)
    drawn = await draw()
    async with database.work() as session:
        await locked_account(session, current.person_id)
        opened = await rotate(
            session, current, Stage.OPEN, visitor, now, second_factor_at=current.second_factor_at
        )
        await replace(session, current.person_id, drawn, now)
        await login_log.note(
            session,
            Step.RECOVERY_CODES,
            Outcome.PASSED,
            visitor,
            now,
            person_id=current.person_id,
            method=Method.RECOVERY,
        )
        await login_log.tell(session, current.person_id, NoticeKind.RECOVERY_CODES_MADE, now)
    return Renewed(tuple(str(one.code) for one in drawn), opened)
