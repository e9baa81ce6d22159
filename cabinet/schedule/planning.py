"""Planning a unit's hours and rooms, the wait list, and calendars of one's devices (W1)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Response
from pydantic import Field

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Visit, uuid_of
from cabinet.schedule.views import HoursLine, PlanPage, WaitingLine
from clients.database import DatabaseSession
from rules.access import Permission
from rules.clock import now
from rules.refusals import FieldError, Refusal, forbidden, not_found
from rules.schedule.hours import length_of, minutes_of
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from services.schedule import feed, planning, seen
from services.schedule.planning import HoursWish, StandingException, StandingHours
from words.formats import short_day
from words.translation import gettext, in_words, marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/schedule")

Text = Annotated[str, Form(max_length=40)]
Weekday = Annotated[int, Field(ge=0, le=6)]
Name = Annotated[str, Form(max_length=400)]
WEEKDAYS = (
    marked("понедельник"),
    marked("вторник"),
    marked("среда"),
    marked("четверг"),
    marked("пятница"),
    marked("суббота"),
    marked("воскресенье"),
)


@router.get("/units/{unit_id}/plan")
async def plan(unit_id: UUID, visit: Inside, session: Work) -> Response:
    """The hours, exceptions and rooms of a unit."""
    return await _plan(visit, session, unit_id)


@router.post("/units/{unit_id}/hours")
async def add_hours(
    unit_id: UUID,
    visit: Inside,
    clinician: Text = "",
    room: Text = "",
    weekdays: Annotated[list[Weekday] | None, Form(max_length=7)] = None,
    starts: Text = "",
    ends: Text = "",
    step: Text = "",
    valid_from: Text = "",
    valid_until: Text = "",
) -> Response:
    """Let somebody work on days of the week."""
    typed = {
        "clinician": clinician,
        "room": room,
        "starts": starts,
        "ends": ends,
        "step": step,
        "valid_from": valid_from,
        "valid_until": valid_until,
    }
    chosen = weekdays or []
    try:
        wish = _hours(unit_id, typed)
        last = _day("valid_until", valid_until) if valid_until.strip() else None
        await visit.container.planning.add_hours(
            visit.actor, wish, chosen, _day("valid_from", valid_from), last
        )
    except Refusal as refusal:
        return await _refused(visit, unit_id, refusal, typed, chosen)
    return visit.go(f"/schedule/units/{unit_id}/plan", "schedule_changed")


@router.post("/hours/{hours_id}/end")
async def end_hours(
    hours_id: UUID, visit: Inside, unit: Annotated[UUID, Form()], last_day: Text = ""
) -> Response:
    """Let hours of the week end."""
    try:
        day = _day("last_day", last_day)
        await visit.container.planning.end_hours(visit.actor, hours_id, day)
    except Refusal as refusal:
        return await _refused(visit, unit, refusal, {}, [])
    return visit.go(f"/schedule/units/{unit}/plan", "schedule_changed")


@router.post("/units/{unit_id}/exceptions")
async def add_exception(
    unit_id: UUID,
    visit: Inside,
    x_clinician: Text = "",
    x_day: Text = "",
    x_works: Text = "",
    x_starts: Text = "",
    x_ends: Text = "",
) -> Response:
    """Let one day differ from the week."""
    typed = {
        "x_clinician": x_clinician,
        "x_day": x_day,
        "x_works": x_works,
        "x_starts": x_starts,
        "x_ends": x_ends,
    }
    try:
        hours = {
            "clinician": x_clinician,
            "room": "",
            "starts": x_starts or "00:00",
            "ends": x_ends or "24:00",
            "step": "15",
        }
        wish = _hours(unit_id, hours, "x_")
        await visit.container.planning.add_exception(
            visit.actor, wish, _day("x_day", x_day), works=x_works == "yes"
        )
    except Refusal as refusal:
        return await _refused(visit, unit_id, refusal, typed, [])
    return visit.go(f"/schedule/units/{unit_id}/plan", "schedule_changed")


@router.post("/exceptions/{exception_id}/take-back")
async def take_back(exception_id: UUID, visit: Inside, unit: Annotated[UUID, Form()]) -> Response:
    """Take an exception back."""
    await visit.container.planning.take_back(visit.actor, exception_id)
    return visit.go(f"/schedule/units/{unit}/plan", "schedule_changed")


@router.post("/units/{unit_id}/rooms")
async def add_room(unit_id: UUID, visit: Inside, name: Name = "") -> Response:
    """Name a room."""
    try:
        await visit.container.planning.add_room(visit.actor, unit_id, name)
    except Refusal as refusal:
        return await _refused(visit, unit_id, refusal, {"name": name}, [])
    return visit.go(f"/schedule/units/{unit_id}/plan", "schedule_changed")


@router.post("/rooms/{room_id}/close")
async def close_room(room_id: UUID, visit: Inside, unit: Annotated[UUID, Form()]) -> Response:
    """Offer a room no longer."""
    await visit.container.planning.close_room(visit.actor, room_id)
    return visit.go(f"/schedule/units/{unit}/plan", "schedule_changed")


@router.get("/waiting")
async def waiting(visit: Inside, session: Work) -> Response:
    """Who waits for a time."""
    lines = [
        WaitingLine(
            id=one.id,
            patient=one.patient,
            book_url=f"/schedule/book?patient={one.patient_id}",
            clinician=one.clinician,
            note=one.note,
            since=seen.day_in(visit.signed_in.zone, one.added_at),
        )
        for one in await seen.waiting(session, visit.actor)
    ]
    return visit.page("schedule/waiting.html", lines=lines)


@router.post("/waiting")
async def add_wish(
    visit: Inside,
    patient: Annotated[UUID, Form()],
    unit: Annotated[UUID, Form()],
    clinician: Text = "",
    note: Annotated[str, Form(max_length=1500)] = "",
) -> Response:
    """Let a patient wait."""
    await visit.container.wait_list.add(visit.actor, patient, unit, uuid_of(clinician), note)
    return visit.go("/schedule/waiting", "waits")


@router.post("/waiting/{wish_id}/close")
async def close_wish(wish_id: UUID, visit: Inside) -> Response:
    """Let a patient wait no more."""
    await visit.container.wait_list.close(visit.actor, wish_id)
    return visit.go("/schedule/waiting", "waits_no_more")


@router.get("/calendars")
async def calendars(visit: Inside, session: Work) -> Response:
    """The devices that read one's calendar."""
    return await _calendars(visit, session)


