"""What of a verification stands on the home page: that the account is not confirmed yet."""

from cabinet.frame.home_parts import HomePart, HomeSays
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.accounts import AccountState
from words.translation import gettext


async def _ask(visit: Visit, session: DatabaseSession) -> HomeSays:
    del session
    if visit.actor.state is not AccountState.REGISTERED:
        return HomeSays()
    call = CallToAction(
        tone="waiting",
        icon="shield-check",
        kicker=gettext("Учётная запись"),
        title=gettext("Подтвердите учётную запись"),
        text=gettext("Пока открыты не все разделы. Осталось несколько шагов."),
        url="/verifications",
        action=gettext("Что осталось"),
    )
    return HomeSays([gettext("Учётная запись ещё не подтверждена")], [call])


VERIFICATION = HomePart((), _ask)
