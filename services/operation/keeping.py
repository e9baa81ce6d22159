"""Keeps the standing workflows at work: a run that cannot go on is ended, and another begun.

Somebody may start one by hand under the id of a standing workflow, or a build of other workflows
may hold it. Nobody else would notice: the sweeper, which begins the runs of cases anew, is one of
them.
"""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from clients.database import Database
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from services.journal import entries as journal
from services.operation.temporal_health import Standings

IDLE_LOOKS = 2
"""After so many looks in a row at which it did nothing, a run is begun anew.

For each time within a day that this did not last, twice as many, so that ops can look at it.
"""
MOST_DOUBLINGS = 5
WITHIN = timedelta(days=1)


class StandingKeeper:
    """What one worker has seen of the standing workflows, look after look."""

    def __init__(self, standings: Standings, database: Database) -> None:
        self._standings = standings
        self._database = database
        self._idle: Counter[str] = Counter()
        self._begun: dict[str, list[datetime]] = defaultdict(list)

    async def look(self, now: datetime) -> None:
        """Look once; ops see on their desk what was begun anew. Raises RPCError, TimeoutError."""
        for state in await self._standings.states():
            if not state.runs or state.works(now):
                self._idle[state.id] = 0
                continue
            self._idle[state.id] += 1
            lately = [at for at in self._begun[state.id] if at > now - WITHIN]
            wanted = IDLE_LOOKS * 2 ** min(len(lately), MOST_DOUBLINGS)
            if self._idle[state.id] >= wanted and await self._standings.begin(state.id, anew=True):
                self._begun[state.id] = [*lately, now]
                self._idle[state.id] = 0
                await self._note(state.id, now)

    async def _note(self, workflow_id: str, now: datetime) -> None:
        async with self._database.work() as session:
            await journal.append(
                session,
                chain=SYSTEM_CHAIN,
                kind=JournalKind.INSTALLATION_WORKFLOW_BEGUN_ANEW,
                at=now,
                system="worker",
                facts={"workflow": workflow_id},
            )
