"""The words of verifications on the pages that all kinds of case share."""

from cabinet.cases.kinds import KindPages, Phrases, register
from cabinet.cases.timeline import SENTENCES, of_version, plain, told
from rules.cases.process import Party, Status
from rules.cases.verifications import VERIFICATION
from rules.journal.entries import JournalKind as K
from rules.verification import needed_documents
from services.dossier.page import CasePage
from words.translation import gettext as _

_WHOM = {
    Party.REVIEWER: "оператора",
    Party.IDENTITY_REGISTER: "ответ реестра удостоверений личности",
    Party.SYSTEM: "завершения автоматической проверки",
}
"""Whom the case waits for (msgids)."""
_THEN = {
    Status.CHECKING: "Обычно это занимает меньше минуты. Затем документы увидит оператор.",
    Status.IN_REVIEW: "Пока оператор смотрит документы, можно сделать остальные шаги.",
    Status.CLARIFICATION: "Если ответа не будет, подтверждение закроется; его можно начать заново.",
    Status.APPROVED: "Документы подтверждены. Остальные шаги показаны на странице подтверждения.",
}
"""What happens next, for the person (msgids)."""


def _waits(page: CasePage) -> tuple[str, str]:
    """Whom a verification waits for, and what happens then."""
    party, status = Party(page.case.waits_for), Status(page.case.status)
    if party is Party.APPLICANT:
        whom = _("вас") if page.own else _("заявителя")
    else:
        whom = _(_WHOM[party]) if party in _WHOM else ""
    if party is Party.IDENTITY_REGISTER:
        then = "Реестр не отвечает. Мы повторяем запрос автоматически, от вас ничего не нужно."
    elif page.own:
        then = _THEN.get(status, "")
    else:
        then = ""
    return whom, _(then) if then else ""


VERIFICATIONS = register(
    KindPages(
        process=VERIFICATION,
        drafts=lambda container: container.verifications,
        withdrawn="verification_withdrawn",
        copied="copied",
        waits=_waits,
        needed=needed_documents,
        phrases=Phrases(
            unsent="Документы ещё не отправлены.",
            papers="Документы",
            case="Подтверждение %(number)s",
            already_sent="Документы уже отправлены",
            sent_at="Документы %(number)s отправлены %(at)s.",
            open="Открыть подтверждение",
            send_again="Документы отправлены %(at)s. Если нужно исправить, измените и отправьте "
            "ещё раз.",
            withdraw="Отозвать подтверждение %(number)s",
            withdraw_question="Отозвать подтверждение %(number)s?",
            withdraw_means="Проверка документов прекратится. Её можно будет начать заново.",
            withdraw_reason="Причина отзыва подтверждения",
        ),
        sentences={
            **SENTENCES,
            K.CASE_SUBMITTED: told("Вы отправили документы", "Человек отправил документы"),
            K.CASE_RESUBMITTED: of_version(
                "Вы ответили на уточнение: версия %(n)s",
                "Человек ответил на уточнение: версия %(n)s",
            ),
            K.CASE_CORRECTED: of_version(
                "Вы исправили документы: версия %(n)s", "Человек исправил документы: версия %(n)s"
            ),
            K.CASE_WITHDRAWN: told("Вы отозвали подтверждение", "Человек отозвал подтверждение"),
            K.CASE_REGISTER_DOWN: plain("Реестр удостоверений личности не отвечает"),
            K.CASE_REVIEW_OPENED: plain("Документы переданы оператору"),
            K.CASE_ASSIGNED: plain("Назначен оператор"),
            K.CASE_TAKEN: plain("Оператор взял документы на проверку"),
            K.CASE_HANDED_OVER: plain("Документы переданы другому оператору"),
            K.CASE_APPROVED: plain("Оператор подтвердил документы"),
            K.CASE_CLARIFICATION_ASKED: plain("Оператор попросил исправить документы"),
            K.CASE_REJECTED: plain("Оператор не подтвердил документы"),
            K.CASE_LAPSED: plain("Срок истёк, подтверждение закрыто"),
            K.VERIFICATION_CONFIRMED: plain("Учётная запись подтверждена"),
        },
    )
)
