"""The pages of qualification with invented contents."""

from datetime import date
from typing import Any

from cabinet.cases.views import AnswerSection, Candidate, FieldAnswer
from cabinet.credentials.views import (
    CategoryLine,
    CredentialPage,
    CredentialRow,
    CredentialVersionLine,
    DraftLine,
    DraftPage,
    FilePage,
    GapLine,
    HistoryLine,
)
from cabinet.frame.states import StatusTag
from cabinet.frame.views import FieldView, FileRow, Frame, Option
from tests.cabinet.samples.cases import AT, frame
from tests.cabinet.samples.sample import Sample

_NAME = "Константинопольская-Преображенская Александра Вячеславовна"
_COPY = FileRow("f1", "Свидетельство.pdf", 482113, "good", AT, view_url="#", download_url="#")
_ROW = CredentialRow(
    "c1",
    "Аккредитация специалиста",
    "Анестезиология-реаниматология",
    "7724 030123456",
    "Федеральный аккредитационный центр",
    date(2021, 12, 20),
    date(2026, 12, 20),
    StatusTag("активен", "good", "circle-check"),
    "осталось 20 дней",
    True,
    "в реестре ещё не проверен",
    "#",
    [_COPY, _COPY],
)
_DIPLOMA = CredentialRow(
    "c2",
    "Диплом об образовании",
    "Лечебное дело",
    "107704 0012345",
    "Первый медицинский университет",
    date(2012, 6, 30),
    None,
    StatusTag("активен", "good", "circle-check"),
    "без срока",
    False,
    f"сверен с оригиналом 3 марта 2026, {_NAME}",
    "#",
)
_GAPS = [
    GapLine("Нет повышения квалификации за последние пять лет", "Добавьте их.", "Добавить", "#"),
    GapLine("Срок истёк: Сертификат специалиста", "Добавьте новый.", "Открыть", "#", "bad"),
]
_DRAFT = DraftLine("d1", "Удостоверение.pdf", "Ещё не описан", "#", AT)
_FILE = FilePage(
    _NAME,
    True,
    "/credentials",
    3,
    5,
    _GAPS,
    [("Допуск к работе", [_ROW]), ("Образование", [_DIPLOMA])],
    [_ROW],
    [_DRAFT],
)
_EMPTY = FilePage(_NAME, True, "/credentials", 0, 3, _GAPS[:1], [], [])
_THEIRS = FilePage(_NAME, False, "#", 2, 3, _GAPS, [("Допуск к работе", [_ROW])], [])
_ANSWERS = AnswerSection(
    "Сведения",
    [
        FieldAnswer("Специальность", "Анестезиология-реаниматология"),
        FieldAnswer("Кто провёл", "Центральная комиссия", old="Федеральный центр", changed=True),
    ],
)
_VERSIONS = [
    CredentialVersionLine(
        2, "исправлены даты", _NAME, AT, "Опечатка при вводе", "#", True, "сверен"
    ),
    CredentialVersionLine(1, "добавлен", _NAME, AT, "", "#", False),
]
_ONE = CredentialPage(
    _ROW,
    _NAME,
    True,
    "#",
    2,
    True,
    [_ANSWERS],
    True,
    [_COPY],
    [("/static/none.png", "Свидетельство.pdf, страница 1")],
    _VERSIONS,
    [HistoryLine("Добавлен документ о квалификации", AT, _NAME, "Опечатка")],
    True,
    False,
)
_CATEGORIES = [CategoryLine("accreditation", "Аккредитация специалиста", "Первичная или иная")]
_FORM = DraftPage(
    "d1",
    "#",
    "Аккредитация специалиста",
    "accreditation",
    _CATEGORIES,
    "Первичная, первичная специализированная или периодическая",
    [
        FieldView("number", "Регистрационный номер", hint="Например 7724 030123456"),
        FieldView("issued_on", "Дата аккредитации", "date", "31.02.2012", error="Нет такого дня"),
    ],
    "",
    [_COPY],
    "Свидетельство или выписка",
    True,
    "Приложите копию документа",
    [Candidate("v1", "Диплом", "diploma.pdf", 1000, AT, fits=True)],
    2,
    AT,
    "",
)


def credential_pages() -> list[Sample]:
    """The file, one credential, and what is done with it."""
    here = frame("/credentials")
    choice = {
        "groups": [("Допуск к работе", _CATEGORIES)],
        "chosen": "",
        "draft_id": "d1",
        "drafts": [_DRAFT],
        "refused": [],
    }
    act = {"title": "Аккредитация", "here": "#", "version": 2, "act_id": "a1"}
    reason = FieldView("reason", "Почему меняете", hint="Например опечатка")
    by = FieldView("by", "Каким заменён", "choice", options=[Option("c2", "Диплом", "№ 1")])
    pages: tuple[tuple[str, str, Frame, dict[str, Any]], ...] = (
        ("credentials", "credentials/file.html", here, {"file": _FILE}),
        ("credentials-none", "credentials/file.html", here, {"file": _EMPTY}),
        ("credentials-theirs", "credentials/file.html", here, {"file": _THEIRS}),
        ("credential", "credentials/credential.html", here, {"credential": _ONE}),
        ("credential-new", "credentials/new.html", here, choice),
        ("credential-draft", "credentials/draft.html", here, {"draft": _FORM}),
        (
            "credential-correct",
            "credentials/act.html",
            here,
            act | {"act": "correct", "fields": [reason]},
        ),
        (
            "credential-withdraw",
            "credentials/act.html",
            here,
            act | {"act": "withdraw", "fields": [reason]},
        ),
        (
            "credential-replace",
            "credentials/act.html",
            here,
            act | {"act": "replace", "fields": [by]},
        ),
        ("credential-alone", "credentials/act.html", here, act | {"act": "replace", "fields": []}),
    )
    return [Sample(name, template, at, context) for name, template, at, context in pages]
