"""The checks of credentials, events, accreditations and hand-overs find what they are there for.

The database has rows of other tests: only what is said of the credential of a test counts.
"""

from collections import OrderedDict
from uuid import UUID, uuid4

from sqlalchemy import delete
from sqlmodel import col

from models.tables.credentials import CredentialReminder
from models.tables.subscribers import SubscriberEvent
from ops.faults.checks import CheckReport, qualification, subscribers
from ops.faults.checks.qualification import ACCREDITATIONS, EVENTS, HANDOVERS, REMINDERS
from ops.faults.evidence import Evidence
from ops.faults.qualification.people import RECEIVER
from rules.clock import now
from rules.credentials.reminders import ReminderState
from rules.ids import new_id
from settings import Settings
from simulators.subscriber import Receiver
from tests.credentials.conftest import Keeping
from tests.subscribers.conftest import keeping, line
from tests.subscribers.receiving import Line

__all__ = ["keeping", "line"]


def said(report: CheckReport, check: int, of: UUID) -> list[str]:
    """What a check says of one thing."""
    return [one for one in report.faults[check] if str(of) in one]


async def test_a_lost_and_a_turned_event_are_found(keeping: Keeping, line: Line) -> None:
    """An event that was never written, one that never arrived, and two in the wrong order."""
    id_, name = await line.subscribe()
    async with line.database.work() as session:
        row = await session.get_one(type(await line.row(id_)), id_)
        row.url = f"{line.address}/events/{RECEIVER}"
        session.add(row)
    known = line.inbox.receivers[name]
    line.inbox.know(Receiver(name=RECEIVER, secrets=known.secrets))
    credential = await keeping.add(number=uuid4().hex[:12])
    await keeping.acts.withdraw(keeping.office.clinician, credential, "внесено по ошибке")

    async def faults() -> list[str]:
        report = CheckReport()
        await subscribers.check(report, line.database, line.address)
        assert report.tried[EVENTS]
        return said(report, EVENTS, credential)

    assert len(await faults()) == 1
    await line.look(id_)
    assert await faults() == []
    kept = line.inbox.events
    line.inbox.events = OrderedDict(reversed(kept.items()))
    assert len(await faults()) == 1
    line.inbox.events = kept
    async with line.database.work() as session:
        last = delete(SubscriberEvent).where(
            col(SubscriberEvent.subject) == credential,
            col(SubscriberEvent.type).endswith("withdrawn"),
        )
        await session.exec(last)
    assert len(await faults()) == 2


async def test_a_reminder_that_came_to_nobody_is_found(keeping: Keeping) -> None:
    """A row that says «sent» without notice and entry; an end that a story saw and nobody knows."""
    credential, database = await keeping.add(number=uuid4().hex[:12]), keeping.office.database

    async def faults(evidence: Evidence) -> list[str]:
        report = CheckReport()
        await qualification.check_reminders(report, database, evidence)
        return said(report, REMINDERS, credential)

    assert await faults(Evidence()) == []
    async with database.work() as session:
        session.add(
            CredentialReminder(
                credential_id=credential,
                last_day=now().date(),
                days=7,
                due_at=now(),
                state=ReminderState.SENT,
            )
        )
    assert len(await faults(Evidence())) == 2
    assert len(await faults(Evidence(ended={credential}))) == 3


async def test_what_was_answered_and_is_not_kept_is_found(
    keeping: Keeping, settings: Settings
) -> None:
    """A granted accreditation and a fetched package that no row knows."""
    lost, database = new_id(), keeping.office.database
    evidence, report = Evidence(granted={lost}, packages={lost: "digest"}), CheckReport()
    await qualification.check_handovers(report, database, evidence)
    assert len(said(report, HANDOVERS, lost)) == 1
    centre = settings.accreditation_centre_url
    await qualification.check_accreditations(report, database, centre, evidence)
    assert len(said(report, ACCREDITATIONS, lost)) == 1