@router.post("/calendars")
async def add_calendar(visit: Inside, name: Name = "") -> Response:
    """Let a device read the calendar; its address is shown on the page that answers, once."""
    address, refusal = "", None
    try:
        token = await visit.container.calendar_feeds.make(visit.actor, name)
        address = feed.address(visit.container.settings.public_url, token)
    except Refusal as refused:
        if refused.status not in (409, 422):
            raise
        refusal = refused
    async with visit.container.database.work() as session:
        return await _calendars(visit, session, address, refusal, name)


@router.post("/calendars/{feed_id}/revoke")
async def revoke_calendar(feed_id: UUID, visit: Inside) -> Response:
    """Let a device read the calendar no more."""
    await visit.container.calendar_feeds.revoke(visit.actor, feed_id)
    return visit.go("/schedule/calendars", "calendar_revoked")


async def _calendars(
    visit: Visit,
    session: DatabaseSession,
    address: str = "",
    refusal: Refusal | None = None,
    name: str = "",
) -> Response:
    visit.actor.demand(Permission.TREAT)
    error = in_words(refusal.fields[0].message) if refusal and refusal.fields else ""
    return visit.page(
        "schedule/calendars.html",
        status=refusal.status if refusal else 200,
        devices=await feed.of_person(session, visit.actor.person_id),
        address=address,
        field=FieldView(
            "name",
            gettext("Устройство"),
            value="" if address else name,
            hint=gettext("Например, «Телефон»"),
            error=error,
            max_length=feed.LONGEST_NAME,
        ),
        errors=errors_of(refusal) if refusal else [],
    )


async def _refused(
    visit: Visit, unit_id: UUID, refusal: Refusal, typed: Mapping[str, str], chosen: Sequence[int]
) -> Response:
    if refusal.status not in (409, 422):
        raise refusal
    async with visit.container.database.work() as session:
        return await _plan(visit, session, unit_id, refusal, typed, chosen)


async def _plan(
    visit: Visit,
    session: DatabaseSession,
    unit_id: UUID,
    refusal: Refusal | None = None,
    typed: Mapping[str, str] | None = None,
    chosen: Sequence[int] = (),
) -> Response:
    actor = visit.actor
    if not actor.may(Permission.PLAN_SCHEDULE, unit_id):
        raise not_found() if actor.may(Permission.PLAN_SCHEDULE) else forbidden()
    unit = await planning.unit_of(session, unit_id)
    today = seen.day_in(unit.time_zone, now())
    weekly, exceptions = await planning.hours_of(session, unit_id, today)
    rooms = await planning.rooms_of(session, unit_id)
    people = await planning.people_of(session, unit_id, now())
    names = {one.id: one.name for one in people} | await planning.names_of(
        session, {one.clinician_id for one in weekly} | {one.clinician_id for one in exceptions}
    )
    room_names = {one.id: one.name for one in rooms}
    wrong = {each.path: in_words(each.message) for each in refusal.fields} if refusal else {}
    wrong = {_FIELDS.get(path, path): words for path, words in wrong.items()}
    values = typed or {}

    def filled(fields: Sequence[FieldView]) -> list[FieldView]:
        return [
            replace(one, value=values.get(one.name, one.value), error=wrong.get(one.name, ""))
            for one in fields
        ]

    who = [Option(str(one.id), f"{one.name}, {one.position}") for one in people]
    in_rooms = [Option("", gettext("без кабинета"))]
    in_rooms += [Option(str(one.id), one.name) for one in rooms]
    page = PlanPage(
        unit=unit.name,
        unit_id=unit_id,
        zone=unit.time_zone,
        weekly=[_weekly(one, names, room_names) for one in weekly],
        exceptions=[_exception(one, names, room_names) for one in exceptions],
        rooms=[(one.id, one.name) for one in rooms],
        hours=filled(_hours_fields(who, in_rooms, today)),
        weekdays=[(n, gettext(word), n in chosen) for n, word in enumerate(WEEKDAYS)],
        weekdays_error=wrong.get("weekdays", ""),
        exception=filled(_exception_fields(who)),
        room=filled([FieldView("name", gettext("Кабинет"), hint=gettext("Например, «204»"))])[0],
        today=today,
    )
    return visit.page(
        "schedule/plan.html",
        status=refusal.status if refusal else 200,
        plan=page,
        errors=errors_of(refusal) if refusal else [],
    )


