"""The pages of a draft, whatever the kind of case (A1-A3, A6, S6): its task list, its sections, its
documents, the last check, sending it and throwing it away.

The same pages serve a new draft, the answer to a clarification, and a correction of one's own. What
a kind has of its own is its task list, in `cabinet.applications.draft` or `cabinet.requests.draft`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Response

from cabinet.cases.attachments import attachments_page, slots_of
from cabinet.cases.filling import (
    Editing,
    as_kept,
    editing,
    error_items,
    of_field,
    save_section,
    section_shown,
)
from cabinet.cases.intakes import intake_view
from cabinet.cases.kinds import KindPages, pages_of
from cabinet.cases.lines import answer_sections, field_view
from cabinet.cases.sent import draft_page, sent_already
from cabinet.cases.views import FormSection, TaskList
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Inside, Visit
from rules.cases.limits import INTEGER
from rules.cases.process import Transition
from rules.catalogue.intakes import FIELD as INTAKE
from rules.forms.definitions import check_form
from rules.forms.fields import Field
from rules.ids import new_id
from rules.refusals import Refusal
from services.cases.acts import Act
from words.translation import gettext

_SENT_BY = {
    "draft": Transition.SUBMIT,
    "answer": Transition.RESUBMIT,
    "correction": Transition.CORRECT,
}


def add_pages(router: APIRouter, kind: KindPages, draft_of: Callable[[Editing], TaskList]) -> None:
    """Add the pages that a draft of any kind has, below the router's prefix: the draft's address.

    Call it after the kind's own routes: any other name is taken for a section of the form.
    """

    @router.get("")
    async def show(case_id: UUID, visit: Inside) -> Response:
        """The task list."""
        edited = await editing(visit, case_id, kind, sources=True)
        draft = draft_of(edited)
        page = kind.template("draft.html")
        return draft_page(visit, edited, page, draft=draft, filled=edited.filled)

    @router.post("/discard")
    async def discard(case_id: UUID, visit: Inside) -> Response:
        """Delete the draft, or an unfinished correction."""
        edited = await editing(visit, case_id, kind)
        await kind.drafts(visit.container).discard_draft(visit.actor, case_id)
        if edited.page.newest is None:
            return visit.go(kind.room, kind.draft_discarded)
        return visit.go(edited.case_url, kind.correction_discarded)

    @router.post("/submit")
    async def submit(
        case_id: UUID,
        visit: Inside,
        act_id: Annotated[UUID, Form()],
        at_step: Annotated[int, Form(ge=0, le=INTEGER)],
        mode: Annotated[Literal["draft", "answer", "correction"], Form()],
    ) -> Response:
        """Submit the draft as what its page said it is: a new case, an answer or a correction.

        So a second click repeats the same act, whatever the case has become meanwhile.
        """
        drafts, act = kind.drafts(visit.container), Act(act_id, at_step)
        try:
            await drafts.hand_in(visit.actor, case_id, act, _SENT_BY[mode])
        except Refusal as refusal:
            return await _not_sent(visit, case_id, kind, draft_of, refusal, at_step)
        return visit.go(f"{kind.room}/{case_id}/{kind.after_sending}".rstrip("/"))

    @router.get("/attachments")
    async def show_attachments(case_id: UUID, visit: Inside) -> Response:
        """The documents: upload, choose among those uploaded before, remove."""
        return await attachments_page(visit, await editing(visit, case_id, kind))

    @router.get("/check")
    async def check(case_id: UUID, visit: Inside) -> Response:
        """All answers and documents once more, before submitting."""
        edited = await editing(visit, case_id, kind)
        return await check_page(visit, edited, draft_of(edited))

    @router.get("/{name}")
    async def show_section(case_id: UUID, name: str, visit: Inside) -> Response:
        """One section of the form."""
        return _section_page(visit, await editing(visit, case_id, kind, sources=True), name)

    @router.post("/{name}")
    async def save(case_id: UUID, name: str, visit: Inside) -> Response:
        """Save the section and go on, or stay where something has to be corrected."""
        edited = await editing(visit, case_id, kind, sources=True)
        return await _saved_and_on(visit, edited, name)

    @router.post("/{name}/autosave")
    async def autosave(case_id: UUID, name: str, visit: Inside) -> Response:
        """Save what was typed so far.

        The response says so, with the error of the field just left.
        """
        return await _autosaved(visit, await editing(visit, case_id, kind), name)


async def _not_sent(
    visit: Visit,
    case_id: UUID,
    kind: KindPages,
    draft_of: Callable[[Editing], TaskList],
    refusal: Refusal,
    at_step: int,
) -> Response:
    """The page after a refused submission: what to correct, or that it was submitted already.

    Raises any other refusal.
    """
    if refusal.status in (422, 429):
        edited = await editing(visit, case_id, kind)
        return await check_page(visit, edited, draft_of(edited), refusal)
    if refusal.status == 409 and (page := await sent_already(visit, case_id, kind, at_step)):
        return page
    raise refusal


async def check_page(
    visit: Visit, edited: Editing, draft: TaskList, refusal: Refusal | None = None
) -> Response:
    """All answers and documents once more, with the errors of a refused submission."""
    page = edited.page
    sent = page.newest.data if page.newest else None
    data, _ = check_form(page.definition, edited.data, complete=False, today=edited.today)
    return draft_page(
        visit,
        edited,
        pages_of(page.case.kind).template("check.html"),
        status=refusal.status if refusal else 200,
        draft=draft,
        sections=answer_sections(page.definition, data, sent, change_url=edited.url),
        compared=sent is not None,
        slots=await slots_of(visit, edited, read_only=True),
        act_id=new_id(),
        step=page.case.step,
        errors=error_items(edited, refusal) if refusal else [],
    )


async def _saved_and_on(visit: Visit, edited: Editing, name: str) -> Response:
    saved = await save_section(visit, edited, name)
    edited = saved.edited
    place, section = edited.section(name)
    if saved.unkept:
        # This form counts as showing the stored values: sent again, it replaces them knowingly.
        shown = section_shown(as_kept(edited, edited.page), name)
        return _section_page(visit, edited, name, saved.unkept, 409, shown)
    errors = edited.errors(complete=True)
    if any(field.name in errors for field in section.fields):
        return _section_page(visit, edited, name, errors, 422)
    return visit.go(edited.following(place))


async def _autosaved(visit: Visit, edited: Editing, name: str) -> Response:
    saved = await save_section(visit, edited, name)
    edited = saved.edited
    _, section = edited.section(name)
    left = str((await visit.request.form()).get("left", ""))
    errors = {**edited.errors(complete=False), **saved.unkept}
    judged = [
        _field(edited, field, errors)
        for field in section.fields
        # An error between two dates stands at the later one, also when the earlier was changed.
        if field.name in {left, *saved.unkept}
        or (left and field.not_before == left and edited.data.get(field.name))
    ]
    return visit.part(
        "applications/autosaved.html",
        saved_at=edited.page.case.draft_saved_at,
        problem=gettext("Сохранены не все поля: проверьте отмеченные.") if saved.unkept else "",
        judged=judged,
        shown=saved.shown,
    )


def _field(edited: Editing, field: Field, errors: Mapping[str, str]) -> FieldView:
    name = field.name
    error, remark = errors.get(name, ""), edited.remarks.get(name, "")
    if name == INTAKE and edited.page.intakes:
        view = intake_view(edited, field, error, remark)
    else:
        view = field_view(field, edited.data.get(name), error, remark)
    source = dict(edited.sources).get(name, "")
    return replace(view, answered=name in edited.answered, source=source)


def _section_page(
    visit: Visit,
    edited: Editing,
    name: str,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
    shown: str | None = None,
) -> Response:
    """One section of the form, with these `errors`, or else with those found so far."""
    place, section = edited.section(name)
    told = edited.errors(complete=False) if errors is None else errors
    fields = [_field(edited, field, told) for field in section.fields]
    return draft_page(
        visit,
        edited,
        "applications/section.html",
        status=status,
        section=FormSection(
            name=name,
            title=gettext(section.title),
            hint=gettext(section.hint) if section.hint else "",
            fields=fields,
            position=place,
            total=edited.pages,
            next_url=edited.following(place),
            back_url=edited.url,
        ),
        action=f"{edited.url}/{name}",
        shown=section_shown(edited, name) if shown is None else shown,
        saved_at=edited.page.case.draft_saved_at if status == 200 else None,
        problem={
            409: gettext("Сохранены не все поля: проверьте отмеченные."),
            422: gettext("Черновик сохранён, но отмеченные поля нужно исправить."),
        }.get(status, ""),
        errors=[
            ErrorItem(of_field(f.label, f.error), f"#field-{f.name}")
            for f in fields
            if f.error and status != 200
        ],
    )
