"""Turns what services return about requests into what their pages show."""

from collections.abc import Mapping, Sequence
from typing import Any

from cabinet.cases.lines import is_overdue, waiting
from cabinet.cases.views import PaperLink, WaitsFor
from cabinet.requests.views import AnswerFileView, AnswerView, Result, TypeView
from models.messages import PresentState
from rules.cases.process import Party, Status
from rules.cases.terms import WorkingCalendar
from rules.forms.definitions import AnswerKind, CaseTypeDefinition
from rules.forms.fields import FieldKind
from rules.journal.entries import JournalKind
from services.dossier.page import CasePage
from services.requests.files import Answered, AnswerFile
from services.requests.looks import DRAWN
from words import formats
from words.translation import gettext as _
from words.translation import marked

ICONS: Mapping[str, str] = {
    "Справки": "scroll-text",
    "Лабораторные исследования": "flask-conical",
    "Подтверждение квалификации": "award",
    "Страхование": "shield-check",
    "Оборудование": "package",
}
"""Icons of the groups that an installation begins with; other groups get a plain one."""

GIVES: Mapping[AnswerKind, str] = {
    AnswerKind.DOCUMENT: marked("электронный документ"),
    AnswerKind.DATA: marked("сведения, которые можно посмотреть и скачать"),
    AnswerKind.MESSAGE: marked("ответ сообщением, при необходимости с файлом"),
}
_REACHED = frozenset(
    {JournalKind.REQUEST_SENT, JournalKind.CASE_SUBMITTED, JournalKind.CASE_CORRECTED}
)


def type_view(definition: CaseTypeDefinition, unit: str, draft_url: str | None = None) -> TypeView:
    """A type as the catalogue shows it; `unit` is the name of its addressee's unit."""
    asked = [
        _(field.label)
        for field in definition.fields.values()
        if field.required and not field.prefill and field.kind is not FieldKind.CHECKBOX
    ]
    asked += [_(rule.title) for rule in definition.attachments if rule.required]
    group = definition.group or definition.title
    return TypeView(
        key=definition.key,
        title=_(definition.title),
        hint=_(definition.hint) if definition.hint else "",
        group=_(group),
        icon=ICONS.get(group, "file-text"),
        addressee=addressee_of(definition, unit),
        days=definition.terms.review,
        gives=gives_of(definition),
        needs=[label[0].lower() + label[1:] if _is_word(label) else label for label in asked],
        sealed=not definition.answered_by_people,
        draft_url=draft_url,
    )


def _is_word(label: str) -> bool:
    """Whether the first word may lose its capital: «Дата рождения», but not «СНИЛС»."""
    first = label.split()[0]
    return len(first) == 1 or not first[1:2].isupper()


def addressee_of(definition: CaseTypeDefinition, unit: str) -> str:
    """Who answers, in words."""
    return _(definition.recipient) if definition.recipient else unit


def gives_of(definition: CaseTypeDefinition) -> str:
    """What the applicant gets, in words."""
    return _(GIVES[definition.answer]) if definition.answer else ""


def grouped(types: Sequence[TypeView]) -> list[tuple[str, list[TypeView]]]:
    """The types by group, in the order of the catalogue."""
    groups: dict[str, list[TypeView]] = {}
    for one in types:
        groups.setdefault(one.group, []).append(one)
    return list(groups.items())


def request_waits(
    page: CasePage, calendar: WorkingCalendar, answer: PresentState | None, *, asked: bool = False
) -> WaitsFor:
    """Whom the request waits for, until when, and what happens then (S4).

    `answer` is what the running workflow said; without it the stored request is shown.
    """
    then = _then(page, Status(page.case.status), is_overdue(page))
    return waiting(page, calendar, answer, asked=asked, whom=_whom(page), then=then)


def _whom(page: CasePage) -> str:
    match Party(page.case.waits_for):
        case Party.APPLICANT:
            return _("вас") if page.own else _("заявителя")
        case Party.SYSTEM if page.definition.answered_by_people:
            return _("передачу в отдел")
        case Party.SYSTEM:
            return _("передачу адресату")
        case Party.ADDRESSEE | Party.REVIEWER:
            return addressee_of(page.definition, page.responsible_unit)
        case _:
            return ""


