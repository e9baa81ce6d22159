"""The desk's pages with invented people and papers, beside those of `tests.cabinet.samples`."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cabinet.archive.views import Archive, ArchiveRow, View
from cabinet.cases.views import AnswerSection, Happening, WaitsFor
from cabinet.conversation.views import MessageView, Talk
from cabinet.frame.views import (
    Chip,
    ErrorItem,
    FieldView,
    Flash,
    Frame,
    NavEntry,
    Option,
    Pages,
    Who,
)
from cabinet.reviews.views import (
    AbsenceLine,
    Check,
    DecisionForm,
    DecisionOption,
    DeskAnswer,
    DeskCase,
    DeskDocument,
    Due,
    FindingView,
    HandOver,
    Member,
    OtherCase,
    PagePreview,
    PastDecision,
    Queue,
    QueueRow,
    RemarkSubject,
    ResultRow,
    Results,
    Several,
    SeveralRow,
    StockReason,
    Team,
)
from rules.cases.process import Moved
from tests.cabinet.samples import AT, Sample, frame

NAV = (
    NavEntry("home", "Главная", "house", "/"),
    NavEntry("desk", "Очередь", "inbox", "/desk", 12),
    NavEntry("applications", "Мои заявки", "clipboard-list", "/applications"),
    NavEntry("documents", "Документы", "folder-open", "/documents"),
    NavEntry("archive", "Архив", "archive", "/archive"),
    NavEntry("people", "Сотрудники", "users", "/people"),
    NavEntry("profile", "Профиль", "user", "/profile"),
)
PEOPLE = (
    "Соколова Анна Сергеевна",
    "Абдулгамидов Магомед Расулович",
    "Ким Светлана Викторовна",
    "Преображенская-Лисицына Екатерина Константиновна",
    "Орлов Дмитрий Андреевич",
)
TITLES = (
    "Ультразвуковая диагностика заболеваний сердца и сосудов",
    "Кардиология. Периодическая аккредитация",
    "Электрокардиография в практике терапевта",
    "Сестринское дело в хирургии",
)
UNITS = ("Терапевтическое отделение", "Приёмное отделение", "Хирургия")
DUES = (
    Due("просрочено на 3 рабочих дня", "late", AT),
    Due("просрочено на 1 рабочий день", "late", AT),
    Due("сегодня до конца дня", "today", AT),
    Due("до 24 ноября, 2 рабочих дня", "soon", AT),
    Due("до 4 декабря, 9 рабочих дней", "calm", AT),
)


def desk_frame(path: str = "/desk", **changes: Any) -> Frame:
    """The frame of a reviewer."""
    who = Who("Белова Мария Петровна", "специалист по кадрам", "Отдел кадров")
    return replace(frame(path, who=who, nav=NAV, bell=1), **changes)


ROWS = tuple(
    QueueRow(
        id=f"0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c{n:02d}",
        url="#",
        number=f"ПК-2026-0001{n:02d}-{n % 10}",
        title=TITLES[n % 4],
        applicant=PEOPLE[n % 5],
        unit=UNITS[n % 3],
        status="in_review",
        due=DUES[min(n // 2, 4)],
        reviewer=("Белова М. П.", "Громова О. И.", "")[n % 3],
        mine=n % 3 == 0,
        own=n == 6,
        reading=("Громова",) if n in (1, 8) else (),
        selectable=n != 6,
        unread=2 if n in (1, 4) else 0,
    )
    for n in range(18)
)
FILTERS = (
    FieldView("number", "Номер заявки"),
    FieldView(
        "status",
        "Состояние",
        "choice",
        "in_review",
        options=(Option("in_review", "На рассмотрении"), Option("any", "Любое")),
    ),
    FieldView("kind", "Вид обучения", "choice", options=(Option("", "Любой"),)),
    FieldView("unit", "Подразделение", "choice", options=(Option("", "Любое"),)),
    FieldView("reviewer", "Рассматривает", "choice", options=(Option("", "Все"),)),
    FieldView("from", "Создана не раньше", "date", "40.11.2026", error="Напишите дату"),
    FieldView("until", "не позже", "date"),
    FieldView("overdue", "Только просроченные", "checkbox"),
)
QUEUE = Queue(
    rows=ROWS,
    tabs=(
        Chip("Все", "#", True, 18),
        Chip("Мои", "#", count=6),
        Chip("Просроченные", "#", count=4),
        Chip("Не назначены", "#", count=6),
    ),
    fields=FILTERS,
    active=(Chip("Вид: семинар", "#"), Chip("с 01.11.2026", "#")),
    pages=Pages(after="#", shown=18),
    order="due",
    due_url="#",
    newest_url="#",
    reset_url="#",
    here="kind=seminar",
    reviews=True,
    oversees=True,
)

DECISION = DecisionForm(
    url="#",
    act_id="6a0f4b1e-55d1-4cf3-8f0e-7e4f5f5f0d11",
    step=5,
    outcomes=(
        DecisionOption(
            "approve",
            "Одобрить",
            "a",
            "circle-check",
            "good",
            (StockReason("fits", "Всё соответствует", "Документы соответствуют требованиям."),),
        ),
        DecisionOption(
            "clarify",
            "Запросить уточнение",
            "c",
            "circle-question-mark",
            "paused",
            (StockReason("pages", "Не хватает страниц", "В документе не хватает страниц."),),
        ),
        DecisionOption(
            "reject",
            "Отклонить",
            "r",
            "octagon-x",
            "bad",
            (StockReason("full", "Набор закрыт", "Набор на эту программу закрыт."),),
        ),
    ),
    outcome="",
    reason=FieldView("reason", "Причина", "long_text", hint="Её увидит заявитель", max_length=4000),
    checks=(
        Check("specialty", "Специальность и должность подходят для этой программы", True),
        Check("education", "Уровень образования соответствует требованиям программы"),
        Check("reference", "Справка с места работы не старше трёх месяцев и подписана"),
        Check("match", "Фамилия, СНИЛС и номер диплома в заявке и в документах совпадают"),
    ),
    subjects=(
        RemarkSubject("snils", "СНИЛС", "Сведения о заявителе"),
        RemarkSubject("purpose", "Обоснование", "Цель и оплата обучения"),
        RemarkSubject("diploma", "Диплом об образовании", "Документы"),
    ),
)
MOVE = HandOver(
    "#",
    FieldView(
        "to",
        "Кому передать",
        "choice",
        options=tuple(Option(str(n), name) for n, name in enumerate(PEOPLE * 2)),
    ),
    FieldView("why", "Причина передачи", required=False, hint="Увидят только коллеги"),
)
CASE = DeskCase(
    url="/desk/cases/1",
    query="?reviewer=me",
    queue_url="/desk?reviewer=me",
    number="ПК-2026-000123-0",
    title=TITLES[0],
    applicant="Соколова Анна Сергеевна",
    facts=(
        ("Должность", "врач-терапевт"),
        ("Подразделение", UNITS[0]),
        ("Программа", "очный курс, 144 часа"),
    ),
    step=5,
    version=2,
    versions=((1, AT - timedelta(days=5)), (2, AT)),
    compared=True,
    against=1,
    changed=3,
    waits=WaitsFor(
        "in_review",
        "отдел кадров",
        "Если не ответят, вопрос перейдёт к начальнику отдела.",
        datetime(2026, 12, 4, 21, 0, tzinfo=UTC),
        9,
        as_of=AT,
        can_ask=True,
    ),
    sections=(
        AnswerSection(
            "Сведения о заявителе",
            (
                DeskAnswer("Специальность", "Кардиология", name="specialty"),
                DeskAnswer("Должность", "врач-терапевт", name="position"),
                DeskAnswer("СНИЛС", "112-233-445 95", "112-233-445 94", True, name="snils"),
                DeskAnswer(
                    "Телефон для связи",
                    "+79161234567",
                    name="phone",
                    remark="К версии 1: Добавьте рабочий телефон.",
                    unmended=True,
                ),
            ),
        ),
        AnswerSection(
            "Цель и оплата обучения",
            (
                DeskAnswer(
                    "Обоснование",
                    "Отделение открывает кабинет стресс-эхокардиографии. Нужны умения работать на "
                    "новом аппарате и описывать исследования по рекомендациям 2026 года.",
                    "Для работы.",
                    True,
                    name="purpose",
                    remark="К версии 1: Напишите, какие умения нужны в вашей работе.",
                ),
                DeskAnswer("Кто оплачивает обучение", "Работодатель", name="payer"),
                DeskAnswer("Где и чему вы учились", None, name="previous_training"),
            ),
        ),
    ),
    documents=tuple(
        DeskDocument(
            kind,
            title,
            f"{kind}.pdf",
            1_482_331,
            tuple(
                PagePreview("/page.svg", n + 1, f"{title}, страница {n + 1}") for n in range(pages)
            ),
            "#",
            new=kind == "diploma",
            about=kind,
            remark="К версии 1: Нет вкладыша." if kind == "diploma" else "",
        )
        for kind, title, pages in (
            ("previous", "Документ о повышении квалификации", 2),
            ("reference", "Справка с места работы", 1),
            ("diploma", "Диплом об образовании", 4),
        )
    ),
    gone=(("Копия диплома (старый скан.pdf)", ""),),
    missing=(("Свидетельство о браке", "К версии 1: Приложите, фамилии расходятся."),),
    waived=(("Свидетельство об аттестации", "Организация не спрашивает его с 2025 года."),),
    takes_files=True,
    is_checked=True,
    findings=(
        FindingView("problem", "СНИЛС не совпадает с личным делом.", "СНИЛС", "#answer-snils"),
        FindingView("warning", "В регистре нет действующей аккредитации заявителя."),
        FindingView("fine", "Все обязательные документы приложены."),
        FindingView("fine", "Число часов соответствует программе."),
    ),
    checked_at=AT,
    decision=DECISION,
    why_not="",
    kept="",
    decisions=(
        PastDecision(
            "Требуется уточнение",
            "paused",
            "Громова Ольга Ильинична",
            AT - timedelta(days=4),
            1,
            "Напишите, какие умения нужны в вашей работе и как вы будете их применять.",
            (("Обоснование", "Слишком общее"),),
        ),
    ),
    reviewer="Громова О. И.",
    mine=False,
    had="2",
    take_url="#",
    hand_over=MOVE,
    reading=("Громова О. И.",),
    talk=Talk(
        url="/documents/files/messages/1",
        read_url="/cases/1/messages/read",
        back="/desk/cases/1",
        number="ПК-2026-000123-0",
        messages=(
            MessageView("1", "Соколова Анна Сергеевна", "заявитель", AT, "Можно учиться вечером?"),
            MessageView(
                "2", "Громова Ольга Ильинична", "", AT, "Проверьте стаж.", True, internal=True
            ),
        ),
        field=FieldView("text", "Ваше сообщение", "long_text", max_length=4000),
        internal=True,
        to="internal",
    ),
    history=(OtherCase("#", "ПК-2025-000031-5", TITLES[3], "approved", AT),),
    happenings=(
        Happening(AT, "Проверка закончена, заявка передана на рассмотрение"),
        Happening(AT - timedelta(days=4), "Попросили уточнить", "Громова О. И.", "Слишком общее"),
        Happening(AT - timedelta(days=5), "Заявка отправлена", "Соколова А. И."),
    ),
    before_url="#",
    next_url="#",
    tag='"5-0"',
)
REFUSED = replace(
    CASE,
    moved_on=Moved.BY_OTHERS,
    compared=False,
    decision=replace(
        DECISION,
        outcome="clarify",
        reason=replace(DECISION.reason, value="Да", error="Напишите причину решения."),
        checks=(replace(DECISION.checks[0], error="Подтвердите это."), *DECISION.checks[1:]),
        remarks_error="Отметьте хотя бы одно поле и напишите, что не так.",
        subjects=(replace(DECISION.subjects[0], value="Проверьте цифры"), *DECISION.subjects[1:]),
    ),
)
TEAM = Team(
    members=(
        Member(
            "1",
            "Громова Ольга Ильинична",
            "начальник отдела",
            3,
            0,
            False,
            (),
            "#",
            25,
        ),
        Member(
            "2",
            "Белова Мария Петровна",
            "специалист по кадрам",
            12,
            4,
            True,
            (AbsenceLine(date(2026, 11, 20), date(2026, 12, 4), "Петров Илья Андреевич", "#"),),
            "#",
            100,
            "#",
        ),
        Member(
            "3",
            "Петров Илья Андреевич",
            "специалист по кадрам",
            7,
            1,
            False,
            (AbsenceLine(date(2026, 12, 28), date(2027, 1, 15), "", "#"),),
            "#",
            58,
        ),
    ),
    movable=ROWS[:4],
    steps={row.id: 3 for row in ROWS},
    holders={row.id: "2" for row in ROWS},
    late=4,
    unassigned=6,
    waiting=18,
    oversees=True,
    reconciles=True,
    move=MOVE,
    absence=(
        FieldView("person_id", "Сотрудник", "choice", options=MOVE.to.options),
        FieldView("first_day", "Первый день", "date"),
        FieldView("last_day", "Последний день", "date"),
        FieldView("deputy_id", "Кто замещает", "choice", options=MOVE.to.options, required=False),
    ),
)
SEVERAL = Several(
    tuple(
        SeveralRow(row, f"act-{n}", 3, ("Ординатура завершена",) if n == 1 else ())
        for n, row in enumerate(ROWS[:3])
    ),
    (("ПК-2026-000106-6", "это ваша заявка, её рассматривает другой сотрудник"),),
    replace(DECISION, act_id=""),
    "#",
)
RESULTS = Results(
    "Решение по нескольким заявкам",
    (
        ResultRow("#", "ПК-2026-000100-0", PEOPLE[0], True, "Одобрено."),
        ResultRow(
            "#",
            "ПК-2026-000101-1",
            PEOPLE[1],
            False,
            "Пока вы смотрели, заявка изменилась.",
            "Откройте её и решите отдельно.",
        ),
    ),
    "#",
)

ARCHIVE = Archive(
    rows=tuple(
        ArchiveRow(
            "#",
            row.number,
            "course",
            row.title,
            row.applicant,
            row.unit,
            ("approved", "rejected", "lapsed")[n % 3],
            row.kind,
            AT,
            AT,
            own=row.own,
        )
        for n, row in enumerate(ROWS)
    ),
    fields=FILTERS[:2],
    active=(),
    views=(View("1", "Закрытые без ответа", "#", True),),
    pages=Pages(after="#", shown=18),
    found="Найдено: 18 дел",
    here="",
    pdf_url="#",
    xlsx_url="#",
    at_once=True,
    exportable=True,
    others=True,
    keeps=True,
    may_save=True,
)

DESK_SAMPLES = {
    name: Sample(name, f"reviews/{template}.html", desk_frame(path), context)
    for name, template, path, context in (
        ("desk", "queue", "/desk", {"queue": QUEUE}),
        (
            "desk-empty",
            "queue",
            "/desk",
            {"queue": replace(QUEUE, rows=(), active=(), pages=Pages())},
        ),
        ("desk-case", "case", "/desk/cases/1", {"case": CASE}),
        (
            "desk-case-refused",
            "case",
            "/desk/cases/1",
            {
                "case": REFUSED,
                "errors": [ErrorItem("Напишите причину решения.", "#field-reason")],
            },
        ),
        (
            "desk-case-done",
            "case",
            "/desk/cases/1",
            {
                "case": replace(
                    CASE,
                    decision=None,
                    why_not="Заявка уже решена.",
                    moved_on=Moved.BY_ONESELF,
                ),
                "flash": Flash(
                    "Одобрено. Заявитель получит уведомление.",
                    about="ПК-2026-000122-6",
                    url="#",
                ),
            },
        ),
        ("desk-several", "bulk", "/desk/several", {"several": SEVERAL}),
        ("desk-results", "results", "/desk/several", {"results": RESULTS}),
        ("desk-team", "team", "/desk/team", {"team": TEAM}),
    )
} | {
    "archive": Sample("archive", "archive/list.html", desk_frame("/archive"), {"archive": ARCHIVE})
}
