"""Turns what services return into what the pages of the desk show."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from babel.dates import format_date

from cabinet.cases.intakes import chosen_fact
from cabinet.cases.lines import (
    applicant_facts,
    case_timeline,
    shown_value,
    title_of,
    waits_for,
)
from cabinet.cases.views import AnswerSection
from cabinet.conversation.pages import talk_of
from cabinet.frame.views import FieldView, Option
from cabinet.reviews.context import Known
from cabinet.reviews.views import (
    DecisionForm,
    DeskAnswer,
    DeskCase,
    DeskDocument,
    Due,
    FindingView,
    HandOver,
    OtherCase,
    PagePreview,
    PastDecision,
    QueueRow,
)
from models.messages import PresentState
from rules.access import Actor
from rules.cases.applications import WORDS
from rules.cases.kinds import process_of
from rules.cases.process import Moved, Party, Status, Transition
from rules.cases.terms import WorkingCalendar, in_zone, last_day, working_days_left
from rules.catalogue.programmes import KINDS
from rules.forms.definitions import difference, differs
from rules.forms.fields import Field
from rules.texts.names import Name, short_name
from services.cases.lists import CaseLine
from services.dossier.page import CasePage, Cited, Version
from services.staff.absences import Reviewer
from words import formats
from words.translation import current, marked, ngettext
from words.translation import gettext as _

_HERE = frozenset({Status.CONFIRMING, Status.IN_REVIEW, Status.PROCESSING})
SOON = 2
"""Working days left at which a term is shown as coming up."""

OUTCOMES: Mapping[Transition, tuple[str, str, str, str]] = {
    Transition.CONFIRM_ACCESS: (marked("Подтвердить"), "a", "circle-check", "good"),
    Transition.APPROVE: (marked("Одобрить"), "a", "circle-check", "good"),
    Transition.CLARIFY: (marked("Запросить уточнение"), "c", "circle-question-mark", "paused"),
    Transition.REJECT: (marked("Отклонить"), "r", "octagon-x", "bad"),
}
"""Word (message id), key, icon and tone of each decision."""

_DECIDED: Mapping[Transition, str] = {
    Transition.CONFIRM_ACCESS: marked("Подтверждено"),
    Transition.APPROVE: WORDS[Status.APPROVED],
    Transition.CLARIFY: WORDS[Status.CLARIFICATION],
    Transition.REJECT: WORDS[Status.REJECTED],
}
_MADE: Mapping[Transition, str] = {
    Transition.CONFIRM_ACCESS: marked("Подтверждено."),
    Transition.APPROVE: marked("Одобрено."),
    Transition.CLARIFY: marked("Запрос на уточнение отправлен."),
    Transition.REJECT: marked("Отклонено."),
}
_NOT_NOW: Mapping[Status, str] = {
    Status.CHECKING: marked(
        "Идёт автоматическая проверка. Решить можно будет, когда она закончится."
    ),
    Status.CLARIFICATION: marked("Ждём ответа заявителя. После ответа решать снова вам."),
    Status.APPROVED: marked("Уже одобрено, решение больше не требуется."),
    Status.REJECTED: marked("Уже отклонено, решение больше не требуется."),
    Status.WITHDRAWN: marked("Заявитель отозвал заявку."),
    Status.LAPSED: marked("Закрыто: заявитель не ответил на уточнение."),
    Status.FORWARDED: marked("Документы у федерального центра, решает он."),
    Status.WITH_COMMISSION: marked("Документы у центральной комиссии, решает она."),
}


def word_of(outcome: Transition) -> str:
    """The status that a decision leads to, in words: «Одобрено»."""
    return _(_DECIDED[outcome])


def made(outcome: Transition) -> str:
    """The message to the reviewer who made a decision: «Запрос на уточнение отправлен.»."""
    return _(_MADE[outcome])


def due_of(
    status: str,
    due_at: datetime | None,
    at: datetime,
    zone: str,
    calendar: WorkingCalendar,
    *,
    here: str = Party.REVIEWER,
) -> Due:
    """The end of a term in words; an overdue one says by how many working days.

    `zone` is that of the term, named where it is not the reader's. `here` is the party that the
    case waits for: only terms of the people at the desk are shown as urgent.
    """
    if due_at is None:
        return Due("—")
    left = working_days_left(at, due_at, zone, calendar)
    due_at = in_zone(due_at, zone)
    place = formats.elsewhere(due_at)
    day = format_date(last_day(due_at, zone), "d MMMM", locale=current().locale) + place
    if status not in _HERE or here != Party.REVIEWER:
        return Due(_("ответ до %(day)s") % {"day": day}, "calm", due_at)
    if due_at <= at:
        if left >= 0:
            return Due(_("срок истёк %(day)s") % {"day": day}, "late", due_at)
        words = ngettext(
            "просрочено на %(n)s рабочий день", "просрочено на %(n)s рабочих дней", -left
        )
        return Due(words % {"n": -left}, "late", due_at)
    if left == 0:
        # Today in the zone of the term may be tomorrow for the reader.
        words = (
            _("до %(at)s") % {"at": formats.term(due_at)} if place else _("сегодня до конца дня")
        )
        return Due(words, "today", due_at)
    words = ngettext("до %(day)s, %(n)s рабочий день", "до %(day)s, %(n)s рабочих дней", left)
    return Due(words % {"day": day, "n": left}, "soon" if left <= SOON else "calm", due_at)


def queue_row(
    line: CaseLine,
    actor: Actor,
    at: datetime,
    calendar: WorkingCalendar,
    *,
    reading: Sequence[str] = (),
    suffix: str = "",
    selectable: bool = False,
    unread: int = 0,
) -> QueueRow:
    """A case in the dense table; `suffix` is the list's query, by which its page finds
    neighbours."""
    own = line.applicant_id == actor.person_id
    return QueueRow(
        id=str(line.id),
        url=f"/desk/cases/{line.id}{suffix}",
        number=line.number or "",
        title=title_of(line),
        applicant=line.applicant or "",
        unit=line.unit,
        status=line.status,
        due=due_of(line.status, line.due_at, at, line.term_zone, calendar, here=line.waits_for),
        reviewer=short_name(line.reviewer) if line.reviewer else "",
        mine=line.reviewer_id == actor.person_id,
        own=own,
        reading=[Name.of(name).surname for name in reading],
        selectable=selectable and not own,
        kind=line.kind,
        unread=unread,
    )


def why_not(page: CasePage) -> str:
    """Why this person has nothing to decide now; empty where they have."""
    if page.own:
        return _("Это отправили вы. Решение примет другой сотрудник.")
    if not page.reviews:
        return _("Вы можете только смотреть. Решение принимает: %(unit)s.") % {
            "unit": page.responsible_unit
        }
    if page.case.closed_at is None and not page.decides:
        return _("Это решение принимает другой человек, не вы.")
    return _(_NOT_NOW[status]) if (status := Status(page.case.status)) in _NOT_NOW else ""


def remarks(page: CasePage, chosen: Version, before: Version | None) -> Mapping[str, str]:
    """Remarks on the shown version, and on the one it is compared with, by field or kind of
    document."""
    told: dict[str, list[str]] = {}
    for decision in page.decisions:
        if decision.version == chosen.number:
            words = "%(text)s"
        elif before is not None and decision.version == before.number:
            words = _("К версии %(n)s: %(text)s")
        else:
            continue
        for name, text in decision.remarks.items():
            told.setdefault(name, []).append(words % {"n": decision.version, "text": text})
    return {name: "\n".join(texts) for name, texts in told.items()}


def remarked(page: CasePage, version: Version | None) -> set[str]:
    """The fields and kinds of document with a remark on this version."""
    found = (d.remarks for d in page.decisions if version and d.version == version.number)
    return {name for noted in found for name in noted}


def sections(
    page: CasePage, chosen: Version, before: Version | None, told: Mapping[str, str]
) -> list[AnswerSection]:
    """The submitted form with its remarks, and with its differences from `before`."""
    asked = remarked(page, before)

    def answer(field: Field) -> DeskAnswer:
        value, old = chosen.data.get(field.name), before.data.get(field.name) if before else None
        changed = before is not None and differs(old, value)
        return DeskAnswer(
            _(field.label),
            shown_value(field, value),
            old=shown_value(field, old),
            changed=changed,
            remark=told.get(field.name, ""),
            name=field.name,
            locked=field.locked,
            unmended=field.name in asked and not changed,
        )

    return [
        AnswerSection(_(section.title), [answer(field) for field in section.fields])
        for section in page.definition.sections
    ]


def documents(
    page: CasePage, chosen: Version, before: Version | None, told: Mapping[str, str]
) -> list[DeskDocument]:
    """The cited documents, each with pictures of its pages."""
    titles = {rule.kind: _(rule.title) for rule in page.attachment_rules}
    changed = kinds_changed(chosen, before)
    known = {cited.document_version_id for cited in before.attachments} if before else None
    asked = remarked(page, before)
    made: list[DeskDocument] = []
    for n, cited in enumerate(chosen.attachments, 1):
        title = titles.get(cited.kind, cited.title)
        made.append(
            DeskDocument(
                kind=f"{n}-{cited.kind}",
                title=title,
                name=cited.file_name,
                size=cited.size,
                sheets=_sheets(cited, title),
                download_url=f"/documents/versions/{cited.document_version_id}/file",
                new=known is not None and cited.document_version_id not in known,
                about=cited.kind,
                remark=told.get(cited.kind, ""),
                unmended=cited.kind in asked and cited.kind not in changed,
            )
        )
    return made


def kinds_changed(chosen: Version, before: Version | None) -> set[str]:
    """The kinds of document whose documents differ; a replaced document is one change."""
    if before is None:
        return set()
    given = [
        {(cited.kind, cited.document_version_id) for cited in version.attachments}
        for version in (chosen, before)
    ]
    return {kind for kind, _id in given[0] ^ given[1]}


def changes(page: CasePage, chosen: Version, before: Version | None) -> int:
    """How many answers and kinds of document differ from the version before."""
    if before is None:
        return 0
    answers = difference(page.definition, before.data, chosen.data)
    return len(answers) + len(kinds_changed(chosen, before))


def not_given(
    page: CasePage, chosen: Version, before: Version | None, told: Mapping[str, str]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Documents no longer given, then those asked for and not given; each with its remark."""
    titles = {rule.kind: _(rule.title) for rule in page.attachment_rules}
    here = {cited.document_version_id for cited in chosen.attachments}
    kinds = {cited.kind for cited in chosen.attachments}
    open_ = {kind: text for kind, text in told.items() if kind in titles and kind not in kinds}
    gone = [
        (f"{titles.get(cited.kind, cited.title)} ({cited.file_name})", open_.pop(cited.kind, ""))
        for cited in (before.attachments if before else ())
        if cited.document_version_id not in here
    ]
    return gone, [(titles[kind], text) for kind, text in open_.items()]


