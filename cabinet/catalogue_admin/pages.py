"""The administrator's screens: what the catalogue holds, and the page of each entry (O6).

A change is looked at before it is saved: as people will see it, what differs, and for types and
terms what it would mean for open cases. Nothing typed is lost when a save is refused.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.http.entrance import CleanRoute
from cabinet.catalogue_admin.fields import FormChoices, Typed, first_day
from cabinet.catalogue_admin.register import ROOMS
from cabinet.catalogue_admin.room import NEW, Room, Shown
from cabinet.catalogue_admin.type_lines import effect_view
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
from services.catalogue_admin import entries
from services.catalogue_admin.changes import Administration, Wish
from services.catalogue_admin.entries import Changed
from services.catalogue_admin.kinds import NOTHING, Entry
from services.operation import norms
from services.subscribers import seen as subscribers
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/administration")

_SHOWN_AGAIN = frozenset({409, 422})
_LINES_OF_A_CHANGE = 40


def _service(visit: Visit) -> Administration:
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
    rooms.append(_norms_card())
    if visit.actor.may(Permission.CONNECT_SYSTEMS):
        rooms.append(await _subscribers_card(visit))
    return visit.page("catalogue_admin/home.html", rooms=rooms)


async def _staff_card(visit: Visit) -> RoomCard:
    """The door to the staff list."""
    async with visit.container.database.work() as session:
        count = await people.number_at_work(session)
    return RoomCard(
        "/administration/staff",
        "users",
        _("Загрузка сотрудников"),
        _("Список сотрудников и подразделений из таблицы, сначала с проверкой."),
        count,
    )


def _norms_card() -> RoomCard:
    """The door to the norms of law."""
    return RoomCard(
        "/administration/norms",
        "shield-check",
        _("Нормы закона"),
        _("На чём держатся правила кабинета, и когда это закончится."),
        len(norms.norms()),
    )


async def _subscribers_card(visit: Visit) -> RoomCard:
    """The door to other systems."""
    async with visit.container.database.work() as session:
        count = await subscribers.number_connected(session)
    return RoomCard(
        "/subscribers",
        "send",
        _("Системы-подписчики"),
        _("Кому мы сообщаем об изменениях документов о квалификации."),
        count,
    )


@router.get("/{room_name}")
async def listing(room_name: str, visit: Inside) -> Response:
    """The entries of one kind, those not in force yet and those withdrawn included."""
    demand(visit.actor)
    room = _room(room_name)
    async with visit.container.database.work() as session:
        found = await entries.listed(session, room.subject)
        choices = await _choices(session)
    lines = [
        EntryLine(
            url=room.url(entry.key),
            key=entry.key,
            title=room.heading(entry),
            version=entry.version,
            valid_from=entry.valid_from,
            waits=entry.waits,
            offered=entry.offered,
            note=room.note(entry, choices),
        )
        for entry in found
    ]
    adds = _(room.adds) if room.adds else ""
    said = replace(room, title=_(room.title), text=_(room.text), adds=adds)
    return visit.page("catalogue_admin/list.html", room=said, lines=lines)


@router.get("/{room_name}/{key}")
async def edit(
    room_name: str,
    key: str,
    visit: Inside,
    version: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """The page of an entry: its form, its versions, its history; any version of it beside."""
    return await opened(visit, _room(room_name), key, version=version)


@router.post("/{room_name}/{key}")
async def save(room_name: str, key: str, visit: Inside) -> Response:
    """Look at a change (`do=look`) or save it; one that is refused is shown as it was typed."""
    return await posted(visit, _room(room_name), key)


async def opened(
    visit: Visit, room: Room, key: str, *, version: int = 0, **context: Any
) -> Response:
    """The page of an entry as it stands; `version` is the one that is shown beside the form."""
    shown = await _shown(visit, room, key)
    editor = await _editor(visit, shown, room.typed(shown), version=version)
    return visit.page("catalogue_admin/edit.html", editor=editor, **context)


async def posted(visit: Visit, room: Room, key: str) -> Response:
    """The answer to what was typed into the form of an entry, and to which button."""
    shown = await _shown(visit, room, key)
    form = await visit.request.form()
    typed = {name: str(value) for name, value in form.items()}
    several = [boxes.name for boxes in room.boxes(typed, shown.choices)]
    typed |= {name: ",".join(map(str, form.getlist(name))) for name in several}
    try:
        acted = room.acted(typed, shown)
        if acted is not None:
            would = room.drafted(acted, shown)
            editor = await _editor(visit, shown, acted, would=would, keeps=True)
        elif typed.get("do") == "look":
            editor = await _looked_at(visit, shown, typed)
        else:
            wish = _wish(shown, typed)
            values = room.asked(typed, shown, wish.valid_from)
            kept = await _service(visit).change(visit.actor, room.subject, values, wish)
            return visit.go(f"/administration/{room.name}/{kept.key}", "saved")
    except Refusal as refusal:
        if refusal.status not in _SHOWN_AGAIN:
            raise
        return await _refused(visit, shown, typed, refusal)
    return visit.page("catalogue_admin/edit.html", editor=editor)


async def _shown(visit: Visit, room: Room, key: str) -> Shown:
    demand(visit.actor)
    async with visit.container.database.work() as session:
        entry = None if key == NEW else await entries.newest(session, room.subject, key)
        choices = await _choices(session)
    if (entry is None) != (key == NEW) or (key == NEW and not room.adds):
        raise not_found()
    return Shown(room, key, entry, choices)


async def _choices(session: DatabaseSession) -> FormChoices:
    units = await entries.listed(session, Subject.UNIT)
    application = await entries.newest(session, Subject.TYPE, APPLICATION_TYPE)
    definition = CaseTypeDefinition.model_validate(application.values) if application else None
    return FormChoices(units, definition)


def _wish(shown: Shown, typed: Typed) -> Wish:
    return Wish(
        act_id=uuid_of(typed.get("act_id")) or new_id(),
        based_on=typed.get("based_on", "")[:64],
        valid_from=first_day(typed),
        offered=bool(typed.get("offered")) if shown.room.offered else True,
    )


async def _looked_at(visit: Visit, shown: Shown, typed: Typed) -> Editor:
    """The page with what the change would look like and mean, nothing kept."""
    room = shown.room
    values = room.asked(typed, shown, first_day(typed))
    told = await _service(visit).tried(visit.actor, room.subject, values)
    editor = await _editor(visit, shown, typed, would=told.entry, keeps=True)
    effect = effect_view(told.effect) if told.effect else None
    lines = _differences(shown, told.entry.values, editor)
    return replace(editor, looked=True, effect=effect, differences=lines)


async def _refused(visit: Visit, shown: Shown, typed: Typed, refusal: Refusal) -> Response:
    """The page as it was typed; a stale one is based on what stands now, and says what differs."""
    room = shown.room
    shown = await _shown(visit, room, shown.key)
    stale = refusal.code == "changed_meanwhile"
    would = room.drafted(typed, shown)
    told = _by_field(refusal)
    editor = await _editor(visit, shown, typed, would=would, errors=told, keeps=not stale)
    if stale and shown.entry is not None:
        after = room.compared(typed, shown)
        if after is not None:
            editor = replace(editor, differences=_differences(shown, after, editor))
    return visit.page(
        "catalogue_admin/edit.html",
        status=refusal.status,
        editor=editor,
        errors=_summary(refusal, editor.labels),
    )


def _by_field(refusal: Refusal) -> dict[str, str]:
    """What is wrong at each field, in words."""
    told: dict[str, str] = {}
    for fault in refusal.fields:
        told[fault.path] = f"{told.get(fault.path, '')} {in_words(fault.message)}".strip()
    return told


def _summary(refusal: Refusal, labels: Mapping[str, str]) -> list[ErrorItem]:
    """The mistakes at the top of the page, each with its field; without any, the refusal itself."""
    errors = [_told(in_words(fault.message), fault.path, labels) for fault in refusal.fields]
    return errors or [ErrorItem(in_words(refusal.message))]


def _told(words: str, path: str, labels: Mapping[str, str]) -> ErrorItem:
    """A mistake in the summary: named by its field, unless the form has no other."""
    if path not in labels:
        return ErrorItem(words)
    return ErrorItem(words if len(labels) == 1 else f"{labels[path]}: {words}", f"#field-{path}")


def _differences(
    shown: Shown, after: Mapping[str, Any], editor: Editor
) -> list[tuple[str, str, str]]:
    """What differs from what stands, in the words of the page."""
    before = shown.entry.values if shown.entry else None
    return shown.room.told(differences(before, after), editor, shown, before or {}, after)


async def _editor(
    visit: Visit,
    shown: Shown,
    typed: Typed,
    *,
    would: Entry | None = None,
    version: int = 0,
    errors: Mapping[str, str] | None = None,
    keeps: bool = False,
) -> Editor:
    """The page of an entry; one that `keeps` what it began with goes on with its act and base."""
    room, entry = shown.room, shown.entry
    began = typed if keeps else {}
    editor = Editor(
        url=room.url(shown.key),
        back_url=f"/administration/{room.name}",
        back=_(room.title),
        title=room.heading(entry) if entry else _(room.adds),
        act_id=began.get("act_id") or str(new_id()),
        based_on=began.get("based_on", entry.digest if entry else NOTHING),
        code=room.code,
    )
    editor = room.drawn(editor, typed, shown, errors or {})
    async with visit.container.database.work() as session:
        if entry is not None:
            editor = replace(editor, history=await _history(session, editor, shown, entry))
        return await room.beside(session, editor, shown, would, version)


async def _history(
    session: DatabaseSession, editor: Editor, shown: Shown, entry: Entry
) -> list[Changed]:
    """Who changed what, as far as a page has room for it."""
    found = await entries.history(session, shown.room.subject, shown.key)
    told = shown.room.told
    return [
        replace(one, lines=told(one.lines[:_LINES_OF_A_CHANGE], editor, shown, entry.values))
        for one in found
    ]
