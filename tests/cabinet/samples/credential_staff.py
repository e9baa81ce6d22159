"""The pages of what ends when, and of renewing, with invented contents."""

from datetime import date
from typing import Any

from cabinet.credentials.staff import MonthBar, StaffRow
from cabinet.frame.states import StatusTag
from cabinet.frame.views import FieldView, Frame, Option
from tests.cabinet.samples.cases import frame
from tests.cabinet.samples.sample import Sample

_ROWS = [
    StaffRow(
        "#",
        "Соколова Анна Сергеевна",
        "#",
        "врач-кардиолог",
        "Кардиологическое отделение",
        "Аккредитация специалиста: Кардиология",
        date(2026, 12, 4),
        StatusTag("заканчивается", "waiting", "clock"),
        "отправлено: 3, ответа нет",
    ),
    StaffRow(
        "#",
        "Ветрова Мария Ильинична",
        "#",
        "медсестра",
        "Кардиологическое отделение",
        "Сертификат специалиста",
        date(2026, 10, 1),
        StatusTag("просрочен", "bad", "octagon-x"),
        "отправлено: 7, есть ответ",
    ),
    StaffRow(
        "#",
        "Иванов Пётр Олегович",
        "#",
        "врач",
        "Отдел кадров",
        "Диплом об образовании: Лечебное дело",
        None,
        StatusTag("без срока", "idle", "circle"),
        "",
    ),
]
_MONTHS = [
    MonthBar(f"месяц {n} 2027", number, "#", n == 3)
    for n, number in enumerate((1, 4, 12, 0, 3, 7, 2, 0, 0, 5, 1, 9), start=1)
]
_FIELDS = [
    FieldView("unit", "Подразделение", "choice", options=[Option("", "Все подразделения")]),
    FieldView("standing", "Состояние", "choice", options=[Option("", "Любое")]),
]
_LIST: dict[str, Any] = {
    "rows": _ROWS,
    "fields": _FIELDS,
    "narrowed": True,
    "months": _MONTHS,
    "most": 12,
    "next_url": "#",
    "first_url": "#",
    "file_url": "#",
}


def credential_staff_pages() -> list[Sample]:
    """The list, the numbers without names, and the choice of a programme."""
    here = frame("/credentials/staff")
    options = [Option("p1", "Кардиология: новое в диагностике"), Option("p2", "ЭКГ")]
    choice = FieldView("programme_id", "По какой программе", "choice", options=options)
    renewal = {"title": "Аккредитация: Кардиология", "here": "#", "errors": []}
    heads = ["действует", "заканчивается", "в процессе продления", "просрочен", "без срока"]
    numbers = {
        "heads": [*heads, "Всего"],
        "lines": [
            ("Кардиологическое отделение", [120, 14, None, None, 60, 203]),
            ("Отдел кадров", [10, 0, None, None, 12, 27]),
            ("Всего", [130, 14, 7, 7, 72, 230]),
        ],
    }
    pages: tuple[tuple[str, str, Frame, dict[str, Any]], ...] = (
        ("credential-staff", "credentials/staff.html", here, _LIST),
        ("credential-staff-none", "credentials/staff.html", here, _LIST | {"rows": []}),
        ("credential-numbers", "credentials/numbers.html", here, numbers),
        (
            "credential-renew",
            "credentials/renew.html",
            here,
            renewal | {"field": choice, "offered": True},
        ),
        (
            "credential-renew-not",
            "credentials/renew.html",
            here,
            renewal | {"field": None, "offered": False},
        ),
    )
    return [Sample(name, template, at, context) for name, template, at, context in pages]