def _sheets(cited: Cited, title: str) -> list[PagePreview]:
    total = cited.pages or 1
    return [
        PagePreview(
            f"/documents/versions/{cited.document_version_id}/pages/{n}.png",
            n,
            _("%(title)s, страница %(n)s из %(total)s") % {"title": title, "n": n, "total": total},
        )
        for n in range(1, total + 1)
    ]


def findings(page: CasePage, chosen: Version, shown: Sequence[DeskDocument]) -> list[FindingView]:
    """What the automatic check found, each with the way to what it is about."""
    labels = {name: _(field.label) for name, field in page.definition.fields.items()}
    titles = {rule.kind: _(rule.title) for rule in page.attachment_rules}
    tabs = {document.about: f"#tab-{document.kind}" for document in shown}
    made: list[FindingView] = []
    for finding in chosen.findings:
        about = str(finding.get("about", "")).removeprefix("attachments.")
        severity = finding.get("severity")
        made.append(
            FindingView(
                severity if severity in ("problem", "warning") else "fine",
                _(str(finding.get("text", ""))),
                labels.get(about) or titles.get(about, ""),
                f"#answer-{about}" if about in labels else tabs.get(about, ""),
            )
        )
    return made


def past_decisions(page: CasePage) -> list[PastDecision]:
    """The decisions made so far, newest first."""
    labels = {name: _(field.label) for name, field in page.definition.fields.items()}
    labels |= {rule.kind: _(rule.title) for rule in page.attachment_rules}
    return [
        PastDecision(
            word_of(decided.outcome),
            OUTCOMES[decided.outcome][3],
            short_name(decided.by),
            decided.at,
            decided.version,
            decided.reason,
            [(labels.get(name, name), text) for name, text in decided.remarks.items()],
        )
        for decided in reversed(page.decisions)
    ]


