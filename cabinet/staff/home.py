"""What of the personnel register stands on the home page: records that wait for a person."""

from cabinet.frame.home_parts import HomePart, HomeSays
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.access import Permission
from services.staff.unmatched import number_waiting
from words.translation import gettext


async def _ask(visit: Visit, session: DatabaseSession) -> HomeSays:
    number = await number_waiting(session, visit.actor)
    if not number:
        return HomeSays()
    call = CallToAction(
        "waiting",
        "users",
        gettext("Кадровый учёт"),
        gettext("Записи ждут вас: %(n)s") % {"n": number},
        gettext("Система не смогла выполнить их сама: решить может только человек."),
        gettext("Разобрать"),
        "/people/register",
    )
    return HomeSays(calls=[call])


PERSONNEL = HomePart((Permission.RECONCILE_STAFF,), _ask)
