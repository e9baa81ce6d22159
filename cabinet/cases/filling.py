"""Filling in a form, whatever the kind of case: tasks, sections, autosave, errors.

The fields, their checks and their order come from the definition that the case began with. The
pages stand in `cabinet.cases.draft_pages`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from cabinet.cases.kinds import KindPages, pages_of
from cabinet.cases.lines import latest_remarks, shown_value, url_of
from cabinet.cases.views import FilledLine, Task
from cabinet.frame.shown import SentForm, sent_form, shown_of
from cabinet.frame.views import ErrorItem
from cabinet.frame.visits import Visit
from rules.cases.kinds import process_of
from rules.cases.process import Status
from rules.catalogue.intakes import FIELD as INTAKE
from rules.catalogue.intakes import check_intake
from rules.forms.definitions import AttachmentRule, Section, check_attachments, check_form, differs
from rules.forms.draft_edits import mark, marks
from rules.forms.fields import Field
from rules.refusals import FieldError, Refusal, not_found
from rules.registers.sources import SOURCE_WORDS
from services.cases.draft_contents import attachments_of
from services.cases.drafts import Drafts
from services.credentials.renewal import FilledFrom
from services.dossier import page as dossier
from words import formats
from words.translation import gettext, in_words

MODES = {Status.DRAFT: "draft", Status.CLARIFICATION: "answer"}


@dataclass(frozen=True)
class Editing:
    """A draft being edited: what is typed and attached so far, and the reviewer's remarks."""

    page: dossier.CasePage
    data: Mapping[str, Any]
    attached: Sequence[Mapping[str, str]]
    remarks: Mapping[str, str]
    today: date
    sources: Sequence[tuple[str, str]] = ()
    """Fields, each with which document of the person's file gave the answer that stands there."""
    filled: Sequence[FilledLine] = ()
    """The documents that did."""

    @property
    def case_url(self) -> str:
        """The address of the case."""
        return url_of(self.page.case.kind, self.page.case.id)

    @property
    def url(self) -> str:
        """The address of the draft's pages."""
        return f"{self.case_url}/draft"

    @property
    def mode(self) -> str:
        """`draft`, `answer` or `correction`."""
        return MODES.get(Status(self.page.case.status), "correction")

    @cached_property
    def attachment_rules(self) -> Sequence[AttachmentRule]:
        """The documents of the case: required, too, where the answers make one necessary."""
        needed = pages_of(self.page.case.kind).needed(self.data)
        return [
            rule.model_copy(update={"required": True}) if rule.kind in needed else rule
            for rule in self.page.attachment_rules
        ]

    @property
    def pages(self) -> int:
        """How many pages there are to fill in; the documents, if any are asked for, are one."""
        papers = bool(self.attachment_rules)
        return len(self.page.definition.sections) + int(papers)

    @property
    def papers_title(self) -> str:
        """The title of the page of documents."""
        return gettext(pages_of(self.page.case.kind).phrases.papers)

    def section(self, name: str) -> tuple[int, Section]:
        """A section and its place, counted from 1. Raises Refusal 404."""
        for place, section in enumerate(self.page.definition.sections, start=1):
            if section.name == name:
                return place, section
        raise not_found()

    def following(self, place: int) -> str:
        """The address of the page after this one: the next section, the documents if any, the
        check.

        Where a reviewer made remarks: the next page with an unanswered one, or the check.
        """
        sections = self.page.definition.sections
        if self.remarks:
            left = [url for at, url in self.asked if at > place]
            return left[0] if left else f"{self.url}/check"
        if place < len(sections):
            return f"{self.url}/{sections[place].name}"
        papers = place == len(sections) and self.attachment_rules
        return f"{self.url}/{'attachments' if papers else 'check'}"

    def errors(self, *, complete: bool) -> dict[str, str]:
        """Errors by field, in the person's language."""
        data, found = check_form(
            self.page.definition, self.data, complete=complete, today=self.today
        )
        sent = self.page.newest
        held = [sent.data.get(INTAKE)] if sent else []
        found += check_intake(self.page.intakes, data.get(INTAKE), held, self.today)
        return {fault.path: in_words(fault.message) for fault in found}

    def missing(self) -> dict[str, str]:
        """Errors about documents by their kind: missing, or not wanted."""
        found = check_attachments(self.attachment_rules, [given["kind"] for given in self.attached])
        return {f.path.removeprefix("attachments."): in_words(f.message) for f in found}

    @cached_property
    def answered(self) -> frozenset[str]:
        """The remarks whose field or documents differ from what was submitted."""
        return answered_of(self.page, self.data, self.attached, self.remarks)

    @property
    def asked(self) -> list[tuple[int, str]]:
        """The unanswered remarks: the number of the page, and the way to it."""
        left = [name for name in self.remarks if name not in self.answered]
        found = [
            (place, f"{self.url}/{section.name}#group-{field.name}")
            for place, section in enumerate(self.page.definition.sections, start=1)
            for field in section.fields
            if field.name in left
        ]
        return found + [
            (self.pages, f"{self.url}/attachments#slot-{rule.kind}")
            for rule in self.attachment_rules
            if rule.kind in left
        ]

    @cached_property
    def changed(self) -> bool:
        """Whether there is anything to submit: a new case, or other contents than were submitted.

        An answer that was begun may be submitted unchanged: its author has looked at it again.
        """
        sent, draft = self.page.newest, self.page.case.draft
        if sent is None or draft is None or self.mode == "answer":
            return sent is None or draft is not None
        data, _ = check_form(self.page.definition, self.data, complete=False, today=self.today)
        if any(
            differs(sent.data.get(name), data.get(name)) for name in self.page.definition.fields
        ):
            return True
        here = {(given["kind"], given["document_version_id"]) for given in self.attached}
        return here != {(cited.kind, str(cited.document_version_id)) for cited in sent.attachments}

    def unanswered(self, names: Iterable[str]) -> bool:
        """Whether a remark about one of these names is unanswered."""
        return any(name in self.remarks and name not in self.answered for name in names)

    def remarked(self, names: Collection[str]) -> str:
        """What the task list says of the remarks about these names, answered or not."""
        if self.unanswered(names):
            return gettext("У отдела кадров есть вопрос")
        return gettext("Замечание учтено") if self.answered.intersection(names) else ""