_FIELDS = {"clinician_id": "clinician", "room_id": "room"}


def _hours_fields(who: Sequence[Option], rooms: Sequence[Option], today: date) -> list[FieldView]:
    return [
        FieldView("clinician", gettext("Врач или сестра"), "choice", options=who),
        FieldView("room", gettext("Кабинет"), "choice", options=rooms, required=False),
        FieldView("starts", gettext("С"), hint=gettext("Например, 09:00"), width="width-5"),
        FieldView("ends", gettext("До"), hint=gettext("Не позже полуночи"), width="width-5"),
        FieldView("step", gettext("Минут на приём"), "number", value="15"),
        FieldView("valid_from", gettext("С какого дня"), "date", value=short_day(today)),
        FieldView("valid_until", gettext("По какой день"), "date", required=False),
    ]


def _exception_fields(who: Sequence[Option]) -> list[FieldView]:
    works = [
        Option("no", gettext("Не принимает")),
        Option("yes", gettext("Принимает дополнительно")),
    ]
    all_day = gettext("Пусто: весь день")
    return [
        FieldView("x_clinician", gettext("Врач или сестра"), "choice", options=who),
        FieldView("x_day", gettext("День"), "date", hint=gettext("Как дд.мм.гггг")),
        FieldView("x_works", gettext("Что в этот день"), "choice", value="no", options=works),
        FieldView("x_starts", gettext("С"), hint=all_day, width="width-5", required=False),
        FieldView("x_ends", gettext("До"), hint=all_day, width="width-5", required=False),
    ]


def _weekly(one: StandingHours, names: Mapping[UUID, str], rooms: Mapping[UUID, str]) -> HoursLine:
    until = f" — {short_day(one.valid_until)}" if one.valid_until else ""
    return HoursLine(
        id=one.id,
        clinician=names.get(one.clinician_id, ""),
        when=f"{gettext(WEEKDAYS[one.weekday])}, {_clock(one.starts)}–{_clock(one.ends)}",
        room=rooms.get(one.room_id, "") if one.room_id else "",
        valid=f"{short_day(one.valid_from)}{until}",
    )


def _exception(
    one: StandingException, names: Mapping[UUID, str], rooms: Mapping[UUID, str]
) -> HoursLine:
    what = gettext("принимает") if one.works else gettext("не принимает")
    return HoursLine(
        id=one.id,
        clinician=names.get(one.clinician_id, ""),
        when=f"{short_day(one.day)}, {_clock(one.starts)}–{_clock(one.ends)}",
        room=rooms.get(one.room_id, "") if one.room_id else "",
        valid=what,
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _hours(unit_id: UUID, typed: Mapping[str, str], prefix: str = "") -> HoursWish:
    """The hours that were typed. Raises Refusal 422."""
    errors: list[FieldError] = []

    def bad(field: str, words: str) -> Any:
        errors.append(FieldError(f"{prefix}{field}", words))

    who = uuid_of(typed["clinician"]) or bad("clinician", "Выберите человека.")
    clocks = []
    for field in ("starts", "ends"):
        clock = minutes_of(typed[field])
        if clock is None:
            bad(field, "Укажите время, например 09:30.")
        else:
            clocks.append(clock)
    step = length_of(typed["step"])
    if step is None:
        bad("step", "Приём длится от 5 минут до 8 часов.")
    if errors or who is None or step is None:
        raise Refusal("incomplete", errors[0].message, 422, errors)
    return HoursWish(who, unit_id, uuid_of(typed["room"]), clocks[0], clocks[1], step)


def _day(field: str, text: str) -> date:
    try:
        return identifiers.day(text)
    except IdentifierError as error:
        words = error.message
        raise Refusal("incomplete", words, 422, [FieldError(field, words)]) from None
