"""The pages of periodic accreditations with invented contents."""

from dataclasses import replace
from datetime import date, timedelta

from cabinet.accreditations.draft import AccreditationDraft
from cabinet.accreditations.views import AccreditationPage, CourseRow, GrantedView, NeedsView
from cabinet.cases.views import CaseRow, PaperLink, ProgressStep, Task, WaitsFor
from tests.cabinet.samples.cases import AT, CASE, FILLED, HAPPENINGS, SECTIONS, TALK, frame
from tests.cabinet.samples.sample import Sample

_KIND = "accreditation"
NUMBER = "АК-2026-000007-1"
NEEDS = NeedsView(
    order="Приказ Минздрава России от 28.10.2022 № 709н",
    years=5,
    total=108,
    needed=144,
    certified=60,
    certified_needed=72,
    missing=36,
    certified_missing=12,
    courses=(
        CourseRow("Эхокардиография", "Академия", date(2026, 6, 30), 108, 60, ""),
        CourseRow("Электрокардиография", "Центр", date(2020, 6, 30), 36, 0, "старше пяти лет"),
    ),
    programmes=(("Электрокардиография в практике терапевта", "#", 36, 36),),
    alone=True,
    admission="Кардиология, 7725 000123456",
    until=date(2027, 3, 10),
    file_from=date(2026, 3, 10),
)
DRAFT = AccreditationDraft(
    "/accreditations/1/draft",
    "/accreditations/1",
    (Task("Специальность", "#", "done"), Task("Работа за пять лет", "#", "empty", "Заполните")),
    "answer",
    changed=True,
    reason="Приложите отчёт с подписью руководителя.",
)
PAGE = AccreditationPage(
    url="/accreditations/1",
    number=NUMBER,
    title="Периодическая аккредитация",
    step=5,
    version=1,
    versions=((1, AT),),
    compared=False,
    waits=WaitsFor(
        "forwarded",
        "федеральный центр",
        "Центр проверит документы и передаст их в центральную комиссию.",
        AT + timedelta(days=28),
        18,
        as_of=AT,
        can_ask=True,
        kind=_KIND,
    ),
    sections=SECTIONS,
    steps=(
        ProgressStep("Отправлены", "done", AT),
        ProgressStep("Отдел кадров", "done"),
        ProgressStep("Федеральный центр", "now", until=AT + timedelta(days=28)),
        ProgressStep("Центральная комиссия", "ahead"),
    ),
    happenings=HAPPENINGS,
    papers=(PaperLink("Скачать портфолио", "PDF/A с печатью учреждения", "#"),),
    files=CASE.files,
    talk=TALK,
    reason="",
    by_centre=False,
    granted=None,
    answer_url="",
    correct_url="",
    withdraw_url="",
    copy_url="",
    tag='"5-0"',
)
ASKED = replace(
    PAGE,
    waits=replace(PAGE.waits, status="clarification", whom="вас"),
    reason="Уточните стаж.",
    by_centre=True,
    answer_url="#",
    withdraw_url="#",
)
GRANTED = replace(
    PAGE,
    waits=WaitsFor("accredited", "", "", as_of=AT, kind=_KIND),
    granted=GrantedView("7725 000123457", date(2031, 11, 20)),
)
REFUSED = replace(
    PAGE,
    waits=WaitsFor("refused", "", "", as_of=AT, kind=_KIND),
    reason="Аккредитация не пройдена.",
    by_centre=True,
    copy_url="#",
)


def accreditation_pages() -> list[Sample]:
    """What is missing, the draft, and a case in the states that it has alone."""
    here = frame("/accreditations")
    row = CaseRow("#", NUMBER, PAGE.title, "with_commission", AT, "Отдел кадров", kind=_KIND)
    return [
        Sample(
            "accreditation-needs",
            "accreditations/overview.html",
            here,
            {"needs": NEEDS, "cases": [row]},
        ),
        Sample(
            "accreditation-draft",
            "accreditations/draft.html",
            here,
            {"draft": DRAFT, "filled": FILLED},
        ),
        *(
            Sample(f"accreditation-{name}", "accreditations/case.html", here, {"case": case})
            for name, case in (
                ("forwarded", PAGE),
                ("asked", ASKED),
                ("granted", GRANTED),
                ("refused", REFUSED),
            )
        ),
    ]
