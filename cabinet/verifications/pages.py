"""«Подтверждение учётной записи»: what is left to do, and the page of the documents handed in."""

from collections.abc import Sequence

from fastapi import APIRouter, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.cases.lines import (
    answer_sections,
    case_line,
    case_timeline,
    cited_files,
    url_of,
    waits_for,
    whole_case,
)
from cabinet.cases.pages import CaseView, add_pages, receipt_paper
from cabinet.conversation.pages import talk_of
from cabinet.frame.visits import Inside
from cabinet.verifications.kind import VERIFICATIONS
from cabinet.verifications.steps import documents_shown, parts, state_words, steps_of
from cabinet.verifications.views import VerificationOverview, VerificationPage
from clients.database import DatabaseSession
from rules.cases.process import CaseKind, Status, Transition
from rules.cases.verifications import VERIFICATION
from rules.meetings import Purpose
from services.cases import lists as case_lists
from services.cases.lists import CaseLine, Filters
from services.meetings import seen as meetings
from services.verifications.settling import steps_done
from words.translation import gettext as _

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

_MOST = 20


@router.get("/verifications")
async def show(visit: Inside, session: Work) -> Response:
    """The steps, what they open, and what is checked of which document."""
    person_id, state = visit.signed_in.person_id, visit.actor.state
    cases = await _cases(visit, session)
    booked = next(
        (one for one in await meetings.of_person(session, person_id, Purpose.VERIFICATION)
         if one.booked),
        None,
    )  # fmt: skip
    done = await steps_done(session, person_id)
    word, tone, icon = state_words(state)
    return visit.page(
        "verifications/overview.html",
        overview=VerificationOverview(
            state=word,
            tone=tone,
            icon=icon,
            steps=steps_of(done, state, cases[0] if cases else None, booked),
            parts=parts(state),
            documents=documents_shown(),
            cases=[case_line(line) for line in cases if line.number],
        ),
    )


async def _cases(visit: Inside, session: DatabaseSession) -> Sequence[CaseLine]:
    """The person's verifications, the newest first; discarded drafts are left out."""
    asked = Filters(kind=CaseKind.VERIFICATION)
    found = await case_lists.mine(session, visit.actor, asked, None, _MOST)
    lines = [line for line in found.lines if line.number or line.closed_at is None]
    return sorted(lines, key=lambda line: line.closed_at is not None)


@router.post("/verifications")
async def begin(visit: Inside) -> Response:
    """Begin a draft, or go on with the one that is open."""
    case = await visit.container.verifications.create_draft(visit.actor)
    draft = "/draft" if case.status == Status.DRAFT else ""
    return visit.go(f"{url_of(case.kind, case.id)}{draft}")


def _view(look: CaseView) -> VerificationPage:
    page, chosen, case = look.page, look.chosen, look.page.case
    asked = case.status == Status.CLARIFICATION
    decided = page.decisions[-1].reason if page.decisions else ""
    closed = Status(case.status) in VERIFICATION.copyable
    return VerificationPage(
        url=look.url,
        number=case.number or "",
        title=_(page.definition.title),
        step=case.step,
        version=chosen.number,
        versions=[(v.number, v.submitted_at) for v in page.versions],
        compared=look.before is not None,
        waits=waits_for(page, look.calendar, look.answer, asked=look.asked),
        sections=answer_sections(
            page.definition, chosen.data, look.before.data if look.before else None
        ),
        happenings=case_timeline(page),
        papers=[receipt_paper(look.url), whole_case(page)],
        files=cited_files(chosen, page.attachment_rules),
        talk=talk_of(page, look.url),
        reason=decided if asked or case.status == Status.REJECTED else "",
        answer_url=f"{look.url}/draft" if asked else "",
        correct_url=f"{look.url}/draft" if page.editable and not asked else "",
        withdraw_url=f"{look.url}/withdraw" if Transition.WITHDRAW in page.may else "",
        copy_url=f"{look.url}/copy" if closed else "",
        unfolded=bool(look.number or look.compare),
        tag=look.tag,
    )


add_pages(router, VERIFICATIONS, _view)
