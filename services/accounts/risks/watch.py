"""How much is used at present: requests, files, and ids that are not one's own (I10).

Each process counts by itself, and forgets at the pace of the limit. What is above that pace is
added, a chunk at a time, to the count in PostgreSQL that all processes share. Once it is used up,
the process refuses out of its own memory until the pause is over.
"""

import math
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from clients.database import Database
from rules.accounts import Limit
from rules.risks import USE_LIMITS, RiskKind, UseLimit, slowed
from services import rate_limits
from services.accounts.risks.events import raise_event
from services.accounts.sessions import Current, Visitor

SAME = 8
"""So many of somebody's last ids are remembered: a page that asks for one again tries no others."""
MOST_KEPT = 5000
"""From so many on, those are forgotten who have used nothing lately."""

_Whom = tuple[RiskKind, UUID]


class Watch:
    """What people use, as far as this process sees it."""

    def __init__(
        self, database: Database, limits: Mapping[RiskKind, UseLimit] = USE_LIMITS
    ) -> None:
        self._database = database
        self._limits = limits
        self._whole_at: dict[_Whom, datetime] = {}
        self._paused: dict[_Whom, datetime] = {}
        self._missed: dict[UUID, deque[str]] = {}
        self._opened: dict[UUID, deque[str]] = {}

    def demand(self, current: Current, now: datetime) -> None:
        """Raise Refusal 429 if the person's or the session's requests are paused."""
        for kind in self._limits:
            until = self._paused.get((kind, _whom(kind, current)))
            if until is not None and until > now:
                raise slowed(max(1, math.ceil((until - now).total_seconds())))

    async def used(self, kind: RiskKind, current: Current, visitor: Visitor, now: datetime) -> None:
        """Count one use. Only what is above the pace of the limit costs a commit."""
        known = self._limits.get(kind)
        if known is None:
            return
        whom = kind, _whom(kind, current)
        if len(self._whole_at) > MOST_KEPT:
            self._whole_at = {key: at for key, at in self._whole_at.items() if at > now}
            self._paused = {key: at for key, at in self._paused.items() if at > now}
        self._whole_at[whom] = max(self._whole_at.get(whom, now), now) + known.limit.spacing
        if self._whole_at[whom] - now > (known.chunk - 1) * known.limit.spacing:
            self._whole_at[whom] = now
            await self._share(kind, known, current, visitor, now)

    async def missed(self, current: Current, path: str, visitor: Visitor, now: datetime) -> None:
        """Count an id that is not there for the person, unless it was among the last ones."""
        if _is_new(self._missed, current.person_id, path):
            await self.used(RiskKind.ENUMERATION, current, visitor, now)

    async def opened(self, current: Current, file: str, visitor: Visitor, now: datetime) -> None:
        """Count a file whose pages are shown: once, not for each page, unless others came since."""
        if _is_new(self._opened, current.person_id, file):
            await self.used(RiskKind.DOWNLOADS, current, visitor, now)

    async def _share(
        self, kind: RiskKind, known: UseLimit, current: Current, visitor: Visitor, now: datetime
    ) -> None:
        chunk = Limit(known.limit.name, known.limit.times, known.limit.per, known.chunk)
        whom = _whom(kind, current)
        async with self._database.work() as session:
            if await rate_limits.take(session, [(chunk, str(whom))], now):
                self._paused[kind, whom] = now + known.pause
                facts = {"limit": known.limit.times, "seconds": known.limit.per.total_seconds()}
                await raise_event(session, kind, current.person_id, visitor, now, facts=facts)


def _is_new(known: dict[UUID, deque[str]], person_id: UUID, what: str) -> bool:
    """Whether it is not among the person's last ones; from now on it is."""
    if len(known) > MOST_KEPT:
        known.clear()
    last = known.setdefault(person_id, deque(maxlen=SAME))
    if what in last:
        return False
    last.append(what)
    return True


def _whom(kind: RiskKind, current: Current) -> UUID:
    """Whose use it is: of the pace, that of the session or token; of the rest, the person's."""
    if kind is RiskKind.RATE:
        return current.session_id or current.token_id or current.person_id
    return current.person_id
