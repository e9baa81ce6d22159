"""What of accreditation stands on the home page: what the registers said of it last."""

from datetime import datetime

from cabinet.applications.views import AccreditationView
from cabinet.frame.home_parts import HomeBlock, HomePart, HomeSays
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.access import Permission
from rules.accreditations.norms import is_urgent
from services.accreditations.norms import norm_of
from services.registers import seen as registers
from words.translation import gettext


async def _ask(visit: Visit, session: DatabaseSession) -> HomeSays:
    shown = await _of(visit, session)
    return HomeSays(blocks=[HomeBlock("home/accreditation.html", shown)] if shown else [])


async def _of(visit: Visit, session: DatabaseSession) -> AccreditationView | None:
    """What the registers said last of the person's accreditation; None to whom it means nothing.

    Most reviewers are in no register; those who are have a SNILS in their file.
    """
    today = datetime.now(visit.presentation.tzinfo).date()
    who = visit.actor.person_id
    found, has_snils = await registers.accreditation_status(session, who, today)
    if found is not None:
        return AccreditationView(
            specialty=found.specialty,
            until=found.valid_until,
            days_left=(found.valid_until - today).days,
            urgent=is_urgent(found.valid_until, today),
            hours=found.hours,
            needed=norm_of(visit.container.settings, today).hours,
            as_of=found.as_of,
        )
    if has_snils:
        return AccreditationView(silence=gettext("Реестры пока ничего не сообщили о ней."))
    if visit.actor.may(Permission.REVIEW):
        return None
    return AccreditationView(silence=gettext("В личном деле нет СНИЛС, реестры вас не найдут."))


ACCREDITATION = HomePart((Permission.APPLY,), _ask)
