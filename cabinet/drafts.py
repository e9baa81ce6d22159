"""Filling in an application: task list, sections with autosave, documents, check, send (A1-A3, A6).

The same pages serve a new draft, the answer to a clarification, and a correction of one's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Response

from cabinet.attachments import slots_of
from cabinet.case_views import answer_sections, field_view, latest_remarks, programme_view
from cabinet.rendering import render
from cabinet.translation import gettext, in_words
from cabinet.views.applications import Draft, FormSection, Task
from cabinet.views.frame import ErrorItem
from cabinet.visits import Inside, Visit
from models.tables.base import new_id
from rules.cases import Status
from rules.clock import now
from rules.fields import FieldKind
from rules.forms import Section, check_attachments, check_field, check_form
from rules.refusals import FieldError, Refusal, not_found
from services import case_pages
from services.cases import Act
from services.drafts import attachments_of

router = APIRouter(include_in_schema=False, prefix="/applications/{case_id}/draft")

MODES = {Status.DRAFT: "draft", Status.CLARIFICATION: "answer"}


@dataclass(frozen=True)
class Editing:
    """A draft in the making: what is typed so far, what is attached, what the reviewer asked."""

    page: case_pages.CasePage
    data: Mapping[str, Any]
    attached: Sequence[Mapping[str, str]]
    remarks: Mapping[str, str]
    today: date

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"/applications/{self.page.case.id}/draft"

    @property
    def mode(self) -> str:
        """`draft`, `answer` or `correction`."""
        return MODES.get(Status(self.page.case.status), "correction")

    def section(self, name: str) -> tuple[int, Section]:
        """A section and its place. Raises `not_found`."""
        for place, section in enumerate(self.page.definition.sections, start=1):
            if section.name == name:
                return place, section
        raise not_found()

    def errors(self, *, complete: bool) -> dict[str, str]:
        """What has to be mended by field, in the person's language."""
        _, found = check_form(self.page.definition, self.data, complete=complete, today=self.today)
        return {fault.path: in_words(fault.message) for fault in found}

    def missing(self) -> dict[str, str]:
        """Documents that are missing or not wanted, by kind."""
        found = check_attachments(
            self.page.attachment_rules, [given["kind"] for given in self.attached]
        )
        return {f.path.removeprefix("attachments."): in_words(f.message) for f in found}

    def unanswered(self, names: Sequence[str]) -> bool:
        """Whether the reviewer asked about one of these fields and it still says the same."""
        sent = self.page.newest.data if self.page.newest else {}
        return any(name in self.remarks and self.data.get(name) == sent.get(name) for name in names)


async def editing(visit: Visit, case_id: UUID) -> Editing:
    """The draft of a case that the person may change. Raises `not_found` and 409."""
    async with visit.medcab.database.work() as session:
        page = await case_pages.page(session, visit.actor, case_id)
        cited = await attachments_of(session, case_id, page.case.version)
    if not page.own:
        raise not_found()
    if not page.editable:
        raise Refusal("not_now", "Эту заявку уже нельзя изменить.", 409)
    case = page.case
    if case.draft is not None:
        data: Mapping[str, Any] = case.draft
        attached: Sequence[Mapping[str, str]] = case.draft_attachments
    else:
        data = page.newest.data if page.newest else {}
        attached = cited
    today = datetime.now(ZoneInfo(case.term_zone)).date()
    return Editing(page, data, attached, latest_remarks(page), today)


def draft_view(edited: Editing) -> Draft:
    """The task list."""
    page, errors, wrong = edited.page, edited.errors(complete=True), edited.errors(complete=False)
    tasks = [_task(edited, section, errors, wrong) for section in page.definition.sections]
    tasks.append(_documents_task(edited))
    if page.programme is None:
        raise not_found()
    return Draft(
        url=edited.url,
        title=page.programme.title,
        programme=programme_view(page.programme),
        tasks=tasks,
        saved_at=page.case.draft_saved_at,
        number=page.case.number,
        mode=edited.mode,  # type: ignore[arg-type]
        case_url=f"/applications/{page.case.id}",
        reason=page.decisions[-1].reason if edited.remarks or edited.mode == "answer" else "",
    )


