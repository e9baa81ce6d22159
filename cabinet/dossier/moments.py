"""«Проверка дел»: an auditor finds a case by its number, and reads it as it was at any act.

The pages of one case are also open to whoever decided on it. They show and link to nothing that
changes anything.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.right_words import right_words
from cabinet.cases.kinds import pages_of
from cabinet.cases.lines import answer_sections
from cabinet.cases.timeline import timeline
from cabinet.dossier.views import PastAct, PastCase, PastMessage, PastRight
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Inside, Visit
from cabinet.reviews.lines import findings, past_decisions
from rules.access import Permission
from rules.cases.limits import INTEGER
from rules.cases.process import Party
from rules.journal.entries import JournalKind
from rules.journal.tag_words import TAG_WORDS
from rules.journal.tagging import OF_KIND
from rules.refusals import Refusal, forbidden
from rules.texts.cleaning import one_line
from services.dossier import moment as dossier
from services.dossier.moment import Moment, NotYetKnown
from services.dossier.page import TimelineEntry
from words import formats
from words.translation import gettext as _
from words.translation import in_words, marked, ngettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/audit")

AUDIT = "/audit"
_WHOM = {
    Party.APPLICANT: marked("заявителя"),
    Party.REVIEWER: marked("рассматривающего"),
    Party.REGISTER: marked("реестр"),
    Party.ADDRESSEE: marked("адресата"),
    Party.SYSTEM: marked("систему"),
    Party.NOBODY: marked("никого: дело закрыто"),
}


@router.get("")
async def register(
    visit: Inside, session: Work, number: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    """Where an auditor types the number of a case; there is no list, so that none is browsed."""
    if not visit.actor.may(Permission.AUDIT_CASES):
        raise forbidden()
    typed, error = one_line(number), ""
    if typed:
        try:
            return visit.go(f"{AUDIT}/cases/{await dossier.found(session, visit.actor, typed)}")
        except Refusal as refusal:
            if refusal.status != 422:
                raise
            error = in_words(refusal.message)
    field = FieldView(
        "number",
        _("Номер дела"),
        value=typed,
        error=error,
        hint=_("Например, ПК-2026-000123-4. Открытие дела записывается в журнал."),
        max_length=60,
    )
    errors = [ErrorItem(error, "#field-number")] if error else []
    status = 422 if error else 200
    return visit.page("dossier/register.html", status=status, field=field, errors=errors)


@router.get("/cases/{case_id}")
async def newest(case_id: UUID, visit: Inside, session: Work) -> Response:
    """The case as it stands, with a link to each act."""
    return _page(visit, await dossier.moment(session, visit.actor, case_id))


@router.get("/cases/{case_id}/at/{position}")
async def at(
    case_id: UUID, position: Annotated[int, Path(ge=1, le=INTEGER)], visit: Inside, session: Work
) -> Response:
    """The case as it was after one act."""
    return _page(visit, await dossier.moment(session, visit.actor, case_id, position))


def _page(visit: Visit, found: Moment) -> Response:
    """The page, with the way back: to the register, or to the case on the desk."""
    audits = visit.actor.may(Permission.AUDIT_CASES)
    back = AUDIT if audits else f"/desk/cases/{found.page.case.id}"
    return visit.page("dossier/moment.html", past=_drawn(found), back_url=back)


def _drawn(found: Moment) -> PastCase:
    page, case = found.page, found.page.case
    version = page.newest
    decided = page.decisions[-1] if page.decisions else None
    titles = {rule.kind: _(rule.title) for rule in page.attachment_rules}
    here = found.act
    return PastCase(
        number=case.number or "",
        at=found.at,
        act=_said(found, here),
        who=here.by or "",
        status=found.status,
        kind=case.kind,
        facts=_facts(found),
        unknown=_unknown(found.unknown),
        version=version.number if version else 0,
        sections=answer_sections(page.definition, version.data) if version else (),
        files=[
            (titles.get(one.kind, one.title), f"{one.title}, {one.file_name}")
            for one in (version.attachments if version else ())
        ],
        checked=version is not None and version.checked_at is not None,
        findings=findings(page, version, ()) if version else (),
        decisions=past_decisions(page),
        checklist=[
            (_(item.question), decided.checklist[item.name])
            for item in page.checklist
            if decided is not None and item.name in decided.checklist
        ],
        messages=[PastMessage(one.by, one.at, one.text, one.internal) for one in page.comments],
        rights=[
            PastRight(one.person, right_words(one.role), one.unit, one.valid_from, one.valid_until)
            for one in found.rights
        ],
        acts=[
            PastAct(
                url=f"{AUDIT}/cases/{case.id}/at/{one.position}",
                at=one.at,
                text=_said(found, one),
                who=one.by or "",
                reason=found.reason(one),
                here=one.position == found.position,
                later=one.position > found.position,
            )
            for one in found.positions
        ],
    )


def _said(found: Moment, entry: TimelineEntry) -> str:
    """An act in a sentence; those without one are named by their tag in the audit."""
    kind = found.page.case.kind
    lines = timeline([entry], pages_of(kind).sentences, own=False)
    return lines[0].text if lines else _(TAG_WORDS[OF_KIND[JournalKind(entry.kind)]])


def _facts(found: Moment) -> list[tuple[str, str]]:
    page = found.page
    facts = [
        (_("Заявитель"), page.applicant),
        (_("Должность"), page.applicant_position),
        (_("Подразделение"), page.unit),
        (_("Рассматривает"), page.responsible_unit),
        (_("Рассматривающий"), found.reviewer or _("не назначен")),
        (_("Ждали"), _(_WHOM.get(found.waits_for, ""))),
    ]
    if found.due_at is not None:
        facts.append((_("Срок"), formats.moment(found.due_at)))
    facts.append((_("Шаг"), str(found.step)))
    return [(label, value) for label, value in facts if value]


def _unknown(later: NotYetKnown) -> list[str]:
    counted = [
        (later.versions, ngettext("%(n)s версия", "%(n)s версий", later.versions)),
        (later.findings, ngettext("%(n)s проверка", "%(n)s проверок", later.findings)),
        (later.decisions, ngettext("%(n)s решение", "%(n)s решений", later.decisions)),
        (later.messages, ngettext("%(n)s сообщение", "%(n)s сообщений", later.messages)),
        (later.acts, ngettext("%(n)s действие", "%(n)s действий", later.acts)),
    ]
    return [words % {"n": n} for n, words in counted if n]
