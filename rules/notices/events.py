"""In which words people are notified of each event.

Words are gettext message ids of the domain `notices`; `%(number)s` is the number of the case. Mail
carries nothing about a person or health: what happened, to which programme, until when an answer is
awaited, what to do next, a link. What a reviewer wrote is read in the cabinet alone.
"""

from collections.abc import Mapping
from datetime import timedelta

from rules.notices.access_events import ACCESS_EVENTS
from rules.notices.account_events import ACCOUNT_EVENTS
from rules.notices.accreditation_events import ACCREDITATION_EVENTS
from rules.notices.clinic.patient_events import PATIENT_EVENTS
from rules.notices.clinic.result_events import RESULT_EVENTS
from rules.notices.clinic.schedule_events import SCHEDULE_EVENTS
from rules.notices.credential_events import CREDENTIAL_EVENTS
from rules.notices.event import Event
from rules.notices.handover_events import HANDOVER_EVENTS
from rules.notices.kinds import Channel, NoticeGroup, NoticeKind, RecipientRole
from rules.notices.meeting_events import MEETING_EVENTS
from rules.notices.register_events import REGISTER_EVENTS
from rules.notices.subscriber_events import SUBSCRIBER_EVENTS
from rules.notices.verification_events import VERIFICATION_EVENTS

_CABINET = (Channel.CABINET,)

DETAILS: Mapping[str, str] = {
    "programme": "Программа",
    "until": "Ответить до конца дня",
    "last_day": "Последний рабочий день",
    "day": "День",
    "time": "Время",
    "course_until": "Пройти до",
    "valid_until": "Действует до конца дня",
}
"""Facts of an event that get a line of their own; `DAYS` are days, YYYY-MM-DD."""

DAYS = ("until", "last_day", "day", "course_until", "valid_until")

K, R = NoticeKind, RecipientRole
_REQUEST, _QUEUE = "Открыть запрос", "Открыть очередь"


