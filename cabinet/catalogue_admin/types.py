"""The page of a type of case: a form beside what people will see, and the same as a file (O6)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.http.entrance import CleanRoute
from cabinet.catalogue_admin import lines as views
from cabinet.catalogue_admin import pages, type_forms
from cabinet.catalogue_admin.forms import since_of
from cabinet.catalogue_admin.pages import Shown
from cabinet.catalogue_admin.type_forms import TypeDraft
from cabinet.catalogue_admin.type_views import type_form
from cabinet.catalogue_admin.views import Editor
from cabinet.frame.views import Flash
from cabinet.frame.visits import Inside, Visit
from rules.catalogue.entries import Subject, differences
from rules.ids import new_id
from rules.refusals import Refusal
from services.catalogue_admin.kinds import NOTHING, Entry
from services.catalogue_admin.types import as_file, checked_type
from words.translation import gettext as _

router = APIRouter(
    route_class=CleanRoute, include_in_schema=False, prefix="/administration/types/{key}"
)

_ROOM = "types"


@router.get("")
async def edit(
    key: str,
    visit: Inside,
    version: Annotated[int, Query(ge=0, le=100_000)] = 0,
    moved: Annotated[int | None, Query(ge=0, le=10_000_000)] = None,
    left: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """The form of a type, with its versions and its history; any version of it beside."""
    shown = await pages.shown_entry(visit, _ROOM, key)
    draft = type_forms.opened(shown.entry.values if shown.entry else {})
    editor = await _editor(visit, shown, draft, {}, version=version)
    if moved is None:
        return visit.page("catalogue_admin/edit.html", editor=editor)
    words = _("Переведено: %(moved)s. Остались на прежней редакции: %(left)s.")
    said = Flash(words % {"moved": moved, "left": left})
    return visit.page("catalogue_admin/edit.html", editor=editor, flash=said)


@router.post("")
async def change(key: str, visit: Inside) -> Response:
    """Change the draft (`do=up s0f2`), look at what it means, or save it; nothing typed is lost."""
    shown = await pages.shown_entry(visit, _ROOM, key)
    form = await visit.request.form()
    typed = {name: str(value) for name, value in form.items()}
    draft = type_forms.read(typed, shown.entry.values if shown.entry else {})
    what, _blank, path = typed.get("do", "save").partition(" ")
    try:
        if what == "save":
            kept = await _save(visit, shown, draft, typed)
            return visit.go(f"/administration/{_ROOM}/{kept.key}", "saved")
        if what == "look":
            editor = await _looked_at(visit, shown, draft, typed)
        else:
            editor = await _acted(visit, shown, draft, typed, what, path)
    except Refusal as refusal:
        if refusal.status not in pages.SHOWN_AGAIN:
            raise
        return await _refused(visit, key, draft, typed, refusal)
    return visit.page("catalogue_admin/edit.html", editor=editor)


@router.get("/file")
async def edit_file(key: str, visit: Inside) -> Response:
    """The same as the text of a file."""
    return await pages.edit_file(_ROOM, key, visit)


@router.post("/file")
async def save_file(key: str, visit: Inside) -> Response:
    """Look at a file or save it."""
    return await pages.save(_ROOM, key, visit)


def _values(shown: Shown, draft: TypeDraft) -> dict[str, Any]:
    """The definition that the draft makes. Raises Refusal 422 with paths of the page."""
    before = shown.entry.values if shown.entry else {}
    values, places = type_forms.values_of(draft, before)
    try:
        return checked_type(values, _next(shown))
    except Refusal as refusal:
        raise type_forms.at_fields(refusal, places) from refusal


def _next(shown: Shown) -> int:
    return (shown.entry.version or 0 if shown.entry else 0) + 1


async def _save(visit: Visit, shown: Shown, draft: TypeDraft, typed: Mapping[str, str]) -> Entry:
    values = _values(shown, draft)
    wish = pages.wish_of(shown, typed)
    text = as_file(values, _next(shown), wish.valid_from)
    return await pages.service(visit).change(
        visit.actor, Subject.TYPE, {"key": values["key"], "text": text}, wish
    )


async def _looked_at(
    visit: Visit, shown: Shown, draft: TypeDraft, typed: Mapping[str, str]
) -> Editor:
    """The page with what the change means for open cases, and what differs."""
    values = _values(shown, draft)
    text = as_file(values, _next(shown), since_of(typed))
    asked = {"key": values["key"], "text": text}
    told = await pages.service(visit).tried(visit.actor, Subject.TYPE, asked)
    would = told.entry
    editor = await _editor(visit, shown, draft, typed, would=would)
    before = shown.entry.values if shown.entry else None
    lines = differences(before, would.values)
    return replace(
        editor,
        looked=True,
        effect=views.effect_view(told.effect) if told.effect else None,
        differences=views.type_lines(lines, shown.ground, before or {}, would.values),
    )


async def _acted(
    visit: Visit, shown: Shown, draft: TypeDraft, typed: Mapping[str, str], what: str, path: str
) -> Editor:
    """The page after one part was added, moved, put aside or taken back."""
    focus = type_forms.act(draft, what, path)
    return await _editor(visit, shown, draft, typed, would=_preview(shown, draft), focus=focus)


def _preview(shown: Shown, draft: TypeDraft) -> Entry | None:
    """The draft as people would see it, as soon as it makes a definition."""
    try:
        values = _values(shown, draft)
    except Refusal:
        return None
    return Entry(Subject.TYPE, values["key"], values["title"], values, _next(shown))


async def _refused(
    visit: Visit, key: str, draft: TypeDraft, typed: Mapping[str, str], refusal: Refusal
) -> Response:
    """The page as it was typed; a stale one is based on what stands now, and says what differs."""
    shown = await pages.shown_entry(visit, _ROOM, key)
    stale = refusal.code == "changed_meanwhile"
    would = _preview(shown, draft)
    told = pages.by_field(refusal)
    editor = await _editor(visit, shown, draft, typed, would=would, errors=told)
    if stale:
        digest = shown.entry.digest if shown.entry else NOTHING
        editor = replace(editor, based_on=digest, act_id=str(new_id()))
    if stale and would is not None and shown.entry is not None:
        lines = differences(shown.entry.values, would.values)
        named = views.type_lines(lines, shown.ground, shown.entry.values, would.values)
        editor = replace(editor, differences=named)
    errors = pages.summary(refusal, editor.form.labels if editor.form else {})
    return visit.page(
        "catalogue_admin/edit.html", status=refusal.status, editor=editor, errors=errors
    )


async def _editor(
    visit: Visit,
    shown: Shown,
    draft: TypeDraft,
    typed: Mapping[str, str],
    *,
    would: Entry | None = None,
    version: int = 0,
    errors: Mapping[str, str] | None = None,
    focus: str = "",
) -> Editor:
    """The page of a draft; while it is changed it stays based on what it began with."""
    editor = await pages.editor_of(
        visit, shown, typed, would=would, version=version, keep_base=bool(typed)
    )
    form = type_form(
        draft,
        errors or {},
        shown.ground,
        focus,
        known=shown.entry is not None,
        file_url=f"{editor.url}/file",
    )
    return replace(editor, form=form, fields=())
