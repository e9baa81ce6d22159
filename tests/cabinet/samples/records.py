"""The pages of patients' records with invented contents."""

from datetime import date, timedelta
from typing import Any

from cabinet.cases.views import AnswerSection, FieldAnswer
from cabinet.frame.states import StatusTag
from cabinet.frame.views import FieldView, Frame, Option
from cabinet.records.views import (
    DraftRow,
    EntryForm,
    EntryPageView,
    EntryVersionLine,
    FormPart,
    HeadView,
    HistoryRow,
    PatientPage,
    WarningLine,
)
from tests.cabinet.samples.cases import AT, frame
from tests.cabinet.samples.sample import Sample

_NAME = "Константинопольская-Преображенская Александра Вячеславовна"
_HEAD = HeadView(
    "#",
    _NAME,
    date(1961, 3, 14),
    "65\u00a0лет",
    "женский",
    "Открыта на основании",
    AT + timedelta(hours=3),
    [
        WarningLine("Пенициллин", "Анафилаксия", dangerous=True, url="#"),
        WarningLine("Пыльца", "Лёгкая", dangerous=False, url="#"),
    ],
    ["Преображенская Александра, 14 марта 1961"],
)
_QUIET = HeadView(
    "#", "Королёв Пётр", date(1990, 1, 2), "36\u00a0лет", "мужской", "Запись", None, []
)
_ROWS = [
    HistoryRow("#", "Приём", "J20.9 Острый бронхит неуточненный", AT, _NAME, "есть исправления"),
    HistoryRow("", "Пациент не пришёл на приём", "", AT, _NAME, bad=True),
    HistoryRow("#", "Запись", "Разговор", AT, _NAME, "внесено ошибочно", "Преображенская А."),
]
_KINDS = [Option("visit", "Приём"), Option("allergy", "Аллергия или непереносимость")]
_FILTERS = [
    FieldView("what", "Что показать", "choice", options=[Option("", "Всё"), *_KINDS]),
    FieldView("from", "С какого дня", "date", "32.01", error="Такого дня нет", required=False),
]
_PAGE = PatientPage(
    _HEAD,
    AT,
    _ROWS,
    _ROWS,
    "#",
    True,
    _FILTERS,
    [DraftRow("#", "Исправление: Приём", AT)],
    _KINDS,
    "d1",
    "",
)
_NEW = PatientPage(_QUIET, None, [], [], "", False, _FILTERS[:1], [], _KINDS, "d1", "v1")
_ANSWERS = [
    AnswerSection(
        "Осмотр",
        [
            FieldAnswer("Жалобы", "Кашель"),
            FieldAnswer("Объективно", "Хрипов нет", old="Хрипы", changed=True),
        ],
    )
]
_ENTRY = EntryPageView(
    _HEAD,
    "#",
    "Приём",
    "Форма 025-1/у, Приказ Минздрава России № 274н от 13 мая 2025 года",
    StatusTag("внесено ошибочно", "bad", "octagon-x"),
    AT,
    _NAME,
    "Преображенская А.",
    1,
    False,
    _ANSWERS,
    True,
    [
        EntryVersionLine(2, _NAME, AT, "Опечатка", "#", shown=False),
        EntryVersionLine(1, _NAME, AT, "", "#", shown=True),
    ],
    True,
    mistaken_reason="Другой человек",
    mistaken_by=_NAME,
    mistaken_at=AT,
)
_FORM = EntryForm(
    _HEAD,
    "#",
    "Исправление: Приём",
    "",
    "Форма 025-1/у",
    [
        FormPart(
            "Диагноз",
            [
                FieldView(
                    "main_diagnosis",
                    "Основной диагноз",
                    value="бронхит",
                    error="Напишите код МКБ-10",
                    codes_url="#",
                    suggestions=[Option("J20.9", "Острый бронхит неуточненный")],
                )
            ],
        )
    ],
    "",
    "p1",
    "",
    2,
    AT,
    "",
    correction=True,
    reason=FieldView("reason", "Почему исправляете", hint="Например: опечатка"),
    entry_url="#",
    changes=_ANSWERS,
)


def record_pages() -> list[Sample]:
    """The page of a patient, one entry, and what is done with it."""
    here = frame("/patients")
    reason = FieldView("reason", "Почему внесено ошибочно", "long_text", error="Укажите причину")
    act = {"entry": _ENTRY, "field": reason, "patient_id": "p1"}
    pages: tuple[tuple[str, str, Frame, dict[str, Any]], ...] = (
        ("patient-record", "records/patient.html", here, {"patient": _PAGE}),
        ("patient-record-new", "records/patient.html", here, {"patient": _NEW}),
        ("record-entry", "records/entry.html", here, {"entry": _ENTRY}),
        ("record-mistaken", "records/mistaken.html", here, act),
        ("record-draft", "records/draft.html", here, {"form": _FORM}),
    )
    return [Sample(*one) for one in pages]
