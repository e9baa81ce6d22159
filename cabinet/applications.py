"""«Мои заявки»: the list, the page of a case with its live part, and the acts on a sent case."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response
from sqlmodel.ext.asyncio.session import AsyncSession

from api.applications import download_act, receipt
from api.state import Work
from cabinet.case_views import (
    KINDS,
    answer_sections,
    case_line,
    case_timeline,
    cited_files,
    latest_remarks,
    programme_view,
    waits_for,
    whole_case,
)
from cabinet.conversation import talk_of
from cabinet.filling import ROOMS
from cabinet.filters import address
from cabinet.periods import period_of
from cabinet.running import Known, asked_now, live_tag
from cabinet.translation import gettext, in_words
from cabinet.views.applications import CasePage, Confirmation, Paper, Remark
from cabinet.views.frame import Chip, ErrorItem, FieldView, Option, Pages
from cabinet.visits import Inside, Visit
from models.messages import PresentState
from models.tables.base import new_id
from models.tables.people import Person
from rules.applications import COPYABLE
from rules.cases import CaseKind, Status, Transition
from rules.clock import now
from rules.permissions import Permission
from rules.refusals import Refusal, not_found
from services import case_lists, case_pages, catalogue, conversation, notices
from services.case_lists import Filters
from services.cases import Act, see

router = APIRouter(include_in_schema=False)
_address = partial(address, "/applications")
PAGE = 20
Short = Annotated[str, Query(max_length=100)]
Long = Annotated[str, Form(max_length=20_000)]

_GROUPS: dict[str, tuple[str, dict[str, Any]]] = {
    "": ("Все", {}),
    "mine": ("Ждут вас", {"status": (Status.DRAFT, Status.CLARIFICATION), "open": True}),
    "open": (
        "На рассмотрении",
        {"status": (Status.CHECKING, Status.IN_REVIEW), "open": True},
    ),
    "approved": ("Одобренные", {"status": (Status.APPROVED,)}),
    "closed": (
        "Без зачисления",
        {"status": (Status.REJECTED, Status.WITHDRAWN, Status.LAPSED)},
    ),
}


@router.get("/applications")
async def list_mine(
    visit: Inside,
    session: Work,
    status: Short = "",
    kind: Short = "",
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Short = "",
    after: Annotated[str | None, Query(max_length=300)] = None,
) -> Response:
    """The person's cases, narrowed by what stands in the address (A8)."""
    status = status if status in _GROUPS else ""
    kind = kind if kind in KINDS else ""
    period = period_of({"from": since, "until": until}, visit.presentation.tzinfo)
    filters = Filters(
        kind=CaseKind.APPLICATION,
        **_GROUPS[status][1],
        programme_kind=kind or None,
        created_from=period.begins,
        created_until=period.ends,
    )
    found = await case_lists.mine(session, visit.actor, filters, after, PAGE)
    lines = [line for line in found.lines if is_case(line)]
    new = await conversation.unread(session, visit.actor, [line.id for line in lines])
    asked = {"status": status, "kind": kind, "from": since, "until": until}
    return visit.page(
        "applications/list.html",
        cases=[case_line(line, unread=new.get(line.id, 0)) for line in lines],
        states=[
            Chip(gettext(words), _address({**asked, "status": key}), key == status)
            for key, (words, _) in _GROUPS.items()
        ],
        kinds=[Option(value, gettext(words)) for value, words in KINDS.items()],
        chosen_status=status,
        kind=kind,
        created_from=since,
        created_until=until,
        filter_error=next(iter(period.errors.values()), ""),
        narrowed=any(asked.values()),
        paging=Pages(
            before=_address(asked) if after else None,
            after=_address({**asked, "after": found.after}) if found.after else None,
        ),
    )


def is_case(line: case_lists.CaseLine) -> bool:
    """A draft that was thrown away is no case: it has no number and never had one."""
    return bool(line.number) or line.closed_at is None


@router.get("/cases/{case_id}")
async def lead_to_case(case_id: UUID, visit: Inside, session: Work) -> Response:
    """Where the links of notices lead: to the person's own page of the case, of whatever kind."""
    case = await see(session, visit.actor, case_id)
    reviews = visit.actor.may(Permission.REVIEW, case.responsible_unit_id)
    if case.applicant_id != visit.actor.person_id and reviews:
        return visit.go(f"/desk/cases/{case_id}")
    return visit.go(f"{ROOMS[CaseKind(case.kind)]}/{case_id}")


