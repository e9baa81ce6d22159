"""What a workflow does when it is signalled or its time is over, and who is told if it is stuck."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import ANEW, RECEIPT, WAKE_UP, CaseSignal, CaseState
from models.tables.base import Moment
from models.tables.cases import Case, CaseAct
from rules.access import Permission
from rules.cases.kinds import process_of
from rules.cases.process import Party, Status
from rules.clock import now as present
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from services import access
from services.cases.addressees import owes, replies_among
from services.cases.signals import CaseSignals
from services.cases.transitions import heard, lock, state_of
from services.crash_points import CrashPoint, reach
from services.journal import entries as journal
from services.notices import outbox

FIRST_RING_AFTER, LAST_RING_AFTER = 5.0, 600.0
"""Seconds between the sweeper's wake-ups of one case: doubled each time, up to ten minutes."""

UNANSWERED = 6
"""After so many wake-ups without effect, about five minutes, the run is ended and another begun.

A run that somebody started by hand, or that this build cannot go on with, would block its case for
ever. If that does not help either, the case is stuck, and is begun anew ever more rarely.
"""

DOES_NOT_ANSWER = "DoesNotAnswer"


async def look(database: Database, case_id: UUID, signals: Sequence[CaseSignal]) -> CaseState:
    """Read the case. Signals whose acts were never committed are journaled."""
    now = present()
    async with database.work() as session:
        case = await lock(session, case_id)
        await note_false_signals(session, case, signals)
        await heard(session, case, now)
        return await state_of(session, case)


async def note_false_signals(
    session: AsyncSession, case: Case, signals: Sequence[CaseSignal], known: Collection[UUID] = ()
) -> None:
    """Journal signals that name no act of the case, such as one typed by hand: they decide nothing.

    Each act that is named is journaled once. The signal `receipt` names an acknowledgement. Ids in
    `known` need no look-up.
    """
    true = set(known)
    asked = [one for one in signals if one.act_id and one.act_id not in true]
    named = {one.act_id for one in asked if one.act_id}
    if named:
        found = await session.exec(
            select(CaseAct.id).where(col(CaseAct.id).in_(named), CaseAct.case_id == case.id)
        )
        true |= set(found.all())
    if any(one.signal == RECEIPT for one in asked):
        true |= await replies_among(session, case, named)
    for one in signals:
        if one.signal != WAKE_UP and one.act_id not in true:
            await journal.append(
                session,
                chain=case.id,
                kind=JournalKind.CASE_SIGNAL_WITHOUT_ACT,
                at=present(),
                system="workflow",
                step=case.step,
                facts={"signal": one.signal, "act": str(one.act_id) if one.act_id else None},
            )


async def report_stuck(database: Database, case_id: UUID, activity: str, error_type: str) -> None:
    """Mark the case as stuck and tell ops, once for each step and error."""
    now = present()
    async with database.work() as session:
        case = await lock(session, case_id)
        if case.stuck == error_type:
            return
        case.stuck = error_type
        session.add(case)
        await journal.append(
            session,
            chain=case.id,
            kind=JournalKind.CASE_STUCK,
            at=now,
            system="workflow",
            step=case.step,
            facts={"activity": activity, "error": error_type},
        )
        people = await access.people_with(session, Permission.WATCH_OPERATION, case.unit_id, now)
        for person in people:
            await outbox.enqueue(
                session,
                person_id=person,
                kind=process_of(case.kind).stuck_notice,
                case_id=case.id,
                event_key=f"{case.id}:{case.step}:stuck:{error_type}",
                facts={"number": case.number},
                now=now,
            )


async def applicant_did_more(
    session: AsyncSession, person_id: UUID, now: datetime
) -> Sequence[CaseState]:
    """Let the workflows of a person's approved cases look again: they wait for more than an act.

    Returns the cases to wake after the commit (`CaseSignals.wake`); whichever are not woken then,
    the sweeper wakes.
    """
    found = await session.exec(
        select(Case)
        .where(
            Case.applicant_id == person_id,
            Case.status == Status.APPROVED.value,
            Case.waits_for == Party.APPLICANT.value,
            col(Case.closed_at).is_(None),
        )
        .with_for_update()
    )
    cases = found.all()
    for case in cases:
        case.wakes_at, case.rings, case.rung_at = now, 0, None
        session.add(case)
    return [await state_of(session, case) for case in cases]


def is_late(now: Moment, before: Moment) -> ColumnElement[bool]:
    """The condition that the time of a case came before `before`, and that it may be woken now."""
    pause = func.least(
        FIRST_RING_AFTER * func.power(2, func.least(col(Case.rings), 10)), LAST_RING_AFTER
    )
    ready = or_(
        col(Case.rung_at).is_(None),
        col(Case.rung_at) + pause * text("interval '1 second'") < now,
    )
    return and_(col(Case.wakes_at) < before, ready)


async def sweep(database: Database, signals: CaseSignals, grace: float, most: int = 100) -> int:
    """Wake the cases whose time came more than `grace` seconds ago and that nobody signalled.

    Stops at the first signal that Temporal does not accept, so that an outage is not counted
    against the cases. Returns how many were woken.
    """
    now = present()
    async with database.reading() as session:
        found = await session.exec(
            select(Case)
            .where(is_late(now, now - timedelta(seconds=grace)))
            .order_by(col(Case.wakes_at))
            .limit(most)
        )
        states = [await state_of(session, case) for case in found.all()]
    woken: list[UUID] = []
    for state in states:
        if not await signals.send_now(state, CaseSignal(signal=WAKE_UP)):
            break
        woken.append(state.case_id)
    unanswered: list[CaseState] = []
    if woken:
        reach(CrashPoint.SWEPT)
        async with database.work() as session:
            found = await session.exec(
                select(Case).where(col(Case.id).in_(woken)).with_for_update(skip_locked=True)
            )
            for case in found.all():
                case.rings += 1
                case.rung_at = now
                if case.closed_at is not None and not await owes(session, case):
                    # A run that is still open was told, and there is nothing more to tell.
                    case.wakes_at = None
                elif _begins_anew(case.rings):
                    unanswered.append(await state_of(session, case))
                session.add(case)
    for state in unanswered:
        await _begin_anew(database, signals, state)
    return len(woken)


def _begins_anew(rings: int) -> bool:
    """After six wake-ups without effect, after twelve, twenty-four and so on."""
    times, more = divmod(rings, UNANSWERED)
    return more == 0 and times.bit_count() == 1


async def _begin_anew(database: Database, signals: CaseSignals, state: CaseState) -> None:
    """End the run that does not answer and begin another, which continues where the case stands."""
    if not await signals.send_now(state, CaseSignal(signal=ANEW)):
        return
    async with database.work() as session:
        case = await lock(session, state.case_id)
        rings = case.rings
        # In the case's own chain for its history, in the installation's for ops.
        for chain in (case.id, SYSTEM_CHAIN):
            await journal.append(
                session,
                chain=chain,
                kind=JournalKind.CASE_BEGUN_ANEW,
                at=present(),
                system="sweeper",
                step=case.step,
                facts={"case": str(case.id), "rings": rings},
            )
    if rings > UNANSWERED:
        await report_stuck(database, state.case_id, "workflow", DOES_NOT_ANSWER)
