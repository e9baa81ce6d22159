"""«Отсутствия»: who is absent, and the appointments that need another time as a work list (W1).

Each appointment has one main button; after each act the next one has the focus, so that a list is
worked off by one key. Nothing is dragged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Response
from pydantic import Field

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.absences.views import (
    AbsencePlanLine,
    AbsenceView,
    DisplacedLine,
    DisplacedPage,
    TimeButton,
)
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.states import StatusTag, Tone
from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.frame.visits import Inside, Visit, uuid_of
from clients.database import DatabaseSession
from rules.absences import (
    ACCEPTED_AT_ONCE,
    FOR_GOOD,
    OUTCOME_WORDS,
    REASON_WORDS,
    STATE_WORDS,
    TELLING_WORDS,
    AbsenceReason,
    AbsenceState,
    DisplacedOutcome,
    PatientTelling,
)
from rules.access import Permission
from rules.clock import now
from rules.ids import new_id
from rules.refusals import FieldError, Refusal
from rules.schedule.states import REASON
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from services.absences import seen
from services.absences.acts import AbsenceDays
from services.absences.seen import AbsenceSeen, DisplacedSeen, OtherTime
from services.schedule import planning
from services.schedule.seen import day_in
from words.formats import short_day
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/schedule/absences")

Text = Annotated[str, Form(max_length=40)]
Reason = Annotated[str, Form(max_length=5 * REASON[1])]
Version = Annotated[int, Form(ge=1, lt=2**31)]
ActId = Annotated[UUID, Form()]
SeenVersion = Annotated[int, Field(ge=1, lt=2**31)]
NONE_REFUSED: Mapping[UUID, Refusal] = {}
LIST = "/schedule/absences"
LOOKS: Mapping[AbsenceState, tuple[Tone, str]] = {
    AbsenceState.OPEN: ("waiting", "clock"),
    AbsenceState.SETTLED: ("good", "circle-check"),
    AbsenceState.WITHDRAWN: ("idle", "undo-2"),
}
BECAME: Mapping[DisplacedOutcome, tuple[Tone, str]] = {
    DisplacedOutcome.MOVED: ("good", "arrow-right"),
    DisplacedOutcome.CANCELLED: ("idle", "circle-x"),
    DisplacedOutcome.ELSEWHERE: ("idle", "calendar-clock"),
    DisplacedOutcome.STAYS: ("idle", "undo-2"),
}


@router.get("")
async def absences(visit: Inside, session: Work) -> Response:
    """Who is absent or will be, those first for whom somebody waits."""
    found = await seen.listed(session, visit.actor, now().date())
    return visit.page("absences/list.html", lines=[_absence(one) for one in found])


@router.get("/new")
async def new(
    visit: Inside, session: Work, clinician: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """Enter that somebody is absent."""
    return await _new(visit, session, {"person": clinician}, new_id())


@router.post("")
async def plan(
    visit: Inside,
    act_id: ActId,
    person: Text = "",
    first_day: Text = "",
    last_day: Text = "",
    reason: Text = "",
) -> Response:
    """Enter it: each appointment of these days gets a proposal."""
    typed = {"person": person, "first_day": first_day, "last_day": last_day, "reason": reason}
    try:
        who = uuid_of(person)
        if who is None:
            raise _incomplete("person", "Выберите человека.")
        made = await visit.container.absences.plan(visit.actor, act_id, who, _days(typed))
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        async with visit.container.database.work() as session:
            return await _new(visit, session, typed, act_id, refusal)
    return visit.go(f"{LIST}/{made}", "absence_planned")


@router.get("/{plan_id}")
async def one_absence(plan_id: UUID, visit: Inside, session: Work) -> Response:
    """One absence with its appointments."""
    return await _page(visit, session, plan_id)


@router.post("/{plan_id}/days")
async def change(
    plan_id: UUID,
    visit: Inside,
    version: Version,
    first_day: Text = "",
    last_day: Text = "",
    reason: Text = "",
) -> Response:
    """Let it last longer or shorter."""
    typed = {"first_day": first_day, "last_day": last_day, "reason": reason}
    try:
        await visit.container.absences.change(visit.actor, plan_id, version, _days(typed))
    except Refusal as refusal:
        return await _refused(visit, plan_id, refusal, typed)
    return visit.go(f"{LIST}/{plan_id}", "absence_changed")


@router.post("/{plan_id}/withdraw")
async def withdraw(plan_id: UUID, visit: Inside, version: Version) -> Response:
    """Say that nobody is absent."""
    try:
        await visit.container.absences.withdraw(visit.actor, plan_id, version)
    except Refusal as refusal:
        return await _refused(visit, plan_id, refusal)
    return visit.go(f"{LIST}/{plan_id}", "absence_withdrawn")


@router.post("/{plan_id}/accept")
async def accept_all(
    plan_id: UUID,
    visit: Inside,
    act_id: ActId,
    displaced: Annotated[list[UUID] | None, Form(max_length=ACCEPTED_AT_ONCE)] = None,
    version: Annotated[list[SeenVersion] | None, Form(max_length=ACCEPTED_AT_ONCE)] = None,
) -> Response:
    """Accept the proposals that the page has shown; those that are refused are named."""
    shown = dict(zip(displaced or (), version or (), strict=False))
    done = await visit.container.absences.accept_all(visit.actor, act_id, plan_id, shown)
    if not done.refused:
        return visit.go(f"{LIST}/{plan_id}", "displaced_all_moved")
    async with visit.container.database.work() as session:
        return await _page(visit, session, plan_id, refused=done.refused)


@router.get("/appointments/{displaced_id}")
async def one_displaced(displaced_id: UUID, visit: Inside, session: Work) -> Response:
    """Another time for one appointment, or its end."""
    return await _displaced_page(visit, session, displaced_id)


@router.post("/appointments/{displaced_id}/accept")
async def accept(displaced_id: UUID, visit: Inside, act_id: ActId, version: Version) -> Response:
    """Give it the time that is proposed."""
    back = await _back(visit, displaced_id)
    try:
        await visit.container.absences.accept(visit.actor, act_id, displaced_id, version)
    except Refusal as refusal:
        return await _refused(visit, back, refusal)
    return visit.go(f"{LIST}/{back}", "displaced_moved")


@router.post("/appointments/{displaced_id}/choose")
async def choose(
    displaced_id: UUID,
    visit: Inside,
    act_id: ActId,
    clinician: Annotated[UUID, Form()],
    starts_at: Text,
) -> Response:
    """Give it another time."""
    back = await _back(visit, displaced_id)
    try:
        at = _moment(starts_at)
        await visit.container.absences.choose(visit.actor, act_id, displaced_id, clinician, at)
    except Refusal as refusal:
        return await _displaced_refused(visit, displaced_id, refusal)
    return visit.go(f"{LIST}/{back}", "displaced_moved")


@router.post("/appointments/{displaced_id}/cancel")
async def cancel(displaced_id: UUID, visit: Inside, act_id: ActId, reason: Reason = "") -> Response:
    """Cancel it, for a reason."""
    back = await _back(visit, displaced_id)
    try:
        await visit.container.absences.cancel(visit.actor, act_id, displaced_id, reason)
    except Refusal as refusal:
        return await _displaced_refused(visit, displaced_id, refusal, reason)
    return visit.go(f"{LIST}/{back}", "displaced_cancelled")


@router.post("/appointments/{displaced_id}/told")
async def told(displaced_id: UUID, visit: Inside) -> Response:
    """Say that the patient was called."""
    back = await _back(visit, displaced_id)
    try:
        await visit.container.absences.told(visit.actor, displaced_id)
    except Refusal as refusal:
        return await _refused(visit, back, refusal)
    return visit.go(f"{LIST}/{back}", "displaced_told")


async def _back(visit: Visit, displaced_id: UUID) -> UUID:
    async with visit.container.database.reading() as session:
        return await seen.absence_of(session, visit.actor, displaced_id)


async def _refused(
    visit: Visit, plan_id: UUID, refusal: Refusal, typed: Mapping[str, str] | None = None
) -> Response:
    if refusal.status not in (409, 422):
        raise refusal
    async with visit.container.database.work() as session:
        return await _page(visit, session, plan_id, refusal, typed)


async def _displaced_refused(
    visit: Visit, displaced_id: UUID, refusal: Refusal, reason: str = ""
) -> Response:
    if refusal.status not in (409, 422):
        raise refusal
    async with visit.container.database.work() as session:
        return await _displaced_page(visit, session, displaced_id, refusal, reason)


async def _new(
    visit: Visit,
    session: DatabaseSession,
    typed: Mapping[str, str],
    act_id: UUID,
    refusal: Refusal | None = None,
) -> Response:
    actor, moment = visit.actor, now()
    actor.demand(Permission.PLAN_SCHEDULE)
    people = await planning.people_of_units(
        session, actor.units_with(Permission.PLAN_SCHEDULE), moment
    )
    who = FieldView(
        "person",
        gettext("Кто отсутствует"),
        "choice",
        options=[Option(str(one.id), one.name, group=one.position) for one in people],
    )
    fields = [who, *_day_fields(short_day(day_in(visit.signed_in.zone, moment)))]
    return visit.page(
        "absences/new.html",
        status=refusal.status if refusal else 200,
        fields_shown=_filled(fields, typed, refusal),
        act_id=act_id,
        errors=errors_of(refusal) if refusal else [],
    )


async def _page(
    visit: Visit,
    session: DatabaseSession,
    plan_id: UUID,
    refusal: Refusal | None = None,
    typed: Mapping[str, str] | None = None,
    refused: Mapping[UUID, Refusal] = NONE_REFUSED,
) -> Response:
    page = await seen.page(session, visit.actor, plan_id)
    absence = page.absence
    waiting, done = (
        [replace(_displaced(one), refused=_why(refused.get(one.id))) for one in some]
        for some in (page.waiting, page.done)
    )
    undecided = [one for one in waiting if not one.decided]
    errors = errors_of(refusal) if refusal else []
    errors += [
        ErrorItem(f"{one.when}, {one.patient}: {one.refused}", "" if one.decided else f"#{one.id}")
        for one in (*waiting, *done)
        if one.refused
    ]
    values = typed or {
        "first_day": short_day(absence.first_day),
        "last_day": short_day(absence.last_day),
        "reason": absence.reason.value,
    }
    view = AbsenceView(
        line=_absence(absence),
        id=absence.id,
        version=absence.version,
        zone=absence.zone,
        changeable=absence.changeable,
        undecided=undecided,
        to_tell=[one for one in waiting if one.decided],
        done=done,
        days=_filled(_day_fields(), values, refusal),
        accept_id=new_id(),
        proposed=[one for one in undecided if one.to_when][:ACCEPTED_AT_ONCE],
    )
    status = refusal.status if refusal else 409 if refused else 200
    return visit.page("absences/absence.html", status=status, view=view, errors=errors)


async def _displaced_page(
    visit: Visit,
    session: DatabaseSession,
    displaced_id: UUID,
    refusal: Refusal | None = None,
    reason: str = "",
) -> Response:
    one = await seen.one(session, visit.actor, displaced_id)
    times: Sequence[OtherTime] = ()
    if one.outcome is None:
        times = await seen.choices(session, visit.actor, displaced_id, now())
    wrong = {each.path: in_words(each.message) for each in refusal.fields} if refusal else {}
    view = DisplacedPage(
        line=_displaced(one),
        back=f"{LIST}/{await seen.absence_of(session, visit.actor, displaced_id)}",
        days=_by_day(times, one.zone),
        reason=FieldView(
            "reason",
            gettext("Почему отменяется"),
            value=reason,
            error=wrong.get("reason", ""),
            max_length=REASON[1],
        ),
        cancel_id=new_id(),
    )
    return visit.page(
        "absences/appointment.html",
        status=refusal.status if refusal else 200,
        view=view,
        errors=errors_of(refusal) if refusal else [],
    )


def _by_day(times: Sequence[OtherTime], zone: str) -> list[tuple[date, Sequence[TimeButton]]]:
    here = ZoneInfo(zone)
    shown = [(one.starts_at.astimezone(here), one) for one in times]
    return [
        (
            day,
            [
                TimeButton(
                    clinician_id=one.clinician_id,
                    starts_at=one.starts_at.astimezone(UTC).isoformat(),
                    clock=f"{at:%H:%M}",
                    clinician=one.clinician,
                )
                for at, one in rest
            ],
        )
        for day, rest in groupby(shown, key=lambda each: each[0].date())
    ]


def _day_fields(first: str = "") -> list[FieldView]:
    reasons = [Option(one.value, gettext(words)) for one, words in REASON_WORDS.items()]
    hint = gettext("Как дд.мм.гггг")
    return [
        FieldView("first_day", gettext("Первый день"), "date", value=first, hint=hint),
        FieldView("last_day", gettext("Последний день"), "date", value=first, hint=hint),
        FieldView("reason", gettext("Причина"), "choice", value="illness", options=reasons),
    ]


def _filled(
    fields: Sequence[FieldView], typed: Mapping[str, str], refusal: Refusal | None
) -> list[FieldView]:
    wrong = {each.path: in_words(each.message) for each in refusal.fields} if refusal else {}
    return [
        replace(one, value=typed.get(one.name, one.value), error=wrong.get(one.name, ""))
        for one in fields
    ]


def _days(typed: Mapping[str, str]) -> AbsenceDays:
    """The days that were typed. Raises Refusal 422."""
    days = []
    for name in ("first_day", "last_day"):
        try:
            days.append(identifiers.day(typed[name]))
        except IdentifierError as error:
            raise _incomplete(name, error.message) from None
    if typed["reason"] not in set(AbsenceReason):
        raise _incomplete("reason", "Выберите причину.")
    return AbsenceDays(days[0], days[1], AbsenceReason(typed["reason"]))


def _why(refusal: Refusal | None) -> str:
    return in_words(refusal.message) if refusal else ""


def _moment(text: str) -> datetime:
    """The moment that a button of the page carries. Raises Refusal 422."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min  # noqa: DTZ901 - refused below
    if at.tzinfo is None or abs(at - now()) > timedelta(days=800):
        raise Refusal("incomplete", "Выберите время из списка.", 422)
    return at


