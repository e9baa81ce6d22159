"""The home page of several roles, with invented people."""

from collections.abc import Sequence
from datetime import timedelta

from cabinet.applications.views import AccreditationView
from cabinet.cases.home import LatestCases
from cabinet.frame.home_parts import HomeBlock, HomeLine, HomeList, short_list
from cabinet.frame.states import StatusTag
from cabinet.frame.views import CallToAction
from cabinet.home.pages import HomePage
from tests.cabinet.samples.cases import AT, CASES, TITLES, frame
from tests.cabinet.samples.sample import Sample

HELLO = "Добрый день, Анна Сергеевна"
BEGINS = (("/programmes", "Новая заявка"), ("/requests/new", "Новый запрос"))
CRITICAL = CallToAction(
    "bad",
    "triangle-alert",
    "Результаты",
    "Критические: 1",
    "Значения угрожают жизни. Подтвердите и сообщите тому, кто лечит.",
    "Открыть результаты",
    "#",
)
CONFIRM = CallToAction(
    "waiting",
    "flask-conical",
    "Результаты",
    "Ждут подтверждения: 4",
    "Результаты анализов, за которые отвечаете вы.",
    "Подтвердить",
    "#",
)
ANSWER = CallToAction(
    "paused",
    "circle-question-mark",
    "ПК-2026-000118-7",
    TITLES[0][0],
    "Отдел кадров просит уточнить дату.",
    "Ответить",
    "#",
    AT + timedelta(days=7),
)
CERTIFICATE = CallToAction(
    "good",
    "stamp",
    "ПК-2026-000104-2",
    TITLES[2][0],
    "Акт о зачислении готов.",
    "Скачать акт",
    "#",
)
DAY = HomeList(
    "day",
    "Сегодня на приёме",
    [
        HomeLine("Кузнецов Пётр Ильич", "#", "12:15", "кабинет 204",
                 StatusTag("пришёл", "waiting", "user-check")),
        HomeLine("Абдурахманова-Константинопольская Александрина Всеволодовна", "#", "12:30",
                 "время на часах изменилось", StatusTag("записан", "idle", "calendar-clock")),
    ],
    "Весь день, ещё 7",
    "/schedule",
)  # fmt: skip
RECORDS = HomeList(
    "records",
    "Недавние карты",
    [HomeLine("Кузнецов Пётр Ильич", "#", note="14 марта 1961")],
    "Найти пациента",
    "/patients",
)
ACCREDITED = HomeBlock(
    "home/accreditation.html",
    AccreditationView("Кардиология", AT.date() + timedelta(days=30), 30, True, 108, 144, AT),
)
LATEST = HomeBlock("home/cases.html", LatestCases((CASES[0], CASES[4])))


def home_pages() -> Sequence[Sample]:
    """A clinician's morning, somebody who only applies, and a quiet day."""
    pages = {
        "home": HomePage(
            HELLO,
            "1 заявка ждёт вашего ответа",
            waits=(ANSWER, CERTIFICATE),
            below=(ACCREDITED, LATEST),
            begins=BEGINS,
        ),
        "home-clinician": HomePage(
            HELLO,
            "5 результатов ждут вашего подтверждения. Сегодня ждём 9 пациентов",
            danger=(CRITICAL,),
            today=(short_list(DAY),),
            waits=(CONFIRM, ANSWER),
            folded=(CERTIFICATE,),
            below=(LATEST, short_list(RECORDS), ACCREDITED),
            begins=BEGINS,
        ),
        "home-empty": HomePage(HELLO, "Сегодня от вас ничего не требуется"),
    }
    return [
        Sample(name, "home/page.html", frame("/"), {"home": page}) for name, page in pages.items()
    ]