def answered_of(
    page: dossier.CasePage,
    data: Mapping[str, Any],
    attached: Sequence[Mapping[str, str]],
    remarks: Collection[str],
) -> frozenset[str]:
    """Which remarks a draft has answered: by another value, or by other documents of the kind.

    Removing a required document is no answer.
    """
    sent = page.newest
    if sent is None:
        return frozenset()
    before = {(cited.kind, str(cited.document_version_id)) for cited in sent.attachments}
    here = {(given["kind"], given["document_version_id"]) for given in attached}
    needed = {rule.kind for rule in page.attachment_rules if rule.required}

    def is_answered(name: str) -> bool:
        if name in page.definition.fields:
            return data.get(name) != sent.data.get(name)
        given = {one for one in here if one[0] == name}
        return given != {one for one in before if one[0] == name} and bool(
            given or name not in needed
        )

    return frozenset(name for name in remarks if is_answered(name))


async def editing(
    visit: Visit, case_id: UUID, kind: KindPages | None = None, *, sources: bool = False
) -> Editing:
    """The draft that the person may change, of a case of this kind, or of any.

    With `sources` it says where answers came from. Raises Refusal 404, or 409 where the case cannot
    be changed now.
    """
    async with visit.container.database.work() as session:
        page = await dossier.page(session, visit.actor, case_id)
        cited = await attachments_of(session, case_id, page.case.version)
        filled_of = pages_of(page.case.kind).filled if sources and page.own else None
        filled = await filled_of(session, page) if filled_of else ()
    if not page.own or (kind and kind.process.kind != page.case.kind):
        raise not_found()
    if not page.editable:
        words = process_of(page.case.kind).refusals.unchangeable
        raise Refusal("not_now", words, 409, case_url=url_of(page.case.kind, page.case.id))
    case = page.case
    if case.draft is not None:
        data: Mapping[str, Any] = case.draft
        attached: Sequence[Mapping[str, str]] = case.draft_attachments
    else:
        data = page.newest.data if page.newest else {}
        attached = cited
    today = datetime.now(ZoneInfo(case.term_zone)).date()
    stand = [(one.source, _standing(one.values, data)) for one in filled]
    return Editing(
        page,
        data,
        attached,
        latest_remarks(page),
        today,
        [(name, source_words(source)) for source, names in stand for name in names],
        [_filled_line(source) for source, names in stand if names],
    )


