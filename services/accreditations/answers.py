"""What the federal centre says of a package: asked for, and followed by the case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.accreditation_centre import (
    UNKNOWN,
    CentreDown,
    CentreRefused,
    CentreState,
    PackageStanding,
)
from models.messages import CaseSignal, CaseState
from models.tables.cases import Case
from models.tables.credentials import AccreditationPackage
from rules.cases.accreditations import AT_THE_CENTRE
from rules.cases.process import Status, Transition
from rules.clock import now as present
from services import outages
from services.accreditations import extracts
from services.accreditations.extracts import Extract
from services.accreditations.forwarding import send
from services.accreditations.granting import grant
from services.accreditations.line import CentreLine
from services.accreditations.waiting import next_ask, set_alarm
from services.cases.transitions import CaseNotice, heard, lock, move, state_of
from services.cases.wakeups import note_false_signals
from services.outages import FEDERAL_CENTRE

_MOVES: Mapping[CentreState, tuple[Transition, str]] = {
    CentreState.REMARKS: (Transition.CENTRE_ASKS, "accreditation_centre_asks"),
    CentreState.RETURNED: (Transition.CENTRE_RETURNS, "accreditation_returned"),
    CentreState.REFUSED: (Transition.CENTRE_REFUSES, "accreditation_refused"),
    CentreState.ACCREDITED: (Transition.ACCREDIT, "accreditation_granted"),
}
"""What follows each answer, and how the applicant is told."""

_BY_COMMISSION = frozenset({CentreState.REFUSED, CentreState.ACCREDITED})
"""Answers that the commission gives; a centre that was asked late may have passed the case on."""


@dataclass(frozen=True)
class CentreAnswer:
    """How a package stands, and what the centre issued."""

    standing: PackageStanding
    extract: Extract | None


async def tend(line: CentreLine, case_id: UUID, signals: Sequence[CaseSignal] = ()) -> CaseState:
    """Do what is due on a case that is at the centre. Returns the state of the case.

    Asks the centre, follows its answer, and sends what the term requires. Safe to repeat: every
    answer is followed once, under the lock of the case. Raises CentreRefused.
    """
    now = present()
    async with line.database.work() as session:
        case = await lock(session, case_id)
        await note_false_signals(session, case, signals)
        await heard(session, case, now)
        if not _is_there(case):
            return await state_of(session, case)
        package = await session.get_one(AccreditationPackage, (case.id, case.version))
    standing, again, extract = None, None, None
    if package.ask_at is None or package.ask_at <= now:
        try:
            standing = await _ask(line, package)
            extract = await extracts.fetch(line, package, standing)
        except CentreDown:
            standing = None
            async with line.database.work() as session:
                again = await outages.begin(session, FEDERAL_CENTRE, now)
    answer = CentreAnswer(standing, extract) if standing is not None else None
    return await _follow(line, package, answer, again)


def _is_there(case: Case) -> bool:
    return Status(case.status) in AT_THE_CENTRE and case.closed_at is None


async def _ask(line: CentreLine, package: AccreditationPackage) -> PackageStanding:
    """How the package stands; one that the centre has lost is sent again unchanged."""
    try:
        return await line.centre.standing(package.package_id, package.digest)
    except CentreRefused as refused:
        if refused.code != UNKNOWN:
            raise
        return await send(line, package)


async def _follow(
    line: CentreLine,
    asked: AccreditationPackage,
    answer: CentreAnswer | None,
    again: datetime | None,
) -> CaseState:
    """Move the case as the centre says, and set its clock if it still waits."""
    now = present()
    async with line.database.work() as session:
        case = await lock(session, asked.case_id)
        if not _is_there(case) or case.version != asked.version:
            return await state_of(session, case)
        package = await session.get_one(AccreditationPackage, (case.id, case.version))
        if answer is not None:
            await outages.end(session, FEDERAL_CENTRE, now)
            await _take(session, case, package, answer, now)
        if _is_there(case):
            await set_alarm(session, case, package, now, again)
        return await state_of(session, case)


async def _take(
    session: AsyncSession,
    case: Case,
    package: AccreditationPackage,
    answer: CentreAnswer,
    now: datetime,
) -> None:
    standing = answer.standing
    new = package.state != standing.state
    package.state = standing.state.value
    package.asks = 0 if new else package.asks + 1
    package.ask_at = next_ask(package.asks, now)
    session.add(package)
    passed_on = standing.state is CentreState.COMMISSION or standing.state in _BY_COMMISSION
    if passed_on and case.status == Status.FORWARDED:
        tell = [CaseNotice("accreditation_with_commission", case.applicant_id)]
        facts = {"version": case.version}
        await move(session, case, Transition.TO_COMMISSION, now=now, facts=facts, tell=tell)
    if standing.state in _MOVES:
        await _end(session, case, package, answer, now)


async def _end(
    session: AsyncSession,
    case: Case,
    package: AccreditationPackage,
    answer: CentreAnswer,
    now: datetime,
) -> None:
    """Follow an answer with which the centre is done with this package."""
    standing = answer.standing
    transition, kind = _MOVES[standing.state]
    package.ask_at = None
    package.decision = _contents(standing)
    session.add(package)
    if standing.state is CentreState.ACCREDITED:
        await grant(session, case, standing, answer.extract, now)
    tell = [CaseNotice(kind, case.applicant_id)]
    if case.reviewer_id is not None:
        tell.append(CaseNotice("accreditation_answered", case.reviewer_id))
    await move(
        session,
        case,
        transition,
        now=now,
        facts={"version": case.version, "package": str(package.package_id)},
        contents=package.decision,
        tell=tell,
    )


def _contents(standing: PackageStanding) -> dict[str, Any]:
    """What the centre wrote, as it is journaled: `reason`, or number and days."""
    told: dict[str, Any] = {"reason": standing.words} if standing.words else {}
    if standing.state is CentreState.ACCREDITED:
        told |= {
            "number": standing.number,
            "decided_on": standing.decided_on.isoformat() if standing.decided_on else None,
            "valid_until": standing.valid_until.isoformat() if standing.valid_until else None,
        }
    return told