def other_cases(lines: Sequence[CaseLine]) -> list[OtherCase]:
    """The applicant's other cases that this reviewer may see."""
    return [
        OtherCase(
            f"/desk/cases/{line.id}",
            line.number or "",
            title_of(line),
            line.status,
            line.since,
            line.kind,
        )
        for line in lines
    ]


def hand_over(
    url: str,
    reviewers: Sequence[Reviewer],
    without: frozenset[UUID] = frozenset(),
    *,
    chosen: str = "",
    why: str = "",
    error: str = "",
    why_error: str = "",
) -> HandOver:
    """The form to assign a case to a reviewer who is not away; each is shown with their load."""
    options = []
    for reviewer in reviewers:
        if reviewer.id in without or reviewer.away_now:
            continue
        words = ngettext("%(n)s заявка", "%(n)s заявок", reviewer.in_review)
        load = words % {"n": reviewer.in_review}
        options.append(Option(str(reviewer.id), f"{reviewer.name} ({load})"))
    return HandOver(
        url,
        FieldView("to", _("Кому передать"), "choice", chosen, error=error, options=options),
        FieldView(
            "why",
            _("Причина передачи"),
            value=why,
            hint=_("Увидят только коллеги"),
            error=why_error,
            required=False,
        ),
        open=bool(error or why_error),
    )


