"""Invented requests for the gallery."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cabinet.cases.views import (
    AnswerSection,
    CaseRow,
    FieldAnswer,
    Happening,
    PaperLink,
    ProgressStep,
    Task,
)
from cabinet.cases.views import WaitsFor as Waits
from cabinet.conversation.views import Talk
from cabinet.frame.views import Chip, FieldView, Option, Pages
from cabinet.requests.kind import REQUESTS
from cabinet.requests.views import (
    AnswerFileView,
    AnswerForm,
    AnswerView,
    DeskRequest,
    RequestDraft,
    RequestPage,
    RequestSent,
    Result,
    TypeView,
)
from rules.cases.process import Moved
from tests.cabinet.samples.cases import AT, SLOTS, frame
from tests.cabinet.samples.sample import Sample

TYPE = TypeView(
    key="laboratory_results",
    title="Результаты лабораторных исследований",
    hint="Результаты из лабораторной системы региона",
    group="Лабораторные исследования",
    icon="flask-conical",
    addressee="Региональная лабораторная система",
    days=2,
    gives="сведения, которые можно посмотреть и скачать",
    needs=("номер полиса ОМС пациента", "дата рождения пациента", "исследование"),
    sealed=True,
)
OWN = replace(
    TYPE,
    key="equipment",
    title="Оборудование и расходные материалы",
    group="Оборудование",
    icon="package",
    addressee="Отдел снабжения",
    sealed=False,
    needs=(),
    draft_url="#",
)
WAITS = Waits(
    "processing",
    "Региональная лабораторная система",
    "Если ответа не будет в срок, мы обратимся к адресату и сообщим ответственным за обмен.",
    until=AT + timedelta(days=2),
    days_left=2,
    as_of=AT,
    can_ask=True,
    kind="request",
)
SECTIONS = (
    AnswerSection(
        "Сведения об исследовании",
        (
            FieldAnswer("Исследование", "Биохимический анализ крови", "Общий анализ крови", True),
            FieldAnswer("Дата взятия материала", "20.11.2026"),
            FieldAnswer("Номер направления", None),
        ),
    ),
)
READY = AnswerView(
    version=2,
    good=True,
    title="Ответ готов",
    at=AT,
    by="Региональная лабораторная система",
    facts=(("Номер ответа", "ЛИ-2026-01835601"),),
    results=(Result("Гемоглобин", "134", "г/л", "120–140"), Result("СОЭ", "8", "мм/ч")),
    files=(
        AnswerFileView("Файл ответа", 66_000, "#", "#"),
        AnswerFileView("Данные ответа для программ", 498, "#"),
    ),
    signer="Модуль госуслуг (тест), 21D169350F5EF9E151E3ACE666D626129FDAC2CF",
    signed_at=AT,
)
REFUSED = AnswerView(
    version=1,
    good=False,
    title="Отказано",
    at=AT - timedelta(days=1),
    by="Региональная лабораторная система",
    message="Пациент с таким номером полиса не найден.",
    newest=False,
)
HAPPENED = (
    Happening(AT, "Адресат ответил на запрос"),
    Happening(AT, "Вы исправили запрос и отправили снова: версия 2", proof_url="#"),
    Happening(AT, "Вы отправили запрос", proof_url="#"),
)
PAPERS = (
    PaperLink("Посмотреть запрос, версия 2", "Подписан и зашифрован для адресата", "#", "eye"),
    PaperLink("Ваш запрос (PDF)", "То, что отправлено адресату, а не ответ", "#"),
)
TALK = Talk("#", "#", "#", "ЗС-2026-000001-6", (), FieldView("text", "Ваше сообщение", "long_text"))
CASE = RequestPage(
    url="/applications/none",
    number="ЗС-2026-000001-6",
    title=TYPE.title,
    step=4,
    version=2,
    versions=((1, AT), (2, AT)),
    compared=True,
    waits=WAITS,
    sections=SECTIONS,
    answers=(),
    papers=PAPERS,
    files=(),
    steps=(
        ProgressStep("Отправлен, версия 2", "done", AT),
        ProgressStep("Передан адресату", "done", AT),
        ProgressStep("Ответ", "now", until=AT + timedelta(days=2)),
    ),
    unfolded=True,
    happenings=HAPPENED,
    facts=(("Отвечает", TYPE.addressee), ("Вы получите", TYPE.gives)),
    correct_url="#",
    withdraw_url="#",
)
DRAFT = RequestDraft(
    "#",
    TYPE,
    (
        Task("Сведения о пациенте", "#", "done"),
        Task("Сведения об исследовании", "#", "mend", "Напишите дату"),
    ),
    AT,
)
ON_THE_DESK = DeskRequest(
    url="/applications/none",
    query="",
    queue_url="#",
    number="ЗС-2026-000003-4",
    title=OWN.title,
    applicant="Соколова Анна Сергеевна",
    facts=(("Должность", "врач-терапевт"), ("Подразделение", "Терапевтическое отделение")),
    step=2,
    version=2,
    versions=((1, AT), (2, AT)),
    compared=False,
    waits=replace(WAITS, whom="Отдел снабжения", overdue=True),
    sections=SECTIONS,
    files=(),
    papers=PAPERS,
    answers=(REFUSED,),
    form=AnswerForm(
        "#",
        "act",
        2,
        "refuse",
        FieldView("message", "Текст ответа", "long_text", error="Напишите ответ."),
        outcome_error="Выберите, что ответить.",
        file_error="Приложите файл ответа: PDF или JPEG.",
        wants_file=True,
    ),
    why_not="",
    kept="",
    reviewer="Панова В. Ю.",
    mine=False,
    had="",
    take_url="#",
    hand_over=None,
    reading=("Панова В. Ю.",),
    happenings=HAPPENED,
    talk=TALK,
    before_url="#",
    next_url="#",
    moved_on=Moved.BY_OTHERS,
)


def request_pages() -> Iterator[Sample]:
    """Every page of requests."""

    def made(name: str, template: str, **context: Any) -> Sample:
        return Sample(name, f"{template}.html", frame("/requests"), context)

    lines = [
        CaseRow("#", f"ЗС-2026-00000{n}-6", TYPE.title, status, AT, TYPE.addressee, kind="request")
        for n, status in enumerate(("accepted", "processing", "ready", "refused", "withdrawn"), 1)
    ]
    types = [Option("laboratory_results", TYPE.title)]
    listed: dict[str, Any] = {
        "states": [Chip("Все", "#", True), Chip("Готовые", "#")],
        "choice": FieldView("type", "Вид запроса", "choice", options=types),
        "chosen_status": "",
        "submitted_from": "",
        "submitted_until": "",
        "filter_error": "",
        "narrowed": False,
        "paging": Pages(after="#"),
        "applies": True,
    }
    groups = [(TYPE.group, [TYPE, TYPE]), (OWN.group, [OWN])]
    yield made("request-types", "requests/types", groups=groups)
    yield made("request-types-none", "requests/types", groups=[])
    yield made("requests", "requests/list", cases=lines, **listed)
    yield made("requests-none", "requests/list", cases=[], **listed)
    yield made("request-draft", "requests/draft", draft=DRAFT)
    correcting = replace(DRAFT, mode="correction", number=CASE.number, answered=True)
    yield made("request-correction", "requests/draft", draft=correcting)
    check = {"sections": SECTIONS, "compared": True, "act_id": "act", "step": 0, "slots": SLOTS}
    yield made("request-check", "requests/check", draft=DRAFT, **check)
    sent = RequestSent(
        CASE.number, TYPE.title, "a@example.org", TYPE.addressee, AT, "#", sealed=True, gives="x"
    )
    yield made("request-sent", "requests/sent", done=sent)
    yield made("request", "requests/case", case=CASE)
    ready = replace(
        CASE,
        waits=Waits("ready", "", "Ответ можно посмотреть и скачать.", as_of=AT, kind="request"),
        answers=(READY, REFUSED),
        steps=(*CASE.steps[:2], ProgressStep("Ответ", "done", AT)),
        compared=False,
        unfolded=False,
        withdraw_url=None,
        correcting=True,
        talk=TALK,
    )
    yield made("request-ready", "requests/case", case=ready)
    field = FieldView("reason", "Причина отзыва запроса", "long_text", required=False)
    asked = {"number": CASE.number, "case_url": "#", "act_id": "act", "step": 2, "field": field}
    yield made("request-withdraw", "cases/withdraw", phrases=REQUESTS.phrases, **asked)
    yield made("desk-request", "requests/review", case=ON_THE_DESK)
    over = replace(ON_THE_DESK, form=None, why_not="На запрос уже ответили.", kept="Выдадим завтра")
    yield made("desk-request-over", "requests/review", case=over)
