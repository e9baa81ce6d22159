"""Turns what services return about a case into what its pages show, whoever looks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cabinet.cases.kinds import pages_of, room_of
from cabinet.cases.timeline import timeline
from cabinet.cases.views import (
    AnswerSection,
    CaseFile,
    CaseRow,
    FieldAnswer,
    Happening,
    PaperLink,
    WaitsFor,
)
from cabinet.frame.views import FieldView, FileRow, Option
from models.messages import PresentState
from rules.cases.process import Party, Status
from rules.cases.terms import WorkingCalendar, in_zone, working_days_left
from rules.clock import now
from rules.forms.definitions import AttachmentRule, CaseTypeDefinition, differs
from rules.forms.fields import Field, FieldKind, display, form_value
from services.cases import lists as case_lists
from services.dossier.page import CasePage, Cited, Version
from words import formats
from words.translation import gettext as _
from words.translation import ngettext


def url_of(kind: str, case_id: UUID) -> str:
    """The address of a case."""
    return f"{room_of(kind)}/{case_id}"


_DRAWN_AS = {
    FieldKind.LONG_TEXT: "long_text",
    FieldKind.NUMBER: "number",
    FieldKind.DATE: "date",
    FieldKind.CHOICE: "choice",
    FieldKind.CHECKBOX: "checkbox",
}
_WIDTHS = {
    FieldKind.SNILS: "width-20",
    FieldKind.INN: "width-20",
    FieldKind.PHONE: "width-20",
    FieldKind.LICENCE: "width-20",
    FieldKind.PATIENT_ID: "width-20",
}
_FOLLOWED_BY = {
    "remind": "Если ответа не будет в срок, мы напомним о нём, а затем передадим вопрос "
    "начальнику отдела.",
    "escalate": "Если решения не будет в срок, вопрос перейдёт к начальнику отдела кадров.",
}


def applicant_facts(page: CasePage) -> list[tuple[str, str]]:
    """What a reviewer sees of the applicant, as far as it is known."""
    facts = [(_("Должность"), page.applicant_position), (_("Подразделение"), page.unit)]
    return [(label, value) for label, value in facts if value]


def field_view(field: Field, raw: Any, error: str = "", remark: str = "") -> FieldView:
    """A field of a form with what was typed, valid or not."""
    return FieldView(
        name=field.name,
        label=_(field.label),
        kind=_DRAWN_AS.get(field.kind, "text"),  # type: ignore[arg-type]
        value=form_value(field, raw),
        hint=_(field.hint) if field.hint else "",
        error=error,
        required=field.required,
        options=[Option(choice.value, _(choice.label)) for choice in field.choices],
        suggestions=[Option(one.value, _(one.label)) for one in field.suggestions],
        width="" if field.suggestions else _WIDTHS.get(field.kind, ""),
        autocomplete=field.autocomplete or "",
        inputmode=field.inputmode or "",
        max_length=(field.max_length or 0) if field.kind is FieldKind.LONG_TEXT else 0,
        locked=field.locked,
        remark=remark,
    )


def shown_value(field: Field, value: Any) -> str | None:
    """A stored value as people read it, in their language."""
    words = display(field, value)
    translated = field.kind in (FieldKind.CHOICE, FieldKind.CHECKBOX)
    return _(words) if words and translated else words


def answer_sections(
    definition: CaseTypeDefinition,
    data: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    *,
    change_url: str | None = None,
    remarks: Mapping[str, str] | None = None,
) -> list[AnswerSection]:
    """Answers by section; given `before`, each with its earlier value.

    `change_url` is the address of the draft, to which the section and field are added.
    """
    noted = remarks or {}
    return [
        AnswerSection(
            _(section.title),
            [
                FieldAnswer(
                    _(field.label),
                    shown_value(field, data.get(field.name)),
                    old=shown_value(field, before.get(field.name)) if before else None,
                    changed=before is not None
                    and differs(before.get(field.name), data.get(field.name)),
                    change_url=f"{change_url}/{section.name}#group-{field.name}"
                    if change_url and not field.locked
                    else None,
                    remark=noted.get(field.name, ""),
                )
                for field in section.fields
            ],
        )
        for section in definition.sections
    ]


def cited_files(
    version: Version, rules: Sequence[AttachmentRule], remarks: Mapping[str, str] | None = None
) -> list[CaseFile]:
    """The documents of a version, with the kind that each was given for."""
    titles = {rule.kind: _(rule.title) for rule in rules}
    noted = remarks or {}
    return [
        CaseFile(
            cited.kind,
            file_row(cited, titles.get(cited.kind, cited.title)),
            remark=noted.get(cited.kind, ""),
        )
        for cited in version.attachments
    ]


def file_row(cited: Cited, note: str = "") -> FileRow:
    """A cited document as a row with its links."""
    return FileRow(
        id=str(cited.document_version_id),
        name=cited.file_name,
        size=cited.size,
        state="good",
        view_url=f"/documents/versions/{cited.document_version_id}",
        download_url=f"/documents/versions/{cited.document_version_id}/file",
        note=note,
    )


def latest_remarks(page: CasePage) -> Mapping[str, str]:
    """The reviewer's remarks, while the case waits for an answer to them."""
    if page.case.status != Status.CLARIFICATION or not page.decisions:
        return {}
    return page.decisions[-1].remarks


def case_timeline(page: CasePage) -> list[Happening]:
    """The timeline of the page."""
    return timeline(
        page.timeline,
        pages_of(page.case.kind).sentences,
        own=page.own,
        receipts=f"{url_of(page.case.kind, page.case.id)}/receipt" if page.own else "",
    )


