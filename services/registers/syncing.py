"""The nightly comparison of everybody with a register: in batches, resumable after any of them.

A batch is stored in one unit of work with who was in it and how far the run has come. Whatever was
killed before that has done nothing; whatever comes twice finds that the run has moved on.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.register_batches import MOST_AT_ONCE
from models.messages import SyncProgress
from models.tables.people import Person
from models.tables.registers import RegisterRun, RegisterRunPerson
from rules.clock import now as present
from rules.ids import new_id
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.registers.kinds import RecordState, RegisterName
from services.access import works_here
from services.crash_points import CrashPoint, reach
from services.journal import entries as journal
from services.registers import records
from services.registers.asking import NoAnswerError, RegisterLines, answered
from services.registers.records import PersonCompared, compared, of_register
from services.registers.runs import progress
from services.registers.telling import tell_of_differences

SHIFT = 20.0
"""Seconds after which a shift ends: the workflow shows ops how far it is, and begins the next."""
DIGITS = 11
"""Of a SNILS."""
PATIENCE = timedelta(minutes=1)
"""How long the comparison of everybody waits for its turn to ask."""


async def begin(database: Database, register: RegisterName) -> SyncProgress:
    """The run that is open, or a new one."""
    now = present()
    async with database.work() as session:
        counted = select(func.count()).select_from(Person).where(*_everybody())
        total = (await session.exec(counted, params={"now": now})).one()
        await session.exec(
            insert(RegisterRun)
            .values(id=new_id(), source=register.value, started_at=now, total=total)
            .on_conflict_do_nothing()
        )
        found = await session.exec(
            select(RegisterRun).where(
                RegisterRun.source == register.value, col(RegisterRun.ended_at).is_(None)
            )
        )
        return progress(found.one())


async def shift(database: Database, registers: RegisterLines, run_id: UUID) -> SyncProgress:
    """Compare batch after batch for SHIFT seconds, or until the register does not answer."""
    ends = time.monotonic() + SHIFT
    while True:
        found = await _batch(database, registers, run_id)
        if not found.under_way or found.again_at is not None or time.monotonic() >= ends:
            return found


async def _batch(database: Database, registers: RegisterLines, run_id: UUID) -> SyncProgress:
    began = time.monotonic()
    async with database.work() as session:
        run = await session.get_one(RegisterRun, run_id)
        if run.ended_at is not None:
            return progress(run)
        name, cursor = RegisterName(run.source), run.cursor
        people = await _next(session, name, cursor)
    if not people:
        return await _end(database, run_id)
    # A number that cannot be a SNILS would have the register refuse the whole batch.
    known = [one for one in people if len(one.snils) == DIGITS]
    try:
        questions = [one.question for one in known]
        answers = await registers.ask(name, questions, PATIENCE) if known else []
    except NoAnswerError as later:
        return await _later(database, run_id, later.again_at)
    reach(CrashPoint.BATCH_ASKED)
    now = present()
    async with database.work() as session:
        run = await _locked(session, run_id)
        if run.cursor != cursor or run.ended_at is not None:
            return progress(run)
        await answered(session, name, now)
        stored = await records.store(session, name, known, answers, now)
        states = {one.id: stored.states.get(one.id, RecordState.UNKNOWN) for one in people}
        rows = [{"run_id": run_id, "person_id": key, "state": states[key].value} for key in states]
        await session.exec(insert(RegisterRunPerson).values(rows))
        await tell_of_differences(session, name, known, stored.news, now)
        run.cursor = people[-1].id
        run.done += len(people)
        run.asked += 1
        run.changed += len(stored.news)
        run.unknown += sum(state is not RecordState.FOUND for state in states.values())
        run.worked += time.monotonic() - began
        run.next_try_at = None
        session.add(run)
        told = progress(run)
    reach(CrashPoint.BATCH_STORED)
    return told


async def _next(
    session: AsyncSession, register: RegisterName, cursor: UUID | None
) -> Sequence[PersonCompared]:
    """The people after the cursor, as many as the register answers about at once."""
    query = of_register(register).where(*_everybody()).order_by(col(Person.id)).limit(MOST_AT_ONCE)
    if cursor is not None:
        query = query.where(col(Person.id) > cursor)
    found = await session.exec(query, params={"now": present()})  # type: ignore[call-overload]
    return [compared(row) for row in found.all()]


def _everybody() -> Sequence[ColumnElement[bool]]:
    """The condition for people who are compared: who works here, and has a SNILS."""
    return works_here(), col(Person.snils).is_not(None)


async def _locked(session: AsyncSession, run_id: UUID) -> RegisterRun:
    found = await session.exec(
        select(RegisterRun).where(RegisterRun.id == run_id).with_for_update()
    )
    return found.one()


async def _later(database: Database, run_id: UUID, again_at: datetime) -> SyncProgress:
    """Note when the register is asked again."""
    async with database.work() as session:
        run = await _locked(session, run_id)
        run.next_try_at = again_at
        session.add(run)
        return progress(run)


async def _end(database: Database, run_id: UUID) -> SyncProgress:
    """Everybody was compared. Who was in earlier runs is forgotten; their figures stay."""
    now = present()
    async with database.work() as session:
        run = await _locked(session, run_id)
        if run.ended_at is not None:
            return progress(run)
        run.ended_at, run.total, run.next_try_at = now, run.done, None
        session.add(run)
        earlier = select(RegisterRun.id).where(
            RegisterRun.source == run.source, RegisterRun.id != run_id
        )
        await session.exec(
            delete(RegisterRunPerson).where(col(RegisterRunPerson.run_id).in_(earlier))
        )
        facts = {
            "register": run.source,
            "people": run.done,
            "changed": run.changed,
            "unknown": run.unknown,
        }
        kind = JournalKind.REGISTER_COMPARED
        await journal.append(
            session, chain=SYSTEM_CHAIN, kind=kind, at=now, system="registers", facts=facts
        )
        return progress(run)
