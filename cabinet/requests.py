"""«Мои запросы»: choice of type, the list, the page of a request with its answers (S1-S6, W8)."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from api.applications import receipt
from api.state import Work
from cabinet.applications import PAGE, Long, Short, is_case
from cabinet.case_views import (
    answer_sections,
    case_line,
    case_timeline,
    cited_files,
    whole_case,
)
from cabinet.conversation import is_heard, talk_of
from cabinet.filters import address
from cabinet.periods import period_of
from cabinet.request_views import (
    addressee_of,
    answer_views,
    gives_of,
    grouped,
    paper_views,
    request_waits,
    type_view,
)
from cabinet.running import Known, asked_now, live_tag
from cabinet.translation import gettext
from cabinet.views.applications import Paper
from cabinet.views.frame import Chip, FieldView, Option, Pages
from cabinet.views.requests import RequestPage, RequestSent
from cabinet.visits import Inside, Visit
from models.messages import PresentState
from models.tables.base import new_id
from models.tables.people import Person, Unit
from rules.cases import CaseKind, Status, Transition
from rules.clock import now
from rules.processes import process_of
from rules.refusals import not_found
from services import case_lists, case_pages, catalogue, conversation, drafts, notices
from services.case_lists import Filters
from services.cases import Act, see

router = APIRouter(include_in_schema=False)
_address = partial(address, "/requests")

_GROUPS: dict[str, tuple[str, dict[str, Any]]] = {
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
    status: Short = "",
    type_key: Annotated[str, Query(alias="type", max_length=100)] = "",
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Short = "",
    after: Annotated[str | None, Query(max_length=300)] = None,
) -> Response:
    """The person's requests, narrowed by what stands in the address."""
    status = status if status in _GROUPS else ""
    known = await catalogue.request_types(session)
    types = {one.key: gettext(one.title) for one in known}
    addressees = {one.key: one.recipient for one in known}
    type_key = type_key if type_key in types else ""
    period = period_of({"from": since, "until": until}, visit.presentation.tzinfo)
    filters = Filters(
        kind=CaseKind.REQUEST,
        **_GROUPS[status][1],
        type=type_key or None,
        created_from=period.begins,
        created_until=period.ends,
    )
    found = await case_lists.mine(session, visit.actor, filters, after, PAGE)
    lines = [line for line in found.lines if is_case(line)]
    new = await conversation.unread(session, visit.actor, [line.id for line in lines])
    asked = {"status": status, "type": type_key, "from": since, "until": until}
    return visit.page(
        "requests/list.html",
        cases=[
            case_line(line, unread=new.get(line.id, 0), addressees=addressees) for line in lines
        ],
        states=[
            Chip(gettext(words), _address({**asked, "status": key}), key == status)
            for key, (words, _) in _GROUPS.items()
        ],
        types=[Option(key, title) for key, title in types.items()],
        chosen_status=status,
        type=type_key,
        created_from=since,
        created_until=until,
        filter_error=next(iter(period.errors.values()), ""),
        narrowed=any(asked.values()),
        paging=Pages(
            before=_address(asked) if after else None,
            after=_address({**asked, "after": found.after}) if found.after else None,
        ),
    )


