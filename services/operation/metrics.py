"""The state of operation in figures, by one statement: for Prometheus, not for people."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clients.database import Database
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.operation.states import ENTRIES_LOOKED_THROUGH, FAILED_ARE_SHOWN, REPLACING_IS_SHOWN

KEPT = 10.0
"""How many seconds figures stay valid: the database is not asked more often, whoever asks."""


@dataclass(frozen=True)
class Figures:
    """Numbers by kind, state and channel; ages in seconds, 0 if nothing waits."""

    open: Sequence[tuple[str, str, int]]
    stuck: Mapping[str, int]
    unheard: int
    unheard_age: float
    overdue: int
    waiting: Mapping[str, tuple[int, float]]
    """By channel: how many notices are due and not sent, and how long the oldest has been."""
    failed: Mapping[str, int]
    exports_failed: int
    replaced: int
    """Servers that ran without working and were replaced within a day."""
    outages: Mapping[str, float]
    sealed_age: float
    unsealed_age: float
    refused: int
    """Rows that the last checkpoint refused because the application did not write them."""
    backup_age: float
    """Seconds since the last backup; if there is none, since the first checkpoint."""


_ALL = """
select json_build_object(
  'open', (select json_agg(json_build_array(kind, status, n)) from
    (select kind, status, count(*) n from "case" where closed_at is null group by 1, 2) one),
  'stuck', (select json_object_agg(kind, n) from
    (select kind, count(*) n from "case" where stuck is not null group by 1) one),
  'unheard', (select json_build_array(count(*), extract(epoch from now() - min(wakes_at)))
    from "case" where closed_at is null and wakes_at < now() - %(grace)s * interval '1 second'),
  'overdue', (select count(*) from "case" where closed_at is null and due_at < now()),
  'waiting', (select json_object_agg(channel, json_build_array(n, age)) from
    (select channel, count(*) n, extract(epoch from now() - min(due_at)) age
     from notice where state = 'waiting' and due_at <= now() group by 1) one),
  'failed', (select json_object_agg(channel, n) from
    (select channel, count(*) n from notice
     where state = 'failed' and failed_at > now() - %(shown)s group by 1) one),
  'exports', (select count(*) from export
    where state = 'failed' and asked_at > now() - %(shown)s),
  'replaced', (select count(*) from journal_entry where chain = %(system)s
    and position > (select max(position) from journal_entry where chain = %(system)s) - %(looked)s
    and kind = %(replaced)s and at > now() - %(replacing_shown)s),
  'outages', (select json_object_agg(system, extract(epoch from now() - since))
    from outage where until is null),
  'sealed', (select extract(epoch from now() - max(at)) from journal_seal),
  'unsealed', (select extract(epoch from now() - min(e.at)) from journal_pending p
    join journal_entry e on e.chain = p.ref and e.position = p.position where p.kind = 'chain'),
  'refused', (select count(*) from journal_pending where refused is not null),
  'backup', (select extract(epoch from now() - coalesce(
    (select at from journal_entry where chain = %(system)s and kind = %(backed_up)s
     order by position desc limit 1),
    (select at from journal_seal order by number limit 1))))
)
"""


class MetricsSource:
    """The figures of an installation; `grace` is in seconds, see `services.operation.desk.desk`."""

    def __init__(self, database: Database, grace: float) -> None:
        self._database = database
        self._grace = grace
        self._asking = asyncio.Lock()
        self._known: Figures | None = None
        self._asked = -KEPT

    async def figures(self) -> Figures:
        """The figures, at most ten seconds old. Raises OperationalError."""
        async with self._asking:
            if self._known is None or time.monotonic() - self._asked >= KEPT:
                self._known = await self._ask()
                self._asked = time.monotonic()
            return self._known

    async def _ask(self) -> Figures:
        async with self._database.line() as line:
            found = await line.execute(
                _ALL,
                {
                    "grace": self._grace,
                    "shown": FAILED_ARE_SHOWN,
                    "system": SYSTEM_CHAIN,
                    "backed_up": JournalKind.INSTALLATION_BACKED_UP.value,
                    "replaced": JournalKind.INSTALLATION_SERVER_REPLACED.value,
                    "replacing_shown": REPLACING_IS_SHOWN,
                    "looked": ENTRIES_LOOKED_THROUGH,
                },
            )
            told: dict[str, Any] = (await found.fetchall())[0][0]
        unheard, unheard_age = told["unheard"]
        return Figures(
            open=[(kind, status, n) for kind, status, n in told["open"] or ()],
            stuck=told["stuck"] or {},
            unheard=unheard,
            unheard_age=unheard_age or 0.0,
            overdue=told["overdue"],
            waiting={name: (n, age) for name, (n, age) in (told["waiting"] or {}).items()},
            failed=told["failed"] or {},
            exports_failed=told["exports"],
            replaced=told["replaced"],
            outages=told["outages"] or {},
            sealed_age=told["sealed"] or 0.0,
            unsealed_age=max(told["unsealed"] or 0.0, 0.0),
            refused=told["refused"],
            backup_age=told["backup"] or 0.0,
        )
