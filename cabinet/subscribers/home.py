"""What of connected systems stands on the home page: those that get nothing."""

from cabinet.frame.home_parts import HomePart, HomeSays
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.access import Permission
from services.subscribers.seen import number_failing
from words.translation import gettext


async def _ask(visit: Visit, session: DatabaseSession) -> HomeSays:
    number = await number_failing(session, visit.actor)
    if not number:
        return HomeSays()
    call = CallToAction(
        "bad",
        "triangle-alert",
        gettext("Подключённые системы"),
        gettext("Не отвечают: %(n)s") % {"n": number},
        gettext("События ждут и будут отправлены, когда система ответит."),
        gettext("Посмотреть"),
        "/subscribers",
    )
    return HomeSays(calls=[call])


SUBSCRIBERS = HomePart((Permission.CONNECT_SYSTEMS,), _ask)
