"""Writing an entry: the form of its type, kept as it is typed, and signed as one act.

The form carries its patient and its visit, and names the version it shows: a stale one is refused
with what changed, and nothing that was typed is lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.http.entrance import CleanRoute
from cabinet.cases.filling import Unkept, of_field, unkept_of
from cabinet.cases.lines import field_view
from cabinet.cases.views import AnswerSection
from cabinet.frame.shown import sent_form, shown_of
from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.frame.visits import Inside, Visit
from cabinet.records.blocks import entry_url
from cabinet.records.lines import changed_answers, form_words, head_view, patient_url
from cabinet.records.views import EntryForm, FormPart
from clients.database import DatabaseSession
from rules.access import Permission
from rules.cases.limits import INTEGER
from rules.clock import now
from rules.forms.definitions import check_form
from rules.forms.draft_edits import marks
from rules.forms.fields import Field, FieldKind, check_field
from rules.records.entries import OpenedFor
from rules.refusals import Refusal, not_found
from services import access
from services.records import drafts, icd10, page, seen
from services.records.drafts import EntryDraftSeen
from services.records.page import PatientHead
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)
HERE = "/patients/{patient_id}/drafts/{draft_id}"

OfPatient = Annotated[UUID, Form(description="The patient for whom the form was opened.")]
OfVisit = Annotated[UUID | None, Form(description="The visit for which it was opened.")]
Version = Annotated[int, Form(ge=0, le=INTEGER)]


@router.get("/icd10/options")
async def options(visit: Inside, query: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Codes of МКБ-10 for what was typed, as the options of a list."""
    visit.actor.demand(Permission.TREAT)
    async with visit.container.database.reading() as session:
        today = await access.day_in(session, visit.actor.unit_id, now())
        found = await icd10.search(session, query, today)
    return visit.part("records/codes.html", codes=[(one.code, one.name) for one in found])


@router.get(HERE)
async def show(patient_id: UUID, draft_id: UUID, visit: Inside) -> Response:
    """The form with what was typed so far."""
    return await _page(visit, patient_id, draft_id)


@router.post(f"{HERE}/autosave")
async def autosave(
    patient_id: UUID,
    draft_id: UUID,
    visit: Inside,
    of_patient: OfPatient,
    of_visit: OfVisit = None,
) -> Response:
    """Keep what was typed so far, and say what is wrong with the field just left."""
    opened = OpenedFor(of_patient, of_visit)
    draft, unkept = await _save(visit, draft_id, opened)
    left = str((await visit.request.form()).get("left", ""))
    errors = {**_errors(draft), **unkept.errors}
    filled = _filled(draft, unkept.typed)
    async with visit.container.database.reading() as session:
        judged = [
            await _field(session, filled, field, errors.get(name, ""))
            for name, field in draft.kind.fields.items()
            if name in {left, *unkept.errors}
        ]
    return visit.part(
        "applications/autosaved.html",
        saved_at=draft.saved_at,
        problem=_("Сохранены не все поля: проверьте отмеченные.") if unkept.errors else "",
        judged=judged,
        shown=unkept.shown,
    )


@router.post(HERE)
async def sign(
    patient_id: UUID,
    draft_id: UUID,
    visit: Inside,
    of_patient: OfPatient,
    version: Version,
    of_visit: OfVisit = None,
) -> Response:
    """Sign it: the entry, or its new version, is there. Otherwise say all that is wrong."""
    opened = OpenedFor(of_patient, of_visit)
    try:
        _draft, unkept = await _save(visit, draft_id, opened)
        if unkept.errors:
            return await _page(
                visit, patient_id, draft_id, unkept.errors, typed=unkept.typed, status=409
            )
    except Refusal as refusal:
        # A draft that is gone was signed before, and has the same answer.
        if refusal.status != 404:
            raise
    try:
        made = await visit.container.records.sign(visit.actor, draft_id, opened, version)
    except Refusal as refusal:
        if refusal.status not in (409, 422) or refusal.code == "another_patient":
            raise
        errors = {fault.path: in_words(fault.message) for fault in refusal.fields}
        return await _page(
            visit, patient_id, draft_id, errors, refusal=refusal, seen_version=version
        )
    return visit.go(entry_url(patient_id, made), "entry_signed")


@router.post(f"{HERE}/discard")
async def discard(
    patient_id: UUID,
    draft_id: UUID,
    visit: Inside,
    of_patient: OfPatient,
    of_visit: OfVisit = None,
) -> Response:
    """Throw it away."""
    opened = OpenedFor(of_patient, of_visit)
    await visit.container.record_drafts.discard(visit.actor, draft_id, opened)
    return visit.go(patient_url(patient_id), "entry_discarded")


async def _save(visit: Visit, draft_id: UUID, opened: OpenedFor) -> tuple[EntryDraftSeen, Unkept]:
    """Keep what was changed. Returns the draft and what was not kept."""
    form = await visit.request.form()
    async with visit.container.database.work() as session:
        known = await drafts.own(session, visit.actor, draft_id, opened)
        fields = (await drafts.seen(session, visit.actor, known)).kind.fields
    sent = sent_form(form, fields.values())
    reason = str(form["reason"])[:2000] if "reason" in form else None
    keep = visit.container.record_drafts
    draft, clashes = await keep.save(visit.actor, draft_id, opened, sent.given, sent.shown, reason)
    return draft, unkept_of(fields, sent, clashes, draft.data)


