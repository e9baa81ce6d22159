"""What of absences stands on the home page: how many appointments wait, without names."""

from cabinet.frame.home_parts import HomePart, HomeSays
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.absences import is_urgent
from rules.access import Permission
from rules.clock import now
from services.absences.seen import figures
from words.translation import gettext


async def _absences(visit: Visit, session: DatabaseSession) -> HomeSays:
    waits, calls, earliest = await figures(session, visit.actor)
    shown = []
    if waits:
        urgent = earliest is not None and is_urgent(now(), earliest)
        words = gettext("Врач отсутствует. Для каждой записи предложено другое время.")
        if urgent:
            words += " " + gettext("До первой меньше суток.")
        title = gettext("Записи без врача: %(n)s") % {"n": waits}
        shown.append(_card(title, words, gettext("Устроить"), urgent=urgent))
    if calls:
        title = gettext("Позвонить пациентам: %(n)s") % {"n": calls}
        words = gettext("Их приём перенесён или отменён, а они ещё не знают.")
        shown.append(_card(title, words, gettext("Кому звонить"), urgent=False))
    return HomeSays(calls=shown)


def _card(title: str, text: str, action: str, *, urgent: bool) -> CallToAction:
    return CallToAction(
        "bad" if urgent else "waiting",
        "calendar-clock",
        gettext("Отсутствия"),
        title,
        text,
        action,
        "/schedule/absences",
    )


ABSENCES = HomePart((Permission.PLAN_SCHEDULE,), _absences)
