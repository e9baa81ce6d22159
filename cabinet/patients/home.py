"""What of patients stands on the home page: records last used, links and emergencies to judge."""

from cabinet.frame.home_parts import HomeLine, HomeList, HomePart, HomeSays, short_list
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from cabinet.patients.lines import born
from clients.database import DatabaseSession
from rules.access import Permission
from rules.clock import now
from services.patients import searching
from services.patients.waiting import emergencies_waiting, links_waiting
from words.translation import gettext

MOST_RECORDS = 5


async def _last_records(visit: Visit, session: DatabaseSession) -> HomeSays:
    """Only records that are open to the visitor now: a way that is over leaves no name behind."""
    found = await searching.recent_open(session, visit.actor, now())
    if not found:
        return HomeSays()
    lines = [
        HomeLine(one.identity.name, f"/patients/{one.id}", note=born(one.identity))
        for one in found[:MOST_RECORDS]
    ]
    shown = HomeList(
        "records", gettext("Недавние карты"), lines, gettext("Найти пациента"), "/patients"
    )
    return HomeSays(blocks=[short_list(shown)])


async def _links(visit: Visit, session: DatabaseSession) -> HomeSays:
    number = await links_waiting(session, visit.actor)
    if not number:
        return HomeSays()
    call = CallToAction(
        "waiting",
        "users",
        gettext("Пациенты"),
        gettext("Объединения ждут решения: %(n)s") % {"n": number},
        gettext("Коллега считает, что две карты об одном человеке. Решает второй сотрудник."),
        gettext("Сравнить"),
        "/patients/links",
    )
    return HomeSays(calls=[call])


async def _emergencies(visit: Visit, session: DatabaseSession) -> HomeSays:
    number, late = await emergencies_waiting(session, visit.actor, now())
    if not number:
        return HomeSays()
    words = gettext("Карты открыты экстренно. Оцените, было ли это нужно.")
    if late:
        words += " " + gettext("Просрочено: %(n)s.") % {"n": late}
    call = CallToAction(
        "bad",
        "triangle-alert",
        gettext("Экстренный доступ"),
        gettext("Ждут оценки: %(n)s") % {"n": number},
        words,
        gettext("Оценить"),
        "/patients/emergencies",
    )
    return HomeSays(calls=[call])


LAST_RECORDS = HomePart((Permission.TREAT,), _last_records)
LINKS = HomePart((Permission.REGISTER_PATIENTS,), _links)
EMERGENCIES = HomePart((Permission.JUDGE_EMERGENCIES,), _emergencies)
