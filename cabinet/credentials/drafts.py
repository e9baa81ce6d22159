"""Describing one credential: the form of its category, its files, and saving it (Q2, Q3, Q10).

What was typed is kept as it is typed, right or wrong; the same definition decides in the end.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.http.entrance import CleanRoute
from cabinet.cases.attachments import MOST_CANDIDATES, refused_row, version_row
from cabinet.cases.filling import Unkept, of_field, unkept_of
from cabinet.cases.lines import field_view
from cabinet.cases.views import Candidate
from cabinet.credentials.file import HOME, grouped
from cabinet.credentials.lines import url_of
from cabinet.credentials.views import DraftPage
from cabinet.documents.uploads import by_script, files_of_form
from cabinet.frame.shown import sent_form, shown_of
from cabinet.frame.views import ErrorItem, FieldView, FileRow
from cabinet.frame.visits import Inside, Visit
from rules.files.categories import Category
from rules.forms.definitions import check_form
from rules.forms.draft_edits import marks
from rules.refusals import Refusal
from services.credentials import categories, drafts
from services.credentials.drafts import DraftSeen
from services.documents.views import DocumentView
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

Id = Annotated[UUID, Form()]


@router.get("/credentials/drafts/{draft_id}")
async def show(draft_id: UUID, visit: Inside) -> Response:
    """The form with what was typed so far."""
    return await _page(visit, draft_id)


@router.post("/credentials/drafts/{draft_id}/category")
async def choose(
    draft_id: UUID, visit: Inside, category: Annotated[str, Form(max_length=40)]
) -> Response:
    """Say what it is."""
    await visit.container.credential_drafts.choose(visit.actor, draft_id, category)
    return visit.go(f"{HOME}/drafts/{draft_id}")


@router.post("/credentials/drafts/{draft_id}/autosave")
async def autosave(draft_id: UUID, visit: Inside) -> Response:
    """Keep what was typed so far, and say what is wrong with the field just left."""
    draft, unkept = await _save(visit, draft_id)
    left = str((await visit.request.form()).get("left", ""))
    fields = draft.category.fields if draft.category else {}
    errors = {**_errors(draft, complete=False), **unkept.errors}
    typed = {**draft.data, **unkept.typed}
    judged = [
        field_view(field, typed.get(name), errors.get(name, ""))
        for name, field in fields.items()
        if name in {left, *unkept.errors}
        or (left and field.not_before == left and draft.data.get(name))
    ]
    return visit.part(
        "applications/autosaved.html",
        saved_at=draft.saved_at,
        problem=_("Сохранены не все поля: проверьте отмеченные.") if unkept.errors else "",
        judged=judged,
        shown=unkept.shown,
    )


@router.post("/credentials/drafts/{draft_id}")
async def finish(draft_id: UUID, visit: Inside) -> Response:
    """Save it: the credential, or its new version, is there. Otherwise say all that is wrong."""
    saved = None
    try:
        saved = await _save(visit, draft_id)
    except Refusal as refusal:
        if refusal.status != 404:
            raise
    if saved is not None and (unkept := saved[1]).errors:
        return await _page(visit, draft_id, unkept.errors, typed=unkept.typed, status=409)
    try:
        made = await visit.container.credential_drafts.finish(visit.actor, draft_id)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _not_made(visit, draft_id, refusal)
    async with visit.container.database.work() as session:
        waiting = await drafts.mine(session, visit.actor)
    if following := next((one for one in waiting if one.files), None):
        return visit.go(f"{HOME}/drafts/{following.id}", "credential_saved_next")
    return visit.go(url_of(made), "credential_saved")


@router.post("/credentials/drafts/{draft_id}/discard")
async def discard(draft_id: UUID, visit: Inside) -> Response:
    """Throw it away; the files stay among the documents."""
    await visit.container.credential_drafts.discard(visit.actor, draft_id)
    return visit.go(HOME, "credential_discarded")


@router.post("/documents/files/credentials/{draft_id}")
async def upload(draft_id: UUID, visit: Inside) -> Response:
    """Upload files of this one; each gets its verdict."""
    async with visit.container.database.work() as session:
        draft = await drafts.one(session, visit.actor, draft_id)
    kept = draft.category.document if draft.category else Category.OTHER
    refused: list[FileRow] = []
    async for _fields, incoming in files_of_form(visit):
        given = await visit.container.documents.give(visit.actor, incoming, kept)
        if given.document is None:
            refused.append(refused_row(given.file_name, given.size, given.findings))
        else:
            file = given.document.version.id
            await visit.container.credential_drafts.attach(visit.actor, draft_id, file)
    if not refused and not by_script(visit):
        return visit.go(f"{HOME}/drafts/{draft_id}#slot-files")
    return await _page(visit, draft_id, refused=refused, status=422 if refused else 200)


@router.post("/credentials/drafts/{draft_id}/files")
async def attach(draft_id: UUID, visit: Inside, document_version_id: Id) -> Response:
    """Choose a document that was uploaded before."""
    await visit.container.credential_drafts.attach(visit.actor, draft_id, document_version_id)
    return visit.go(f"{HOME}/drafts/{draft_id}#slot-files")


@router.post("/credentials/drafts/{draft_id}/files/{version_id}/remove")
async def detach(draft_id: UUID, version_id: UUID, visit: Inside) -> Response:
    """Remove a file. It stays among the documents."""
    await visit.container.credential_drafts.detach(visit.actor, draft_id, version_id)
    return visit.go(f"{HOME}/drafts/{draft_id}#slot-files")


async def _save(visit: Visit, draft_id: UUID) -> tuple[DraftSeen, Unkept]:
    """Keep what was changed. Returns the draft and what was not kept."""
    form = await visit.request.form()
    async with visit.container.database.work() as session:
        known = await drafts.one(session, visit.actor, draft_id)
    fields = known.category.fields if known.category else {}
    sent = sent_form(form, fields.values())
    keep = visit.container.credential_drafts
    draft, clashes = await keep.save(visit.actor, draft_id, sent.given, sent.shown)
    return draft, unkept_of(fields, sent, clashes, draft.data)


def _errors(draft: DraftSeen, *, complete: bool) -> dict[str, str]:
    if draft.category is None:
        return {}
    known = {name: typed for name, typed in draft.data.items() if name in draft.category.fields}
    _values, found = check_form(draft.category, known, complete=complete, today=draft.today)
    return {fault.path: in_words(fault.message) for fault in found}


async def _not_made(visit: Visit, draft_id: UUID, refusal: Refusal) -> Response:
    """The form once more with all that is wrong, and nothing lost."""
    errors = {fault.path: in_words(fault.message) for fault in refusal.fields}
    whole = []
    if not errors or refusal.code == "known_already":
        known = str(refusal.facts.get("credential") or "")
        whole = [ErrorItem(in_words(refusal.message), f"{HOME}/{known}" if known else "")]
        errors = {} if known else errors
    return await _page(visit, draft_id, errors, status=refusal.status, whole=whole)


async def _page(
    visit: Visit,
    draft_id: UUID,
    errors: Mapping[str, str] | None = None,
    *,
    typed: Mapping[str, Any] | None = None,
    refused: list[FileRow] | None = None,
    whole: list[ErrorItem] | None = None,
    status: int = 200,
) -> Response:
    async with visit.container.database.work() as session:
        draft = await drafts.one(session, visit.actor, draft_id)
        offered = list((await categories.offered(session)).values())
        waiting = await drafts.mine(session, visit.actor)
    documents = await visit.container.documents.mine(visit.actor, limit=200)
    category = draft.category
    told = _errors(draft, complete=False) if errors is None else errors
    filled = {**draft.data, **(typed or {})}
    fields = [
        field_view(field, filled.get(name), told.get(name, ""))
        for name, field in (category.fields.items() if category else ())
    ]
    here = f"{HOME}/drafts/{draft_id}"
    title = _(category.title) if category else _("Что это за документ?")
    return visit.page(
        "credentials/draft.html",
        status=status,
        errors=[*(whole or []), *_summary(fields if errors is not None else [], told)],
        draft=DraftPage(
            id=str(draft.id),
            url=here,
            heading=_("Новая версия: %(title)s") % {"title": title}
            if draft.credential_id
            else title,
            category=category.key if category else "",
            categories=[line for _group, lines in grouped(offered) for line in lines],
            hint=_(category.hint) if category and category.hint else "",
            fields=fields,
            shown=shown_of(marks(category.fields, draft.data).items()) if category else "",
            files=[*_files(draft, here), *(refused or [])],
            files_hint=_(category.files_hint) if category and category.files_hint else "",
            files_required=category.files_required if category else True,
            files_error=told.get("files", ""),
            candidates=_candidates(draft, documents),
            left=sum(1 for one in waiting if one.id != draft.id),
            saved_at=draft.saved_at if status == 200 else None,
            problem=_("Черновик сохранён, но отмеченные поля нужно исправить.")
            if status in (409, 422) and errors
            else "",
            update_of=url_of(draft.credential_id) if draft.credential_id else "",
        ),
    )


def _files(draft: DraftSeen, here: str) -> list[FileRow]:
    return [
        FileRow(**{**vars(version_row(file)), "remove_url": f"{here}/files/{file.id}/remove"})
        for file in draft.files
    ]


def _candidates(draft: DraftSeen, documents: Sequence[DocumentView]) -> list[Candidate]:
    """Documents of the person that may be chosen again, those that fit the category first."""
    cited = {file.id for file in draft.files}
    fitting = draft.category.document if draft.category else Category.OTHER
    unused = [one for one in documents if one.version.id not in cited]
    unused.sort(key=lambda one: one.category != fitting)
    return [
        Candidate(
            str(one.version.id),
            _(one.title),
            one.version.file_name,
            one.version.size,
            one.version.uploaded_at,
            fits=one.category == fitting,
        )
        for one in unused[:MOST_CANDIDATES]
    ]


def _summary(fields: Sequence[FieldView], told: Mapping[str, str]) -> list[ErrorItem]:
    """What is wrong, for the head of the page: each leads to its place."""
    found = [
        ErrorItem(of_field(field.label, field.error), f"#field-{field.name}")
        for field in fields
        if field.error
    ]
    places = (("files", "#slot-files"), ("category", "#choose"))
    return found + [ErrorItem(told[name], at) for name, at in places if name in told]
