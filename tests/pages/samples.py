"""Every page with invented people and papers, as the gallery shows it and the tests render it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import segno
from markupsafe import Markup

from cabinet.views.accounts import (
    LoginLine,
    NoticeLine,
    Profile,
    SecondFactorSetup,
    SessionLine,
    TokenLine,
)
from cabinet.views.applications import (
    Answer,
    AnswerSection,
    Call,
    CaseFile,
    CaseLine,
    CasePage,
    Comment,
    Confirmation,
    Draft,
    FormSection,
    Happening,
    Home,
    Paper,
    ProgrammeView,
    Remark,
    Task,
    Verification,
    WaitsFor,
)
from cabinet.views.documents import Candidate, Category, DocumentView, FileRow, Slot, Verdict
from cabinet.views.frame import (
    Chip,
    ErrorItem,
    ErrorPage,
    FieldView,
    Flash,
    Frame,
    NavEntry,
    Option,
    Pages,
    Who,
)

AT = datetime(2026, 11, 20, 11, 2, tzinfo=UTC)
INSTITUTION = "Городская клиническая больница № 7"

NAV = (
    NavEntry("home", "Главная", "Главная", "house", "/"),
    NavEntry("applications", "Мои заявки", "Заявки", "clipboard-list", "/applications", 1),
    NavEntry("programmes", "Программы", "Программы", "graduation-cap", "/programmes"),
    NavEntry("documents", "Документы", "Документы", "folder-open", "/documents"),
    NavEntry("profile", "Профиль", "Профиль", "user", "/profile"),
)

PROGRAMME = ProgrammeView(
    id="p1",
    title="Ультразвуковая диагностика заболеваний сердца и сосудов",
    type="courses",
    type_word="Очный курс",
    organisation="Российская медицинская академия непрерывного профессионального образования",
    hours=144,
    dates="1 февраля – 12 марта 2027",
    summary="Эхокардиография, допплерография, стресс-эхо. Половина времени отдана работе "
    "на аппаратах в клинике академии.",
    url="#",
    requirements=(
        "Стаж по специальности «Кардиология» не менее трёх лет",
        "Действующая аккредитация",
    ),
    attachments=(
        "Документ о предыдущем повышении квалификации",
        "Справка с места работы",
        "Диплом о высшем образовании",
    ),
    waived=(("Свидетельство об аттестации", "Организация не спрашивает его с 2025 года."),),
)
TITLES = (
    ("Неотложная помощь при нарушениях ритма", "distance", "Дистанционно", 36),
    ("Антибиотикотерапия в стационаре", "seminars", "Семинар", 18),
    ("Сестринское дело в кардиологии", "courses", "Очный курс", 72),
    ("Экспертиза временной нетрудоспособности", "distance", "Дистанционно", 36),
)


def frame(path: str, **changes: Any) -> Frame:
    """The frame of a clinician."""
    made = Frame(
        institution=INSTITUTION,
        language="ru",
        theme="auto",
        path=path,
        who=Who("Соколова Анна Игоревна", "врач-кардиолог", "Кардиологическое отделение № 2"),
        nav=NAV,
        bell=3,
        csrf="sample",
        idle_seconds=900,
        demo=True,
    )
    return replace(made, **changes)


def outside(path: str) -> Frame:
    """The frame of someone who has not signed in."""
    return frame(path, who=None, nav=(), bell=0, idle_seconds=0, demo=False)


def file_row(state: str = "good", **changes: Any) -> FileRow:
    """A file of an application."""
    made = FileRow(
        id="f1",
        name="Удостоверение о повышении квалификации 2023.pdf",
        size=1_482_331,
        state=state,  # type: ignore[arg-type]
        added_at=AT,
        view_url="#",
        download_url="#",
        replace_url="#",
        remove_url="#",
    )
    return replace(made, **changes)


REFUSED = file_row(
    "bad",
    id="f2",
    name="скан диплома.pdf",
    view_url=None,
    download_url=None,
    replace_url=None,
    verdicts=(
        Verdict(
            "В файле есть программа (JavaScript).",
            "Откройте файл, выберите «Печать» → «Сохранить как PDF» и загрузите полученный файл.",
        ),
    ),
)
CANDIDATES = (
    Candidate("c1", "Диплом о высшем образовании", "diplom.pdf", 2_400_000, AT),
    Candidate("c2", "Диплом об ординатуре", "ordinatura.jpg", 900_000, AT),
)


def slot(kind: str, title: str, **changes: Any) -> Slot:
    """A kind of document with nothing in it."""
    made = Slot(
        kind=kind,
        title=title,
        hint="Обе стороны, одним файлом",
        required=True,
        rows=(),
        candidates=(),
        upload_url="#",
        choose_url="#",
    )
    return replace(made, **changes)


SLOTS = (
    slot("previous_education", PROGRAMME.attachments[0], rows=(file_row(),)),
    slot("workplace_reference", PROGRAMME.attachments[1], rows=(REFUSED,)),
    slot(
        "diploma",
        PROGRAMME.attachments[2],
        candidates=CANDIDATES,
        remark="На скане не видно серии диплома.",
    ),
    slot(
        "attestation",
        "Свидетельство об аттестации",
        required=False,
        waived_reason="Организация не спрашивает его с 2025 года.",
    ),
)

FIELDS = (
    FieldView("full_name", "Фамилия, имя, отчество", value="Соколова Анна Игоревна", locked=True),
    FieldView(
        "snils",
        "СНИЛС",
        value="112-233-445 96",
        hint="11 цифр с зелёной карточки или из Госуслуг",
        error="Проверьте СНИЛС: контрольные цифры не сходятся",
        inputmode="numeric",
        width="width-20",
    ),
    FieldView("experience", "Стаж по специальности, лет", "number", "12"),
    FieldView(
        "certificate_until",
        "Аккредитация действует до",
        "date",
        "04.12.2028",
        "Например, 04.12.2028",
        remark="В реестре указана другая дата, проверьте.",
    ),
    FieldView(
        "form",
        "Форма обучения",
        "choice",
        "day",
        options=(
            Option("day", "С отрывом от работы"),
            Option("evening", "Без отрыва от работы", "Занятия после 17:00"),
        ),
    ),
    FieldView(
        "purpose",
        "Для чего вам эта программа",
        "long_text",
        hint="Двух-трёх предложений достаточно",
        required=False,
        max_length=1000,
    ),
    FieldView("consent", "Согласна на обработку персональных данных", "checkbox"),
)

SECTIONS = (
    AnswerSection(
        "О вас",
        (
            Answer("Фамилия, имя, отчество", "Соколова Анна Игоревна"),
            Answer("СНИЛС", "112-233-445 95", change_url="#"),
            Answer("Должность", "врач-кардиолог", change_url="#"),
        ),
    ),
    AnswerSection(
        "Об обучении",
        (
            Answer("Форма обучения", "Без отрыва от работы", "С отрывом от работы", True, "#"),
            Answer(
                "Аккредитация действует до",
                "04.12.2028",
                "04.12.2026",
                True,
                "#",
                "В реестре указана другая дата.",
            ),
            Answer("Для чего вам эта программа", None, change_url="#"),
        ),
    ),
)

CASES = (
    CaseLine("#", "ПК-2026-000123-4", PROGRAMME.title, "in_review", AT, "Отдел кадров",
             "ответ до 4 декабря, 24:00"),
    CaseLine("#", "ПК-2026-000118-7", TITLES[0][0], "clarification", AT - timedelta(days=1),
             "Отдел кадров", "ждём вас до 27 ноября, 24:00"),
    CaseLine("#", None, TITLES[1][0], "draft", AT - timedelta(days=2), "Отдел кадров"),
    CaseLine("#", "ПК-2026-000104-2", TITLES[2][0], "approved", AT - timedelta(days=20),
             "Отдел кадров", "акт готов"),
    CaseLine("#", "ПК-2026-000090-1", TITLES[3][0], "rejected", AT - timedelta(days=40),
             "Отдел кадров"),
    CaseLine("#", "ПК-2026-000088-1", TITLES[3][0], "checking", AT - timedelta(days=41),
             "Отдел кадров"),
    CaseLine("#", "ПК-2026-000081-3", TITLES[3][0], "withdrawn", AT - timedelta(days=50),
             "Отдел кадров"),
    CaseLine("#", "ПК-2026-000080-8", TITLES[3][0], "lapsed", AT - timedelta(days=60),
             "Отдел кадров"),
)  # fmt: skip

HAPPENINGS = (
    Happening(AT, "Отдел кадров взял заявку на рассмотрение", "Кузнецова Ольга Петровна"),
    Happening(AT - timedelta(minutes=1), "Проверка закончена, замечаний нет"),
    Happening(AT - timedelta(minutes=2), "Вы отправили исправленную версию 2",
              proof_url="#"),
    Happening(AT - timedelta(days=1), "Отдел кадров попросил уточнить заявку",
              "Кузнецова Ольга Петровна",
              "В реестре указана другая дата окончания аккредитации. Проверьте, пожалуйста."),
    Happening(AT - timedelta(days=2), "Вы отправили заявку", proof_url="#"),
)  # fmt: skip

CASE = CasePage(
    url="/applications/1",
    number="ПК-2026-000123-4",
    title=PROGRAMME.title,
    step=5,
    version=2,
    versions=((1, AT - timedelta(days=2)), (2, AT)),
    compared=False,
    waits=WaitsFor(
        "in_review",
        "отдел кадров",
        "Если не ответят, вопрос перейдёт к начальнику отдела.",
        datetime(2026, 12, 4, 15, 0, tzinfo=UTC),
        6,
        as_of=AT,
        can_ask=True,
    ),
    sections=tuple(
        replace(s, answers=tuple(replace(a, change_url=None) for a in s.answers)) for s in SECTIONS
    ),
    files=tuple(
        CaseFile(k, file_row(id=k, replace_url=None, remove_url=None, note=t))
        for k, t in (("a", PROGRAMME.attachments[0]), ("b", PROGRAMME.attachments[2]))
    ),
    happenings=HAPPENINGS,
    comments=(
        Comment("Соколова Анна Игоревна", "", AT - timedelta(hours=3),
                "Могу ли я учиться без отрыва от работы?"),
        Comment("Кузнецова Ольга Петровна", "отдел кадров", AT - timedelta(hours=2),
                "Да, организация проводит занятия и вечером.", staff=True),
    ),
    papers=(Paper("Скачать расписку", "Подтверждает, что и когда вы отправили", "#"),),
    programme=PROGRAMME,
    facts=(("Рассматривает", "Отдел кадров"), ("Организация", "РМАНПО"), ("Объём", "144 часа")),
    correct_url="#",
    withdraw_url="#",
    comment=FieldView("text", "Ваш комментарий", "long_text", max_length=4000),
    tag='"5-0"',
)  # fmt: skip

ASKED = replace(
    CASE,
    waits=WaitsFor(
        "clarification",
        "вас",
        "Если ответа не будет, заявка закроется, и её можно будет подать заново.",
        datetime(2026, 12, 4, 21, 0, tzinfo=UTC),
        9,
        paused="Срок рассмотрения остановлен, пока мы ждём вас.",
        as_of=AT,
        can_ask=True,
    ),
    reason=HAPPENINGS[3].reason,
    remarks=(
        Remark("Аккредитация действует до", "В реестре указана другая дата", "#"),
        Remark("Диплом", "На скане не видно серии", "#"),
    ),
    answer_url="#",
    correct_url=None,
)
APPROVED = replace(
    CASE,
    waits=WaitsFor("approved", "", "Акт о зачислении готов.", as_of=AT, live=False),
    reason="Документы в порядке, место подтверждено организацией.",
    papers=(
        Paper(
            "Скачать акт о зачислении", "PDF с подписью учреждения, АЗ-2026-000031-5", "#", "stamp"
        ),
        *CASE.papers,
    ),
    correct_url=None,
    withdraw_url=None,
)
REJECTED = replace(
    CASE,
    waits=WaitsFor("rejected", "", "Можно подать заявку заново.", as_of=AT),
    reason="Программа требует стажа от пятнадцати лет.",
    correct_url=None,
    withdraw_url=None,
    copy_url="#",
)

TASKS = (
    Task("О вас", "#", "done", "Фамилия, СНИЛС, должность"),
    Task("Об образовании", "#", "done"),
    Task("Об обучении", "#", "mend", "Аккредитация действует до"),
    Task("Документы к заявке", "#", "started", "Приложено 1 из 3"),
    Task("Подтверждение", "#", "empty"),
)
DRAFT = Draft("/applications/1/draft", "Черновик заявки", PROGRAMME, TASKS, AT)
ANSWERING = replace(DRAFT, mode="answer", number=CASE.number, case_url="#", reason=ASKED.reason)

CODE = FieldView("code", "Шесть цифр", "code", autocomplete="one-time-code")
QR = Markup(segno.make("otpauth://totp/sample?secret=JBSWY3DPEHPK3PXP").svg_inline(scale=4))  # noqa: S704


@dataclass(frozen=True)
class Sample:
    """A page of the gallery."""

    name: str
    template: str
    frame: Frame
    context: dict[str, Any]


def _programmes() -> list[ProgrammeView]:
    return [
        PROGRAMME,
        *(replace(PROGRAMME, title=t, type=k, type_word=w, hours=h) for t, k, w, h in TITLES),
    ]


def _error(status: int, title: str, text: str, *todo: str, action: str = "На главную") -> ErrorPage:
    return ErrorPage(status, title, text, todo, action, "/", "7f3a-19c2" if status >= 500 else "")


def _samples() -> list[Sample]:
    made: list[Sample] = []

    def add(name: str, template: str, where: Frame, **context: Any) -> None:
        made.append(Sample(name, template, where, context))

    def inside(path: str) -> Frame:
        return frame(path)

    sign_in = (
        FieldView("login", "Электронная почта", "email", "sokolova@", autocomplete="username"),
        FieldView("password", "Пароль", "password", autocomplete="current-password"),
    )
    add(
        "sign-in",
        "accounts/sign_in.html",
        outside("/sign-in"),
        fields=sign_in,
        next="/",
        expired=True,
    )
    add(
        "sign-in-error",
        "accounts/sign_in.html",
        outside("/sign-in"),
        fields=(sign_in[0], replace(sign_in[1], error="Почта или пароль не подошли")),
        next="/",
        expired=False,
        errors=[ErrorItem("Почта или пароль не подошли", "#field-password")],
    )
    add("code", "accounts/code.html", outside("/sign-in/code"), field=CODE, next="/")
    add(
        "setup",
        "accounts/setup.html",
        outside("/sign-in/setup"),
        next="/",
        field=replace(CODE, label="Введите шесть цифр, которые показывает приложение"),
        setup=SecondFactorSetup(QR, "JBSW Y3DP EHPK 3PXP", "sokolova@hospital.example"),
    )
    add(
        "password",
        "accounts/password.html",
        outside("/sign-in/password"),
        next="/",
        action="#",
        why="Паролю больше 90 дней.",
        fields=(FieldView("new", "Новый пароль", "password", autocomplete="new-password"),),
    )
    add(
        "home",
        "home.html",
        inside("/"),
        home=Home(
            "Добрый день, Анна Игоревна",
            "Сегодня от вас ждут: 1 ответ, 1 документ истекает через 30 дней",
            (
                Call(
                    "paused",
                    "circle-question-mark",
                    "ПК-2026-000118-7",
                    TITLES[0][0],
                    "Отдел кадров просит уточнить дату.",
                    "Ответить",
                    "#",
                    AT + timedelta(days=7),
                ),
                Call(
                    "waiting",
                    "calendar-clock",
                    "Документы",
                    "Свидетельство об аккредитации",
                    "Действует до 20 декабря 2026.",
                    "Обновить",
                    "#",
                ),
                Call(
                    "good",
                    "stamp",
                    "ПК-2026-000104-2",
                    TITLES[2][0],
                    "Акт о зачислении готов.",
                    "Скачать акт",
                    "#",
                ),
            ),
            CASES[:4],
        ),
    )
    add(
        "home-empty",
        "home.html",
        inside("/"),
        home=Home("Добрый день, Анна Игоревна", "Сегодня от вас ничего не ждут", (), ()),
    )
    add(
        "programmes",
        "programmes/list.html",
        inside("/programmes"),
        q="",
        kind="",
        kinds=[Chip("Все", "#", True, 14), Chip("Курсы", "#", count=6), Chip("Дистанционно", "#")],
        programmes=_programmes(),
    )
    add(
        "programmes-none",
        "programmes/list.html",
        inside("/programmes"),
        q="зуб",
        kind="courses",
        kinds=[Chip("Все", "#"), Chip("Курсы", "#", True)],
        programmes=[],
    )
    add(
        "programme",
        "programmes/programme.html",
        inside("/programmes"),
        programme=replace(PROGRAMME, draft_url="#"),
    )
    lists = {
        "kinds": [Option("courses", "Очный курс")],
        "kind": "",
        "created_from": "",
        "created_until": "",
        "filter_error": "",
        "chosen_status": "",
    }
    add(
        "applications",
        "applications/list.html",
        inside("/applications"),
        cases=CASES,
        paging=Pages(after="#"),
        narrowed=False,
        states=[Chip("Все", "#", True), Chip("Ждут меня", "#"), Chip("Завершённые", "#")],
        **lists,
    )
    add(
        "applications-filtered",
        "applications/list.html",
        inside("/applications"),
        cases=(),
        paging=Pages(),
        narrowed=True,
        states=[],
        **{
            **lists,
            "filter_error": "Напишите дату: день, месяц и год, например 04.12.2026",
            "created_from": "вчера",
        },
    )
    add("draft", "applications/draft.html", inside("/applications"), draft=DRAFT)
    add("draft-answer", "applications/draft.html", inside("/applications"), draft=ANSWERING)
    add(
        "section",
        "applications/section.html",
        inside("/applications"),
        action="#",
        saved_at=AT,
        section=FormSection(
            "about",
            "О вас",
            "Мы заполнили то, что знаем из кадрового учёта.",
            FIELDS,
            1,
            5,
            "#",
            "#",
        ),
        errors=[ErrorItem(FIELDS[1].error, "#field-snils")],
    )
    add(
        "attachments",
        "applications/attachments.html",
        inside("/applications"),
        slots=SLOTS,
        position=4,
        total=5,
        back_url="#",
        next_url="#",
    )
    add(
        "check",
        "applications/check.html",
        inside("/applications"),
        draft=DRAFT,
        sections=SECTIONS,
        slots=SLOTS,
        compared=False,
        act_id="a",
        step=0,
    )
    add(
        "check-answer",
        "applications/check.html",
        inside("/applications"),
        draft=ANSWERING,
        sections=SECTIONS,
        slots=SLOTS[:1],
        compared=True,
        act_id="a",
        step=4,
    )
    add(
        "submitted",
        "applications/submitted.html",
        inside("/applications"),
        done=Confirmation(
            CASE.number,
            CASE.title,
            "sokolova@hospital.example",
            "отдел кадров",
            CASE.waits.until,
            "#",
            "#",
        ),
    )
    add(
        "case",
        "applications/case.html",
        inside("/applications"),
        case=CASE,
        flash=Flash("Мы отправили комментарий в отдел кадров."),
    )
    add(
        "case-compared",
        "applications/case.html",
        inside("/applications"),
        case=replace(CASE, compared=True),
    )
    add("case-asked", "applications/case.html", inside("/applications"), case=ASKED)
    add("case-approved", "applications/case.html", inside("/applications"), case=APPROVED)
    add("case-rejected", "applications/case.html", inside("/applications"), case=REJECTED)
    add(
        "withdraw",
        "applications/withdraw.html",
        inside("/applications"),
        number=CASE.number,
        case_url="#",
        act_id="a",
        step=5,
        field=FieldView("reason", "Почему вы отзываете заявку", "long_text", required=False),
    )
    add(
        "search",
        "applications/search.html",
        inside("/search"),
        field=FieldView(
            "number",
            "Номер заявки",
            value="ПК-2026-000123-5",
            width="width-20",
            error="Проверьте номер: одна из цифр или букв в нём ошибочна",
        ),
        errors=[
            ErrorItem("Проверьте номер: одна из цифр или букв в нём ошибочна", "#field-number")
        ],
    )
    code = FieldView("code", "Код с акта", hint="22 знака под рисунком QR", width="width-20")
    add("verify", "applications/verify.html", outside("/verify"), field=code, shown=None)
    add(
        "verify-good",
        "applications/verify.html",
        outside("/verify"),
        field=code,
        shown=Verification(
            True,
            "x",
            "АЗ-2026-000031-5",
            AT,
            "Одобрено, врач зачислен",
            INSTITUTION,
            "Проверочная печать",
            True,
        ),
    )
    add(
        "verify-bad",
        "applications/verify.html",
        outside("/verify"),
        field=code,
        shown=Verification(False, "x"),
    )
    documents = [
        DocumentView(
            "d1",
            "Диплом с отличием",
            "Дипломы",
            None,
            file_row(remove_url=None),
            (file_row(id="f9", replace_url=None, remove_url=None, version=1),),
            (("ПК-2026-000123-4", "#"),),
        ),
        DocumentView(
            "d2",
            "Аккредитация по кардиологии",
            "Аккредитация",
            date(2026, 12, 20),
            file_row(id="f10"),
            expires_in_days=30,
        ),
    ]
    categories = [Category("diploma", "Диплом", ""), Category("course", "Удостоверение", "")]
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
    add(
        "notices",
        "notices/list.html",
        inside("/notices"),
        paging=Pages(),
        notices=[
            NoticeLine(
                "n1",
                AT,
                "Отдел кадров просит уточнить заявку ПК-2026-000118-7",
                "Ответьте до 4 декабря, 24:00.",
                "#",
                "circle-question-mark",
                True,
                "Письмо отправлено",
                True,
            ),
            NoticeLine(
                "n2",
                AT,
                "Заявка ПК-2026-000104-2 одобрена",
                "",
                "#",
                "circle-check",
                False,
                "Почта не отвечает, отправим ещё раз",
                False,
            ),
        ],
    )
    add("notices-empty", "notices/list.html", inside("/notices"), paging=Pages(), notices=[])
    add(
        "profile",
        "accounts/profile.html",
        inside("/profile"),
        profile=Profile(
            (("Фамилия, имя, отчество", "Соколова Анна Игоревна"), ("Почта", "sokolova@…")),
            (("Врач", "Кардиологическое отделение № 2"),),
            (
                SessionLine("s1", "Chromium, Linux", "10.0.0.5", AT, AT, True),
                SessionLine("s2", "Safari, iPhone", "10.0.0.9", AT, AT, False),
            ),
            (
                LoginLine(AT, "Вход выполнен", True, "Chromium, Linux", "10.0.0.5"),
                LoginLine(AT, "Неверный пароль", False, "Firefox, Windows", "10.0.0.7"),
            ),
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
    for error in (
        _error(403, "Сюда нельзя", "У вас нет прав на это действие."),
        _error(
            404,
            "Такой страницы нет",
            "Страницы нет, или она вам не доступна.",
            "Проверьте адрес.",
            "Найдите заявку по номеру.",
        ),
        _error(
            409,
            "Заявка уже изменилась",
            "Пока вы писали, её состояние изменилось.",
            "Откройте заявку и посмотрите, что нового.",
            action="Открыть заявку",
        ),
        _error(422, "Мы не поняли запрос", "Часть того, что отправлено, прочитать не удалось."),
        _error(429, "Слишком часто", "Подождите минуту и попробуйте ещё раз."),
        _error(500, "У нас что-то сломалось", "Мы уже знаем об этом. Ваши данные сохранены."),
        _error(503, "Кабинет сейчас недоступен", "Попробуйте ещё раз через несколько минут."),
    ):
        add(
            f"error-{error.status}",
            "errors/error.html",
            inside("/applications") if error.status == 409 else outside("/"),
            error=error,
        )
    return made  # fmt: skip


SAMPLES: dict[str, Sample] = {sample.name: sample for sample in _samples()}