def _task(
    edited: Editing, section: Section, errors: Mapping[str, str], wrong: Mapping[str, str]
) -> Task:
    names = [field.name for field in section.fields]
    hint = gettext(section.hint) if section.hint else ""
    url = f"{edited.url}/{section.name}"
    if edited.unanswered(names):
        return Task(gettext(section.title), url, "mend", gettext("Есть вопрос отдела кадров"))
    if any(name in wrong for name in names):
        first = next(wrong[name] for name in names if name in wrong)
        return Task(gettext(section.title), url, "mend", first)
    if not any(name in errors for name in names):
        return Task(gettext(section.title), url, "done", hint)
    typed = any(edited.data.get(f.name) for f in section.fields if not f.prefill)
    return Task(gettext(section.title), url, "started" if typed else "empty", hint)


def _documents_task(edited: Editing) -> Task:
    wanted = [r for r in edited.page.attachment_rules if r.required and not r.waived_reason]
    missing = edited.missing()
    there = len([rule for rule in wanted if rule.kind not in missing])
    hint = gettext("Приложено %(n)s из %(total)s") % {"n": there, "total": len(wanted)}
    state = "done" if not missing else "started" if there else "empty"
    kinds = {rule.kind for rule in edited.page.attachment_rules}
    sent = edited.page.newest.attachments if edited.page.newest else ()
    same = {(c.kind, str(c.document_version_id)) for c in sent}
    asked = [kind for kind in edited.remarks if kind in kinds]
    now_given = {(a["kind"], a["document_version_id"]) for a in edited.attached}
    if any({g for g in now_given if g[0] == k} == {s for s in same if s[0] == k} for k in asked):
        state, hint = "mend", gettext("Есть вопрос отдела кадров")
    return Task(gettext("Документы к заявке"), f"{edited.url}/attachments", state, hint)  # type: ignore[arg-type]


@router.get("")
async def show(case_id: UUID, visit: Inside) -> Response:
    """The task list."""
    edited = await editing(visit, case_id)
    return visit.page("applications/draft.html", draft=draft_view(edited))


@router.post("/discard")
async def discard(case_id: UUID, visit: Inside) -> Response:
    """Throw away the draft, or the correction in the making."""
    edited = await editing(visit, case_id)
    await visit.medcab.applications.discard_draft(visit.actor, case_id)
    sent = edited.page.newest is not None
    return visit.go(f"/applications/{case_id}" if sent else "/applications", "discarded")


@router.get("/attachments")
async def show_attachments(case_id: UUID, visit: Inside) -> Response:
    """The documents: upload, choose among those given before, take away."""
    edited = await editing(visit, case_id)
    total = len(edited.page.definition.sections) + 1
    return visit.page(
        "applications/attachments.html",
        slots=await slots_of(visit, case_id, edited.page, edited.attached, edited.remarks),
        position=total,
        total=total,
        back_url=edited.url,
        next_url=f"{edited.url}/check",
    )


@router.get("/check")
async def check(case_id: UUID, visit: Inside) -> Response:
    """Everything once more, before it is sent."""
    return await _check_page(visit, await editing(visit, case_id))


@router.post("/submit")
async def submit(
    case_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    at_step: Annotated[int, Form()],
    mode: Annotated[Literal["draft", "answer", "correction"], Form()],
) -> Response:
    """Send it: a new application, an answer, or a correction; as the page said, so that a second
    click is the same act."""
    applications = visit.medcab.applications
    send = {
        "draft": applications.submit,
        "answer": applications.resubmit,
        "correction": applications.correct,
    }[mode]
    try:
        await send(visit.actor, case_id, Act(act_id, at_step))
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return await _check_page(visit, await editing(visit, case_id), refusal)
    return visit.go(f"/applications/{case_id}/submitted")


async def _check_page(visit: Visit, edited: Editing, refusal: Refusal | None = None) -> Response:
    draft = draft_view(edited)
    sent = edited.page.newest.data if edited.page.newest else None
    data, _ = check_form(edited.page.definition, edited.data, complete=False, today=edited.today)
    slots = await slots_of(
        visit, edited.page.case.id, edited.page, edited.attached, edited.remarks, read_only=True
    )
    return visit.page(
        "applications/check.html",
        status=422 if refusal else 200,
        draft=draft,
        sections=answer_sections(edited.page.definition, data, sent, change_url=edited.url),
        compared=sent is not None,
        slots=slots,
        act_id=new_id(),
        step=edited.page.case.step,
        errors=_errors(edited, refusal) if refusal else [],
    )


