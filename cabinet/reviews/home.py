"""What of the desk stands on the home page: what waits for a decision, and what is overdue."""

from cabinet.cases.lines import counted
from cabinet.frame.home_parts import HomePart, HomeSays
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.cases.kinds import DECIDING
from rules.clock import now
from services.cases import lists as case_lists
from words.translation import gettext


async def _ask(visit: Visit, session: DatabaseSession) -> HomeSays:
    calls: list[CallToAction] = []
    parts: list[str] = []
    figures = await case_lists.counts(session, visit.actor, now())
    if figures["mine"]:
        parts.append(
            counted(
                "%(num)d дело ждёт вашего решения",
                "%(num)d дел ждут вашего решения",
                figures["mine"],
            )
        )
    elif figures["unassigned"]:
        parts.append(
            counted(
                "%(num)d дело в очереди отдела не распределено",
                "%(num)d дел в очереди отдела не распределено",
                figures["unassigned"],
            )
        )
    if figures["overdue"]:
        calls.append(
            CallToAction(
                "bad",
                "triangle-alert",
                gettext("Очередь"),
                gettext("Просрочено: %(n)s") % {"n": figures["overdue"]},
                gettext("Срок рассмотрения истёк, заявители ждут."),
                gettext("Открыть просроченные"),
                "/desk?overdue=true",
            )
        )
    if figures["in_review"]:
        calls.append(
            CallToAction(
                "waiting",
                "inbox",
                gettext("Очередь"),
                gettext("В очереди: %(n)s") % {"n": figures["in_review"]},
                gettext("У вас %(mine)s, не распределено %(free)s.")
                % {"mine": figures["mine"], "free": figures["unassigned"]},
                gettext("Открыть очередь"),
                "/desk",
            )
        )
    return HomeSays(parts, calls)


DESK = HomePart(DECIDING, _ask)
