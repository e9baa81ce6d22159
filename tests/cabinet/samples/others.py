"""Documents, notices, account and error pages with invented contents."""

from datetime import timedelta
from typing import Any

from cabinet.accounts.views import LoginLine, PasskeyView, Profile, SessionView, TokenLine
from cabinet.documents.views import CategoryOption, DocumentCard
from cabinet.frame.views import Chip, ErrorPage, FieldView, Frame, Option, Pages
from cabinet.notices.views import (
    BrowserView,
    CellView,
    DeliveryLine,
    GroupView,
    NoticeLine,
    NoticePage,
    PendingView,
)
from cabinet.staff.importing import StaffLine, StaffPreview, StaffWrong
from tests.cabinet.samples.cases import AT, REFUSED, file_row, frame, outside
from tests.cabinet.samples.pages import CODE
from tests.cabinet.samples.sample import Sample


def _error(status: int, title: str, text: str, *todo: str, action: str = "На главную") -> ErrorPage:
    return ErrorPage(status, title, text, todo, action, "/", "7f3a-19c2" if status >= 500 else "")


STAFF = StaffPreview(
    counts=(("Сотрудников добавится", 1), ("Ошибок", 1)),
    wrong=[StaffWrong(3, "ФИО", "Напишите и фамилию, и имя, например «Ежов Иван».")],
    lines=[StaffLine(2, "Сотрудник", "Белкина Анна Олеговна", "surgery", True, ())],
    proposed=[(2, "Белкина Анна Олеговна", "Врач")],
    own_contacts=[(4, "Соколова Анна Сергеевна")],
    more_wrong=0,
    more_lines=0,
    ready=False,
    digest="",
    packed="",
    act_id="",
)


