"""Appointments and free times as the pages show them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from cabinet.frame.states import StatusTag, Tone
from cabinet.frame.visits import Visit
from cabinet.schedule.views import DayNav, Line, StepButton
from rules.access import Permission
from rules.clock import YEARS
from rules.ids import new_id
from rules.schedule.hours import FreeSlot
from rules.schedule.states import (
    ARROWS,
    STATE_WORDS,
    STEP_WORDS,
    TREATING,
    AppointmentState,
    VisitStep,
)
from services.schedule.seen import TROUBLE_WORDS, AppointmentSeen
from words.translation import gettext

LOOKS: Mapping[AppointmentState, tuple[Tone, str]] = {
    AppointmentState.HELD: ("paused", "hourglass"),
    AppointmentState.BOOKED: ("idle", "calendar-clock"),
    AppointmentState.ARRIVED: ("waiting", "user-check"),
    AppointmentState.IN_PROGRESS: ("busy", "circle-dot"),
    AppointmentState.COMPLETED: ("good", "circle-check"),
    AppointmentState.NO_SHOW: ("bad", "circle-x"),
    AppointmentState.CANCELLED: ("idle", "undo-2"),
    AppointmentState.MOVED: ("idle", "arrow-right"),
}


def state_tag(state: AppointmentState) -> StatusTag:
    """A state in words, with its tone and shape."""
    tone, icon = LOOKS[state]
    return StatusTag(gettext(STATE_WORDS[state]), tone, icon)


def line_of(one: AppointmentSeen, visit: Visit, now: datetime) -> Line:
    """An appointment as one line of a day."""
    here = ZoneInfo(one.zone)
    patient_id = one.patient_id
    return Line(
        starts=f"{one.starts_at.astimezone(here):%H:%M}",
        ends=f"{one.ends_at.astimezone(here):%H:%M}",
        id=one.id,
        version=one.version,
        patient=one.patient or gettext("занято"),
        patient_url=f"/patients/{patient_id}"
        if patient_id and visit.actor.may(Permission.TREAT)
        else "",
        clinician=one.clinician,
        room=one.room,
        state=state_tag(one.state),
        overbooked=one.overbooked,
        expected=one.state is AppointmentState.BOOKED,
        trouble=gettext(TROUBLE_WORDS[one.trouble]) if one.trouble else "",
        steps=[one_step for one_step in steps_of(one, visit, now) if one_step.main],
    )


def steps_of(
    one: AppointmentSeen, visit: Visit, now: datetime, *, reasoned: bool = False
) -> list[StepButton]:
    """The steps that the visitor can take now: those that need no reason, or those that do."""
    own = one.clinician_id == visit.actor.person_id
    if not visit.actor.may(Permission.BOOK) or not (
        own or visit.actor.may(Permission.BOOK, one.unit_id)
    ):
        return []
    here = ZoneInfo(one.zone)
    early = now.astimezone(here).date() < one.starts_at.astimezone(here).date()
    found = []
    for (state, step), arrow in ARROWS.items():
        if state is not one.state or arrow.reason is not reasoned:
            continue
        if step in TREATING and not own:
            continue
        if (step is VisitStep.ARRIVE and early) or (step is VisitStep.MISS and now < one.starts_at):
            continue
        main = not reasoned and step not in (VisitStep.MISS, VisitStep.CANCEL)
        found.append(StepButton(step.value, gettext(STEP_WORDS[step]), new_id(), main))
    return found


def free_line(one: FreeSlot, zone: str, base: str) -> Line:
    """A free time as one line of a day, with the way to book it."""
    here = ZoneInfo(zone)
    at = one.starts_at.astimezone(here)
    asked = {"clinician": str(one.clinician_id), "day": at.date().isoformat()}
    return Line(
        starts=f"{at:%H:%M}",
        ends=f"{one.ends_at.astimezone(here):%H:%M}",
        book_url=f"{base}?{urlencode(asked)}",
    )


def together(
    appointments: Iterable[AppointmentSeen],
    free: Iterable[FreeSlot],
    zone: str,
    visit: Visit,
    now: datetime,
) -> list[Line]:
    """Appointments and free times in the order of a day."""
    lines = [(one.starts_at, line_of(one, visit, now)) for one in appointments]
    lines += [(one.starts_at, free_line(one, zone, "/schedule/book")) for one in free]
    return [line for _, line in sorted(lines, key=lambda each: each[0])]


def day_nav(
    day: date, today: date, path: str, step: int = 1, asked: Sequence[tuple[str, str]] = ()
) -> DayNav:
    """The way to the days around one."""
    around = timedelta(days=step)
    return DayNav(day, day - around, day + around, today, path, asked)


def day_of(text: str, today: date) -> date:
    """The day that an address names; today where it names none that people mean."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if day.year in YEARS else today


def on(day: date, found: Sequence[AppointmentSeen]) -> list[AppointmentSeen]:
    """What lies on a day, by the clock of each appointment."""
    return [one for one in found if one.starts_at.astimezone(ZoneInfo(one.zone)).date() == day]