def passing(known: Known, actor: Actor, **typed: str) -> HandOver | None:
    """The form to assign this case, with what was typed; None where this person may not do so."""
    page, case = known.page, known.page.case
    gives = page.reviews and (page.oversees or case.reviewer_id == actor.person_id)
    if case.closed_at is not None or not gives:
        return None
    without = frozenset({case.applicant_id, *([case.reviewer_id] if case.reviewer_id else [])})
    url = f"/desk/cases/{case.id}/hand-over{known.asked.suffix}"
    form = hand_over(url, known.reviewers, without, **typed)
    return form if form.to.options else None


def desk_case(
    known: Known,
    actor: Actor,
    decision: DecisionForm | None,
    *,
    answer: PresentState | None = None,
    number: int = 0,
    compare: bool = True,
    moved_on: Moved = Moved.NO,
    kept: str = "",
) -> DeskCase:
    """The view of an application's page; `number` chooses a version."""
    page, case, suffix = known.page, known.page.case, known.asked.suffix
    chosen, earlier_version = page.since_decision(number)
    before = earlier_version if compare else None
    told = remarks(page, chosen, before)
    shown = documents(page, chosen, earlier_version, told)
    gone, missing = not_given(page, chosen, before, told)
    mine = case.reviewer_id == actor.person_id
    takes = page.decides and case.closed_at is None and not mine
    earlier, following = known.around
    programme = page.programme
    url = f"/desk/cases/{case.id}"
    facts = applicant_facts(page)
    if programme is not None:
        words = f"{_(KINDS.get(programme.kind, programme.kind))}, {formats.hours(programme.hours)}"
        facts.append((_("Программа"), f"{words}, {programme.organisation}"))
    facts += chosen_fact(page, chosen)
    return DeskCase(
        url=url,
        query=suffix,
        queue_url=f"/desk{suffix}",
        number=case.number or "",
        title=programme.title if programme else _(page.definition.title),
        applicant=page.applicant,
        facts=facts,
        step=case.step,
        version=chosen.number,
        versions=[(v.number, v.submitted_at) for v in page.versions],
        compared=before is not None,
        against=before.number if before else 0,
        changed=changes(page, chosen, earlier_version),
        waits=waits_for(page, known.calendar, answer),
        sections=sections(page, chosen, before, told),
        documents=shown,
        gone=gone,
        missing=missing,
        waived=[(_(r.title), _(r.waived_reason)) for r in page.attachment_rules if r.waived_reason],
        takes_files=bool(page.attachment_rules or shown or gone),
        is_checked=process_of(case.kind).is_checked,
        findings=findings(page, chosen, shown),
        checked_at=chosen.checked_at,
        decision=decision,
        why_not=why_not(page),
        kept=kept,
        decisions=past_decisions(page),
        past_url=f"/audit/cases/{case.id}" if page.decided else "",
        reviewer=short_name(page.reviewer) if page.reviewer else "",
        mine=mine,
        had=str(case.reviewer_id or ""),
        take_url=f"{url}/take{suffix}" if takes else None,
        hand_over=passing(known, actor),
        reading=[short_name(name) for name in page.reading],
        talk=talk_of(page, f"{url}{suffix}"),
        history=other_cases(known.history),
        happenings=case_timeline(page),
        before_url=f"/desk/cases/{earlier}{suffix}" if earlier else None,
        next_url=f"/desk/cases/{following}{suffix}" if following else None,
        tag=known.tag,
        moved_on=moved_on,
    )