def _then(page: CasePage, status: Status, overdue: bool) -> str:
    by_people = page.definition.answered_by_people
    match status:
        case Status.ACCEPTED if _is_down(page):
            return _(
                "Система адресата не отвечает. Мы повторяем передачу автоматически, запрос "
                "не потеряется."
            )
        case Status.PROCESSING if page.outage_since and not overdue:
            return _("Система адресата не отвечает. Мы повторяем обращение автоматически.")
        case Status.ACCEPTED if by_people:
            return _("Мы составляем документ и передаём его. Обычно это занимает меньше минуты.")
        case Status.ACCEPTED:
            return _(
                "Мы составляем документ, подписываем, шифруем и передаём его. Обычно это "
                "занимает меньше минуты."
            )
        case Status.PROCESSING if overdue:
            return (
                _("Вопрос уже у начальника подразделения.")
                if by_people
                else _("Мы сообщили об этом ответственным за обмен и обратились к адресату.")
            )
        case Status.PROCESSING if by_people:
            return _("Если ответа не будет в срок, вопрос перейдёт к начальнику подразделения.")
        case Status.PROCESSING:
            return _(
                "Если ответа не будет в срок, мы обратимся к адресату и сообщим "
                "ответственным за обмен."
            )
        case Status.READY:
            return _("Ответ можно посмотреть и скачать.") if page.own else _("Ответ отправлен.")
        case Status.REFUSED if page.own:
            return _("Причина в ответе. Запрос можно исправить и отправить снова.")
        case Status.WITHDRAWN if page.own:
            return _("Вы можете отправить новый запрос на основе этого.")
        case _:
            return ""


def _is_down(page: CasePage) -> bool:
    """Whether the latest journal entry about the addressee says that it does not answer."""
    for entry in page.timeline:
        if entry.kind == JournalKind.REQUEST_ADDRESSEE_DOWN:
            return True
        if entry.kind in _REACHED:
            return False
    return False


def answer_views(page: CasePage) -> list[AnswerView]:
    """The answers, newest first. Those to earlier versions say so."""
    return [_answer(answer, page) for answer in reversed(page.answers)]


def _answer(answer: Answered, page: CasePage) -> AnswerView:
    good = answer.outcome is Status.READY
    here = f"/requests/{page.case.id}/answers/{answer.version}"
    return AnswerView(
        version=answer.version,
        good=good,
        title=_("Ответ готов") if good else _("Отказано"),
        at=answer.at,
        by=_answered_by(answer, page),
        message=answer.message or "",
        facts=_facts(answer.data or {}),
        results=_results(answer.data or {}),
        files=[
            AnswerFileView(
                name=_file_name(file),
                size=file.size,
                download_url=f"{here}/{file.position}/file",
                view_url=f"{here}/{file.position}" if file.media_type in DRAWN else None,
            )
            for file in answer.files
        ],
        signer=answer.signer or "",
        signed_at=answer.signed_at,
        newest=answer.version == page.case.version,
    )


def _file_name(file: AnswerFile) -> str:
    """What to call a file of an answer: by its place in the answer, else by its own name."""
    if file.position == 1:
        return _("Файл ответа")
    return _("Данные ответа для программ") if file.media_type == "application/json" else file.name


def _answered_by(answer: Answered, page: CasePage) -> str:
    whom = addressee_of(page.definition, page.responsible_unit)
    return f"{whom}, {answer.by}" if answer.by else whom


def _facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Facts that stand beside the files of an answer."""
    number = data.get("number")
    return [(_("Номер ответа"), str(number))] if number else []


def _results(data: Mapping[str, Any]) -> list[Result]:
    """Results that a table can show. What has another shape is read in the files."""
    rows = data.get("results")
    if not isinstance(rows, list):
        return []
    names = ("name", "value", "unit", "norm")
    return [
        Result(*(str(row.get(name) or "") for name in names))
        for row in rows
        if isinstance(row, dict) and row.get("name")
    ]


def paper_views(page: CasePage, version: int) -> list[PaperLink]:
    """The request as submitted, to view and to download, named so that nobody takes it for an
    answer."""
    found = next((paper for paper in page.papers if paper.version == version), None)
    if found is None:
        return []
    here = f"/requests/{page.case.id}/papers/{version}"
    hint = (
        _("Подписан и зашифрован для адресата, передан %(at)s")
        if found.sealed and found.handed_over_at
        else ""
    )
    return [
        PaperLink(
            _("Посмотреть запрос, версия %(n)s") % {"n": version},
            hint % {"at": formats.moment(found.handed_over_at)} if found.handed_over_at else "",
            here,
            "eye",
        ),
        PaperLink(
            _("Ваш запрос (PDF)") if page.own else _("Запрос (PDF)"),
            _("То, что отправлено адресату, а не ответ; внутри те же сведения для программ"),
            f"{here}/file",
        ),
    ]