@router.get("/requests/new")
async def choose(visit: Inside, session: Work) -> Response:
    """What may be requested: what is needed, to whom it goes, how long it takes (S1)."""
    definitions = await visit.medcab.requests.types(visit.actor)
    units = {unit.code: unit.name for unit in (await session.exec(select(Unit))).all()}
    begun = {
        case.type: f"/requests/{case.id}/draft"
        for case in await drafts.unsent(session, visit.actor, CaseKind.REQUEST)
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
    case = await visit.medcab.requests.create_draft(visit.actor, type_key)
    return visit.go(f"/requests/{case.id}/draft")


@router.get("/requests/{case_id}")
async def show(
    case_id: UUID,
    visit: Inside,
    version: Annotated[int, Query(ge=0, le=10_000)] = 0,
    compare: bool = False,
    asked: bool = False,
) -> Response:
    """The page of a request that was sent; a draft has pages of its own."""
    async with visit.medcab.database.work() as session:
        if not await _is_mine(session, visit, case_id):
            return visit.go(f"/cases/{case_id}")
        await conversation.visited(session, visit.actor, case_id)
        tag = await live_tag(session, visit, case_id)
        known = await _known(session, visit, case_id, tag)
        await notices.mark_read(session, visit.actor, now(), case_id=case_id)
    if known.page.newest is None:
        return visit.go(f"/requests/{case_id}/draft")
    answer = await asked_now(visit, known.page) if asked else None
    case = _view(known, version, compare=compare, asked=asked, answer=answer)
    return visit.page("requests/case.html", case=case)


@router.get("/requests/{case_id}/live")
async def show_live(case_id: UUID, visit: Inside, ask: bool = False) -> Response:
    """The parts of the page that change, for a page that is open; 304 while nothing has."""
    async with visit.medcab.database.work() as session:
        tag = await live_tag(session, visit, case_id)
        if not ask and visit.has(tag):
            return visit.unchanged(tag)
        known = await _known(session, visit, case_id, tag)
    answer = await asked_now(visit, known.page) if ask else None
    return visit.part("requests/live_parts.html", known.tag, case=_view(known, answer=answer))


@router.post("/requests/{case_id}/ask")
async def ask(case_id: UUID, visit: Inside) -> Response:
    """«Получить обновление»: the next page is answered by the running request."""
    return visit.go(f"/requests/{case_id}?asked=1")


@router.get("/requests/{case_id}/sent")
async def sent(case_id: UUID, visit: Inside, session: Work) -> Response:
    """The confirmation: the number, what happens now, and until when."""
    page = await _request(session, visit, case_id)
    if page.newest is None:
        raise not_found()
    person = await session.get_one(Person, visit.actor.person_id)
    return visit.page(
        "requests/sent.html",
        done=RequestSent(
            number=page.case.number or "",
            title=gettext(page.definition.title),
            email=person.email,
            whom=addressee_of(page.definition, page.responsible_unit),
            until=page.case.due_at,
            case_url=f"/requests/{case_id}",
            resubmitted=page.case.version > 1,
            sealed=not page.definition.answered_by_people,
            gives=gives_of(page.definition),
        ),
    )


@router.get("/requests/{case_id}/withdraw")
async def withdraw_page(case_id: UUID, visit: Inside, session: Work) -> Response:
    """Ask once more before a request is taken back."""
    page = await _request(session, visit, case_id)
    if Transition.WITHDRAW not in page.may:
        return visit.go(f"/requests/{case_id}")
    return visit.page(
        "requests/withdraw.html",
        number=page.case.number or "",
        case_url=f"/requests/{case_id}",
        act_id=new_id(),
        step=page.case.step,
        field=FieldView(
            "reason",
            gettext("Почему вы отзываете запрос"),
            "long_text",
            required=False,
            max_length=4000,
        ),
    )


@router.post("/requests/{case_id}/withdraw")
async def withdraw(
    case_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    at_step: Annotated[int, Form()],
    reason: Long = "",
) -> Response:
    """Take the request back."""
    requests = visit.medcab.requests
    await requests.withdraw(visit.actor, case_id, Act(act_id, at_step), reason[:4000])
    return visit.go(f"/requests/{case_id}", "request_withdrawn")


@router.post("/requests/{case_id}/copy")
async def copy(case_id: UUID, visit: Inside) -> Response:
    """Begin again from a request that was taken back."""
    made = await visit.medcab.requests.copy(visit.actor, case_id)
    return visit.go(f"/requests/{made.id}/draft", "request_copied")


router.add_api_route("/requests/{case_id}/receipt", receipt, methods=["GET"])


async def _is_mine(session: AsyncSession, visit: Visit, case_id: UUID) -> bool:
    case = await see(session, visit.actor, case_id)
    return case.kind == CaseKind.REQUEST and case.applicant_id == visit.actor.person_id


async def _request(session: AsyncSession, visit: Visit, case_id: UUID) -> case_pages.CasePage:
    """The person's own request. Raises `not_found`."""
    page = await case_pages.page(session, visit.actor, case_id)
    if page.case.kind != CaseKind.REQUEST or not page.own:
        raise not_found()
    return page


async def _known(session: AsyncSession, visit: Visit, case_id: UUID, tag: str) -> Known:
    page = await _request(session, visit, case_id)
    return Known(tag, page, await catalogue.calendar(session))


def _view(
    known: Known,
    number: int = 0,
    *,
    compare: bool = False,
    asked: bool = False,
    answer: PresentState | None = None,
) -> RequestPage:
    """The page in views; `number` chooses a version, `answer` is that of the running request."""
    page, case = known.page, known.page.case
    chosen, before = page.version(number)
    compared = compare and before is not None
    url = f"/requests/{case.id}"
    receipt_paper = Paper(
        gettext("Скачать расписку"),
        gettext("Подтверждает, что и когда вы отправили; проверяется без интернета"),
        f"{url}/receipt",
    )
    return RequestPage(
        url=url,
        number=case.number or "",
        title=gettext(page.definition.title),
        step=case.step,
        version=chosen.number,
        versions=[(v.number, v.submitted_at) for v in page.versions],
        compared=compared,
        waits=request_waits(page, known.calendar, answer, asked=asked),
        sections=answer_sections(
            page.definition, chosen.data, before.data if before and compared else None
        ),
        answers=answer_views(page),
        papers=[*paper_views(page, chosen.number), receipt_paper, whole_case(page)],
        files=cited_files(chosen, page.attachment_rules),
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
        tag=known.tag,
    )
