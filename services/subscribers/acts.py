"""What administrators and ops do with subscribers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from clients.database import Database, DatabaseSession
from rules.access import Actor, Permission
from rules.clock import now as present
from services.own_workflows import Wake
from services.subscribers import keeping
from services.subscribers.keeping import NewSubscriber


class Subscribers:
    """The acts. Methods raise Refusal 403, 404, 409 for one that has ended, and 422."""

    def __init__(self, database: Database, wake: Wake, near: str) -> None:
        self._database = database
        self._wake = wake
        self._near = near

    async def add(self, actor: Actor, new: NewSubscriber) -> tuple[UUID, str]:
        """Add a subscriber. Returns its id, and its secret, which is shown this once."""
        async with self._may(actor) as session:
            return await keeping.add(session, new, self._near, actor.person_id, present())

    async def change(self, actor: Actor, subscriber_id: UUID, url: str, types: list[str]) -> None:
        """Give another address or other types."""
        async with self._may(actor) as session:
            await keeping.change(
                session, subscriber_id, url, types, self._near, actor.person_id, present()
            )
        await self._wake(subscriber_id)

    async def rotate(self, actor: Actor, subscriber_id: UUID, *, leaked: bool) -> str:
        """Give a new secret, which is shown this once; one that leaked counts no more."""
        async with self._may(actor) as session:
            return await keeping.rotate(
                session, subscriber_id, actor.person_id, present(), leaked=leaked
            )

    async def set_paused(self, actor: Actor, subscriber_id: UUID, *, paused: bool) -> None:
        """Let events wait, or deliver what has waited."""
        async with self._may(actor) as session:
            await keeping.set_paused(
                session, subscriber_id, actor.person_id, present(), paused=paused
            )
        if not paused:
            await self._wake(subscriber_id)

    async def end(self, actor: Actor, subscriber_id: UUID) -> None:
        """Disconnect for good."""
        async with self._may(actor) as session:
            await keeping.end(session, subscriber_id, actor.person_id, present())

    async def test(self, actor: Actor, subscriber_id: UUID) -> UUID:
        """Send an event that says nothing. Returns its id."""
        async with self._may(actor) as session:
            event_id = await keeping.test(session, subscriber_id, actor.person_id, present())
        await self._wake(subscriber_id)
        return event_id

    async def resend(self, actor: Actor, subscriber_id: UUID, event_id: UUID | None) -> int:
        """Send again what was given up: one event, or all. Returns how many there were."""
        async with self._may(actor) as session:
            count = await keeping.resend(
                session, subscriber_id, event_id, actor.person_id, present()
            )
        if count:
            await self._wake(subscriber_id)
        return count

    @asynccontextmanager
    async def _may(self, actor: Actor) -> AsyncIterator[DatabaseSession]:
        actor.demand(Permission.CONNECT_SYSTEMS)
        async with self._database.work() as session:
            yield session