def waits_for(
    page: CasePage, calendar: WorkingCalendar, answer: PresentState | None, *, asked: bool = False
) -> WaitsFor:
    """Whom a case waits for, until when, and what happens then (A8).

    `answer` is what the running workflow said; without it the stored case is shown.
    """
    case = page.case
    status, party = Status(case.status), Party(case.waits_for)
    if (said := pages_of(case.kind).waits) is not None:
        whom, then = said(page)
        return waiting(page, calendar, answer, asked=asked, whom=whom, then=then)
    following = answer.then if answer is not None and answer.step == case.step else None
    return waiting(
        page,
        calendar,
        answer,
        asked=asked,
        whom=_whom(page, party),
        then=_then(page, status, party, str(following or "escalate")),
        paused=_("Срок рассмотрения остановлен, пока мы ждём ответа.")
        if status is Status.CLARIFICATION
        else "",
    )


def waiting(
    page: CasePage,
    calendar: WorkingCalendar,
    answer: PresentState | None,
    *,
    asked: bool,
    whom: str,
    then: str,
    paused: str = "",
) -> WaitsFor:
    """What a case of any kind waits for, with `whom` and `then` in the words of its kind."""
    case, at, until = page.case, now(), page.case.due_at
    live = answer is not None and answer.step == case.step
    is_open = case.closed_at is None
    if case.stuck and is_open:
        then = _(
            "Обработка остановилась. Техническая служба уже знает об этом, ничего не потеряно."
        )
    return WaitsFor(
        status=case.status,
        whom=whom if is_open else "",
        then=then,
        until=due_here(case.due_at, case.term_zone),
        days_left=working_days_left(at, until, case.term_zone, calendar) if until else None,
        overdue=is_overdue(page),
        paused=paused,
        as_of=answer.as_of if answer is not None and live else at,
        live=live or not is_open,
        can_ask=is_open and not asked,
        kind=case.kind,
    )


def due_here(due_at: datetime | None, term_zone: str) -> datetime | None:
    """The end of a case's term by the clock of its own zone, as pages write it."""
    return in_zone(due_at, term_zone) if due_at else None


def is_overdue(page: CasePage) -> bool:
    """Whether the term of the case has passed."""
    return page.case.due_at is not None and page.case.due_at < now()


def _whom(page: CasePage, party: Party) -> str:
    match party:
        case Party.APPLICANT:
            return _("вас") if page.own else _("заявителя")
        case Party.REVIEWER:
            return page.responsible_unit
        case Party.REGISTER:
            return _("ответ регистра медработников")
        case Party.SYSTEM if page.case.status == Status.APPROVED:
            return _("акт о зачислении")
        case Party.SYSTEM:
            return _("завершения автоматической проверки")
        case _:
            return ""


def _then(page: CasePage, status: Status, party: Party, following: str) -> str:
    match status:
        case Status.CHECKING if party is Party.REGISTER:
            return _(
                "Регистр не отвечает. Мы повторяем запрос автоматически, срок на это время "
                "остановлен."
            )
        case Status.CHECKING:
            return _("Обычно это занимает меньше минуты. Затем заявка перейдёт в отдел кадров.")
        case Status.IN_REVIEW if is_overdue(page) or page.case.escalated_at:
            return _("Вопрос уже у начальника отдела кадров.")
        case Status.IN_REVIEW:
            return _(_FOLLOWED_BY.get(following, _FOLLOWED_BY["escalate"]))
        case Status.CLARIFICATION:
            return _("Если ответа не будет, заявка закроется, и её можно будет подать заново.")
        case Status.APPROVED if page.act is None:
            return _("Мы составляем и подписываем его. Обычно это занимает меньше минуты.")
        case Status.APPROVED:
            return _("Акт о зачислении готов.")
        case Status.REJECTED | Status.WITHDRAWN | Status.LAPSED:
            return _("Вы можете подать новую заявку на основе этой.") if page.own else ""
        case _:
            return ""


def case_line(
    line: case_lists.CaseLine,
    url: str = "",
    unread: int = 0,
    addressees: Mapping[str, str] | None = None,
) -> CaseRow:
    """A case in a list of its applicant; `addressees` are those outside the institution, by
    type."""
    outside = (addressees or {}).get(line.type, "")
    draft = "/draft" if line.status is Status.DRAFT else ""
    return CaseRow(
        url=url or f"{url_of(line.kind, line.id)}{draft}",
        number=line.number,
        title=title_of(line),
        status=line.status.value,
        since=line.since,
        unit=_(outside) if outside else line.responsible_unit,
        note=_note(line),
        overdue=line.due_at is not None and line.due_at < now(),
        kind=line.kind,
        unread=unread,
    )


def title_of(line: case_lists.CaseLine) -> str:
    """A title as people read it: of a type translated, of a programme as its organisation wrote
    it."""
    return line.title if line.programme_kind else _(line.title)


def _note(line: case_lists.CaseLine) -> str:
    due_at = due_here(line.due_at, line.term_zone)
    if line.closed_at is not None or due_at is None:
        return ""
    if due_at < now():
        return _("срок истёк %(at)s") % {"at": formats.ended(due_at)}
    at = {"at": formats.term(due_at)}
    if line.status is Status.CLARIFICATION:
        return _("ждём вас до %(at)s") % at
    return _("ответ до %(at)s") % at


def counted(one: str, many: str, n: int) -> str:
    """A number and its noun, with a no-break space between them."""
    return (ngettext(one, many, n) % {"num": n}).replace(f"{n} ", f"{n}\u00a0", 1)


def whole_case(page: CasePage) -> PaperLink:
    """The link to the whole case as one file."""
    return PaperLink(
        _("Скачать дело целиком"),
        _("ZIP: история дела в PDF/A и все файлы"),
        f"/archive/cases/{page.case.id}",
        "archive",
    )
