"""What pages say of an accreditation: words of the centre, the decision, the way of the case."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from cabinet.accreditations.views import CourseRow, GrantedView, NeedsView
from cabinet.cases.lines import due_here
from cabinet.cases.views import ProgressStep
from rules.accreditations.norms import day_of, file_from
from rules.cases.accreditations import AT_THE_CENTRE
from rules.cases.process import Status
from rules.journal.entries import JournalKind as K
from services.accreditations.needs import Needs
from services.accreditations.training import TrainingLine
from services.dossier.page import CasePage
from words.translation import gettext as _
from words.translation import marked

_WHY_NOT = {
    "old": marked("старше пяти лет"),
    "no_file": marked("приложите документ в деле о квалификации"),
}


def needs_view(needs: Needs, today: date) -> NeedsView:
    """What is missing, as the page shows it."""
    known, hours = needs.preparation, needs.preparation.hours
    admission = known.admission
    return NeedsView(
        order=known.norm.order,
        years=known.norm.years,
        total=hours.total,
        needed=hours.needed,
        certified=hours.certified,
        certified_needed=hours.certified_needed,
        missing=hours.missing,
        certified_missing=hours.certified_missing,
        courses=[_course(one) for one in known.courses],
        programmes=[
            (one.title, f"/programmes/{one.id}", one.hours, one.certified_hours)
            for one in needs.programmes
        ],
        alone=needs.alone,
        admission=f"{admission.specialty}, {admission.number}" if admission else "",
        until=admission.valid_until if admission else None,
        file_from=file_from(admission.valid_until, known.norm) if admission else None,
        over=bool(admission and admission.valid_until < today),
    )


def _course(line: TrainingLine) -> CourseRow:
    course = line.course
    note = _(_WHY_NOT[line.why_not]) if line.why_not else ""
    certified = min(course.certified_hours, course.hours)
    return CourseRow(line.topic, line.issuer, course.finished_on, course.hours, certified, note)


_ANSWERS = frozenset({K.CENTRE_ASKED, K.CENTRE_RETURNED, K.CENTRE_REFUSED, K.CENTRE_ACCREDITED})
_DECISIONS = frozenset({K.CASE_APPROVED, K.CASE_CLARIFICATION_ASKED, K.CASE_REJECTED})


def _last(page: CasePage, kinds: frozenset[K]) -> Mapping[str, Any]:
    """The contents of the newest entry of these kinds; empty if there is none."""
    found = (one.contents for one in page.timeline if one.kind in kinds)
    return next(found, None) or {}


def words_of_answer(page: CasePage) -> str:
    """What whoever decided last wrote: the department or the centre."""
    return str(_last(page, _ANSWERS | _DECISIONS).get("reason", ""))


def asked_by_centre(page: CasePage) -> bool:
    """Whether the clarification that is waited for was asked by the centre."""
    asked = frozenset({K.CENTRE_ASKED, K.CASE_CLARIFICATION_ASKED})
    return next((one.kind for one in page.timeline if one.kind in asked), "") == K.CENTRE_ASKED


def granted(page: CasePage) -> GrantedView | None:
    """The accreditation that was granted."""
    if page.case.status != Status.ACCREDITED:
        return None
    told = _last(page, frozenset({K.CENTRE_ACCREDITED}))
    until: date | None = day_of(told.get("valid_until"))
    return GrantedView(str(told.get("number", "")), until) if until else None


def steps_of(page: CasePage) -> list[ProgressStep]:
    """From the documents to the decision, or as far as the case came."""
    case, status = page.case, Status(page.case.status)
    sent = page.newest.submitted_at if page.newest else case.since
    steps = [ProgressStep(_("Отправлены"), "done", sent)]
    if status in (Status.WITHDRAWN, Status.LAPSED):
        over = _("Отозваны") if status is Status.WITHDRAWN else _("Закрыто без ответа")
        return [*steps, ProgressStep(over, "over", case.since)]
    until = due_here(case.due_at, case.term_zone)
    hr, centre = _("Отдел кадров"), _("Федеральный центр")
    commission = _("Центральная комиссия")
    if status is Status.REJECTED:
        return [*steps, ProgressStep(hr, "bad", case.since)]
    if status is Status.CLARIFICATION:
        answer = ProgressStep(_("Ваш ответ"), "now", until=until)
        return [*steps, answer, *(ProgressStep(one, "ahead") for one in (hr, centre, commission))]
    if status in (Status.CHECKING, Status.IN_REVIEW):
        now = ProgressStep(hr, "now", until=until)
        return [*steps, now, ProgressStep(centre, "ahead"), ProgressStep(commission, "ahead")]
    steps.append(ProgressStep(hr, "done"))
    if status is Status.APPROVED:
        now = ProgressStep(_("Отправляем в центр"), "now")
        return [*steps, now, ProgressStep(commission, "ahead")]
    if status is Status.RETURNED:
        return [*steps, ProgressStep(centre, "bad", case.since)]
    if status is Status.FORWARDED:
        now = ProgressStep(centre, "now", until=until)
        return [*steps, now, ProgressStep(commission, "ahead")]
    steps.append(ProgressStep(centre, "done"))
    if status in AT_THE_CENTRE:
        return [*steps, ProgressStep(commission, "now", until=until)]
    granted = status is Status.ACCREDITED
    return [*steps, ProgressStep(commission, "done" if granted else "bad", case.since)]