def _filled(draft: EntryDraftSeen, typed: Mapping[str, Any]) -> EntryDraftSeen:
    """The draft as its form stands, with what was typed and not saved."""
    return replace(draft, data={**draft.data, **typed})


def _errors(draft: EntryDraftSeen) -> dict[str, str]:
    known = {name: typed for name, typed in draft.data.items() if name in draft.kind.fields}
    _values, found = check_form(draft.kind, known, complete=False, today=draft.today)
    return {fault.path: in_words(fault.message) for fault in found}


async def _field(
    session: DatabaseSession, draft: EntryDraftSeen, field: Field, error: str
) -> FieldView:
    """A field with what was typed; of a code, what it means or which codes may be meant."""
    typed = draft.data.get(field.name)
    view = field_view(field, typed, error)
    if field.kind is not FieldKind.ICD10:
        return view
    code, _fault = check_field(field, typed)
    named = await icd10.resolve(session, [str(code)], draft.today) if code else {}
    meant = named.get(str(code))
    found = [] if meant else await icd10.search(session, str(typed or ""), draft.today)
    return FieldView(
        **{
            **vars(view),
            "hint": meant.name if meant else view.hint,
            "codes_url": "/icd10/options",
            "suggestions": [Option(one.code, one.name) for one in found],
        }
    )


async def _page(
    visit: Visit,
    patient_id: UUID,
    draft_id: UUID,
    errors: Mapping[str, str] | None = None,
    *,
    typed: Mapping[str, Any] | None = None,
    status: int = 200,
    refusal: Refusal | None = None,
    seen_version: int = 0,
) -> Response:
    async with visit.container.database.work() as session:
        head = await page.head(session, visit.actor, patient_id, now())
        draft = await _own(session, visit, head, draft_id)
        told = dict(errors) if errors is not None else _errors(draft)
        filled = _filled(draft, typed or {})
        parts = [
            FormPart(
                _(section.title),
                [
                    await _field(session, filled, field, told.get(field.name, ""))
                    for field in section.fields
                ],
            )
            for section in draft.kind.sections
        ]
        changes: Sequence[AnswerSection] = ()
        if refusal is not None and refusal.code == "changed_meanwhile" and draft.entry_id:
            _one, versions = await seen.one(session, head.patients, draft.entry_id)
            by_number = {each.number: each for each in versions}
            changes = changed_answers(by_number[draft.base_version], by_number[seen_version])
    reason = _reason(draft, told.get("reason", "")) if draft.entry_id else None
    views = [view for part in parts for view in part.fields] + ([reason] if reason else [])
    asked = errors is not None
    return visit.page(
        "records/draft.html",
        status=refusal.status if refusal else status,
        errors=_summary(views if asked else [], refusal),
        form=EntryForm(
            head=head_view(head),
            url=f"{patient_url(patient_id)}/drafts/{draft_id}",
            heading=_("Исправление: %(title)s") % {"title": _(draft.kind.title)}
            if draft.entry_id
            else _(draft.kind.title),
            hint=_(draft.kind.hint) if draft.kind.hint else "",
            form=form_words(draft.kind),
            parts=parts,
            shown=shown_of(marks(draft.kind.fields, draft.data).items()),
            patient_id=str(draft.patient_id),
            visit_id=str(draft.visit_id or ""),
            version=draft.base_version,
            saved_at=draft.saved_at if not asked else None,
            problem=_("Черновик сохранён, но отмеченные поля нужно исправить.") if told else "",
            correction=draft.entry_id is not None,
            reason=reason,
            entry_url=entry_url(patient_id, draft.entry_id) if draft.entry_id else "",
            changes=changes,
        ),
    )


async def _own(
    session: DatabaseSession, visit: Visit, head: PatientHead, draft_id: UUID
) -> EntryDraftSeen:
    """One's own draft of this patient. Raises Refusal 404."""
    found = await drafts.mine(session, visit.actor, frozenset({head.patient_id}))
    draft = next((one for one in found if one.id == draft_id), None)
    if draft is None:
        raise not_found()
    return draft


def _reason(draft: EntryDraftSeen, error: str) -> FieldView:
    return FieldView(
        "reason",
        _("Почему исправляете"),
        value=draft.reason,
        hint=_("Например: опечатка, пришли новые сведения"),
        error=error,
    )


def _summary(views: Sequence[FieldView], refusal: Refusal | None) -> list[ErrorItem]:
    """What is wrong, for the head of the page: each leads to its place."""
    found = [
        ErrorItem(of_field(view.label, view.error), f"#field-{view.name}")
        for view in views
        if view.error
    ]
    if refusal is not None and not found:
        return [ErrorItem(in_words(refusal.message))]
    return found
