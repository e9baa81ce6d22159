"""All that the desk shows of a case, read in one transaction, for a page of any kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cabinet.frame.visits import Visit
from cabinet.reviews.filters import DeskQuery, asked_of
from clients.database import DatabaseSession
from rules.access import Permission
from rules.cases.deciding import permission_of, reviews
from rules.cases.kinds import process_of
from rules.cases.terms import WorkingCalendar
from rules.refusals import not_found
from services.cases import lists as case_lists
from services.cases.lists import CaseLine, Order
from services.catalogue import lookup as catalogue
from services.catalogue.lookup import OfferedReason
from services.dossier import page as dossier
from services.dossier.page import CasePage
from services.staff import absences
from services.staff.absences import Reviewer


@dataclass(frozen=True)
class Known:
    """A case as it is stored, with whatever else its page needs."""

    page: CasePage
    asked: DeskQuery
    calendar: WorkingCalendar
    stock: Sequence[OfferedReason]
    reviewers: Sequence[Reviewer]
    history: Sequence[CaseLine]
    around: tuple[UUID | None, UUID | None]
    tag: str


async def known(visit: Visit, case_id: UUID) -> Known:
    """Everything about a case of the desk. Raises Refusal 404, also for a draft."""
    async with visit.container.database.work() as session:
        # Read first: with a tag newer than the page, the page would never learn what it missed.
        tag = await tag_of(session, visit, case_id)
        page = await dossier.page(session, visit.actor, case_id)
        if page.newest is None or (page.own and not _sees_at_desk(visit, page)):
            raise not_found()
        asked = asked_here(visit)
        return Known(
            page=page,
            asked=asked,
            calendar=await catalogue.calendar(session),
            stock=await stock_for(session, page.case.kind),
            reviewers=await reviewers_of(
                session, visit, page.case.responsible_unit_id, permission_of(page.case)
            ),
            history=list(await dossier.history_of(session, visit.actor, case_id)),
            around=await _around(session, visit, page, asked),
            tag=tag,
        )


async def stock_for(session: DatabaseSession, *kinds: str) -> Sequence[OfferedReason]:
    """The stock of reasons, where it is meant for all of these kinds."""
    if not all(process_of(kind).stock_reasons for kind in kinds):
        return ()
    return await catalogue.reasons(session)


def _sees_at_desk(visit: Visit, page: CasePage) -> bool:
    """Whether the person would see the case at the desk if it were another's."""
    case, actor = page.case, visit.actor
    heads_see = process_of(case.kind).seen_by_heads
    return reviews(actor, case) or (
        heads_see and actor.may(Permission.VIEW_UNIT_CASES, case.unit_id)
    )


def asked_here(visit: Visit) -> DeskQuery:
    """The filters in the address."""
    return asked_of(visit.request.url.query, visit.actor, visit.presentation.tzinfo)


def page_within(visit: Visit, case_id: UUID, more: str = "") -> str:
    """The address of a case's page, with the filters of the queue it was opened from."""
    query = "&".join(part for part in (asked_here(visit).query, more) if part)
    return f"/desk/cases/{case_id}" + (f"?{query}" if query else "")


def page_after(visit: Visit, case_id: UUID, following: UUID | None, outcome: str) -> str:
    """The address after an act on a case: the next case in the queue, or the same one."""
    more = f"decided={outcome}"
    return page_within(visit, following or case_id, f"{more}&of={case_id}" if following else more)


async def reviewers_of(
    session: DatabaseSession,
    visit: Visit,
    unit_id: UUID,
    permission: Permission = Permission.REVIEW,
) -> list[Reviewer]:
    """The reviewers of a unit, for those who review there; nobody for others."""
    if not visit.actor.may(permission, unit_id):
        return []
    return await absences.reviewers(session, visit.actor, unit_id, permission)


async def _around(
    session: DatabaseSession, visit: Visit, page: CasePage, asked: DeskQuery
) -> tuple[UUID | None, UUID | None]:
    """The cases before and after this one in the queue."""
    case = page.case
    moment = case.due_at if asked.order is Order.DUE else case.submitted_at
    return await case_lists.neighbours(
        session, visit.actor, asked.filters, asked.order, case.id, moment
    )


async def tag_of(session: DatabaseSession, visit: Visit, case_id: UUID) -> str:
    """The ETag of the page.

    It changes with the case's journal, with who has the case open, and with language.
    """
    state = await dossier.tag_of(session, visit.actor, case_id)
    reading = await case_lists.readers(session, visit.actor, [case_id])
    names = sha256("|".join(reading.get(case_id, ())).encode()).hexdigest()[:8]
    return f'"{state}-{names}-{visit.presentation.language}"'
