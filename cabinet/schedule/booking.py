"""Booking in few keys: the patient, whom, a free time, and one more key to confirm (W1).

Choosing a time keeps it for five minutes, so nobody is told «taken» after having decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Visit, own_path, uuid_of
from cabinet.schedule.lines import day_nav, day_of, line_of, state_tag, steps_of
from cabinet.schedule.views import (
    AppointmentPage,
    BookingPage,
    FoundPatient,
    FreeButton,
)
from clients.database import DatabaseSession
from rules.access import Permission
from rules.clock import now
from rules.ids import new_id
from rules.refusals import FieldError, Refusal
from rules.schedule.hours import DAY, STEPS, length_of, minutes_of, moment
from rules.schedule.states import MOVES_FROM, REASON, AppointmentState, VisitStep
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from services.patients import searching
from services.patients.entering import identities
from services.schedule import free, seen
from services.schedule.acts import TimeWish
from services.schedule.seen import AppointmentSeen, Clinician
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/schedule")

Text = Annotated[str, Form(max_length=40)]
Asked = Annotated[str, Query(max_length=200)]
Typed = Annotated[str, Form(max_length=200)]
Reason = Annotated[str, Form(max_length=5 * REASON[1])]
BOOK = "/schedule/book"
_DAYS = 7
_MOST_BUTTONS = 200
_BESIDE = {"clinician": "whom"}
"""The page has another field of this name: ids must not come twice."""


@router.get("/book")
async def booking(
    visit: Inside,
    session: Work,
    patient: Asked = "",
    clinician: Asked = "",
    day: Asked = "",
    move: Asked = "",
) -> Response:
    """Choose a patient, whom, and a time; with `move` another time for an appointment."""
    return await _page(visit, session, _Asked(uuid_of(patient), clinician, day, uuid_of(move)))


@router.post("/book/search")
async def search(
    visit: Inside, session: Work, text: Typed = "", born: Text = "", clinician: Typed = ""
) -> Response:
    """Look for the patient. By POST: what is typed stands in no address."""
    return await _page(visit, session, _Asked(None, clinician, text=text, born=born))


@router.post("/book")
async def hold(
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    patient: Annotated[UUID, Form()],
    clinician: Annotated[UUID, Form()],
    starts_at: Text,
) -> Response:
    """Keep a time, and show it to be confirmed."""
    acts = visit.container.appointments
    wish = TimeWish(clinician, patient, _moment(starts_at), hold=True)
    try:
        kept = await acts.book(visit.actor, act_id, wish)
    except Refusal as refusal:
        if refusal.status != 409:
            raise
        day = wish.starts_at.date().isoformat()
        return await _again(visit, _Asked(patient, str(clinician), day), refusal)
    return visit.go(f"/schedule/appointments/{kept.id}")


@router.post("/beside")
async def overbook(
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    patient: Annotated[UUID, Form()],
    whom: Text = "",
    on_day: Text = "",
    at: Text = "",
    minutes: Text = "",
    beside: Reason = "",
) -> Response:
    """Book in spite of the hours or beside another appointment, for a reason."""
    typed = {
        "clinician": whom,
        "on_day": on_day,
        "at": at,
        "minutes": minutes,
        "beside": beside,
    }
    try:
        async with visit.container.database.reading() as session:
            wish = await _beside(session, patient, typed)
        made = await visit.container.appointments.book(visit.actor, act_id, wish)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _again(visit, _Asked(patient, whom), refusal, typed)
    return visit.go(f"/schedule/appointments/{made.id}", "appointment_booked")


@router.get("/appointments/{appointment_id}")
async def appointment(
    appointment_id: UUID, visit: Inside, session: Work, back: Asked = ""
) -> Response:
    """One appointment, and what can be done with it."""
    return await _appointment(visit, session, appointment_id, back)


@router.post("/appointments/{appointment_id}/step")
async def step(
    appointment_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    version: Annotated[int, Form(ge=1, lt=2**31)],
    step: Annotated[VisitStep, Form()],
    reason: Reason = "",
    back: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Take a step."""
    acts = visit.container.appointments
    try:
        done = await acts.step(visit.actor, act_id, appointment_id, version, step, reason)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        async with visit.container.database.work() as session:
            return await _appointment(visit, session, appointment_id, back, refusal, reason)
    said = "appointment_booked" if step is VisitStep.CONFIRM else "appointment_changed"
    here = f"/schedule/appointments/{appointment_id}"
    if done.state is AppointmentState.CANCELLED and step is VisitStep.CANCEL and not reason:
        here = BOOK
    return visit.go(own_path(back, here) if back else here, said)


@router.post("/appointments/{appointment_id}/move")
async def move(
    appointment_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    version: Annotated[int, Form(ge=1, lt=2**31)],
    patient: Annotated[UUID, Form()],
    clinician: Annotated[UUID, Form()],
    starts_at: Text,
) -> Response:
    """Give an appointment another time."""
    wish = TimeWish(clinician, patient, _moment(starts_at))
    try:
        moved = await visit.container.appointments.move(
            visit.actor, act_id, appointment_id, version, wish
        )
    except Refusal as refusal:
        if refusal.status != 409:
            raise
        day = wish.starts_at.date().isoformat()
        return await _again(visit, _Asked(patient, str(clinician), day, appointment_id), refusal)
    return visit.go(f"/schedule/appointments/{moved.id}", "appointment_moved")


