"""The words of accreditations on the pages that all kinds of case share."""

from cabinet.cases.kinds import KindPages, Phrases, register
from cabinet.cases.timeline import SENTENCES, of_version, plain, told
from rules.cases.accreditations import ACCREDITATION
from rules.cases.process import Party, Status
from rules.journal.entries import JournalKind as K
from services.accreditations.training import filled_answers
from services.dossier.page import CasePage
from words.translation import gettext as _

_WHOM = {
    Party.REVIEWER: "отдел кадров",
    Party.SYSTEM: "завершения автоматической проверки",
    Party.APPLICANT: "заявителя",
}
"""Whom the case waits for (msgids)."""
_THEN = {
    Status.CHECKING: "Обычно это занимает меньше минуты. Затем документы увидит отдел кадров.",
    Status.IN_REVIEW: "Отдел кадров проверит документы и передаст их в федеральный центр.",
    Status.CLARIFICATION: "Если ответа не будет, дело закроется; его можно подготовить заново.",
    Status.FORWARDED: "Центр проверит документы и передаст их в центральную комиссию.",
    Status.WITH_COMMISSION: "Решает комиссия. О решении мы напишем.",
}
"""What happens next (msgids)."""


def waits(page: CasePage) -> tuple[str, str]:
    """Whom an accreditation waits for, and what happens then."""
    party, status = Party(page.case.waits_for), Status(page.case.status)
    if status is Status.APPROVED:
        if party is Party.FEDERAL_CENTRE:
            then = _("Центр не отвечает. Мы повторяем отправку автоматически.")
            return _("ответ федерального центра"), then
        then = _("Обычно это занимает несколько минут.")
        return _("портфолио: мы составляем, подписываем и отправляем его"), then
    if party is Party.FEDERAL_CENTRE:
        commission = status is Status.WITH_COMMISSION
        whom = _("центральную комиссию") if commission else _("федеральный центр")
    elif party is Party.APPLICANT and page.own:
        whom = _("вас")
    else:
        whom = _(_WHOM[party]) if party in _WHOM else ""
    return whom, _(_THEN[status]) if status in _THEN else ""


ACCREDITATIONS = register(
    KindPages(
        process=ACCREDITATION,
        drafts=lambda container: container.accreditations,
        withdrawn="accreditation_withdrawn",
        copied="copied",
        waits=waits,
        filled=lambda session, page: filled_answers(session, page.case, page.definition),
        phrases=Phrases(
            unsent="Документы для аккредитации ещё не отправлены.",
            papers="Документы портфолио",
            case="Аккредитация %(number)s",
            already_sent="Документы уже отправлены",
            sent_at="Документы %(number)s отправлены %(at)s.",
            open="Открыть дело",
            send_again="Документы отправлены %(at)s. Если нужно исправить, измените и отправьте "
            "ещё раз.",
            withdraw="Отозвать документы %(number)s",
            withdraw_question="Отозвать документы %(number)s?",
            withdraw_means="Рассмотрение прекратится. Документы можно будет подготовить заново.",
            withdraw_reason="Причина отзыва документов",
        ),
        sentences={
            **SENTENCES,
            K.CASE_SUBMITTED: told(
                "Вы отправили документы для аккредитации",
                "Заявитель отправил документы для аккредитации",
            ),
            K.CASE_RESUBMITTED: of_version(
                "Вы ответили на уточнение: версия %(n)s",
                "Заявитель ответил на уточнение: версия %(n)s",
            ),
            K.CASE_CORRECTED: of_version(
                "Вы исправили документы: версия %(n)s",
                "Заявитель исправил документы: версия %(n)s",
            ),
            K.CASE_WITHDRAWN: told("Вы отозвали документы", "Заявитель отозвал документы"),
            K.CASE_REVIEW_OPENED: plain("Документы переданы в отдел кадров"),
            K.CASE_ASSIGNED: plain("Назначен сотрудник отдела кадров"),
            K.CASE_TAKEN: plain("Сотрудник отдела кадров взял документы на рассмотрение"),
            K.CASE_HANDED_OVER: plain("Документы переданы другому сотруднику отдела кадров"),
            K.CASE_APPROVED: plain("Отдел кадров проверил документы"),
            K.CASE_CLARIFICATION_ASKED: plain("Отдел кадров попросил исправить документы"),
            K.CASE_REJECTED: plain("Отдел кадров отклонил документы"),
            K.CASE_LAPSED: plain("Ответа не было, дело закрыто"),
            K.CENTRE_DOWN: plain("Федеральный центр не отвечает"),
            K.CENTRE_FORWARDED: plain("Портфолио подписано и отправлено в федеральный центр"),
            K.CENTRE_PASSED_ON: plain("Центр передал документы в центральную комиссию"),
            K.CENTRE_ASKED: plain("Федеральный центр попросил исправить документы"),
            K.CENTRE_RETURNED: plain("Федеральный центр вернул документы"),
            K.CENTRE_REFUSED: plain("Комиссия отказала в аккредитации"),
            K.CENTRE_ACCREDITED: plain("Аккредитация пройдена"),
        },
    )
)
