"""«Мои заявки»: the list, the page of a case with its live part, and the acts on a sent case."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from api.http.file_routes import download_act
from cabinet.applications.kind import APPLICATIONS
from cabinet.applications.lines import programme_view
from cabinet.applications.views import ApplicationPage, ApplicationSent, Remark
from cabinet.cases.filling import answered_of
from cabinet.cases.intakes import chosen_fact
from cabinet.cases.lines import (
    answer_sections,
    case_timeline,
    cited_files,
    due_here,
    latest_remarks,
    url_of,
    waits_for,
    whole_case,
)
from cabinet.cases.pages import (
    CaseView,
    Groups,
    Narrowed,
    Short,
    add_pages,
    list_page,
    own_page,
    receipt_paper,
)
from cabinet.cases.progress import application_steps
from cabinet.cases.views import PaperLink
from cabinet.conversation.pages import talk_of
from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.frame.visits import Inside, Visit
from cabinet.operation.pages import in_temporal
from clients.database import DatabaseSession
from models.visibility import NUMBER
from rules.access import Permission
from rules.cases import deciding
from rules.cases.applications import COPYABLE
from rules.cases.kinds import DECIDING
from rules.cases.process import Status, Transition
from rules.catalogue.programmes import KINDS
from rules.refusals import Refusal, not_found
from services.accounts import people
from services.cases import lists as case_lists
from services.cases.lists import Filters
from services.cases.transitions import see
from services.dossier import page as dossier
from services.operation import desk as operation
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

_GROUPS: Groups = {
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
async def list_mine(visit: Inside, session: Work, asked: Narrowed, kind: Short = "") -> Response:
    """The person's applications, narrowed by what stands in the address (A8)."""
    kind = kind if kind in KINDS else ""
    options = [Option(value, gettext(words)) for value, words in KINDS.items()]
    return await list_page(
        visit,
        session,
        APPLICATIONS,
        asked,
        _GROUPS,
        FieldView("kind", gettext("Вид обучения"), "choice", kind, options=options),
        {"programme_kind": kind or None},
    )


@router.get("/cases/{case_id}")
async def lead_to_case(case_id: UUID, visit: Inside, session: Work) -> Response:
    """Links of notices lead here, and go on to the page on which this person sees the case."""
    case = await see(session, visit.actor, case_id)
    if case.applicant_id != visit.actor.person_id and deciding.reviews(visit.actor, case):
        return visit.go(f"/desk/cases/{case_id}")
    return visit.go(url_of(case.kind, case.id))


@router.get("/applications/{case_id}/submitted")
async def submitted(case_id: UUID, visit: Inside, session: Work) -> Response:
    """The confirmation: the number, what happens now, and until when."""
    page = await own_page(session, visit, case_id, APPLICATIONS)
    if page.newest is None or not page.own:
        raise not_found()
    case = page.case
    reviewed = case.status == Status.IN_REVIEW
    return visit.page(
        "applications/submitted.html",
        done=ApplicationSent(
            number=case.number or "",
            title=page.programme.title if page.programme else gettext(page.definition.title),
            email=await people.email_of(session, visit.actor.person_id),
            whom=page.responsible_unit,
            until=due_here(case.due_at, case.term_zone) if reviewed else None,
            case_url=f"/applications/{case_id}",
            receipt_url=f"/applications/{case_id}/receipt",
            resubmitted=case.version > 1,
        ),
    )


router.add_api_route("/applications/{case_id}/act", download_act, methods=["GET"])


@router.get("/search")
async def search(
    visit: Inside, session: Work, number: Annotated[str | None, Query(max_length=60)] = None
) -> Response:
    """Find a case by its number, as people type it.

    Who may not see the case but watches the operation is led to its runs in the Temporal UI.
    """
    message = ""
    if number is not None and number.strip():
        try:
            found = await _by_number(visit, session, number)
            if found is not None:
                return visit.go(f"/cases/{found}")
            watched = await operation.watched_number(session, visit.actor, number)
            if watched:
                return visit.go(in_temporal(visit, f'{NUMBER.name}="{watched}"'))
            message = gettext("Заявки с таким номером среди доступных вам нет")
        except Refusal as refusal:
            message = in_words(refusal.message)
    field = FieldView(
        "number",
        gettext("Номер заявки"),
        value=number or "",
        hint=gettext("Например, ПК-2026-000123-0. Можно строчными буквами и без чёрточек"),
        error=message,
        width="width-20",
    )
    return visit.page(
        "applications/search.html",
        status=404 if message else 200,
        field=field,
        errors=[ErrorItem(message, "#field-number")] if message else [],
    )