EVENTS: Mapping[NoticeKind, Event] = {
    K.APPLICATION_SUBMITTED: Event(
        R.APPLICANT,
        "Заявка %(number)s зарегистрирована",
        "Мы зарегистрировали заявку и проверяем её.",
        "Сейчас от вас ничего не требуется. Мы напишем, когда передадим заявку в отдел кадров.",
        superseded_by=K.APPLICATION_IN_REVIEW,
        delay=timedelta(seconds=10),
    ),
    K.APPLICATION_IN_REVIEW: Event(
        R.APPLICANT,
        "Заявка %(number)s передана в отдел кадров",
        "Заявка зарегистрирована и проверена, её рассматривает отдел кадров.",
        "Сейчас от вас ничего не требуется. О решении мы напишем.",
    ),
    K.APPLICATION_CLARIFICATION: Event(
        R.APPLICANT,
        "По заявке %(number)s требуется уточнение",
        "Отдел кадров просит уточнить сведения в заявке.",
        "Откройте заявку: там написано, что исправить. Причину и замечания мы показываем только в "
        "кабинете.",
    ),
    K.APPLICATION_APPROVED: Event(
        R.APPLICANT,
        "Заявка %(number)s одобрена",
        "Отдел кадров одобрил заявку.",
        "Сейчас от вас ничего не требуется. Мы готовим акт о зачислении и напишем, когда его можно "
        "будет скачать. Причина решения указана на странице заявки.",
        superseded_by=K.APPLICATION_ACT_READY,
        delay=timedelta(seconds=20),
    ),
    K.APPLICATION_ACT_READY: Event(
        R.APPLICANT,
        "Акт о зачислении по заявке %(number)s готов",
        "Отдел кадров одобрил заявку, акт о зачислении подписан.",
        "Откройте заявку, чтобы скачать или распечатать акт. Там же указана причина решения.",
    ),
    K.APPLICATION_REJECTED: Event(
        R.APPLICANT,
        "Заявка %(number)s отклонена",
        "Отдел кадров отклонил заявку.",
        "Причину прочитайте на странице заявки: мы показываем её только в кабинете. Там же заявку "
        "можно скопировать в новый черновик.",
    ),
    K.APPLICATION_WITHDRAWN: Event(
        R.APPLICANT,
        "Заявка %(number)s отозвана",
        "Вы отозвали заявку, рассматривать её больше не будут.",
        "Если это были не вы, сообщите в отдел информационной безопасности. "
        "Заявку можно скопировать в новый черновик.",
    ),
    K.APPLICATION_LAPSED: Event(
        R.APPLICANT,
        "Заявка %(number)s закрыта без ответа",
        "Срок ответа на уточнение истёк, поэтому мы закрыли заявку.",
        "Заявку можно скопировать в новый черновик и подать снова.",
    ),
    K.CLARIFICATION_REMINDER: Event(
        R.APPLICANT,
        "Заявка %(number)s ждёт вашего ответа",
        "Отдел кадров просил уточнить сведения, ответа пока нет.",
        "Если не ответить в срок, заявка будет закрыта. Что исправить, написано на её странице.",
    ),
    K.REVIEW_ASSIGNED: Event(
        R.REVIEWER,
        "Вам назначена заявка %(number)s",
        "Заявка проверена и ждёт вашего решения.",
        "Рассмотрите заявку до указанного в ней срока.",
        channels=_CABINET,
    ),
    K.REVIEW_REMINDER: Event(
        R.REVIEWER,
        "Подходит срок рассмотрения заявки %(number)s",
        "Заявка ещё не рассмотрена.",
        "Рассмотрите заявку или передайте её другому сотруднику.",
    ),
    K.REVIEW_ESCALATED: Event(
        R.REVIEWER,
        "Срок рассмотрения заявки %(number)s истёк",
        "Заявка не рассмотрена в срок.",
        "Рассмотрите заявку сами или передайте её другому сотруднику.",
    ),
    K.REVIEW_HANDED_OVER: Event(
        R.REVIEWER,
        "Вам передана заявка %(number)s",
        "Заявку передал вам другой сотрудник.",
        "Рассмотрите заявку до указанного в ней срока.",
    ),
    K.REVIEW_WITHDRAWN: Event(
        R.REVIEWER,
        "Заявка %(number)s отозвана",
        "Заявитель отозвал заявку.",
        "Рассматривать её больше не нужно.",
        channels=_CABINET,
    ),
    K.CASES_RECEIVED: Event(
        R.REVIEWER,
        "Вам переданы заявки и запросы: %(count)s",
        "Сотрудник, у которого они были, отсутствует или больше их не рассматривает.",
        "Откройте очередь: они в ней среди ваших, сроки у них прежние.",
        path="/desk?reviewer=me",
        link=_QUEUE,
    ),
    K.CASES_PASSED_ON: Event(
        R.REVIEWER,
        "Заявки и запросы перешли к другим сотрудникам: %(count)s",
        "Сотрудник, у которого они были, отсутствует или больше их не рассматривает.",
        "Если их должен рассмотреть кто-то другой, передайте их.",
        channels=_CABINET,
        path="/desk",
        link=_QUEUE,
    ),
    K.CASES_WITHOUT_REVIEWER: Event(
        R.REVIEWER,
        "Некому рассмотреть заявки и запросы: %(count)s",
        "Все, кто мог бы их рассмотреть, отсутствуют или больше этого не делают.",
        "Рассмотрите их сами или назначьте замещение. Как только кто-то из сотрудников будет на "
        "месте, он их получит.",
        path="/desk?reviewer=nobody",
        link=_QUEUE,
    ),
    K.COMMENT_ADDED: Event(
        R.PARTNER,
        "Новое сообщение по %(number)s",
        "В переписке есть новое сообщение.",
        "Прочитайте его на странице и ответьте там же.",
    ),
    K.REQUEST_ACCEPTED: Event(
        R.APPLICANT,
        "Запрос %(number)s принят",
        "Мы зарегистрировали запрос и готовим его для адресата.",
        "Сейчас от вас ничего не требуется. Мы напишем, когда адресат получит запрос.",
        link=_REQUEST,
        superseded_by=K.REQUEST_PROCESSING,
        delay=timedelta(seconds=15),
    ),
    K.REQUEST_PROCESSING: Event(
        R.APPLICANT,
        "Запрос %(number)s в обработке",
        "Запрос принят, адресат получил его и готовит ответ.",
        "Сейчас от вас ничего не требуется. Срок ответа указан на странице запроса, об ответе мы "
        "напишем.",
        link=_REQUEST,
        superseded_by=K.REQUEST_READY,
        delay=timedelta(seconds=15),
    ),
    K.REQUEST_READY: Event(
        R.APPLICANT,
        "Ответ на запрос %(number)s готов",
        "Адресат ответил на запрос, ответ сохранён в кабинете.",
        "Откройте запрос, чтобы прочитать или скачать ответ. Если ответ вам не подходит, исправьте "
        "запрос и отправьте его снова.",
        link=_REQUEST,
    ),
    K.REQUEST_REFUSED: Event(
        R.APPLICANT,
        "По запросу %(number)s отказано",
        "Адресат отказал в ответе на запрос.",
        "Причина указана на странице запроса. Там же запрос можно исправить и отправить снова.",
        link=_REQUEST,
    ),
    K.REQUEST_WITHDRAWN: Event(
        R.APPLICANT,
        "Запрос %(number)s отозван",
        "Вы отозвали запрос, ответа на него больше не ждём.",
        "Если это были не вы, сообщите в отдел информационной безопасности. "
        "Запрос можно скопировать в новый черновик.",
        link=_REQUEST,
    ),
    K.REQUEST_OVERDUE: Event(
        R.APPLICANT,
        "Срок ответа на запрос %(number)s истёк",
        "Адресат не ответил в срок. Мы сообщили об этом ответственным за запрос.",
        "От вас ничего не требуется: мы продолжаем ждать ответа. Запрос можно отозвать или "
        "исправить и отправить снова.",
        link=_REQUEST,
    ),
    K.REQUEST_ASSIGNED: Event(
        R.REVIEWER,
        "Вам назначен запрос %(number)s",
        "Запрос ждёт вашего ответа.",
        "Ответьте до указанного в запросе срока.",
        channels=_CABINET,
        link=_REQUEST,
    ),
    K.REQUEST_CANCELLED: Event(
        R.REVIEWER,
        "Запрос %(number)s отозван",
        "Заявитель отозвал запрос.",
        "Отвечать на него больше не нужно.",
        channels=_CABINET,
        link=_REQUEST,
    ),
    K.REQUEST_REMINDER: Event(
        R.REVIEWER,
        "Подходит срок ответа на запрос %(number)s",
        "На запрос ещё не ответили.",
        "Ответьте на запрос или передайте его другому сотруднику.",
        link=_REQUEST,
    ),
    K.REQUEST_ESCALATED: Event(
        R.REVIEWER,
        "Срок ответа на запрос %(number)s истёк",
        "На запрос не ответили в срок.",
        "Ответьте на запрос сами или передайте его другому сотруднику.",
        link=_REQUEST,
    ),
    K.REQUEST_LATE: Event(
        R.OPS,
        "Модуль госуслуг не отвечает на запрос %(number)s",
        "Срок ответа подходит или истёк, а модуль госуслуг не ответил.",
        "Проверьте, работает ли модуль, и свяжитесь с его службой поддержки.",
        path="%(temporal)s/workflows/request-%(case_id)s",
        link="Открыть процесс",
    ),
    K.REQUEST_ANSWER_UNVERIFIED: Event(
        R.OPS,
        "Ответ на запрос %(number)s не прошёл проверку",
        "Подпись или шифрование ответа модуля госуслуг неверны. Ответ отклонён, заявитель его не "
        "видит, запрос ждёт дальше.",
        "Сверьте сертификаты с владельцем модуля и сообщите в отдел информационной безопасности. "
        "Код ошибки указан в журнале запроса.",
        path="%(temporal)s/workflows/request-%(case_id)s",
        link="Открыть процесс",
    ),
    K.REQUEST_STUCK: Event(
        R.OPS,
        "Обработка запроса %(number)s остановлена",
        "Обработка запроса остановлена из-за ошибки, которую система не может устранить сама.",
        "Откройте процесс в Temporal: в подробностях указан тип ошибки. "
        "После исправления отправьте процессу сигнал ring.",
        path="%(temporal)s/workflows/request-%(case_id)s",
        link="Открыть процесс",
    ),
    K.DELIVERY_FAILED: Event(
        R.ACCOUNT,
        "Сообщение не доставлено",
        "Мы не смогли доставить вам сообщение вне кабинета.",
        "Откройте уведомления: там указаны способ отправки и причина. Проверьте адрес почты и "
        "номер телефона в настройках. Само уведомление осталось в кабинете.",
        channels=_CABINET,
        path="/notices",
        link="Открыть уведомления",
    ),
    K.NEW_DEVICE: Event(
        R.ACCOUNT,
        "Вход с нового устройства",
        "В ваш кабинет вошли с устройства, с которого вы раньше не входили.",
        "Если это были вы, ничего делать не нужно. Если не вы, смените пароль и завершите чужие "
        "сеансы.",
        path="/account",
        link="Открыть настройки входа",
        about=NoticeGroup.SECURITY,
    ),
    K.SECURITY: Event(
        R.ACCOUNT,
        "Изменены настройки безопасности",
        "В вашем кабинете изменили пароль, второй фактор или ключ доступа.",
        "Если это были не вы, сообщите в отдел информационной безопасности.",
        path="/account",
        link="Открыть настройки входа",
        about=NoticeGroup.SECURITY,
    ),
    K.SECOND_FACTOR_ADDED: Event(
        R.ACCOUNT,
        "Подключён способ подтверждения входа",
        "В вашем кабинете подключили или заменили способ подтверждения входа.",
        "Если это были не вы, смените пароль и сообщите в отдел информационной безопасности.",
        path="/profile/second-factor",
        link="Открыть способы подтверждения",
        about=NoticeGroup.SECURITY,
    ),
    K.SECOND_FACTOR_REMOVED: Event(
        R.ACCOUNT,
        "Отключён способ подтверждения входа",
        "В вашем кабинете отключили один из способов подтверждения входа.",
        "Если это были не вы, смените пароль и сообщите в отдел информационной безопасности.",
        path="/profile/second-factor",
        link="Открыть способы подтверждения",
        about=NoticeGroup.SECURITY,
    ),
    K.SIGN_IN_CODE: Event(
        R.ACCOUNT,
        "Код подтверждения",
        "Мы отправили вам код, чтобы подтвердить вход или действие в кабинете.",
        "Никому не сообщайте код. Если вы его не запрашивали, смените пароль.",
        channels=_CABINET,
        path="/account",
        link="Открыть настройки входа",
    ),
    K.RECOVERY_CODE_USED: Event(
        R.ACCOUNT,
        "Использован код восстановления",
        "В вашем кабинете личность подтвердили кодом восстановления. Осталось кодов: %(count)s.",
        "Если это были не вы, смените пароль, создайте новые коды и сообщите в отдел "
        "информационной безопасности.",
        path="/profile/second-factor",
        link="Открыть способы подтверждения",
        about=NoticeGroup.SECURITY,
    ),
    K.RECOVERY_CODES_FEW: Event(
        R.ACCOUNT,
        "Коды восстановления заканчиваются",
        "Осталось кодов восстановления: %(count)s.",
        "Создайте новый набор, пока можете подтвердить вход: прежние коды перестанут действовать.",
        path="/profile/second-factor",
        link="Открыть способы подтверждения",
        about=NoticeGroup.SECURITY,
    ),
    K.RECOVERY_CODES_MADE: Event(
        R.ACCOUNT,
        "Созданы новые коды восстановления",
        "В вашем кабинете создали новый набор кодов восстановления. Прежние коды не действуют.",
        "Если это были не вы, сообщите в отдел информационной безопасности.",
        path="/profile/second-factor",
        link="Открыть способы подтверждения",
        about=NoticeGroup.SECURITY,
    ),
    K.PASSWORD_RESET: Event(
        R.ACCOUNT,
        "Новый пароль для входа",
        "Кто-то попросил задать новый пароль для вашего кабинета. Ссылка действует 30 минут.",
        "Если это были вы, откройте ссылку из письма и подготовьте второй фактор: без него пароль "
        "не изменить. Если не вы, ничего делать не нужно.",
        channels=_CABINET,
        path="/account",
        link="Задать новый пароль",
    ),
    K.CONTACT_CODE: Event(
        R.ACCOUNT,
        "Код подтверждения контакта",
        "В вашем кабинете указали новый адрес почты или номер телефона. Код отправлен на него.",
        "Введите код на странице настроек. Если это были не вы, сообщите в отдел информационной "
        "безопасности.",
        channels=_CABINET,
        path="/notices/contacts",
        link="Открыть настройки уведомлений",
    ),
    K.CONTACT_CHANGED: Event(
        R.ACCOUNT,
        "Изменены контактные данные",
        "В вашем кабинете заменили адрес почты или номер телефона.",
        "Если это были не вы, сообщите в отдел информационной безопасности.",
        path="/notices/contacts",
        link="Открыть настройки уведомлений",
        about=NoticeGroup.SECURITY,
    ),
    **ACCOUNT_EVENTS,
    **MEETING_EVENTS,
    **VERIFICATION_EVENTS,
    **ACCREDITATION_EVENTS,
    **HANDOVER_EVENTS,
    **SUBSCRIBER_EVENTS,
    **RESULT_EVENTS,
    **ACCESS_EVENTS,
    **CREDENTIAL_EVENTS,
    **REGISTER_EVENTS,
    **PATIENT_EVENTS,
    **SCHEDULE_EVENTS,
    K.APPLICANT_LEFT: Event(
        R.REVIEWER,
        "Сотрудник больше не работает, его открытые дела ждут вас: %(count)s",
        "Заявитель уволен. Его дела никто не закрывал: что с ними делать, решаете вы.",
        "Откройте список и решите по каждому: продолжать или закрыть.",
        path="/desk?left=1",
        link=_QUEUE,
    ),
    K.EXPORT_READY: Event(
        R.ACCOUNT,
        "Выгрузка готова",
        "Мы подготовили файл со списком из архива.",
        "Скачайте его на странице выгрузок: файл хранится семь дней.",
        channels=_CABINET,
        path="/archive/exports",
        link="Открыть выгрузки",
    ),
    K.EXPORT_FAILED: Event(
        R.ACCOUNT,
        "Выгрузка не удалась",
        "Мы не смогли подготовить файл со списком из архива.",
        "Закажите файл ещё раз. Если снова не получится, напишите в поддержку.",
        channels=_CABINET,
        path="/archive/exports",
        link="Открыть выгрузки",
    ),
    K.RETENTION_ENDS: Event(
        R.APPLICANT,
        "Истекает срок хранения дела %(number)s",
        "Дело закрыто, срок его хранения скоро истечёт. После этого содержание дела будет удалено.",
        "Если содержание вам ещё нужно, скачайте дело целиком на его странице.",
        link="Открыть дело",
    ),
    K.RETENTION_DUE: Event(
        R.PARTNER,
        "Истекают сроки хранения дел",
        "Сроки хранения закрытых дел скоро истекут, и содержание этих дел будет удалено.",
        "Проверьте список. Если дело нужно дольше, продлите срок или запретите его удаление.",
        channels=_CABINET,
        path="/archive/retention",
        link="Открыть сроки хранения",
    ),
    K.CASE_STUCK: Event(
        R.OPS,
        "Обработка заявки %(number)s остановлена",
        "Обработка заявки остановлена из-за ошибки, которую система не может устранить сама.",
        "Откройте процесс в Temporal: в подробностях указан тип ошибки. "
        "После исправления отправьте процессу сигнал ring.",
        path="%(temporal)s/workflows/application-%(case_id)s",
        link="Открыть процесс",
    ),
}

CHOSEN = tuple(
    group
    for group in NoticeGroup
    if group is not NoticeGroup.SECURITY
    and any(e.group is group and len(e.channels) > 1 for e in EVENTS.values())
)
"""Groups whose channels people choose.

Notices of others wait neither for quiet hours nor digests.
"""


def kinds_of(group: NoticeGroup) -> tuple[NoticeKind, ...]:
    """The kinds of events that a group holds."""
    return tuple(kind for kind, event in EVENTS.items() if event.group is group)


SUPERSEDES: Mapping[NoticeKind, tuple[NoticeKind, ...]] = {
    kind: tuple(k for k, event in EVENTS.items() if event.superseded_by is kind)
    for kind in NoticeKind
}
"""Kinds whose waiting mails, for the same case and person, an event makes superfluous."""