def _incomplete(field: str, words: str) -> Refusal:
    return Refusal("incomplete", words, 422, [FieldError(field, words)])


def _absence(one: AbsenceSeen) -> AbsencePlanLine:
    first, last = short_day(one.first_day), short_day(one.last_day)
    days = first if first == last else f"{first} — {last}"
    reason = gettext(REASON_WORDS[one.reason])
    if one.last_day == FOR_GOOD:
        days = gettext("с %(day)s") % {"day": first}
        reason = gettext("больше здесь не работает")
    tone, icon = LOOKS[one.state]
    return AbsencePlanLine(
        url=f"{LIST}/{one.id}",
        person=one.person,
        position=one.position,
        unit=one.unit,
        days=days,
        reason=reason,
        state=StatusTag(gettext(STATE_WORDS[one.state]), tone, icon),
        waits=one.waits,
        earliest=_clock(one.earliest, one.zone) if one.earliest else "",
    )


def _displaced(one: DisplacedSeen) -> DisplacedLine:
    to = one.to_clinician
    outcome = None
    if one.outcome is not None:
        tone, icon = BECAME[one.outcome]
        outcome = StatusTag(gettext(OUTCOME_WORDS[one.outcome]), tone, icon)
    return DisplacedLine(
        id=one.id,
        version=one.version,
        act_id=new_id(),
        url=f"{LIST}/appointments/{one.id}",
        when=_clock(one.starts_at, one.zone),
        patient=one.patient or gettext("пациент"),
        phone=one.phone,
        to=gettext("тот же врач") if one.same_clinician else to,
        to_when=_clock(one.to_starts_at, one.zone) if one.to_starts_at else "",
        outcome=outcome,
        telling=gettext(TELLING_WORDS[one.telling]) if one.telling else "",
        calls=one.telling is PatientTelling.CALL,
        decided=one.outcome is not None,
        settled_by=one.settled_by,
        appointment_url=f"/schedule/appointments/{one.appointment_id}",
        moved_url=f"/schedule/appointments/{one.moved_to}" if one.moved_to else "",
    )


def _clock(at: datetime, zone: str) -> str:
    here = at.astimezone(ZoneInfo(zone))
    return f"{short_day(here.date())}, {here:%H:%M}"