async def _by_number(visit: Visit, session: DatabaseSession, number: str) -> UUID | None:
    filters = Filters(number=number)
    listing = await case_lists.mine(session, visit.actor, filters, None, 1)
    if not listing.lines:
        rights = (*DECIDING, Permission.VIEW_UNIT_CASES)
        if not any(visit.actor.may(right) for right in rights):
            return None
        listing = await case_lists.desk(
            session, visit.actor, filters, None, 1, case_lists.Order.NEWEST
        )
    return listing.lines[0].id if listing.lines else None


def _view(look: CaseView) -> ApplicationPage:
    page, case, url = look.page, look.page.case, look.url
    chosen, before = look.chosen, look.before
    remarks = latest_remarks(page)
    asked = _remarks(page, remarks, url)
    open_to = page.may if page.own else frozenset()
    return ApplicationPage(
        url=url,
        number=case.number or "",
        title=page.programme.title if page.programme else gettext(page.definition.title),
        step=case.step,
        version=chosen.number,
        versions=[(v.number, v.submitted_at) for v in page.versions],
        compared=before is not None,
        waits=waits_for(page, look.calendar, look.answer, asked=look.asked),
        sections=answer_sections(
            page.definition,
            chosen.data,
            before.data if before else None,
            remarks=remarks if chosen is page.newest else None,
        ),
        files=cited_files(chosen, page.attachment_rules, remarks),
        steps=application_steps(page),
        unfolded=bool(look.number or look.compare),
        happenings=case_timeline(page),
        talk=talk_of(page, url),
        act=_act(page, url),
        papers=_papers(page, url),
        programme=programme_view(page.programme) if page.programme else None,
        facts=_facts(page),
        reason=page.decisions[-1].reason if page.decisions else "",
        remarks=asked,
        answer_url=_answer_url(asked, url) if Transition.RESUBMIT in open_to else None,
        correct_url=f"{url}/draft" if Transition.CORRECT in open_to else None,
        withdraw_url=f"{url}/withdraw" if Transition.WITHDRAW in open_to else None,
        copy_url=f"{url}/copy" if page.own and Status(case.status) in COPYABLE else None,
        tag=look.tag,
    )


def _act(page: dossier.CasePage, url: str) -> PaperLink | None:
    if page.act is None:
        return None
    hint = gettext("PDF с подписью учреждения, %(number)s") % {"number": page.act.number}
    return PaperLink(gettext("Скачать акт о зачислении"), hint, f"{url}/act", "stamp")


def _papers(page: dossier.CasePage, url: str) -> list[PaperLink]:
    papers = []
    if page.own:
        papers.append(receipt_paper(url))
    papers.append(whole_case(page))
    return papers


def _facts(page: dossier.CasePage) -> list[tuple[str, str]]:
    facts = [(gettext("Рассматривает"), page.responsible_unit)]
    if not page.own:
        facts.insert(0, (gettext("Заявитель"), f"{page.applicant}, {page.unit}"))
    if page.programme is not None:
        facts.append((gettext("Организация"), page.programme.organisation))
    facts += chosen_fact(page, page.newest)
    return facts


def _answer_url(asked: Sequence[Remark], url: str) -> str:
    """The way to the first unanswered remark; when there is none, to the task list."""
    return next((one.url for one in asked if not one.answered), f"{url}/draft")


def _remarks(page: dossier.CasePage, noted: Mapping[str, str], url: str) -> list[Remark]:
    """The reviewer's remarks, each with the way to its field, and whether the draft answers it."""
    case = page.case
    answered = (
        answered_of(page, case.draft, case.draft_attachments, noted) if case.draft else frozenset()
    )
    places = {
        field.name: (field.label, f"{section.name}#group-{field.name}")
        for section in page.definition.sections
        for field in section.fields
    } | {rule.kind: (rule.title, f"attachments#slot-{rule.kind}") for rule in page.attachment_rules}
    return [
        Remark(gettext(label), noted[name], f"{url}/draft/{place}", name in answered)
        for name, (label, place) in places.items()
        if name in noted
    ]


add_pages(router, APPLICATIONS, _view)