@router.get("/applications/{case_id}")
async def show(
    case_id: UUID,
    visit: Inside,
    version: Annotated[int, Query(ge=0, le=10_000)] = 0,
    compare: bool = False,
    asked: bool = False,
) -> Response:
    """The page of a case that was sent; a draft has pages of its own."""
    async with visit.medcab.database.work() as session:
        if (await see(session, visit.actor, case_id)).kind != CaseKind.APPLICATION:
            return visit.go(f"/cases/{case_id}")
        await conversation.visited(session, visit.actor, case_id)
        tag = await live_tag(session, visit, case_id)
        known = await _known(session, visit, case_id, tag)
        await notices.mark_read(session, visit.actor, now(), case_id=case_id)
    if known.page.newest is None:
        return visit.go(f"/applications/{case_id}/draft" if known.page.own else "/applications")
    answer = await asked_now(visit, known.page) if asked else None
    case = _view(known, version, compare=compare, asked=asked, answer=answer)
    return visit.page("applications/case.html", case=case)


@router.get("/applications/{case_id}/live")
async def show_live(case_id: UUID, visit: Inside, ask: bool = False) -> Response:
    """The parts of the page that change, for a page that is open; 304 while nothing has."""
    async with visit.medcab.database.work() as session:
        tag = await live_tag(session, visit, case_id)
        if not ask and visit.has(tag):
            return visit.unchanged(tag)
        known = await _known(session, visit, case_id, tag)
    answer = await asked_now(visit, known.page) if ask else None
    return visit.part("applications/live_parts.html", known.tag, case=_view(known, answer=answer))


@router.post("/applications/{case_id}/ask")
async def ask(case_id: UUID, visit: Inside) -> Response:
    """«Получить обновление»: the next page is answered by the running case."""
    return visit.go(f"/applications/{case_id}?asked=1")


@router.get("/applications/{case_id}/withdraw")
async def withdraw_page(case_id: UUID, visit: Inside, session: Work) -> Response:
    """Ask once more before a case is taken back."""
    page = await _application(session, visit, case_id)
    if Transition.WITHDRAW not in page.may or not page.own:
        return visit.go(f"/applications/{case_id}")
    return visit.page(
        "applications/withdraw.html",
        number=page.case.number or "",
        case_url=f"/applications/{case_id}",
        act_id=new_id(),
        step=page.case.step,
        field=FieldView(
            "reason",
            gettext("Почему вы отзываете заявку"),
            "long_text",
            required=False,
            max_length=4000,
        ),
    )


@router.post("/applications/{case_id}/withdraw")
async def withdraw(
    case_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    at_step: Annotated[int, Form()],
    reason: Long = "",
) -> Response:
    """Take the application back."""
    await visit.medcab.applications.withdraw(
        visit.actor, case_id, Act(act_id, at_step), reason[:4000]
    )
    return visit.go(f"/applications/{case_id}", "withdrawn")


@router.post("/applications/{case_id}/copy")
async def copy(case_id: UUID, visit: Inside) -> Response:
    """Begin again from a case that was closed."""
    made = await visit.medcab.applications.copy(visit.actor, case_id)
    return visit.go(f"/applications/{made.id}/draft", "copied")


@router.get("/applications/{case_id}/submitted")
async def submitted(case_id: UUID, visit: Inside, session: Work) -> Response:
    """The confirmation: the number, what happens now, and until when."""
    page = await _application(session, visit, case_id)
    if page.newest is None or not page.own:
        raise not_found()
    person = await session.get_one(Person, visit.actor.person_id)
    return visit.page(
        "applications/submitted.html",
        done=Confirmation(
            number=page.case.number or "",
            title=page.programme.title if page.programme else gettext(page.definition.title),
            email=person.email,
            whom=page.responsible_unit,
            until=page.case.due_at if page.case.status == Status.IN_REVIEW else None,
            case_url=f"/applications/{case_id}",
            receipt_url=f"/applications/{case_id}/receipt",
            resubmitted=page.case.version > 1,
        ),
    )


router.add_api_route("/applications/{case_id}/act", download_act, methods=["GET"])
router.add_api_route("/applications/{case_id}/receipt", receipt, methods=["GET"])


@router.get("/search")
async def search(
    visit: Inside, session: Work, number: Annotated[str | None, Query(max_length=60)] = None
) -> Response:
    """Find a case by its number, typed as people do."""
    message = ""
    if number is not None and number.strip():
        try:
            found = await _by_number(visit, session, number)
            if found is not None:
                return visit.go(f"/cases/{found}")
            message = gettext("Заявки с таким номером среди доступных вам нет")
        except Refusal as refusal:
            message = in_words(refusal.message)
    field = FieldView(
        "number",
        gettext("Номер заявки"),
        value=number or "",
        hint=gettext("Например, ПК-2026-000123-5. Можно строчными буквами и без чёрточек"),
        error=message,
        width="width-20",
    )
    return visit.page(
        "applications/search.html",
        status=404 if message else 200,
        field=field,
        errors=[ErrorItem(message, "#field-number")] if message else [],
    )


