"""What the laboratory says it sent and we did not get: found in its list, and taken in."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from clients.clinic.laboratory import LaboratoryClient, LaboratoryDown, LaboratoryGarbled
from clients.database import Database
from rules.clock import now as present
from rules.refusals import Refusal
from rules.results.terms import ResultTerms
from services import outages
from services.own_workflows import Wake
from services.results import hearing

log = structlog.get_logger(__name__)

BACK = timedelta(days=14)
"""So far back the list is read."""
MOST_PAGES = 1000
"""So many parts of the list are read at most."""


@dataclass(frozen=True)
class CatchUp:
    """What was read, what was news, and what could not be taken in."""

    read: int
    taken: int
    refused: int


async def catch_up(
    database: Database, laboratory: LaboratoryClient, terms: ResultTerms, wake: Wake
) -> CatchUp:
    """Go through the list once, and take in what was not heard.

    Raises LaboratoryDown and LaboratoryGarbled, and then the outage is noted for ops.
    """
    since = (present() - BACK).date()
    after: str | None = ""
    read = taken = refused = 0
    for _ in range(MOST_PAGES):
        try:
            page = await laboratory.page(since, after or "")
        except (LaboratoryDown, LaboratoryGarbled):
            async with database.work() as session:
                await outages.begin(session, outages.LABORATORY, present())
            raise
        messages = page.messages()
        async with database.work() as session:
            await outages.end(session, outages.LABORATORY, present())
            news = [one for one in messages if not await hearing.is_known(session, one)]
        for one in news:
            try:
                taken += await hearing.take(database, one, terms, wake)
            except Refusal:
                refused += 1
        read += len(page.items)
        refused += len(page.items) - len(messages)
        after = page.after
        if after is None:
            break
    if refused or after is not None:
        log.warning("laboratory_list", read=read, refused=refused, cut=after is not None)
    return CatchUp(read, taken, refused)
