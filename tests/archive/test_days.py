"""Cases are listed, narrowed and dated by the day they were submitted, not by that of the draft."""

from datetime import timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlmodel import col

from models.tables.cases import Case
from rules.cases.process import CaseKind, Transition
from rules.clock import now
from services.archive import search as archive
from services.archive.search import ArchiveFilters
from services.cases import lists as case_lists
from services.cases.acts import Act
from services.cases.lists import Filters, Order
from services.exports import columns
from tests.shared.office import Office

AGE = timedelta(days=60)
ZONE = ZoneInfo("Europe/Moscow")


async def aged(office: Office, case_id: UUID) -> None:
    """Let a draft have been begun long ago."""
    async with office.database.work() as session:
        await session.exec(
            update(Case).where(col(Case.id) == case_id).values(created_at=now() - AGE)
        )


@pytest.fixture
async def late(office: Office) -> Case:
    """A draft of sixty days that was submitted after a draft of today."""
    old = await office.draft()
    await aged(office, old)
    await office.in_review()
    await office.applications.submit(office.clinician, old, Act(uuid4(), 0))
    await office.check(old)
    return await office.case(old)


async def test_a_draft_is_listed_as_submitted_when_it_was(office: Office, late: Case) -> None:
    """First among the newest, found since yesterday, in every list and from page to page."""
    yesterday = now() - timedelta(days=1)
    recent = ArchiveFilters(submitted_from=yesterday)
    async with office.database.work() as session:
        lists = [
            await archive.page(session, office.clinician, recent, limit=1),
            await archive.page(session, office.reviewer, ArchiveFilters(), limit=1),
            await case_lists.mine(session, office.clinician, Filters(submitted_from=yesterday)),
            await case_lists.first_of_mine(
                office.database, office.clinician, limit=1, kind=CaseKind.APPLICATION
            ),
            await case_lists.desk(
                session, office.reviewer, Filters(submitted_from=yesterday), order=Order.NEWEST
            ),
        ]
        for found in lists:
            assert found.lines[0].id == late.id
            assert found.lines[0].submitted_at == late.submitted_at
        following = await archive.page(session, office.clinician, recent, lists[0].after, 1)
        assert [line.id for line in following.lines] != [late.id]
        assert len(following.lines) == 1
        before, after = await case_lists.neighbours(
            session, office.reviewer, Filters(), Order.NEWEST, late.id, late.submitted_at
        )
        assert (before, after) == (None, following.lines[0].id)
        none = ArchiveFilters(submitted_until=yesterday, ids=(late.id,))
        assert not (await archive.page(session, office.reviewer, none)).lines


async def test_a_draft_stands_by_the_day_it_was_begun(office: Office) -> None:
    """Until it is submitted: an old one is not among what is new."""
    case_id = await office.draft()
    await aged(office, case_id)
    recent = Filters(submitted_from=now() - timedelta(days=1))
    async with office.database.work() as session:
        assert not (await case_lists.mine(session, office.clinician, recent)).lines
        (line,) = (await case_lists.mine(session, office.clinician)).lines
    assert (line.id, line.submitted_at) == (case_id, None)


async def test_an_export_dates_a_case_by_its_submission(office: Office, late: Case) -> None:
    """The list as a file says the same day as the list."""
    async with office.database.work() as session:
        found = await archive.page(session, office.reviewer, ArchiveFilters(ids=(late.id,)))
    assert late.submitted_at is not None
    at = f"{late.submitted_at.astimezone(ZONE):%Y-%m-%dT%H:%M}"
    column = columns.COLUMNS.index("Подано")
    assert columns.row(found.lines[0], {}, ZONE)[column] == at


async def test_the_day_of_submission_stays_when_a_case_is_sent_again(
    office: Office, late: Case
) -> None:
    """A second version has a day of its own; the case keeps its number and its day."""
    await office.decide(late.id, Transition.CLARIFY)
    await office.applications.save_draft(office.clinician, late.id, {"purpose": "Иначе."})
    asked = await office.case(late.id)
    await office.applications.resubmit(office.clinician, late.id, Act(uuid4(), asked.step))
    again = await office.case(late.id)
    assert (again.version, again.number, again.submitted_at) == (2, late.number, late.submitted_at)
