"""What the running case says of itself, and how an open page learns that something has changed."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from cabinet.visits import Visit
from models.messages import PresentState
from rules.terms import WorkingCalendar
from services import case_pages, live


@dataclass(frozen=True)
class Known:
    """A person's own case as the database knows it.

    The tag is read before the rest: what changes meanwhile is shown by the next question.
    """

    tag: str
    page: case_pages.CasePage
    calendar: WorkingCalendar


async def live_tag(session: AsyncSession, visit: Visit, case_id: UUID) -> str:
    """Changes with every entry of the case's journal, and with language."""
    state = await case_pages.tag_of(session, visit.actor, case_id)
    return f'"{state}-{visit.presentation.language}"'


async def asked_now(visit: Visit, page: case_pages.CasePage) -> PresentState | None:
    """What the running case says; None where it is over or does not answer."""
    return await live.present_state(visit.medcab.temporal, page.case)
