"""What of the schedule stands on the home page: a clinician's day, or the day of one's units."""

from cabinet.cases.lines import counted
from cabinet.frame.home_parts import HomeLine, HomeList, HomePart, HomeSays, short_list
from cabinet.frame.visits import Visit
from cabinet.schedule.lines import line_of
from clients.database import DatabaseSession
from rules.access import Permission
from rules.clock import now
from rules.schedule.states import AppointmentState
from services.schedule import seen
from services.schedule.today import appointments_today
from words.translation import gettext

MOST_LINES = 6
_TO_COME = (AppointmentState.BOOKED, AppointmentState.ARRIVED, AppointmentState.IN_PROGRESS)
"""A time that is only held says nothing of its patient yet."""


async def _own_day(visit: Visit, session: DatabaseSession) -> HomeSays:
    """Who is still to come today, the next first."""
    moment, zone = now(), visit.signed_in.zone
    today = seen.day_in(zone, moment)
    found = await seen.of_clinician(session, visit.actor, visit.actor.person_id, today, 1, zone)
    ahead = [one for one in found if one.state in _TO_COME]
    lines = []
    for one in ahead[:MOST_LINES]:
        line = line_of(one, visit, moment)
        note = gettext("кабинет %(name)s") % {"name": line.room} if line.room else ""
        url = f"/schedule/appointments/{one.id}"
        tag = None if line.expected else line.state
        lines.append(HomeLine(line.patient, url, line.starts, line.trouble or note, tag))
    said = []
    if ahead:
        said.append(counted("Сегодня ждём %(num)d пациента", "Сегодня ждём %(num)d пациентов",
                            len(ahead)))  # fmt: skip
    empty = gettext("Приёма сегодня больше нет.") if found else gettext("Сегодня приёма нет.")
    rest = len(ahead) - len(lines)
    more = gettext("Весь день, ещё %(n)s") % {"n": rest} if rest else gettext("Весь день")
    shown = HomeList("day", gettext("Сегодня на приёме"), lines, more, "/schedule", empty)
    return HomeSays(said, blocks=[short_list(shown)])


async def _units_day(visit: Visit, session: DatabaseSession) -> HomeSays:
    """How many are expected and wait at the door, for who books or plans and sees no patients."""
    if visit.actor.may(Permission.TREAT):
        return HomeSays()
    figures = await appointments_today(session, visit.actor, now())
    lines = [
        HomeLine(gettext("Ещё придут"), "/schedule", str(figures.expected)),
        HomeLine(gettext("Пришли и ждут приёма"), "/schedule", str(figures.arrived)),
    ]
    if visit.actor.may(Permission.BOOK):
        words = gettext("Ждут свободного времени")
        lines.append(HomeLine(words, "/schedule/waiting", str(figures.wishes)))
    shown = HomeList(
        "units", gettext("Сегодня в подразделении"), lines, gettext("Расписание"), "/schedule"
    )
    return HomeSays(blocks=[short_list(shown)])


OWN_DAY = HomePart((Permission.TREAT,), _own_day, today=True)
UNITS_DAY = HomePart((Permission.BOOK, Permission.PLAN_SCHEDULE), _units_day, today=True)
