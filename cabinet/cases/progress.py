"""The way of a case as a line of steps: what is done and when, where it stands, what follows."""

from cabinet.cases.lines import due_here
from cabinet.cases.views import ProgressStep
from rules.cases.process import Status
from services.dossier.page import CasePage
from words.translation import gettext as _

_ENDED_EARLY = frozenset({Status.WITHDRAWN, Status.LAPSED})


def application_steps(page: CasePage) -> list[ProgressStep]:
    """From submission to the enrolment certificate, or as far as the application came."""
    case, status = page.case, Status(page.case.status)
    steps = [_sent(page, _("Отправлена"))]
    checked = page.newest.checked_at if page.newest else None
    if checked is not None:
        steps.append(ProgressStep(_("Проверена"), "done", checked))
    if status in _ENDED_EARLY:
        over = _("Отозвана") if status is Status.WITHDRAWN else _("Закрыта без ответа")
        return [*steps, ProgressStep(over, "over", case.since)]
    decided = page.decisions[-1].at if page.decisions else case.since
    if status is Status.REJECTED:
        return [*steps, ProgressStep(_("Отклонена"), "bad", decided)]
    if status is Status.APPROVED:
        issued = page.act.issued_at if page.act else None
        act = ProgressStep(_("Акт о зачислении"), "done" if issued else "now", issued)
        return [*steps, ProgressStep(_("Одобрена"), "done", decided), act]
    if status is Status.CLARIFICATION:
        steps.append(
            ProgressStep(_("Ваш ответ"), "now", until=due_here(case.due_at, case.term_zone))
        )
    elif status is Status.IN_REVIEW:
        steps.append(
            ProgressStep(_("Рассмотрение"), "now", until=due_here(case.due_at, case.term_zone))
        )
    else:
        steps.append(ProgressStep(_("Проверка"), "now"))
    if status is not Status.IN_REVIEW:
        steps.append(ProgressStep(_("Рассмотрение"), "ahead"))
    return [*steps, ProgressStep(_("Акт о зачислении"), "ahead")]


def request_steps(page: CasePage) -> list[ProgressStep]:
    """From submission to the answer, or as far as the request came."""
    case, status = page.case, Status(page.case.status)
    steps = [_sent(page, _("Отправлен"))]
    paper = next((one for one in page.papers if one.version == case.version), None)
    if page.definition.answered_by_people:
        reached, words = (paper.formed_at if paper else None), _("Передан в отдел")
    else:
        reached, words = (paper.handed_over_at if paper else None), _("Передан адресату")
    if reached is not None:
        steps.append(ProgressStep(words, "done", reached))
    if status is Status.WITHDRAWN:
        return [*steps, ProgressStep(_("Отозван"), "over", case.since)]
    if status in (Status.READY, Status.REFUSED):
        answered = next((a.at for a in page.answers if a.version == case.version), case.since)
        good = status is Status.READY
        end = ProgressStep(_("Ответ") if good else _("Отказ"), "done" if good else "bad", answered)
        return [*steps, end]
    if reached is None:
        by_people = page.definition.answered_by_people
        going = _("Передаём в отдел") if by_people else _("Передаём адресату")
        return [*steps, ProgressStep(going, "now"), ProgressStep(_("Ответ"), "ahead")]
    return [*steps, ProgressStep(_("Ответ"), "now", until=due_here(case.due_at, case.term_zone))]


def _sent(page: CasePage, words: str) -> ProgressStep:
    newest = page.newest
    if newest is None or newest.number == 1:
        return ProgressStep(words, "done", newest.submitted_at if newest else page.case.since)
    again = _("%(sent)s, версия %(n)s") % {"sent": words, "n": newest.number}
    return ProgressStep(again, "done", newest.submitted_at)
