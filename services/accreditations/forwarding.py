"""Sending the package to the federal centre, and waiting while the centre is down."""

from collections.abc import Sequence
from uuid import UUID

import rfc8785

from clients.accreditation_centre import CentreDown, PackageStanding
from models.messages import CaseSignal, CaseState
from models.tables.credentials import AccreditationPackage
from rules.cases.process import Party, Transition
from rules.clock import now as present
from rules.journal.entries import JournalKind
from services import outages
from services.accreditations.line import CentreLine
from services.accreditations.packaging import awaits_forwarding, package_of
from services.accreditations.waiting import next_ask, set_alarm
from services.cases.transitions import CaseNotice, heard, lock, move, state_of
from services.cases.wakeups import note_false_signals
from services.crash_points import CrashPoint, reach
from services.journal import entries as journal
from services.outages import FEDERAL_CENTRE


async def forward(line: CentreLine, case_id: UUID, signals: Sequence[CaseSignal] = ()) -> CaseState:
    """Send the newest version of a case that was checked here. Returns the state of the case.

    In any other status nothing is done. Safe to repeat: what was made is stored and sent again
    unchanged, and the centre knows it by its id. Raises CentreRefused and PortfolioTooLarge, which
    only people can mend.
    """
    async with line.database.work() as session:
        case = await lock(session, case_id)
        await note_false_signals(session, case, signals)
        await heard(session, case, present())
        if not awaits_forwarding(case):
            return await state_of(session, case)
    package = await package_of(line, case_id)
    if package is not None:
        try:
            standing = await send(line, package)
        except CentreDown:
            return await _wait(line, case_id)
        reach(CrashPoint.PORTFOLIO_SENT)
        return await _note(line, package, standing)
    async with line.database.work() as session:
        return await state_of(session, await lock(session, case_id))


async def send(line: CentreLine, package: AccreditationPackage) -> PackageStanding:
    """Send a package as it was made. Raises CentreDown, CentreRefused and CentreHasOther."""
    portfolio = await line.objects.read(package.portfolio_key)
    return await line.centre.submit(
        package.package_id, rfc8785.dumps(package.application), portfolio
    )


async def _note(
    line: CentreLine, package: AccreditationPackage, standing: PackageStanding
) -> CaseState:
    """Note that the centre has the package: «В федеральном центре»."""
    now = present()
    async with line.database.work() as session:
        case = await lock(session, package.case_id)
        await outages.end(session, FEDERAL_CENTRE, now)
        if case.version == package.version and awaits_forwarding(case):
            kept = await session.get_one(AccreditationPackage, (case.id, case.version))
            kept.forwarded_at, kept.state = now, standing.state.value
            # Where the note of an earlier sending was lost, the centre may be further already.
            kept.ask_at = next_ask(0, now)
            session.add(kept)
            await move(
                session,
                case,
                Transition.FORWARD,
                now=now,
                facts={
                    "version": case.version,
                    "sha256": kept.portfolio_sha256,
                    "pages": kept.portfolio_pages,
                    "package": str(kept.package_id),
                },
                tell=[CaseNotice("accreditation_forwarded", case.applicant_id)],
            )
            await set_alarm(session, case, kept, now)
        return await state_of(session, case)


async def _wait(line: CentreLine, case_id: UUID) -> CaseState:
    """Note that the centre is down, and set when it is tried again."""
    now = present()
    async with line.database.work() as session:
        case = await lock(session, case_id)
        if awaits_forwarding(case):
            case.wakes_at = await outages.begin(session, FEDERAL_CENTRE, now)
            case.rings, case.rung_at = 0, None
            if case.waits_for != Party.FEDERAL_CENTRE:
                case.waits_for = Party.FEDERAL_CENTRE.value
                await journal.append(
                    session,
                    chain=case.id,
                    kind=JournalKind.CENTRE_DOWN,
                    at=now,
                    system="workflow",
                    step=case.step,
                    facts={"number": case.number},
                )
            session.add(case)
        return await state_of(session, case)
