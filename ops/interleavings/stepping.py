"""Stepping: of several actors who use one database, one at a time sends its next statement.

Whose turn it is, a seed says. An actor stops before each statement and before each commit; one that
waits for a lock of another is left there until it has the lock. So the same seed makes the same
interleaving, and a thousand seeds find what chance on a busy machine would not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from random import Random
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.util import await_only

from clients.database import Database
from rules.refusals import Refusal

Act = Callable[[], Awaitable[Any]]
SOON = 0.01
"""Seconds after which it is asked whether a statement waits for a lock."""
STICKINESS = (0.0, 0.5, 0.8)
"""How often the actor whose turn it was goes on; one of these for each interleaving."""

_BLOCKED = "select cardinality(pg_blocking_pids(%s)) > 0"


@dataclass(frozen=True)
class SteppedOutcome:
    """What became of an act: what it returned, or how it was refused, or failed."""

    value: Any = None
    refused: str = ""


class _Actor:
    """One who acts. It has arrived while it stands before its next statement."""

    def __init__(self, name: str) -> None:
        self.name, self.pid = name, 0
        self.arrived = asyncio.Event()
        self.task: asyncio.Task[SteppedOutcome]
        self._turn = asyncio.Event()

    async def stop(self, pid: int) -> None:
        """Wait for the next turn, on the connection of this process of the server."""
        self.pid = pid
        self._turn.clear()
        self.arrived.set()
        await self._turn.wait()

    def go(self) -> None:
        """Let it send what it stands before."""
        self.arrived.clear()
        self._turn.set()

    async def do(self, act: Act) -> SteppedOutcome:
        """Act, with a stop before each statement."""
        _ACTING.set(self)
        try:
            return SteppedOutcome(await act())
        except Refusal as refusal:
            return SteppedOutcome(refused=refusal.code)
        except Exception as error:
            # Whoever asked would be told of an internal error: the scene says what failed.
            return SteppedOutcome(refused=type(error).__name__)


_ACTING: ContextVar[_Actor | None] = ContextVar("acting", default=None)


class _SteppedCursor(psycopg.AsyncCursor[Any]):
    async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Send a statement when it is its actor's turn."""
        if (actor := _ACTING.get()) is not None:
            await actor.stop(self.connection.info.backend_pid)
        return await super().execute(query, params, **options)


class Stepper:
    """Steps through acts on one database, whose connections have to be opened after this."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.stops = 0
        """How many statements and commits were sent in turn."""
        self._watch: psycopg.AsyncConnection[Any]

    async def __aenter__(self) -> "Stepper":
        engine = self._database.engine.sync_engine
        await self._database.engine.dispose()
        event.listen(engine, "connect", _stepped)
        event.listen(engine, "commit", _before_commit)
        self._watch = await self._database.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        engine = self._database.engine.sync_engine
        event.remove(engine, "connect", _stepped)
        event.remove(engine, "commit", _before_commit)
        await self._watch.close()
        await self._database.engine.dispose()

    async def run(self, dice: Random, acts: Mapping[str, Act]) -> dict[str, SteppedOutcome]:
        """Do the acts in an order of the dice."""
        actors = [_Actor(name) for name in acts]
        for one in actors:
            one.task = asyncio.create_task(one.do(acts[one.name]))
            await self._settle(one)
        sticks, last = dice.choice(STICKINESS), actors[0]
        try:
            while going := [one for one in actors if not one.task.done()]:
                ready = [one for one in going if one.arrived.is_set()]
                if ready:
                    keeps = last in ready and dice.random() < sticks
                    last = last if keeps else dice.choice(ready)
                    last.go()
                    self.stops += 1
                    await self._settle(last)
                # Whoever waited for a lock may have it now; if all wait, the server ends one.
                for one in going:
                    if not one.arrived.is_set():
                        await self._settle(one)
            return {one.name: one.task.result() for one in actors}
        finally:
            for one in actors:
                one.task.cancel()

    async def _settle(self, actor: _Actor) -> None:
        """Wait until an actor stops, has done, or waits for a lock."""
        arrival = asyncio.ensure_future(actor.arrived.wait())
        try:
            while not actor.task.done() and not actor.arrived.is_set():
                both = (actor.task, arrival)
                done, _ = await asyncio.wait(
                    both, timeout=SOON, return_when=asyncio.FIRST_COMPLETED
                )
                if not done and await self._waits(actor):
                    return
        finally:
            arrival.cancel()

    async def _waits(self, actor: _Actor) -> bool:
        found = await (await self._watch.execute(_BLOCKED, [actor.pid])).fetchone()
        return bool(found and found[0])


def _stepped(connection: Any, _record: Any) -> None:
    connection.driver_connection.cursor_factory = _SteppedCursor


def _before_commit(connection: Any) -> None:
    if (actor := _ACTING.get()) is not None:
        pid = connection.connection.driver_connection.info.backend_pid
        await_only(actor.stop(pid))
