"""«Аккредитация»: the person's cases, and the page of one."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Response

from api.container import Work
from api.http.entrance import CleanRoute
from api.http.file_routes import portfolio
from cabinet.accreditations.kind import ACCREDITATIONS, waits
from cabinet.accreditations.lines import (
    asked_by_centre,
    granted,
    needs_view,
    steps_of,
    words_of_answer,
)
from cabinet.accreditations.views import AccreditationPage
from cabinet.cases.lines import (
    answer_sections,
    case_line,
    case_timeline,
    cited_files,
    latest_remarks,
    url_of,
    waiting,
    whole_case,
)
from cabinet.cases.pages import CaseView, add_pages, receipt_paper
from cabinet.cases.views import PaperLink
from cabinet.conversation.pages import talk_of
from cabinet.frame.visits import Inside
from rules.access import Permission
from rules.cases.accreditations import ACCREDITATION
from rules.cases.process import CaseKind, Status, Transition
from rules.clock import now
from rules.journal.entries import JournalKind
from services.accreditations.needs import needs_of
from services.cases import lists as case_lists
from services.cases.lists import Filters
from services.dossier.page import CasePage
from words.translation import gettext as _

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

_MOST = 20
_BY_CENTRE = frozenset({Status.RETURNED, Status.REFUSED, Status.ACCREDITED})


@router.get("/accreditations")
async def show(visit: Inside, session: Work) -> Response:
    """The person's accreditations, and the way to a new one."""
    asked = Filters(kind=CaseKind.ACCREDITATION)
    found = await case_lists.mine(session, visit.actor, asked, None, _MOST)
    lines = [line for line in found.lines if line.number or line.closed_at is None]
    needs = None
    if visit.actor.may(Permission.APPLY):
        today = now().astimezone(visit.presentation.tzinfo).date()
        found_needs = await needs_of(
            session, visit.container.settings, visit.signed_in.person_id, today
        )
        needs = needs_view(found_needs, today)
    return visit.page(
        "accreditations/overview.html", cases=[case_line(line) for line in lines], needs=needs
    )


@router.post("/accreditations/{case_id}/refresh")
async def refresh(case_id: UUID, visit: Inside) -> Response:
    """Bring into the draft what the qualification file says by now."""
    await visit.container.accreditations.refresh(visit.actor, case_id)
    return visit.go(f"/accreditations/{case_id}/draft", "accreditation_refreshed")


@router.post("/accreditations")
async def begin(visit: Inside) -> Response:
    """Begin a draft, or go on with the one that is there."""
    case = await visit.container.accreditations.create_draft(visit.actor)
    return visit.go(f"{url_of(case.kind, case.id)}/draft")


router.add_api_route("/accreditations/{case_id}/portfolio", portfolio, methods=["GET"])


def _papers(page: CasePage, url: str) -> Sequence[PaperLink]:
    papers = [receipt_paper(url), whole_case(page)]
    if any(one.kind == JournalKind.CENTRE_FORWARDED for one in page.timeline):
        hint = _("PDF/A с печатью учреждения: то, что получил федеральный центр")
        papers.insert(0, PaperLink(_("Скачать портфолио"), hint, f"{url}/portfolio"))
    return papers


def _view(look: CaseView) -> AccreditationPage:
    page, chosen, case = look.page, look.chosen, look.page.case
    status = Status(case.status)
    whom, then = waits(page)
    asked = status is Status.CLARIFICATION
    by_centre = status in _BY_CENTRE or (asked and asked_by_centre(page))
    own = page.may if page.own else frozenset()
    remarks = {} if by_centre else latest_remarks(page)
    return AccreditationPage(
        url=look.url,
        number=case.number or "",
        title=_(page.definition.title),
        step=case.step,
        version=chosen.number,
        versions=[(v.number, v.submitted_at) for v in page.versions],
        compared=look.before is not None,
        waits=waiting(page, look.calendar, look.answer, asked=look.asked, whom=whom, then=then),
        sections=answer_sections(
            page.definition,
            chosen.data,
            look.before.data if look.before else None,
            remarks=remarks if chosen is page.newest else None,
        ),
        steps=steps_of(page),
        happenings=case_timeline(page),
        papers=_papers(page, look.url),
        files=cited_files(chosen, page.attachment_rules, remarks),
        talk=talk_of(page, look.url),
        reason=words_of_answer(page) if asked or case.closed_at else "",
        by_centre=by_centre,
        granted=granted(page),
        answer_url=f"{look.url}/draft" if Transition.RESUBMIT in own else "",
        correct_url=f"{look.url}/draft" if page.editable and not asked else "",
        withdraw_url=f"{look.url}/withdraw" if Transition.WITHDRAW in own else "",
        copy_url=f"{look.url}/copy" if page.own and status in ACCREDITATION.copyable else "",
        unfolded=bool(look.number or look.compare),
        tag=look.tag,
    )


add_pages(router, ACCREDITATIONS, _view)