def _filled_line(source: FilledFrom) -> FilledLine:
    url = f"/credentials/{source.credential_id}"
    return FilledLine(gettext(source.category.title), source.number, url)


def source_words(filled: FilledFrom) -> str:
    """Which document of the person's file gave an answer, by whose word, and since when."""
    title = gettext(filled.category.title)
    return gettext("Из дела: %(title)s, %(who)s, %(day)s") % {
        "title": f"{title} № {filled.number}" if filled.number else title,
        "who": gettext(SOURCE_WORDS.get(filled.source, filled.source)),
        "day": formats.day(filled.made_at),
    }


def _standing(values: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """The fields in which the draft has these values still."""
    return [name for name, value in values.items() if not differs(data.get(name), value)]


def tasks_of(edited: Editing) -> list[Task]:
    """A line of the task list for each section, and one for the documents, if any are asked for."""
    errors, wrong = edited.errors(complete=True), edited.errors(complete=False)
    tasks = [_task(edited, section, errors, wrong) for section in edited.page.definition.sections]
    return [*tasks, _documents_task(edited)] if edited.attachment_rules else tasks


def _task(
    edited: Editing, section: Section, errors: Mapping[str, str], wrong: Mapping[str, str]
) -> Task:
    names = [field.name for field in section.fields]
    hint = edited.remarked(names) or (gettext(section.hint) if section.hint else "")
    url = f"{edited.url}/{section.name}"
    if edited.unanswered(names):
        return Task(gettext(section.title), url, "mend", hint)
    if any(name in wrong for name in names):
        first = next(wrong[name] for name in names if name in wrong)
        return Task(gettext(section.title), url, "mend", first)
    if not any(name in errors for name in names):
        return Task(gettext(section.title), url, "done", hint)
    typed = any(edited.data.get(f.name) for f in section.fields if not f.prefill)
    return Task(gettext(section.title), url, "started" if typed else "empty", hint)


def _documents_task(edited: Editing) -> Task:
    wanted = [r for r in edited.attachment_rules if r.required and not r.waived_reason]
    missing = edited.missing()
    there = len([rule for rule in wanted if rule.kind not in missing])
    hint = gettext("Необязательно")
    if wanted:
        hint = gettext("Приложено %(n)s из %(total)s") % {"n": there, "total": len(wanted)}
    state = "done" if not missing else "started" if there else "empty"
    kinds = [rule.kind for rule in edited.attachment_rules]
    hint = edited.remarked(kinds) or hint
    if edited.unanswered(kinds):
        state = "mend"
    return Task(edited.papers_title, f"{edited.url}/attachments", state, hint)  # type: ignore[arg-type]


def of_field(label: str | None, words: str) -> str:
    """The error message, led by the name of the field unless the message contains it already."""
    return words if not label or f"«{label}»" in words else f"{label}: {words}"


def error_items(edited: Editing, refusal: Refusal) -> list[ErrorItem]:
    """The errors of a refusal, each with the way to the page where it is corrected."""
    places = {
        field.name: f"{edited.url}/{section.name}#group-{field.name}"
        for section in edited.page.definition.sections
        for field in section.fields
    }
    labels = {name: gettext(f.label) for name, f in edited.page.definition.fields.items()}

    def item(fault: FieldError) -> ErrorItem:
        kind = fault.path.removeprefix("attachments.")
        if kind != fault.path:
            return ErrorItem(in_words(fault.message), f"{edited.url}/attachments#slot-{kind}")
        label = labels.get(fault.path)
        words = in_words(fault.message)
        return ErrorItem(of_field(label, words), places.get(fault.path, ""))

    return [item(fault) for fault in refusal.fields] or [_whole(refusal)]


def _whole(refusal: Refusal) -> ErrorItem:
    """The error of a refusal that is about no single field."""
    words = in_words(refusal.message)
    return ErrorItem(words % refusal.facts if "%(" in words else words)


def drafts_of(visit: Visit, kind: str) -> Drafts:
    """The service for drafts of this kind of case."""
    return pages_of(kind).drafts(visit.container)


@dataclass(frozen=True)
class Saved:
    """A draft after a section of it was sent. Its `data` is what the form held, saved or not."""

    edited: Editing
    unkept: Mapping[str, str]
    """Fields that were not saved, and why: changed in another window, or far too long."""
    shown: str
    """What the form shows now, with which its next sending is compared."""


async def save_section(visit: Visit, edited: Editing, name: str) -> Saved:
    """Save the fields that the person changed in this section, as they were typed."""
    _, section = edited.section(name)
    open_ones = [field for field in section.fields if not field.locked]
    sent, kept = sent_form(await visit.request.form(), open_ones), edited.page.case
    drafts = drafts_of(visit, kept.kind)
    case, clashes = await drafts.save_fields(visit.actor, kept.id, sent.given, sent.shown)
    saved = as_kept(edited, replace(edited.page, case=case))
    left = unkept_of(edited.page.definition.fields, sent, clashes, saved.data)
    return Saved(replace(saved, data={**saved.data, **left.typed}), left.errors, left.shown)


@dataclass(frozen=True)
class Unkept:
    """What of a form was not saved: the errors of those fields, and what was typed in them.

    Such a field does not count as showing what was typed, so it stays unsaved until a form that is
    drawn anew, with what is stored now beside it, is sent.
    """

    errors: Mapping[str, str]
    typed: Mapping[str, Any]
    shown: str
    """What the form shows now, with which its next sending is compared."""


def unkept_of(
    fields: Mapping[str, Field],
    sent: SentForm,
    clashes: Mapping[str, Any],
    kept: Mapping[str, Any],
) -> Unkept:
    """What was not saved of a form. `clashes` are the stored values of fields changed twice.

    What the person changed and was saved counts as shown as it is `kept` now: words may have become
    a code.
    """
    clashed = {one: _clash(fields[one], value) for one, value in clashes.items()}
    errors = {**sent.unkept, **clashed}
    seen = {
        one: mark(fields[one], kept.get(one))
        for one, value in sent.typed.items()
        if one not in errors and mark(fields[one], value) != sent.shown.get(one)
    }
    typed = {one: sent.typed[one] for one in errors}
    return Unkept(errors, typed, shown_of({**sent.shown, **seen}.items()))


def _clash(field: Field, kept: Any) -> str:
    """The words at a field changed in two windows: they quote the stored value, not the typed
    one."""
    other = shown_value(field, kept)
    if other is None:
        words = gettext("В другом окне это поле очищено.")
    else:
        words = gettext("В другом окне здесь записано: «%(other)s».") % {"other": other}
    return f"{words} {gettext('Оставьте нужный вариант и сохраните ещё раз.')}"


def section_shown(edited: Editing, name: str) -> str:
    """What the form of a section shows when it is drawn from the stored draft."""
    _, section = edited.section(name)
    fields = {field.name: field for field in section.fields if not field.locked}
    return shown_of(marks(fields, edited.data).items())


def as_kept(edited: Editing, page: dossier.CasePage) -> Editing:
    """The same draft with the contents that are stored now."""
    case = page.case
    return replace(edited, page=page, data=case.draft or {}, attached=case.draft_attachments)