def other_pages() -> list[Sample]:
    """Documents, notices, account, errors."""
    made: list[Sample] = []

    def add(name: str, template: str, where: Frame, **context: Any) -> None:
        made.append(Sample(name, template, where, context))

    def inside(path: str) -> Frame:
        return frame(path)

    documents = [
        DocumentCard(
            "d1",
            "Диплом с отличием",
            "Дипломы",
            file_row(remove_url=None),
            "#",
            (file_row(id="f9", replace_url=None, remove_url=None, version=1),),
            (("ПК-2026-000123-0", "#"),),
        ),
        DocumentCard(
            "d2",
            "Аккредитация по кардиологии",
            "Аккредитация",
            file_row(id="f10"),
        ),
    ]
    categories = [
        CategoryOption("diploma", "Диплом", ""),
        CategoryOption("course", "Удостоверение", ""),
    ]
    add(
        "documents",
        "documents/list.html",
        inside("/documents"),
        documents=documents,
        categories=categories,
        chosen="",
        refused=REFUSED,
    )
    add(
        "documents-empty",
        "documents/list.html",
        inside("/documents"),
        documents=[],
        categories=categories,
        chosen="",
        refused=None,
    )
    add(
        "replace",
        "documents/replace.html",
        inside("/documents"),
        document=documents[0],
        back_url="#",
        action="#",
        refused=None,
    )
    chips = [
        Chip("Все", "/notices", True),
        Chip("Непрочитанные", "/notices?show=unread"),
        Chip("Не доставлены", "/notices?show=failed"),
        Chip("Заявки и запросы", "/notices?show=cases"),
    ]
    sent = DeliveryLine("Почта", "отправлено 24 ноября 2026, 14:02", "good", "check")
    failed = DeliveryLine(
        "SMS", "не доставлено: такого номера нет", "bad", "circle-alert", "#", [(AT, "не принято")]
    )
    later = DeliveryLine("Push", "придёт 25 ноября 2026, 08:00", "idle", "moon")
    lines = [
        NoticeLine(
            "n1",
            AT,
            "Отдел кадров просит уточнить заявку ПК-2026-000118-7",
            "Ответьте до конца дня 4 декабря.",
            "#",
            "circle-question-mark",
            True,
            [sent, failed, later],
            "#",
            "Ультразвуковая диагностика",
        ),
        NoticeLine(
            "n2", AT, "Заявка ПК-2026-000104-2 одобрена", "", "#", "circle-check", False, [], "#"
        ),
    ]
    where = inside("/notices")
    for name, found, narrowed in (
        ("notices", lines, False),
        ("notices-empty", [], False),
        ("notices-none-found", [], True),
    ):
        add(
            name,
            "notices/list.html",
            where,
            paging=Pages(),
            notices=found,
            chips=chips,
            narrowed=narrowed,
        )
    add(
        "notice",
        "notices/details.html",
        where,
        told=NoticePage(
            "Заявка ПК-2026-000104-2 одобрена",
            "Отдел кадров одобрил заявку.",
            "Сейчас от вас ничего не требуется.",
            "Открыть заявку",
            "#",
            AT,
            None,
            [sent, failed],
        ),
    )
    cells = [
        CellView(f"cases:{way}", f"Заявки и запросы: {way}", way != "sms", False)
        for way in ("mail", "sms", "push")
    ]
    locked = [
        CellView(f"security:{way}", f"Безопасность: {way}", way != "sms", way != "sms")
        for way in ("mail", "sms", "push")
    ]
    add(
        "notice-settings",
        "notices/settings.html",
        where,
        ways=["Почта", "SMS", "Push"],
        channels_shown="on=cases%3Amail",
        wishes_shown="quiet=true",
        groups=[
            GroupView("Заявки и запросы", "Приняты, рассмотрены, готовы", cells),
            GroupView("Безопасность", "Входы с новых устройств", locked),
        ],
        quiet=FieldView("quiet", "Не беспокоить в тихие часы", "checkbox", "true", required=False),
        hours=[
            FieldView("quiet_from", "Начало тихих часов", "text", "22:00", width="width-5"),
            FieldView(
                "quiet_to",
                "Конец тихих часов",
                "text",
                "8",
                error="Напишите время",
                width="width-5",
            ),
        ],
        digest=FieldView(
            "digest_hour",
            "Присылать письма одной сводкой раз в день",
            "choice",
            required=False,
            options=[Option("", "Не нужно"), *(Option(str(n), f"{n:02}:00") for n in range(24))],
        ),
        leads=FieldView(
            "leads_typed",
            "За сколько дней напоминать",
            "text",
            "90, 30, семь",
            error="Напишите дни числами через запятую.",
            required=False,
        ),
        leads_shown="leads_typed=90",
        zone="Europe/Moscow",
        browsers=[BrowserView("Chrome, Android", AT, None, "#")],
        push_key="BPk",
        email="sokolova@hospital.example",
        phone="",
    )
    code = FieldView("code_sms", "Код из сообщения", "code", autocomplete="one-time-code")
    mail = FieldView("mail", "Новый адрес", "email", "нет", error="Напишите адрес почты")
    add(
        "contacts",
        "notices/contacts.html",
        where,
        forms=[
            ("mail", "Электронная почта", "sokolova@hospital.example", mail),
            ("sms", "Телефон", "не указан", FieldView("sms", "Новый номер")),
        ],
        pending=[(PendingView("c1", "+79161234567", AT, 4), code)],
    )
    add("offline", "errors/offline.html", outside("/offline"), title="Нет связи с кабинетом")
    add(
        "profile",
        "accounts/profile.html",
        inside("/profile"),
        profile=Profile(
            (("Фамилия, имя, отчество", "Соколова Анна Сергеевна"), ("Почта", "sokolova@…")),
            (("Врач", "Терапевтическое отделение"),),
            (
                SessionView("s1", "Chromium, Linux", "10.0.0.5", AT, AT, True),
                SessionView("s2", "Safari, iPhone", "10.0.0.9", AT, AT, False),
            ),
            (
                LoginLine(AT, "Вход выполнен", True, "Chromium, Linux", "10.0.0.5"),
                LoginLine(AT, "Неверный пароль", False, "Firefox, Windows", "10.0.0.7"),
            ),
        ),
    )
    add(
        "second-factor",
        "accounts/second_factor.html",
        inside("/profile/second-factor"),
        app=True,
        sms="…67",
        number="…89",
        may_remove=True,
        passkeys_work=True,
        passkeys=[
            PasskeyView("k1", "Ключ на ноутбуке", AT, AT),
            PasskeyView("k2", "Служебный USB-ключ", AT, None),
        ],
        codes_left="Осталось кодов: 3 из 10.",
        few=True,
    )
    add(
        "passkey",
        "accounts/passkey.html",
        inside("/profile/second-factor/passkeys"),
        key_name=FieldView(
            "name", "Название, например «Ключ на ноутбуке»", value="Chromium, Linux"
        ),
    )
    scopes = [Option("apply", "Подавать заявки"), Option("keep_documents", "Хранить документы")]
    add(
        "tokens",
        "accounts/tokens.html",
        inside("/profile/tokens"),
        fresh="mdc_7Hq2…",
        scopes=scopes,
        chosen=["apply"],
        code=CODE,
        scope_error="Отметьте хотя бы одно",
        fields=(
            FieldView("name", "Название"),
            FieldView("days", "Действует, дней", "number", "90"),
        ),
        tokens=[
            TokenLine("t1", "Выгрузка", "Подавать заявки", AT, AT + timedelta(days=90), None, "#")
        ],
    )
    add(
        "staff-import",
        "staff/importing.html",
        inside("/administration"),
        preview=STAFF,
        columns=("Код подразделения", "ФИО", "Должность"),
        errors=[],
    )
    for error in (
        _error(403, "Нет доступа", "У вас нет прав на это действие."),
        _error(
            404,
            "Такой страницы нет",
            "Такой страницы нет, или она вам недоступна.",
            "Проверьте адрес.",
            "Если вы ищете заявку или запрос, введите номер в поиск наверху.",
        ),
        _error(
            409,
            "Заявка уже отправлена",
            "Заявка ПК-2026-000118-7 отправлена 24 ноября 2026, 14:02. Вторая отправка ничего не"
            " изменила.",
            action="Открыть заявку",
        ),
        _error(422, "Мы не поняли запрос", "Часть того, что отправлено, прочитать не удалось."),
        _error(429, "Слишком много запросов", "Подождите минуту и попробуйте ещё раз."),
        _error(500, "Ошибка на нашей стороне", "Мы уже знаем об этом. Ваши данные сохранены."),
        _error(503, "Кабинет сейчас недоступен", "Попробуйте ещё раз через несколько минут."),
    ):
        add(
            f"error-{error.status}",
            "errors/error.html",
            inside("/applications") if error.status == 409 else outside("/"),
            error=error,
        )
    return made
