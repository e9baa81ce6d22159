"""The words of verifications on the pages that all kinds of case share."""

from cabinet.cases.kinds import KindPages, Phrases, register
from cabinet.cases.timeline import SENTENCES, of_version, plain, told
from rules.cases.verifications import VERIFICATION
from rules.journal.entries import JournalKind as K

VERIFICATIONS = register(
    KindPages(
        process=VERIFICATION,
        drafts=lambda container: container.verifications,
        withdrawn="verification_withdrawn",
        copied="copied",
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
