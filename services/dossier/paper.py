"""The facts of the paper about a whole case: all versions, decisions, messages and events.

The paper is for the person who asks: what their page of the case leaves out, it leaves out too. It
is in Russian, like enrolment certificates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rules.cases.kinds import process_of
from rules.cases.process import Status, Transition
from rules.forms.definitions import display
from rules.journal.entries import JournalKind as K
from services.dossier.page import CasePage, Version
from services.papers.typesetting import utc_shift

WORDS: Mapping[str, str] = {
    K.CASE_DRAFTED: "Начат черновик",
    K.CASE_COPIED: "Черновик начат на основе прежнего дела",
    K.CASE_SUBMITTED: "Отправлено заявителем",
    K.CASE_RESUBMITTED: "Заявитель ответил на уточнение",
    K.CASE_CORRECTED: "Исправлено заявителем",
    K.CASE_CHECKED: "Автоматическая проверка закончена",
    K.CASE_CHECK_FAILED: "Автоматическая проверка нашла замечания",
    K.CASE_REGISTER_DOWN: "Регистр не отвечает, срок остановлен",
    K.CASE_REGISTER_BACK: "Регистр снова отвечает",
    K.CASE_REVIEW_OPENED: "Передано на рассмотрение",
    K.CASE_ASSIGNED: "Назначен исполнитель",
    K.CASE_TAKEN: "Взято на рассмотрение",
    K.CASE_HANDED_OVER: "Передано другому сотруднику",
    K.CASE_MOVED: "Передано другому сотруднику",
    K.CASE_CHECKLIST_ANSWERED: "Сверено с требованиями",
    K.CASE_REMINDED: "Напоминание о сроке",
    K.CASE_ESCALATED: "Срок истёк, вопрос передан начальнику",
    K.CASE_APPROVED: "Одобрено",
    K.CASE_CLARIFICATION_ASKED: "Запрошено уточнение",
    K.CASE_REJECTED: "Отклонено",
    K.CASE_CONFIRMED: "Подтверждено руководителем",
    K.CASE_CONFIRMATION_LAPSED: "Подтверждение утратило силу",
    K.CASE_WITHDRAWN: "Отозвано заявителем",
    K.CASE_LAPSED: "Закрыто без ответа",
    K.CASE_COMMENTED: "Сообщение",
    K.CASE_ACT_ISSUED: "Выдан акт",
    K.VERIFICATION_CONFIRMED: "Учётная запись подтверждена",
    K.CASE_ACT_DOWNLOADED: "Акт скачан",
    K.CASE_RECEIPT_ISSUED: "Расписка скачана",
    K.CASE_TYPE_CHANGED: "Переведено на новую редакцию формы",
    K.CASE_STUCK: "Обработка остановилась",
    K.CASE_BEGUN_ANEW: "Обработка начата заново",
    K.CENTRE_DOWN: "Федеральный центр не отвечает",
    K.CENTRE_FORWARDED: "Портфолио подписано и отправлено в федеральный центр",
    K.CENTRE_PASSED_ON: "Передано в центральную комиссию",
    K.CENTRE_ASKED: "Федеральный центр попросил исправить документы",
    K.CENTRE_RETURNED: "Федеральный центр вернул документы",
    K.CENTRE_REFUSED: "Комиссия отказала в аккредитации",
    K.CENTRE_ACCREDITED: "Аккредитация пройдена",
    K.CASE_EXPORTED: "Дело выгружено",
    K.CASE_KEPT_LONGER: "Срок хранения продлён",
    K.CASE_HELD: "Удаление запрещено",
    K.CASE_RELEASED: "Запрет удаления снят",
    K.CASE_ERASED: "Содержание удалено по окончании срока хранения",
    K.REQUEST_SENT: "Передано адресату",
    K.REQUEST_ANSWERED: "Получен ответ",
    K.REQUEST_REFUSED: "Адресат отказал",
    K.REQUEST_ADDRESSEE_DOWN: "Адресат не отвечает",
    K.REQUEST_WITHDRAWAL_TOLD: "Адресат уведомлён об отзыве",
    K.REQUEST_ODD_RECEIPT: "Поступило сообщение, ничего не изменилось",
    K.REQUEST_ANSWER_UNVERIFIED: "Получен ответ, подпись которого не прошла проверку",
    K.CASE_SIGNAL_WITHOUT_ACT: "Поступил сигнал без решения, ничего не изменилось",
    K.CONTENTS_ERASED: "Содержание записи удалено по закону",
}
"""Entries of the journal in words: all that `rules.journal.disclosure` shows to anybody."""

DECIDED = {
    Transition.APPROVE: "Одобрено",
    Transition.CLARIFY: "Требуется уточнение",
    Transition.REJECT: "Отклонено",
}


@dataclass(frozen=True)
class FileFacts:
    """A file that goes with the paper: its path in the archive, and its digest."""

    path: str
    about: str
    size: int
    sha256: str


@dataclass
class _Section:
    title: str
    level: int = 2
    words: list[str] = field(default_factory=list)
    rows: list[Sequence[str | None]] = field(default_factory=list)
    items: list[tuple[str, str, str]] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "level": self.level,
            "words": self.words,
            "rows": self.rows,
            "items": self.items,
        }


def facts_of(
    page: CasePage,
    files: Sequence[FileFacts],
    cited: Mapping[UUID, str],
    institution: str,
    at: datetime,
) -> dict[str, Any]:
    """The facts for the template `case.typ`. `cited` is the path of each cited document version.

    Times are in the zone in which the terms of the case end, which is named.
    """
    case, number = page.case, page.case.number or ""
    zone = ZoneInfo(case.term_zone)

    def moment(when: datetime) -> str:
        return f"{when.astimezone(zone):%d.%m.%Y, %H:%M:%S}"

    title = page.programme.title if page.programme else page.definition.title
    words = process_of(case.kind).words
    rows = [
        ("Название", title),
        ("Заявитель", f"{page.applicant}, {page.applicant_position}"),
        ("Подразделение", page.unit),
        ("Рассматривает", page.responsible_unit),
        ("Состояние", f"{words[Status(case.status)]}, с {moment(case.since)}"),
        ("Подано", moment(case.submitted_at or case.created_at)),
        *([("Закрыто", moment(case.closed_at))] if case.closed_at else []),
        *([("Акт", f"№ {page.act.number} от {moment(page.act.issued_at)}")] if page.act else []),
    ]
    sections = [
        *_versions(page, cited, moment),
        *_decisions(page, moment),
        *_answers(page, moment),
        *_comments(page, moment),
        _timeline(page, moment),
        _files(files),
    ]
    drawn_up = f"выписка на {at.astimezone(zone):%d.%m.%Y, %H:%M}"
    return {
        "lang": "ru",
        "institution": institution,
        "title": f"Дело № {number}",
        "number": number,
        "date": drawn_up,
        "heading": f"Дело № {number}",
        "footer": f"Дело № {number}, {drawn_up} ({utc_shift(at.astimezone(zone))})",
        "rows": rows,
        "sections": [section.shown() for section in sections],
    }


def _versions(page: CasePage, cited: Mapping[UUID, str], moment: Any) -> list[_Section]:
    titles = {rule.kind: rule.title for rule in page.attachment_rules}
    made: list[_Section] = []
    before: Version | None = None
    for version in page.versions:
        head = _Section(f"Версия {version.number} от {moment(version.submitted_at)}")
        if before is not None:
            number = len(version.changes)
            head.words = [
                f"Отличий от версии {before.number}: {number}. Прежнее значение зачёркнуто."
                if number
                else f"Ответы те же, что в версии {before.number}."
            ]
        made.append(head)
        for part in page.definition.sections:
            section = _Section(part.title, 3)
            for one in part.fields:
                value = display(one, version.data.get(one.name))
                old = display(one, before.data.get(one.name)) if before else None
                struck = old if before and old != value else None
                if value or struck:
                    section.rows.append((one.label, value or "не указано", struck))
            if section.rows:
                made.append(section)
        if version.attachments:
            made.append(
                _Section(
                    "Приложенные документы",
                    3,
                    rows=[
                        (titles.get(one.kind, one.title), cited[one.document_version_id])
                        for one in version.attachments
                    ],
                )
            )
        if version.findings:
            when = moment(version.checked_at) if version.checked_at else ""
            said = [(when, str(finding.get("text", "")), "") for finding in version.findings]
            made.append(_Section("Автоматическая проверка", 3, items=said))
        before = version
    return made


def _decisions(page: CasePage, moment: Any) -> list[_Section]:
    if not page.decisions:
        return []
    labels = {name: one.label for name, one in page.definition.fields.items()}
    labels |= {rule.kind: rule.title for rule in page.attachment_rules}
    questions = {item.name: item.question for item in page.checklist}
    made = [_Section("Решения")]
    for one in page.decisions:
        section = _Section(f"{DECIDED.get(one.outcome, one.outcome)}, версия {one.version}", 3)
        section.rows = [("Кто и когда", f"{one.by}, {moment(one.at)}"), ("Причина", one.reason)]
        section.rows += [(labels.get(name, name), text) for name, text in one.remarks.items()]
        section.rows += [
            (questions.get(name, name), "да" if yes else "нет")
            for name, yes in one.checklist.items()
        ]
        made.append(section)
    return made


def _answers(page: CasePage, moment: Any) -> list[_Section]:
    made: list[_Section] = []
    words = process_of(page.case.kind).words
    for one in page.answers:
        section = _Section(f"Ответ на версию {one.version}: {words[one.outcome]}")
        section.rows = [("Когда", moment(one.at))]
        if one.by:
            section.rows.append(("Кто ответил", one.by))
        if one.signer:
            section.rows.append(("Сертификат подписи", one.signer))
        if one.message:
            section.rows.append(("Сообщение", one.message))
        made.append(section)
    return made


def _comments(page: CasePage, moment: Any) -> list[_Section]:
    if not page.comments:
        return []
    said = [
        (
            f"{one.by}, {moment(one.at)}" + (", только для сотрудников" if one.internal else ""),
            one.text,
            "",
        )
        for one in page.comments
    ]
    return [_Section("Сообщения", items=said)]


def _timeline(page: CasePage, moment: Any) -> _Section:
    section = _Section("Ход дела")
    section.words = [
        "Записи журнала связаны хешами: каждый хеш зависит от всех записей до него, поэтому "
        "изменение прежней записи заметно."
    ]
    if len(page.timeline) < max((one.position for one in page.timeline), default=0):
        section.words.append(
            "Пропущенные номера принадлежат служебным записям, которые здесь не показаны."
        )
    for one in reversed(page.timeline):
        who = f", {one.by}" if one.by else ""
        said = WORDS[one.kind]
        reason = str((one.contents or {}).get("reason") or "")
        section.items.append(
            (
                f"{one.position}. {moment(one.at)}{who}",
                f"{said}. {reason}" if reason else said,
                f"SHA-256: {one.hash}",
            )
        )
    return section


def _files(files: Sequence[FileFacts]) -> _Section:
    section = _Section("Файлы дела")
    section.words = (
        ["Файлы находятся в одном архиве с этой выпиской."] if files else ["Файлов в деле нет."]
    )
    section.items = [
        (one.about, f"{one.path} ({one.size} Б)", f"SHA-256: {one.sha256}") for one in files
    ]
    return section
