"""«Мои запросы»: choice of type, the list, the page of a request with its answers (S1-S6, W8)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.cases.lines import answer_sections, case_timeline, cited_files, due_here, whole_case
from cabinet.cases.pages import (
    CaseView,
    Groups,
    Narrowed,
    add_pages,
    list_page,
    own_page,
    receipt_paper,
)
from cabinet.cases.progress import request_steps
from cabinet.conversation.pages import is_heard, talk_of
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside
from cabinet.requests.kind import REQUESTS
from cabinet.requests.lines import (
    addressee_of,
    answer_views,
    gives_of,
    grouped,
    paper_views,
    request_waits,
    type_view,
)
from cabinet.requests.views import RequestPage, RequestSent
from rules.cases.kinds import process_of
from rules.cases.process import CaseKind, Status, Transition
from rules.refusals import not_found
from services.accounts import people
from services.cases import beginning
from services.catalogue import lookup as catalogue
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

_GROUPS: Groups = {
    "": ("Все", {}),
    "drafts": ("Черновики", {"status": (Status.DRAFT,), "open": True}),
    "open": (
        "Ждут ответа",
        {"status": (Status.ACCEPTED, Status.PROCESSING), "open": True},
    ),
    "ready": ("Готовые", {"status": (Status.READY,)}),
    "closed": ("Без ответа", {"status": (Status.REFUSED, Status.WITHDRAWN)}),
}


@router.get("/requests")
async def list_mine(
    visit: Inside,
    session: Work,
    asked: Narrowed,
    type_key: Annotated[str, Query(alias="type", max_length=100)] = "",
) -> Response:
    """The person's requests, narrowed by what stands in the address."""
    types = {one.key: one for one in await catalogue.request_types(session)}
    type_key = type_key if type_key in types else ""
    options = [Option(key, gettext(one.title)) for key, one in types.items()]
    return await list_page(
        visit,
        session,
        REQUESTS,
        asked,
        _GROUPS,
        FieldView("type", gettext("Вид запроса"), "choice", type_key, options=options),
        {"type": type_key or None},
        {key: one.recipient for key, one in types.items()},
    )


@router.get("/requests/new")
async def choose(visit: Inside, session: Work) -> Response:
    """What may be requested: what is needed, to whom it goes, how long it takes (S1)."""
    definitions = await visit.container.requests.types(visit.actor)
    units = await people.unit_names_by_code(session)
    begun = {
        case.type: f"/requests/{case.id}/draft"
        for case in await beginning.unsent(session, visit.actor, CaseKind.REQUEST)
    }
    types = [
        type_view(one, units.get(one.addressee, ""), begun.get(one.key)) for one in definitions
    ]
    return visit.page("requests/types.html", groups=grouped(types))


@router.post("/requests")
async def begin(
    visit: Inside, type_key: Annotated[str, Form(alias="type", max_length=100)]
) -> Response:
    """Begin a draft of this type."""
    case = await visit.container.requests.create_draft(visit.actor, type_key)
    return visit.go(f"/requests/{case.id}/draft")


@router.get("/requests/{case_id}/sent")
async def sent(case_id: UUID, visit: Inside, session: Work) -> Response:
    """The confirmation: the number, what happens now, and until when."""
    page = await own_page(session, visit, case_id, REQUESTS)
    if page.newest is None:
        raise not_found()
    return visit.page(
        "requests/sent.html",
        done=RequestSent(
            number=page.case.number or "",
            title=gettext(page.definition.title),
            email=await people.email_of(session, visit.actor.person_id),
            whom=addressee_of(page.definition, page.responsible_unit),
            until=due_here(page.case.due_at, page.case.term_zone),
            case_url=f"/requests/{case_id}",
            resubmitted=page.case.version > 1,
            sealed=not page.definition.answered_by_people,
            gives=gives_of(page.definition),
        ),
    )


def _view(look: CaseView) -> RequestPage:
    page, case, url = look.page, look.page.case, look.url
    chosen, before = look.chosen, look.before
    return RequestPage(
        url=url,
        number=case.number or "",
        title=gettext(page.definition.title),
        step=case.step,
        version=chosen.number,
        versions=[(v.number, v.submitted_at) for v in page.versions],
        compared=before is not None,
        waits=request_waits(page, look.calendar, look.answer, asked=look.asked),
        sections=answer_sections(page.definition, chosen.data, before.data if before else None),
        answers=answer_views(page),
        papers=[*paper_views(page, chosen.number), receipt_paper(url), whole_case(page)],
        files=cited_files(chosen, page.attachment_rules),
        steps=request_steps(page),
        unfolded=bool(look.number or look.compare),
        happenings=case_timeline(page),
        facts=[
            (gettext("Отвечает"), addressee_of(page.definition, page.responsible_unit)),
            (gettext("Вы получите"), gives_of(page.definition)),
        ],
        correct_url=f"{url}/draft" if page.editable else None,
        withdraw_url=f"{url}/withdraw" if Transition.WITHDRAW in page.may else None,
        copy_url=f"{url}/copy" if Status(case.status) in process_of(case.kind).copyable else None,
        correcting=case.draft is not None,
        talk=talk_of(page, url) if is_heard(page) else None,
        tag=look.tag,
    )


add_pages(router, REQUESTS, _view)
