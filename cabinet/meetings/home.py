"""What of meetings stands on the home page: those that an operator holds today."""

from cabinet.cases.lines import counted
from cabinet.frame.home_parts import HomeLine, HomeList, HomePart, HomeSays, short_list
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.access import Permission
from rules.clock import now
from services.meetings import seen
from services.schedule.seen import bounds, day_in
from words import formats
from words.translation import gettext

MOST_LINES = 6


async def _ask(visit: Visit, session: DatabaseSession) -> HomeSays:
    zone = visit.signed_in.zone
    begins, ends = bounds(day_in(zone, now()), 1, zone)
    found = await seen.of_day(session, visit.actor, begins, ends)
    lines = [
        HomeLine(one.person, f"/meetings/{one.id}", formats.clock(one.starts_at))
        for one in found[:MOST_LINES]
    ]
    said = []
    if found:
        said.append(counted("Сегодня %(num)d встреча", "Сегодня %(num)d встреч", len(found)))
    shown = HomeList(
        "meetings",
        gettext("Встречи сегодня"),
        lines,
        gettext("Все встречи"),
        "/meetings/mine",
        gettext("Сегодня встреч нет."),
    )
    return HomeSays(said, blocks=[short_list(shown)])


MEETINGS = HomePart((Permission.MEET_PEOPLE,), _ask, today=True)
