"""Invented people, programmes and cases for the gallery."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cabinet.applications.views import ApplicationDraft, ApplicationPage, ProgrammeView, Remark
from cabinet.cases.views import (
    AnswerSection,
    Candidate,
    CaseFile,
    CaseRow,
    FieldAnswer,
    FilledLine,
    Happening,
    PaperLink,
    ProgressStep,
    Slot,
    Task,
    WaitsFor,
)
from cabinet.conversation.views import MessageView, Talk
from cabinet.frame.views import FieldView, FileRefusal, FileRow, Frame, NavEntry, Option, Who

AT = datetime(2026, 11, 20, 11, 2, tzinfo=UTC)
INSTITUTION = "Городская клиническая больница № 7"

NAV = (
    NavEntry("home", "Главная", "house", "/"),
    NavEntry("applications", "Мои заявки", "clipboard-list", "/applications", 1),
    NavEntry("programmes", "Программы", "graduation-cap", "/programmes"),
    NavEntry("documents", "Документы", "folder-open", "/documents"),
    NavEntry("profile", "Профиль", "user", "/profile"),
)

PROGRAMME = ProgrammeView(
    id="p1",
    title="Ультразвуковая диагностика заболеваний сердца и сосудов",
    type="course",
    type_word="Очный курс",
    organisation="Российская медицинская академия непрерывного профессионального образования",
    hours=144,
    dates="наборы: 18 января 2027, 15 марта 2027",
    intakes=(
        ("18 января 2027", "заявки до 11 января 2027 включительно, свободно мест: 3 из 25"),
        ("15 марта 2027", "заявки до 14 марта 2027 включительно"),
    ),
    summary="Эхокардиография, допплерография, стресс-эхо. Половина времени отдана работе "
    "на аппаратах в клинике академии.",
    url="#",
    requirements=(
        "Стаж по специальности «Кардиология» не менее трёх лет",
        "Действующая аккредитация",
    ),
    attachments=(
        "Документ о повышении квалификации",
        "Справка с места работы",
        "Диплом об образовании",
    ),
    waived=(("Свидетельство об аттестации", "Организация не спрашивает его с 2025 года."),),
)
TITLES = (
    ("Неотложная помощь при нарушениях ритма", "distance", "Дистанционно", 36),
    ("Антибиотикотерапия в стационаре", "seminar", "Семинар", 18),
    ("Сестринское дело в кардиологии", "course", "Очный курс", 72),
    ("Экспертиза временной нетрудоспособности", "distance", "Дистанционно", 36),
)


def frame(path: str, **changes: Any) -> Frame:
    """The frame of a clinician."""
    made = Frame(
        institution=INSTITUTION,
        language="ru",
        theme="system",
        path=path,
        who=Who("Соколова Анна Сергеевна", "врач-терапевт", "Терапевтическое отделение"),
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
        FileRefusal(
            "В файле есть программа (JavaScript).",
            "Откройте файл, выберите «Печать» → «Сохранить как PDF» и загрузите полученный файл.",
        ),
    ),
)
CANDIDATES = (
    Candidate("c1", "Диплом об образовании", "diplom.pdf", 2_400_000, AT),
    Candidate(
        "c2",
        "Документ об окончании ординатуры, интернатуры или магистратуры",
        "ordinatura.jpg",
        900_000,
        AT,
    ),
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
        answered=True,
    ),
    slot(
        "attestation",
        "Свидетельство об аттестации",
        required=False,
        waived_reason="Организация не спрашивает его с 2025 года.",
    ),
)

FIELDS = (
    FieldView("full_name", "Фамилия, имя, отчество", value="Соколова Анна Сергеевна", locked=True),
    FieldView(
        "snils",
        "СНИЛС",
        value="112-233-445 96",
        hint="11 цифр с зелёной карточки или из Госуслуг",
        error="Проверьте СНИЛС: контрольные цифры не сходятся",
        inputmode="numeric",
        width="width-20",
    ),
    FieldView(
        "laboratory",
        "Лаборатория",
        hint="Выберите из списка или напишите номер лицензии",
        suggestions=(Option("Л041-01137-77/00370120", "Лаборатория больницы № 7"),),
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
        "Сведения о заявителе",
        (
            FieldAnswer("Фамилия, имя, отчество", "Соколова Анна Сергеевна"),
            FieldAnswer("СНИЛС", "112-233-445 95", change_url="#"),
            FieldAnswer("Должность", "врач-терапевт", change_url="#"),
        ),
    ),
    AnswerSection(
        "Об обучении",
        (
            FieldAnswer("Форма обучения", "Без отрыва от работы", "С отрывом от работы", True, "#"),
            FieldAnswer(
                "Аккредитация действует до",
                "04.12.2028",
                "04.12.2026",
                True,
                "#",
                "В реестре указана другая дата.",
            ),
            FieldAnswer("Для чего вам эта программа", None, change_url="#"),
        ),
    ),
)

CASES = (
    CaseRow("#", "ПК-2026-000123-0", PROGRAMME.title, "in_review", AT, "Отдел кадров",
             "ответ до конца дня 4 декабря", unread=2),
    CaseRow("#", "ПК-2026-000118-7", TITLES[0][0], "clarification", AT - timedelta(days=1),
             "Отдел кадров", "ждём вас до конца дня 27 ноября"),
    CaseRow("#", None, TITLES[1][0], "draft", AT - timedelta(days=2), "Отдел кадров"),
    CaseRow("#", "ПК-2026-000104-2", TITLES[2][0], "approved", AT - timedelta(days=20),
             "Отдел кадров", "акт готов"),
    CaseRow("#", "ПК-2026-000090-1", TITLES[3][0], "rejected", AT - timedelta(days=40),
             "Отдел кадров"),
    CaseRow("#", "ПК-2026-000088-1", TITLES[3][0], "checking", AT - timedelta(days=41),
             "Отдел кадров"),
    CaseRow("#", "ПК-2026-000081-3", TITLES[3][0], "withdrawn", AT - timedelta(days=50),
             "Отдел кадров"),
    CaseRow("#", "ПК-2026-000080-8", TITLES[3][0], "lapsed", AT - timedelta(days=60),
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

TALK = Talk(
    url="/documents/files/messages/1",
    read_url="/cases/1/messages/read",
    back="/applications/1",
    number="ПК-2026-000123-0",
    messages=(
        MessageView(
            "1",
            "Соколова Анна Сергеевна",
            "вы",
            AT - timedelta(hours=3),
            "Могу ли я учиться без отрыва от работы?",
            files=(file_row(id="m", replace_url=None, remove_url=None),),
        ),
        MessageView(
            "2",
            "Кузнецова Ольга Петровна",
            "Отдел кадров",
            AT - timedelta(hours=2),
            "Да, организация проводит занятия и вечером.",
            staff=True,
            new=True,
        ),
    ),
    field=FieldView("text", "Ваше сообщение", "long_text", max_length=4000),
    message_id="0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d",
)

FILLED = (FilledLine("Сертификат специалиста", "0177241234567", "#"),)
CASE = ApplicationPage(
    url="/applications/1",
    number="ПК-2026-000123-0",
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
    steps=(
        ProgressStep("Отправлена, версия 2", "done", AT),
        ProgressStep("Проверена", "done", AT),
        ProgressStep("Рассмотрение", "now", until=datetime(2026, 12, 4, 15, 0, tzinfo=UTC)),
        ProgressStep("Акт о зачислении", "ahead"),
    ),
    happenings=HAPPENINGS,
    talk=TALK,
    papers=(PaperLink("Скачать расписку", "Подтверждает, что и когда вы отправили", "#"),),
    programme=PROGRAMME,
    facts=(("Рассматривает", "Отдел кадров"), ("Организация", "РМАНПО"), ("Объём", "144 часа")),
    correct_url="#",
    withdraw_url="#",
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
        Remark("Диплом", "На скане не видно серии", "#", answered=True),
    ),
    answer_url="#",
    correct_url=None,
)
APPROVED = replace(
    CASE,
    waits=WaitsFor("approved", "", "Акт о зачислении готов.", as_of=AT, live=False),
    reason="Документы в порядке, место подтверждено организацией.",
    act=PaperLink(
        "Скачать акт о зачислении", "PDF с подписью учреждения, АЗ-2026-000031-5", "#", "stamp"
    ),
    steps=(
        *CASE.steps[:2],
        ProgressStep("Одобрена", "done", AT),
        ProgressStep("Акт о зачислении", "done", AT),
    ),
    correct_url=None,
    withdraw_url=None,
)
REJECTED = replace(
    CASE,
    waits=WaitsFor("rejected", "", "Можно подать заявку заново.", as_of=AT),
    reason="Программа требует стажа от пятнадцати лет.",
    steps=(*CASE.steps[:2], ProgressStep("Отклонена", "bad", AT)),
    correct_url=None,
    withdraw_url=None,
    copy_url="#",
)

TASKS = (
    Task("Сведения о заявителе", "#", "done", "Фамилия, СНИЛС, должность"),
    Task("Об образовании", "#", "done"),
    Task("Об обучении", "#", "mend", "Аккредитация действует до"),
    Task("Документы к заявке", "#", "started", "Приложено 1 из 3"),
    Task("Подтверждение", "#", "empty"),
)
DRAFT = ApplicationDraft("/applications/1/draft", "Черновик заявки", PROGRAMME, TASKS, AT)
ANSWERING = replace(DRAFT, mode="answer", number=CASE.number, case_url="#", reason=ASKED.reason)