def _errors(edited: Editing, refusal: Refusal) -> list[ErrorItem]:
    """Each with the way to the page where it is mended."""
    places = {
        field.name: f"{edited.url}/{section.name}#field-{field.name}"
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
        return ErrorItem(f"{label}: {words}" if label else words, places.get(fault.path, ""))

    return [item(fault) for fault in refusal.fields] or [ErrorItem(in_words(refusal.message))]


@router.get("/{name}")
async def show_section(case_id: UUID, name: str, visit: Inside) -> Response:
    """One section of the form."""
    edited = await editing(visit, case_id)
    wrong = edited.errors(complete=False)
    return _section_page(visit, edited, name, wrong)


@router.post("/{name}")
async def save_section(case_id: UUID, name: str, visit: Inside) -> Response:
    """Keep the section and go on, or stay where something has to be mended."""
    edited = await _saved(visit, case_id, name)
    place, section = edited.section(name)
    errors = edited.errors(complete=True)
    if any(field.name in errors for field in section.fields):
        return _section_page(visit, edited, name, errors, status=422)
    return visit.go(_following(edited, place))


@router.post("/{name}/autosave")
async def autosave(case_id: UUID, name: str, visit: Inside) -> Response:
    """Keep what was typed so far; the answer says so, and what is wrong with the field left."""
    edited = await _saved(visit, case_id, name)
    _, section = edited.section(name)
    left = str((await visit.request.form()).get("left", ""))
    field = next((f for f in section.fields if f.name == left), None)
    shown = None
    if field is not None:
        _, message = check_field(field, edited.data.get(left), edited.today)
        shown = field_view(
            field,
            edited.data.get(left),
            in_words(message) if message else "",
            edited.remarks.get(left, ""),
        )
    body = render(
        "applications/autosaved.html",
        visit.presentation,
        saved_at=edited.page.case.draft_saved_at,
        problem="",
        left=shown,
    )
    return Response(body, media_type="text/html", headers={"Cache-Control": "no-store"})


async def _saved(visit: Visit, case_id: UUID, name: str) -> Editing:
    """Keep the fields of a section as they were typed."""
    edited = await editing(visit, case_id)
    _, section = edited.section(name)
    form = await visit.request.form()
    data: dict[str, Any] = {}
    for field in section.fields:
        if field.locked:
            continue
        if field.kind is FieldKind.CHECKBOX:
            data[field.name] = field.name in form
        elif field.name in form:
            data[field.name] = str(form[field.name])
    case, _ = await visit.medcab.applications.save_draft(visit.actor, case_id, data)
    page = replace(edited.page, case=case)
    return replace(edited, page=page, data=case.draft or {}, attached=case.draft_attachments)


def _following(edited: Editing, place: int) -> str:
    """The next section, or the documents after the last."""
    sections = edited.page.definition.sections
    name = sections[place].name if place < len(sections) else "attachments"
    return f"{edited.url}/{name}"


def _section_page(
    visit: Visit, edited: Editing, name: str, errors: Mapping[str, str], status: int = 200
) -> Response:
    place, section = edited.section(name)
    fields = [
        field_view(
            field,
            edited.data.get(field.name),
            errors.get(field.name, ""),
            edited.remarks.get(field.name, ""),
        )
        for field in section.fields
    ]
    return visit.page(
        "applications/section.html",
        status=status,
        section=FormSection(
            name=name,
            title=gettext(section.title),
            hint=gettext(section.hint) if section.hint else "",
            fields=fields,
            position=place,
            total=len(edited.page.definition.sections) + 1,
            next_url=_following(edited, place),
            back_url=edited.url,
        ),
        action=f"{edited.url}/{name}",
        saved_at=edited.page.case.draft_saved_at or now(),
        errors=[
            ErrorItem(f"{f.label}: {f.error}", f"#field-{f.name}")
            for f in fields
            if f.error and status == 422
        ],
    )
