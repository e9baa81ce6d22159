"""What of the norms of law stands on the home page: those that end soon or count no more."""

from cabinet.frame.home_parts import HomePart, HomeSays
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.access import Permission
from rules.clock import now
from rules.operation.norms import NormStage
from services.operation.norms import list_norms
from words import formats
from words.translation import gettext


async def _ask(visit: Visit, session: DatabaseSession) -> HomeSays:
    found = await list_norms(session, visit.actor, now())
    over = [one for one, stage in found if stage is NormStage.OVER]
    near = [one for one, stage in found if stage is NormStage.NEAR]
    ending = [*over, *near]
    if not ending or ending[0].until is None:
        return HomeSays()
    first = gettext(ending[0].what)
    words = gettext("Первой: %(what)s, %(day)s.")
    call = CallToAction(
        "bad" if over else "waiting",
        "triangle-alert",
        gettext("Нормы закона"),
        gettext("Скоро закончатся или уже не действуют: %(n)s") % {"n": len(ending)},
        words % {"what": first, "day": formats.day(ending[0].until)},
        gettext("Что на них опирается"),
        "/administration/norms",
    )
    return HomeSays(calls=[call])


NORMS = HomePart((Permission.MANAGE_CATALOGUE,), _ask)
