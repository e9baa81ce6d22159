"""«Проверить в реестре»: a person asks for the comparison now, and it goes on until it is done."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import WorkflowName
from models.tables.people import Person
from models.tables.registers import RegisterCheck
from rules.access import Actor, Permission
from rules.accounts import Limit
from rules.clock import now as present
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal
from rules.registers.kinds import (
    CHECKS_A_DAY,
    GIVEN_UP_AFTER,
    PATIENCE,
    RegisterName,
    too_many_checks,
)
from services import rate_limits
from services.access import works_here
from services.journal import entries as journal
from services.notices import outbox
from services.own_workflows import OwnWorkflow, Wake
from services.registers import records
from services.registers.asking import NoAnswerError, RegisterLines, answered
from services.registers.records import compared, of_register
from services.registers.telling import tell_of_differences

LIMIT = Limit("register-check", CHECKS_A_DAY, timedelta(days=1))
LOOKS_EVERY = 0.1
"""Seconds between two looks of a page that waits."""
WAITS_TO_ASK = timedelta(seconds=2)
"""How long one person's check waits for its turn, before it is put off."""

OWN = OwnWorkflow(
    name=WorkflowName.REGISTER_CHECK,
    table=RegisterCheck,
    due="next_try_at",
    lives=lambda: col(RegisterCheck.ended_at).is_(None),
)
"""What the sweeper has to know of checks."""


@dataclass(frozen=True)
class CheckState:
    """A check as its person sees it."""

    asked_at: datetime
    tries: int
    waits_for: Sequence[RegisterName]
    next_try_at: datetime
    ended_at: datetime | None
    given_up: bool

    @classmethod
    def of(cls, row: RegisterCheck) -> "CheckState":
        """The state of a stored check."""
        waits_for = [RegisterName(one) for one in row.waits_for]
        return cls(row.asked_at, row.tries, waits_for, row.next_try_at, row.ended_at, row.given_up)


class RegisterChecks:
    """What a person asks of the registers; the asking itself is a worker's."""

    def __init__(self, database: Database, wake: Wake) -> None:
        self._database = database
        self._wake = wake
        self.patience: float = PATIENCE
        """How many seconds somebody who asks waits for the end at most."""

    async def ask(self, actor: Actor) -> CheckState:
        """Have oneself compared now, and wait for it as long as patience lasts.

        A check that is under way is not begun twice. Raises Refusal 403, 409 without a SNILS, 429.
        """
        actor.demand(Permission.KEEP_DOCUMENTS)
        now, begun = present(), False
        async with self._database.work() as session:
            person = await session.get_one(Person, actor.person_id)
            if not person.snils:
                raise Refusal("no_snils", "В личном деле нет СНИЛС, реестры вас не найдут.", 409)
            check_id = await _open(session, actor.person_id)
            if check_id is None:
                allowance = (LIMIT, str(actor.person_id))
                if wait := await rate_limits.take(session, [allowance], now):
                    raise too_many_checks(wait)
                check_id = await _begin(session, actor, now)
                begun = True
        if begun:
            await self._wake(check_id)
        ends = asyncio.get_running_loop().time() + self.patience
        while True:
            async with self._database.reading() as session:
                row = await session.get_one(RegisterCheck, check_id)
            if row.tries or asyncio.get_running_loop().time() >= ends:
                return CheckState.of(row)
            await asyncio.sleep(LOOKS_EVERY)


async def newest(session: AsyncSession, person_id: UUID) -> CheckState | None:
    """The newest check that a person asked for."""
    found = await session.exec(
        select(RegisterCheck)
        .where(RegisterCheck.person_id == person_id)
        .order_by(col(RegisterCheck.asked_at).desc())
        .limit(1)
    )
    row = found.first()
    return CheckState.of(row) if row else None


async def _open(session: AsyncSession, person_id: UUID) -> UUID | None:
    found = await session.exec(
        select(RegisterCheck.id).where(
            RegisterCheck.person_id == person_id, col(RegisterCheck.ended_at).is_(None)
        )
    )
    return found.first()


async def _begin(session: AsyncSession, actor: Actor, now: datetime) -> UUID:
    """Begin a check; if another window has begun one meanwhile, that one."""
    begun = await session.exec(
        insert(RegisterCheck)
        .values(
            id=new_id(),
            person_id=actor.person_id,
            asked_at=now,
            waits_for=[one.value for one in RegisterName],
            next_try_at=now,
        )
        .on_conflict_do_nothing()
        .returning(col(RegisterCheck.id))
    )
    check_id = begun.scalar_one_or_none()
    if check_id is None:
        return (await _open(session, actor.person_id)) or new_id()
    await journal.append(
        session,
        chain=actor.person_id,
        kind=JournalKind.REGISTER_CHECK_ASKED,
        at=now,
        by=actor.person_id,
        lock=True,
    )
    return UUID(str(check_id))


async def look(database: Database, lines: RegisterLines, check_id: UUID) -> datetime | None:
    """Ask the registers that have yet to answer. Returns when to ask again; None when it is over.

    Looking again before that time asks nobody.
    """
    now = present()
    async with database.work() as session:
        check = await session.get(RegisterCheck, check_id)
        if check is None or check.ended_at is not None:
            return None
        if check.next_try_at > now:
            return check.next_try_at
        person_id, names = check.person_id, [RegisterName(one) for one in check.waits_for]
    tried = await asyncio.gather(*(_ask(database, lines, person_id, one) for one in names))
    later = {name: at for name, at in zip(names, tried, strict=True) if at is not None}
    now = present()
    async with database.work() as session:
        found = await session.exec(
            select(RegisterCheck).where(RegisterCheck.id == check_id).with_for_update()
        )
        check = found.one()
        if check.ended_at is not None:
            return None
        check.tries += 1
        check.waits_for = [one.value for one in later]
        if later and now < check.asked_at + GIVEN_UP_AFTER:
            check.next_try_at = min(later.values())
            session.add(check)
            return check.next_try_at
        check.ended_at, check.given_up = now, bool(later)
        session.add(check)
        await session.flush()
        if check.tries > 1:
            await _tell(session, check, now)
    return None


async def _ask(
    database: Database, lines: RegisterLines, person_id: UUID, name: RegisterName
) -> datetime | None:
    """Ask one register about one person. Returns when to ask again if it does not answer."""
    async with database.work() as session:
        query = of_register(name).where(col(Person.id) == person_id, works_here())
        found = await session.exec(query, params={"now": present()})  # type: ignore[call-overload]
        row = found.one_or_none()
    if row is None:
        return None
    person = compared(row)
    try:
        answers = await lines.ask(name, [person.question], WAITS_TO_ASK)
    except NoAnswerError as error:
        return error.again_at
    now = present()
    async with database.work() as session:
        await answered(session, name, now)
        stored = await records.store(session, name, [person], answers, now)
        if person.revision is not None:
            await tell_of_differences(session, name, [person], stored.news, now)
    return None


async def _tell(session: AsyncSession, check: RegisterCheck, now: datetime) -> None:
    """Tell the person, who was not shown the outcome at once."""
    kind = NoticeKind.REGISTER_CHECK_GIVEN_UP if check.given_up else NoticeKind.REGISTER_CHECKED
    await outbox.enqueue(
        session,
        person_id=check.person_id,
        kind=kind,
        event_key=f"{check.id}:ended",
        now=now,
    )
