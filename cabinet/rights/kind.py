"""The words of changes of rights on the pages that all kinds of case share."""

from cabinet.cases.kinds import KindPages, Phrases, register
from cabinet.cases.timeline import SENTENCES, plain, told
from rules.cases.access_changes import ACCESS_CHANGE
from rules.cases.process import Status
from rules.journal.entries import JournalKind as K
from services.dossier.page import CasePage, TimelineEntry
from words.translation import gettext as _


def _waits(page: CasePage) -> tuple[str, str]:
    """Whom the change waits for, and what happens then."""
    case, unit = page.case, page.responsible_unit
    nobody = case.reviewer_id is None
    match Status(case.status):
        case Status.CONFIRMING if nobody:
            return _("руководителя: %(unit)s") % {"unit": unit}, _(
                "Подтвердить сейчас некому: в подразделении и выше нет другого руководителя. "
                "Техническая служба об этом знает."
            )
        case Status.CONFIRMING:
            return _("руководителя: %(unit)s") % {"unit": unit}, _(
                "После подтверждения заявку проверит информационная безопасность."
            )
        case Status.IN_REVIEW if nobody:
            return _("информационную безопасность"), _(
                "Одобрить сейчас некому: нужен ещё один сотрудник информационной безопасности. "
                "Техническая служба об этом знает."
            )
        case Status.IN_REVIEW:
            return _("информационную безопасность"), _(
                "Если заявку одобрят, права изменятся сразу, входить заново не нужно."
            )
        case _:
            return "", ""


_ASKED = told("Вы попросили изменить права", "Попросили изменить права")
_PROPOSED = plain("Предложено отозвать права: истёк документ, от которого они зависят")


def _submitted(happened: TimelineEntry, own: bool) -> str:
    """Who asked; a proposal nobody has asked for."""
    return (_PROPOSED if happened.facts.get("proposed") else _ASKED)(happened, own)


RIGHTS = register(
    KindPages(
        process=ACCESS_CHANGE,
        drafts=lambda container: container.access_changes,
        withdrawn="rights_withdrawn",
        copied="copied",
        waits=_waits,
        phrases=Phrases(
            unsent="Заявка на права ещё не отправлена.",
            papers="Документы",
            case="Заявка на права %(number)s",
            already_sent="Заявка на права уже отправлена",
            sent_at="Заявка на права %(number)s отправлена %(at)s.",
            open="Открыть заявку на права",
            send_again="Эта заявка на права отправлена %(at)s.",
            withdraw="Отозвать заявку на права %(number)s",
            withdraw_question="Отозвать заявку на права %(number)s?",
            withdraw_means="Права останутся прежними. То, что выдано срочно, закончится сразу.",
            withdraw_reason="Причина отзыва",
        ),
        sentences={
            **SENTENCES,
            K.CASE_SUBMITTED: _submitted,
            K.CASE_WITHDRAWN: told("Вы отозвали заявку", "Заявку отозвали"),
            K.CASE_ASSIGNED: plain("Назначен тот, кто решает"),
            K.CASE_TAKEN: plain("Решение взял на себя другой сотрудник"),
            K.CASE_HANDED_OVER: plain("Решение передано другому сотруднику"),
            K.CASE_ESCALATED: plain("Срок истёк, об этом знают все, кто вправе решить"),
            K.CASE_CONFIRMED: plain("Руководитель подтвердил"),
            K.CASE_CONFIRMATION_LAPSED: plain(
                "Подтверждение утратило силу: тот, кто его дал, больше не вправе подтверждать"
            ),
            K.CASE_APPROVED: plain("Информационная безопасность одобрила, права изменены"),
            K.CASE_REJECTED: plain("Отклонено"),
        },
    )
)