async def _by_number(visit: Visit, session: AsyncSession, number: str) -> UUID | None:
    filters = Filters(number=number)
    listing = await case_lists.mine(session, visit.actor, filters, None, 1)
    if not listing.lines:
        rights = (Permission.REVIEW, Permission.VIEW_UNIT_CASES)
        if not any(visit.actor.may(right) for right in rights):
            return None
        listing = await case_lists.desk(
            session, visit.actor, filters, None, 1, case_lists.Order.NEWEST
        )
    return listing.lines[0].id if listing.lines else None


async def _application(session: AsyncSession, visit: Visit, case_id: UUID) -> case_pages.CasePage:
    """An application with all that this person may see of it. Raises `not_found`."""
    page = await case_pages.page(session, visit.actor, case_id)
    if page.case.kind != CaseKind.APPLICATION:
        raise not_found()
    return page


async def _known(session: AsyncSession, visit: Visit, case_id: UUID, tag: str) -> Known:
    page = await _application(session, visit, case_id)
    return Known(tag, page, await catalogue.calendar(session))


def _view(
    known: Known,
    number: int = 0,
    *,
    compare: bool = False,
    asked: bool = False,
    answer: PresentState | None = None,
) -> CasePage:
    """The page in views; `number` chooses a version, `answer` is that of the running case."""
    page = known.page
    case = page.case
    chosen, before = page.version(number)
    compared = compare and before is not None
    remarks = latest_remarks(page)
    url = f"/applications/{case.id}"
    open_to = page.may if page.own else frozenset()
    return CasePage(
        url=url,
        number=case.number or "",
        title=page.programme.title if page.programme else gettext(page.definition.title),
        step=case.step,
        version=chosen.number,
        versions=[(v.number, v.submitted_at) for v in page.versions],
        compared=compared,
        waits=waits_for(page, known.calendar, answer, asked=asked),
        sections=answer_sections(
            page.definition,
            chosen.data,
            before.data if before and compared else None,
            remarks=remarks if chosen is page.newest else None,
        ),
        files=cited_files(chosen, page.attachment_rules, remarks),
        happenings=case_timeline(page),
        talk=talk_of(page, url),
        papers=_papers(page, url),
        programme=programme_view(page.programme) if page.programme else None,
        facts=_facts(page),
        reason=page.decisions[-1].reason if page.decisions else "",
        remarks=_remarks(page, remarks, url),
        answer_url=f"{url}/draft" if Transition.RESUBMIT in open_to else None,
        correct_url=f"{url}/draft" if Transition.CORRECT in open_to else None,
        withdraw_url=f"{url}/withdraw" if Transition.WITHDRAW in open_to else None,
        copy_url=f"{url}/copy" if page.own and Status(case.status) in COPYABLE else None,
        tag=known.tag,
    )


def _papers(page: case_pages.CasePage, url: str) -> list[Paper]:
    papers = []
    if page.act is not None:
        hint = gettext("PDF с подписью учреждения, %(number)s") % {"number": page.act.number}
        papers.append(Paper(gettext("Скачать акт о зачислении"), hint, f"{url}/act", "stamp"))
    if page.own:
        papers.append(
            Paper(
                gettext("Скачать расписку"),
                gettext("Подтверждает, что и когда вы отправили; проверяется без интернета"),
                f"{url}/receipt",
            )
        )
    papers.append(whole_case(page))
    return papers


def _facts(page: case_pages.CasePage) -> list[tuple[str, str]]:
    facts = [(gettext("Рассматривает"), page.responsible_unit)]
    if not page.own:
        facts.insert(0, (gettext("Заявитель"), f"{page.applicant}, {page.unit}"))
    if page.programme is not None:
        facts.append((gettext("Организация"), page.programme.organisation))
    return facts


def _remarks(page: case_pages.CasePage, noted: Mapping[str, str], url: str) -> list[Remark]:
    """What is asked for, each with the way to its field."""
    found = [
        Remark(
            gettext(field.label),
            noted[field.name],
            f"{url}/draft/{section.name}#field-{field.name}",
        )
        for section in page.definition.sections
        for field in section.fields
        if field.name in noted
    ]
    return found + [
        Remark(gettext(rule.title), noted[rule.kind], f"{url}/draft/attachments#slot-{rule.kind}")
        for rule in page.attachment_rules
        if rule.kind in noted
    ]