@dataclass
class _Asked:
    """What the address of the page asks for."""

    patient: UUID | None
    clinician: str = ""
    day: str = ""
    move: UUID | None = None
    text: str = ""
    born: str = ""


async def _again(
    visit: Visit, asked: _Asked, refusal: Refusal, typed: dict[str, str] | None = None
) -> Response:
    async with visit.container.database.work() as session:
        return await _page(visit, session, asked, refusal, typed)


async def _page(
    visit: Visit,
    session: DatabaseSession,
    asked: _Asked,
    refusal: Refusal | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    actor, moment_ = visit.actor, now()
    actor.demand(Permission.BOOK)
    moving: AppointmentSeen | None = None
    if asked.move is not None:
        moving = await seen.one(session, actor, asked.move)
        asked.patient = moving.patient_id
        asked.clinician = asked.clinician or str(moving.clinician_id)
    today = seen.day_in(visit.signed_in.zone, moment_)
    found, more, patient, wrong = None, False, "", {}
    if asked.patient is not None:
        known = await identities(session, [asked.patient])
        patient = known[asked.patient].name if asked.patient in known else ""
    elif asked.text or asked.born:
        try:
            result = await searching.search(session, actor, asked.text, asked.born, moment_)
            found, more = result.found, result.more
        except Refusal as refused:
            if refused.status != 422:
                raise
            refusal = refused
            wrong = {one.path: in_words(one.message) for one in refused.fields}
    people = await seen.clinicians(session, actor.units_with(Permission.BOOK), today)
    first = day_of(asked.day, today)
    chosen = _chosen(people, asked.clinician)
    days: list[tuple[date, list[FreeButton]]] = []
    if patient and chosen:
        days = await _free_days(session, visit, chosen, first, moment_)
    about = ("move", str(asked.move)) if asked.move else ("patient", str(asked.patient))
    units = {one.unit_id for one in people}
    page = BookingPage(
        patient=patient,
        patient_id=asked.patient if patient else None,
        search=_search(asked, wrong),
        found=None
        if found is None
        else [
            FoundPatient(
                f"{BOOK}?"
                + urlencode({"patient": one.main, "clinician": asked.clinician, "day": asked.day}),
                one.identity.name,
                one.identity.birth_date.strftime("%d.%m.%Y"),
            )
            for one in found
        ],
        more=more,
        filters=_filters(people, asked.clinician),
        days=days,
        beside=_beside_fields(people, asked.clinician, first, typed or {}, refusal),
        act_id=new_id(),
        moving=line_of(moving, visit, moment_) if moving else None,
        move_day=moving.wall.date() if moving else None,
        url=f"/schedule/appointments/{asked.move}/move" if moving else BOOK,
        nav=day_nav(first, today, BOOK, _DAYS, [about, ("clinician", asked.clinician)])
        if patient and chosen
        else None,
        waits=[(one.id, one.name) for one in await seen.units(session, actor) if one.id in units],
    )
    return visit.page(
        "schedule/book.html",
        status=refusal.status if refusal else 200,
        booking=page,
        chosen=asked.clinician,
        open_beside=typed is not None,
        errors=errors_of(refusal) if refusal else [],
    )


async def _free_days(
    session: DatabaseSession, visit: Visit, chosen: Sequence[Clinician], first: date, at: datetime
) -> list[tuple[date, list[FreeButton]]]:
    """Free times by day of the clinicians' own clock."""
    names = {one.id: one.name for one in chosen}
    zones = {one.unit_id: await seen.zone_of_unit(session, one.unit_id) for one in chosen}
    units = visit.actor.units_with(Permission.BOOK)
    people = list(names)[: free.MOST_CLINICIANS]
    times = [
        one
        for one in await free.free_times(session, people, first, _DAYS, at)
        if one.unit_id in units
    ][:_MOST_BUTTONS]
    shown = []
    for one in times:
        here = one.starts_at.astimezone(ZoneInfo(zones.get(one.unit_id, visit.signed_in.zone)))
        button = FreeButton(
            clinician_id=one.clinician_id,
            starts_at=one.starts_at.astimezone(UTC).isoformat(),
            clock=f"{here:%H:%M}",
            clinician=names[one.clinician_id],
        )
        shown.append((here.date(), button))
    return [
        (day, [button for _, button in rest])
        for day, rest in groupby(sorted(shown, key=lambda each: each[0]), key=lambda each: each[0])
    ]


def _chosen(people: Sequence[Clinician], text: str) -> list[Clinician]:
    """The one clinician, or all of a post."""
    one = uuid_of(text)
    if one is not None:
        return [person for person in people if person.id == one][:1]
    return [person for person in people if text and person.position == text]


def _options(people: Sequence[Clinician], *, posts: bool) -> list[Option]:
    options = []
    for position, rest in groupby(people, key=lambda one: one.position):
        distinct = {person.id: person for person in rest}
        if posts and len(distinct) > 1:
            any_of = gettext("Любой: %(post)s") % {"post": position}
            options.append(Option(position, any_of, group=position))
        options += [Option(str(one.id), one.name, group=position) for one in distinct.values()]
    return options


def _search(asked: _Asked, wrong: dict[str, str]) -> list[FieldView]:
    return [
        FieldView(
            "text",
            gettext("Пациент"),
            value=asked.text,
            hint=gettext("СНИЛС, полис или имя целиком"),
            error=wrong.get("text", ""),
            autofocus=True,
        ),
        FieldView(
            "born",
            gettext("Дата рождения"),
            "date",
            value=asked.born,
            hint=gettext("Как дд.мм.гггг"),
            error=wrong.get("born", ""),
            required=False,
        ),
    ]


def _filters(people: Sequence[Clinician], chosen: str) -> list[FieldView]:
    return [
        FieldView(
            "clinician",
            gettext("К кому"),
            "choice",
            value=chosen,
            options=_options(people, posts=True),
        )
    ]


def _beside_fields(
    people: Sequence[Clinician],
    chosen: str,
    day: date,
    typed: dict[str, str],
    refusal: Refusal | None,
) -> list[FieldView]:
    wrong = {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}
    options = _options(people, posts=False)
    fields = [
        FieldView("clinician", gettext("К кому"), "choice", value=chosen, options=options),
        FieldView("on_day", gettext("День"), "date", value=day.strftime("%d.%m.%Y")),
        FieldView("at", gettext("Время"), hint=gettext("Например, 09:30"), width="width-5"),
        FieldView("minutes", gettext("Сколько минут"), "number", value="15"),
        FieldView(
            "beside",
            gettext("Почему сверх расписания"),
            hint=gettext("Причину увидят врач и регистраторы."),
            max_length=REASON[1],
        ),
    ]
    return [
        replace(
            one,
            name=_BESIDE.get(one.name, one.name),
            value=typed.get(one.name, one.value),
            error=wrong.get(_BESIDE.get(one.name, one.name), ""),
        )
        for one in fields
    ]


async def _beside(session: DatabaseSession, patient: UUID, typed: dict[str, str]) -> TimeWish:
    """The overbooking that was typed. Raises Refusal 422."""
    errors: list[FieldError] = []

    def bad(field: str, words: str) -> Any:
        errors.append(FieldError(field, words))

    who = uuid_of(typed["clinician"]) or bad("whom", "Выберите врача.")
    try:
        day = identifiers.day(typed["on_day"])
    except IdentifierError as error:
        day = bad("on_day", error.message)
    clock, minutes = minutes_of(typed["at"]), length_of(typed["minutes"])
    if clock is None or clock == DAY:
        bad("at", "Укажите время, например 09:30.")
    if minutes not in STEPS:
        bad("minutes", "Приём длится от 5 минут до 8 часов.")
    if not typed["beside"].strip():
        bad("beside", "Напишите причину: от 3 до 500 знаков.")
    if errors or who is None or day is None or clock is None:
        raise Refusal("incomplete", errors[0].message, 422, errors)
    zone = ZoneInfo((await seen.clinician(session, who)).zone)
    at = moment(day, clock, zone)
    return TimeWish(who, patient, at, minutes, beside=typed["beside"])


def _moment(text: str) -> datetime:
    """The moment that a button of the page carries. Raises Refusal 422."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min  # noqa: DTZ901 - refused below
    if at.tzinfo is None or abs(at - now()) > timedelta(days=800):
        raise Refusal("incomplete", "Выберите время из списка.", 422)
    return at


async def _appointment(
    visit: Visit,
    session: DatabaseSession,
    appointment_id: UUID,
    back: str,
    refusal: Refusal | None = None,
    reason: str = "",
) -> Response:
    at = now()
    one = await seen.one(session, visit.actor, appointment_id)
    whose = await seen.clinician(session, one.clinician_id)
    wrong = {each.path: in_words(each.message) for each in refusal.fields} if refusal else {}
    reasoned = steps_of(one, visit, at, reasoned=True)
    books = visit.actor.may(Permission.BOOK, one.unit_id)
    page = AppointmentPage(
        line=line_of(one, visit, at),
        day=one.starts_at.astimezone(ZoneInfo(one.zone)).date(),
        position=whose.position,
        zone=one.zone,
        reason=one.reason,
        held=one.state is AppointmentState.HELD,
        steps=steps_of(one, visit, at),
        reasoned=reasoned,
        reason_field=FieldView(
            "reason",
            gettext("Причина"),
            value=reason,
            error=wrong.get("reason", ""),
            max_length=REASON[1],
        ),
        move_url=f"{BOOK}?move={one.id}" if one.state is MOVES_FROM and books else "",
        moved_url=f"/schedule/appointments/{one.moved_to}" if one.moved_to else "",
        back=own_path(back, "") if back else "",
    )
    return visit.page(
        "schedule/appointment.html",
        status=refusal.status if refusal else 200,
        page=page,
        tag=state_tag(one.state),
        errors=errors_of(refusal) if refusal else [],
    )
