"""The names of roles and permissions, as people read them (msgids)."""

from collections.abc import Mapping

from rules.access import Permission, Right, Role

P = Permission

RIGHT_NAMES: Mapping[Right, str] = {
    Role.DOCTOR: "Врач",
    Role.NURSE: "Медсестра",
    Role.HR_REVIEWER: "Сотрудник отдела кадров",
    Role.HR_HEAD: "Начальник отдела кадров",
    Role.CLERK: "Сотрудник, отвечающий на запросы",
    Role.UNIT_HEAD: "Руководитель подразделения",
    Role.SECURITY: "Отдел информационной безопасности",
    Role.OPERATOR: "Оператор",
    Role.ADMINISTRATOR: "Администратор",
    Role.TECHNICIAN: "Технический специалист",
    Role.OPS: "Дежурный по системе",
    Role.AUDITOR: "Аудитор",
    Role.REGISTRAR: "Регистратор",
    P.ASK_ACCESS: "Просить об изменении прав",
    P.CONFIRM_ACCESS: "Подтверждать права как руководитель",
    P.APPROVE_ACCESS: "Одобрять изменение прав и забирать их сразу",
    P.VIEW_RIGHTS: "Видеть роли и права целиком",
    P.APPLY: "Подавать заявки и следить за ними",
    P.KEEP_DOCUMENTS: "Загружать документы",
    P.REVIEW: "Рассматривать заявки",
    P.OVERSEE_REVIEWS: "Распределять заявки в отделе кадров",
    P.VIEW_UNIT_CASES: "Просматривать заявки подразделения",
    P.MANAGE_CATALOGUE: "Менять каталог программ",
    P.MANAGE_PEOPLE: "Вести учёт сотрудников",
    P.VIEW_PEOPLE: "Просматривать сотрудников и их учётные записи",
    P.WATCH_RISKS: "Следить за подозрительными событиями",
    P.APPROVE_UNLOCK: "Соглашаться со снятием блокировки",
    P.RECONCILE_STAFF: "Разбирать расхождения с кадровым учётом",
    P.DECODE_PAYLOADS: "Просматривать данные процессов",
    P.WATCH_OPERATION: "Следить за работой системы",
    P.OPERATE: "Устранять сбои в работе системы",
    P.READ_JOURNAL: "Просматривать журнал",
    P.AUDIT_CASES: "Проверять дела как аудитор",
    P.OVERSEE_COURSE: "Следить за прохождением курса",
    P.CONFIRM_DECLARATIONS: "Подтверждать заявления о журнале",
    P.VIEW_CREDENTIALS: "Видеть квалификацию сотрудников",
    P.CONFIRM_CREDENTIALS: "Сверять документы о квалификации с оригиналом",
    P.RELEASE_CREDENTIALS: "Передавать документы о квалификации ведомствам",
    P.CONNECT_SYSTEMS: "Подключать другие системы",
    P.KEEP_ARCHIVE: "Вести архив",
    P.CONFIRM_ACCOUNT: "Подтверждать свою учётную запись",
    P.MEET_PEOPLE: "Проводить видеовстречи и подтверждать личность",
    P.KEEP_NOTICES: "Отмечать и настраивать уведомления",
    P.TREAT: "Открывать карты пациентов и вести лечение",
    P.REGISTER_PATIENTS: "Вести данные о пациентах",
    P.BOOK: "Записывать на приём",
    P.PLAN_SCHEDULE: "Составлять расписание",
    P.MATCH_RESULTS: "Находить пациентов для ничьих результатов",
    P.OVERSEE_RESULTS: "Следить за результатами, которые не подтверждены в срок",
    P.JUDGE_EMERGENCIES: "Оценивать экстренный доступ к картам",
}


def in_russian(right: Right) -> str:
    """What is asked for, as it stands in the answers of a case."""
    name = RIGHT_NAMES[right]
    return name if isinstance(right, Role) else f"Отдельное право: {name[0].lower()}{name[1:]}"
