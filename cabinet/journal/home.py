"""What of the journal stands on the home page: the last day, for who reads it."""

from cabinet.frame.home_parts import HomePart, HomeSays
from cabinet.frame.visits import Visit
from cabinet.journal import security_watch
from clients.database import DatabaseSession
from rules.access import Permission


async def _ask(visit: Visit, session: DatabaseSession) -> HomeSays:
    day = await security_watch.watched(session, visit)
    return HomeSays([security_watch.sentence(day)], security_watch.cards(day))


LAST_DAY = HomePart((Permission.READ_JOURNAL,), _ask)
