"""The administrator's screens: what the catalogue holds, and the page of each entry (O6).

A change is looked at before it is saved: as people will see it, what differs, and for types and
terms what it would mean for open cases. Nothing typed is lost when a save is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.http.entrance import CleanRoute
from cabinet.catalogue_admin import lines as views
from cabinet.catalogue_admin.forms import (
    ROOMS,
    FormChoices,
    Room,
    boxes_of,
    fields_of,
    since_of,
    terms_of,
    typed_of,
    values_of,
)
from cabinet.catalogue_admin.views import Editor, EntryLine, RoomCard
from cabinet.frame.views import ErrorItem
from cabinet.frame.visits import Inside, Visit, uuid_of
from clients.database import DatabaseSession
from rules.access import Permission
from rules.catalogue.entries import Subject, demand, differences
from rules.forms.definitions import CaseTypeDefinition
from rules.ids import new_id
from rules.refusals import Refusal, not_found
from services.accounts import people
from services.catalogue.loading import APPLICATION_TYPE
from services.catalogue_admin import entries, type_upgrades
from services.catalogue_admin.changes import Administration, Wish
from services.catalogue_admin.kinds import NOTHING, Entry
from services.catalogue_admin.types import as_file, key_in, versions, with_terms
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/administration")

SHOWN_AGAIN = frozenset({409, 422})
_NEW = "new"


def service(visit: Visit) -> Administration:
    return Administration(visit.container.database, visit.container.settings.time_zone)


def _room(name: str) -> Room:
    room = ROOMS.get(name)
    if room is None:
        raise not_found()
    return room


@router.get("")
async def home(visit: Inside) -> Response:
    """What can be changed, and how much there is of it."""
    demand(visit.actor)
    async with visit.container.database.work() as session:
        counts = {subject: len(await entries.listed(session, subject)) for subject in Subject}
    rooms = [
        RoomCard(
            f"/administration/{room.name}",
            room.icon,
            _(room.title),
            _(room.text),
            counts[room.subject],
        )
        for room in ROOMS.values()
    ]
    if visit.actor.may(Permission.MANAGE_PEOPLE):
        rooms.append(await _staff_card(visit))
    return visit.page("catalogue_admin/home.html", rooms=rooms)


async def _staff_card(visit: Visit) -> RoomCard:
    """The door to the staff list."""
    async with visit.container.database.work() as session:
        count = await people.number_at_work(session)
    return RoomCard(
        "/administration/staff",
        "users",
        _("Сотрудники"),
        _("Список сотрудников и подразделений из таблицы, сначала с проверкой."),
        count,
    )


@router.get("/{room_name}")
async def listing(room_name: str, visit: Inside) -> Response:
    """The entries of one kind, those not in force yet and those withdrawn included."""
    demand(visit.actor)
    room = _room(room_name)
    async with visit.container.database.work() as session:
        found = await entries.listed(session, room.subject)
        named = await entries.listed(session, Subject.UNIT)
    units = {unit.key: str(unit.values["name"]) for unit in named}
    lines = [
        EntryLine(
            url=f"/administration/{room.name}/{entry.key}",
            key=entry.key,
            title=views.title_of(room, entry),
            version=entry.version,
            valid_from=entry.valid_from,
            waits=entry.waits,
            offered=entry.offered,
            note=views.note_of(room, entry, units),
        )
        for entry in found
    ]
    return visit.page(
        "catalogue_admin/list.html",
        room=replace(
            room,
            title=_(room.title),
            text=_(room.text),
            adds=_(room.adds) if room.adds else "",
        ),
        lines=lines,
    )


@dataclass(frozen=True)
class Shown:
    """What the page of an entry is drawn from."""

    room: Room
    key: str
    entry: Entry | None
    ground: FormChoices


async def shown_entry(visit: Visit, room_name: str, key: str) -> Shown:
    demand(visit.actor)
    room = _room(room_name)
    async with visit.container.database.work() as session:
        entry = None if key == _NEW else await entries.newest(session, room.subject, key)
        units = await entries.listed(session, Subject.UNIT)
        application = await entries.newest(session, Subject.TYPE, APPLICATION_TYPE)
    if (entry is None) != (key == _NEW) or (key == _NEW and not room.adds):
        raise not_found()
    definition = CaseTypeDefinition.model_validate(application.values) if application else None
    return Shown(room, key, entry, FormChoices(units, definition))


@router.get("/{room_name}/{key}")
async def edit(room_name: str, key: str, visit: Inside) -> Response:
    """The page of an entry: its form, its versions, its history."""
    shown = await shown_entry(visit, room_name, key)
    editor = await editor_of(visit, shown, typed_of(shown.room, shown.entry))
    return visit.page("catalogue_admin/edit.html", editor=editor)


async def edit_file(room_name: str, key: str, visit: Visit) -> Response:
    """The page of an entry as the text of a file."""
    shown = await shown_entry(visit, room_name, key)
    editor = await editor_of(visit, shown, {"text": _file_of(shown.entry)})
    return visit.page("catalogue_admin/edit.html", editor=editor)


def _file_of(entry: Entry | None) -> str:
    if entry is not None:
        return as_file(entry.values, entry.next_version)
    return views.EXAMPLE


@router.post("/{room_name}/{key}")
async def save(room_name: str, key: str, visit: Inside) -> Response:
    """Look at a change (`do=look`) or save it; one that is refused is shown as it was typed."""
    shown = await shown_entry(visit, room_name, key)
    form = await visit.request.form()
    typed = {name: str(value) for name, value in form.items()}
    typed["specialties"] = ",".join(str(one) for one in form.getlist("specialties"))
    try:
        if typed.get("do") == "look":
            return visit.page(
                "catalogue_admin/edit.html", editor=await _looked_at(visit, shown, typed)
            )
        kept = await _save(visit, shown, typed)
    except Refusal as refusal:
        if refusal.status not in SHOWN_AGAIN:
            raise
        return await _refused(visit, shown, typed, refusal)
    return visit.go(f"/administration/{room_name}/{kept.key}", "saved")


async def _save(visit: Visit, shown: Shown, typed: Mapping[str, str]) -> Entry:
    acts, actor, room = service(visit), visit.actor, shown.room
    wish = wish_of(shown, typed)
    match room.name:
        case "types":
            text = typed.get("text", "")
            values = {"key": _key_in(shown, text), "text": text}
        case "terms" if shown.entry is not None:
            text = with_terms(shown.entry, terms_of(typed), wish.valid_from)
            values = {"key": shown.key, "text": text}
        case _:
            values = values_of(room, typed, shown.entry, shown.ground)
    return await acts.change(actor, room.subject, values, wish)


def wish_of(shown: Shown, typed: Mapping[str, str]) -> Wish:
    versioned = shown.room.name in ("programmes", "terms") or "valid_from" in typed
    offers = shown.room.name in ("programmes", "reasons")
    return Wish(
        act_id=uuid_of(typed.get("act_id")) or new_id(),
        based_on=typed.get("based_on", "")[:64],
        valid_from=since_of(typed) if versioned else None,
        offered=bool(typed.get("offered")) if offers else True,
    )


def _key_in(shown: Shown, text: str) -> str:
    """The key of a new type stands in its text; that of a known one in the address."""
    if shown.entry is not None:
        return shown.key
    return key_in(text)


async def _looked_at(visit: Visit, shown: Shown, typed: Mapping[str, str]) -> Editor:
    """The page with what the change would look like and mean, nothing kept."""
    room = shown.room
    wish = wish_of(shown, typed)
    if room.subject is Subject.TYPE:
        text = typed.get("text", "")
        if room.name == "terms" and shown.entry is not None:
            text = with_terms(shown.entry, terms_of(typed), wish.valid_from)
        values = {"key": _key_in(shown, text), "text": text}
    else:
        values = values_of(room, typed, shown.entry, shown.ground)
    told = await service(visit).tried(visit.actor, room.subject, values)
    would, effect = told.entry, views.effect_view(told.effect) if told.effect else None
    editor = await editor_of(visit, shown, typed, would=would)
    before = shown.entry.values if shown.entry else None
    lines = _lines(before, would.values, editor, shown)
    return replace(editor, looked=True, effect=effect, differences=lines)


async def _refused(
    visit: Visit, shown: Shown, typed: Mapping[str, str], refusal: Refusal
) -> Response:
    """The page as it was typed; a stale one is based on what stands now, and says what differs."""
    now_shown = await shown_entry(visit, shown.room.name, shown.key)
    stale = refusal.code == "changed_meanwhile"
    told = by_field(refusal)
    editor = await editor_of(visit, now_shown, typed, errors=told, keep_base=not stale)
    errors = summary(refusal, {view.name: view.label for view in editor.fields})
    if stale and shown.room.subject is not Subject.TYPE and now_shown.entry is not None:
        values = values_of(shown.room, typed, now_shown.entry, now_shown.ground)
        lines = _lines(now_shown.entry.values, values, editor, now_shown)
        editor = replace(editor, differences=lines)
    return visit.page(
        "catalogue_admin/edit.html", status=refusal.status, editor=editor, errors=errors
    )


def by_field(refusal: Refusal) -> dict[str, str]:
    """What is wrong at each field, in words."""
    told: dict[str, str] = {}
    for fault in refusal.fields:
        told[fault.path] = f"{told.get(fault.path, '')} {in_words(fault.message)}".strip()
    return told


def summary(refusal: Refusal, labels: Mapping[str, str]) -> list[ErrorItem]:
    """The mistakes at the top of the page, each with its field; without any, the refusal itself."""
    errors = [_told(in_words(fault.message), fault.path, labels) for fault in refusal.fields]
    return errors or [ErrorItem(in_words(refusal.message))]


def _lines(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], editor: Editor, shown: Shown
) -> list[tuple[str, str, str]]:
    """What differs, in the words of the page."""
    lines = differences(before, after)
    if shown.room.subject is Subject.TYPE:
        return views.type_lines(lines, shown.ground, before or {}, after)
    return views.named(lines, editor.fields, shown.ground)


def _told(words: str, path: str, labels: Mapping[str, str]) -> ErrorItem:
    """A mistake in the summary: named by its field, unless the form has no other."""
    if path not in labels:
        return ErrorItem(words)
    return ErrorItem(words if len(labels) == 1 else f"{labels[path]}: {words}", f"#field-{path}")


async def editor_of(
    visit: Visit,
    shown: Shown,
    typed: Mapping[str, str],
    *,
    would: Entry | None = None,
    version: int = 0,
    errors: Mapping[str, str] | None = None,
    keep_base: bool = False,
) -> Editor:
    """The page of an entry; a change stays based on what it began with while it is looked at."""
    room, entry = shown.room, shown.entry
    told = errors or {}
    fields = [
        replace(view, error=told.get(view.name, ""))
        for view in fields_of(room, entry, typed, shown.ground)
    ]
    digest = entry.digest if entry else NOTHING
    at = f"/administration/{room.name}/{shown.key}"
    editor = Editor(
        url=f"{at}/file" if "text" in typed and room.name == "types" else at,
        back_url=f"/administration/{room.name}",
        back=_(room.title),
        title=views.title_of(room, entry) if entry else _(room.adds),
        fields=fields,
        boxes=boxes_of(room, typed, shown.ground),
        act_id=str(new_id()) if not keep_base else typed.get("act_id", str(new_id())),
        based_on=typed.get("based_on", digest) if would or keep_base else digest,
        code=room.name == "types" and "text" in typed,
        versioned=room.name in ("programmes", "terms"),
    )
    if would and not keep_base:
        editor = replace(editor, act_id=typed.get("act_id", editor.act_id))
    async with visit.container.database.work() as session:
        if entry is not None:
            editor = replace(
                editor,
                history=[
                    views.changed_view(one, entry, fields, shown.ground)
                    for one in await entries.history(session, room.subject, shown.key)
                ],
            )
        trying = would is not None
        return await _with_preview(session, editor, shown, would or entry, version, trying=trying)


async def _with_preview(
    session: DatabaseSession,
    editor: Editor,
    shown: Shown,
    entry: Entry | None,
    version: int,
    *,
    trying: bool,
) -> Editor:
    """The page with what people see of the entry; of a type, with its versions and open cases."""
    if entry is None:
        return editor
    match shown.room.subject:
        case Subject.PROGRAMME:
            preview = views.programme_preview(entry, shown.ground)
            return replace(editor, programme=preview)
        case Subject.REASON:
            return replace(editor, reason=(entry.values["title"], entry.values["text"]))
        case Subject.TYPE:
            known = await versions(session, shown.key)
            in_force = max((one.version or 0 for one in known if not one.waits), default=0)
            chosen = next((one for one in known if one.version == version), entry)
            at = f"/administration/types/{shown.key}"
            editor = replace(
                editor,
                type=views.type_preview(chosen, shown.ground),
                versions=views.version_lines(
                    known, in_force, at, chosen.version if not trying else None
                ),
                notes=views.overtaken(known, entry if trying else None),
            )
            stands = next((one for one in known if one.version == in_force), None)
            if trying or stands is None:
                return editor
            definition = CaseTypeDefinition.model_validate(stands.values)
            told = await type_upgrades.effect(session, definition)
            if not told.open:
                return editor
            move = f"/administration/types/{shown.key}/move"
            return replace(editor, effect=views.effect_view(told, move))
        case _:
            return editor


@router.post("/types/{key}/move")
async def move(
    key: str,
    visit: Inside,
    version: Annotated[int, Form(ge=1, le=100_000)],
    act_id: Annotated[UUID, Form()],
) -> Response:
    """Move the open cases that a version leaves whole onto it."""
    done = await type_upgrades.move_cases(
        visit.container.database, visit.actor, key, version, act_id
    )
    return visit.go(f"/administration/types/{key}?moved={done.moved}&left={done.left}")
