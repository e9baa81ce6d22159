"""What people are told of an accreditation. What the centre wrote is read in the cabinet."""

from collections.abc import Mapping
from datetime import timedelta

from rules.notices.event import Event
from rules.notices.kinds import Channel, NoticeKind, RecipientRole

_LINK = "Открыть аккредитацию"


def _applicant(title: str, text: str, then: str) -> Event:
    return Event(RecipientRole.APPLICANT, title, text, then, link=_LINK)


def _reviewer(title: str, text: str, then: str) -> Event:
    return Event(
        RecipientRole.REVIEWER,
        title,
        text,
        then,
        channels=(Channel.CABINET, Channel.MAIL, Channel.PUSH),
        link=_LINK,
    )


ACCREDITATION_EVENTS: Mapping[NoticeKind, Event] = {
    NoticeKind.ACCREDITATION_SUBMITTED: Event(
        RecipientRole.APPLICANT,
        "Документы для аккредитации %(number)s получены",
        "Мы зарегистрировали документы и проверяем их.",
        "Сейчас от вас ничего не требуется.",
        link=_LINK,
        superseded_by=NoticeKind.ACCREDITATION_IN_REVIEW,
        delay=timedelta(seconds=10),
    ),
    NoticeKind.ACCREDITATION_IN_REVIEW: _applicant(
        "Документы для аккредитации %(number)s переданы в отдел кадров",
        "Документы зарегистрированы, их проверяет отдел кадров.",
        "Сейчас от вас ничего не требуется. О решении мы напишем.",
    ),
    NoticeKind.ACCREDITATION_CLARIFICATION: _applicant(
        "По аккредитации %(number)s требуется уточнение",
        "Отдел кадров просит исправить документы.",
        "Что исправить, написано в кабинете: здесь мы этого не показываем.",
    ),
    NoticeKind.ACCREDITATION_APPROVED: Event(
        RecipientRole.APPLICANT,
        "Документы для аккредитации %(number)s проверены",
        "Отдел кадров проверил документы.",
        "Мы составляем портфолио и передаём его в федеральный аккредитационный центр.",
        link=_LINK,
        superseded_by=NoticeKind.ACCREDITATION_FORWARDED,
        delay=timedelta(seconds=20),
    ),
    NoticeKind.ACCREDITATION_REJECTED: _applicant(
        "Документы для аккредитации %(number)s отклонены",
        "Отдел кадров не передал документы в федеральный центр.",
        "Причину прочитайте в кабинете. Документы можно подготовить заново.",
    ),
    NoticeKind.ACCREDITATION_WITHDRAWN: _applicant(
        "Документы для аккредитации %(number)s отозваны",
        "Вы отозвали документы.",
        "Если это были не вы, сообщите в отдел информационной безопасности.",
    ),
    NoticeKind.ACCREDITATION_LAPSED: _applicant(
        "Дело об аккредитации %(number)s закрыто",
        "Срок ответа истёк, и мы закрыли дело.",
        "Документы можно подготовить заново: всё, что вы отправили, сохранено.",
    ),
    NoticeKind.ACCREDITATION_FORWARDED: _applicant(
        "Портфолио %(number)s передано в федеральный центр",
        "Портфолио подписано печатью учреждения и принято центром.",
        "Центр проверяет документы до 20 рабочих дней. Сейчас от вас ничего не требуется.",
    ),
    NoticeKind.ACCREDITATION_WITH_COMMISSION: _applicant(
        "Аккредитация %(number)s у центральной комиссии",
        "Центр проверил документы и передал их в центральную комиссию.",
        "Комиссия решает до 15 рабочих дней. О решении мы напишем.",
    ),
    NoticeKind.ACCREDITATION_CENTRE_ASKS: _applicant(
        "По аккредитации %(number)s нужны исправления",
        "Федеральный центр просит исправить документы.",
        "Что исправить, написано в кабинете: здесь мы этого не показываем.",
    ),
    NoticeKind.ACCREDITATION_RETURNED: _applicant(
        "Документы для аккредитации %(number)s возвращены",
        "Федеральный центр вернул документы.",
        "Причину прочитайте в кабинете. Документы можно подготовить заново.",
    ),
    NoticeKind.ACCREDITATION_REFUSED: _applicant(
        "По аккредитации %(number)s отказано",
        "Комиссия приняла решение.",
        "Причину прочитайте в кабинете. Документы можно подготовить заново.",
    ),
    NoticeKind.ACCREDITATION_GRANTED: _applicant(
        "Аккредитация %(number)s пройдена",
        "Комиссия приняла решение.",
        "Номер и срок действия показаны в кабинете. Больше ничего не нужно.",
    ),
    NoticeKind.ACCREDITATION_OVERDUE: _applicant(
        "Срок решения по аккредитации %(number)s прошёл",
        "Федеральный центр не ответил в срок.",
        "Отдел кадров знает об этом и выясняет причину. От вас ничего не требуется.",
    ),
    NoticeKind.ACCREDITATION_CENTRE_LATE: _reviewer(
        "Федеральный центр не ответил по делу %(number)s",
        "Срок федерального центра подходит или прошёл.",
        "Свяжитесь с центром: мы спрашиваем его автоматически.",
    ),
    NoticeKind.ACCREDITATION_ANSWERED: _reviewer(
        "Федеральный центр ответил по делу %(number)s",
        "Центр или комиссия приняли решение по документам, которые вы проверили.",
        "Ответ показан в деле.",
    ),
    NoticeKind.ACCREDITATION_STUCK: Event(
        RecipientRole.OPS,
        "Обработка аккредитации %(number)s остановлена",
        "Обработка остановлена из-за ошибки, которую система не может устранить сама.",
        "Откройте процесс в Temporal: в подробностях указан тип ошибки. Если в нём other_contents,"
        " у центра под нашим номером другие документы: выясните это у центра. После исправления "
        "отправьте процессу сигнал ring.",
        path="%(temporal)s/workflows/accreditation-%(case_id)s",
        link="Открыть процесс",
    ),
}
